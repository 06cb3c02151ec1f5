"""The families that have a small checkpoint, one row each."""

from __future__ import annotations

from tests.families import (
    internvl,
    llava_1_5,
    llava_next_video,
    llava_onevision,
    qwen2_5_vl,
    qwen2_vl,
    qwen3_vl,
    smolvlm,
)

FAMILIES = {
    module.FAMILY.model_type: module.FAMILY
    for module in (
        llava_onevision,
        qwen2_vl,
        qwen2_5_vl,
        llava_1_5,
        llava_next_video,
        internvl,
        smolvlm,
        qwen3_vl,
    )
}
ASKED = [(name, medium) for name, family in FAMILIES.items() for medium in family.media]
ASKED_ONCE = [(name, family.media[-1]) for name, family in FAMILIES.items()]

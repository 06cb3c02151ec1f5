"""The families that have a small checkpoint, one row each."""

from __future__ import annotations

import pytest

from tests.families import (
    internvl,
    llava_1_5,
    llava_next_video,
    llava_onevision,
    qwen2_5_omni,
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
        qwen2_5_omni,
    )
}
ASKED = [(name, medium) for name, family in FAMILIES.items() for medium in family.media]
ASKED_ONCE = [(name, family.media[-1]) for name, family in FAMILIES.items()]
# The same for `parametrize`, where one medium of a family is enough for daily work.
ASKED_OR_SLOW = [pytest.param(*pair, marks=[] if pair in ASKED_ONCE else pytest.mark.slow) for pair in ASKED]

"""Expected calls: what the vision side will be asked, and what it gives, is known from the frames' size alone."""

from __future__ import annotations

import pytest

from aim_core.adapters.registry import adapter_for
from aim_core.footprint import vision_activations
from tests.families.calls import made, rows_of
from tests.families.family import pictures
from tests.families.table import FAMILIES
from tests.helpers.peak import Peak

SIZES = [(64, 96), (40, 120), (112, 48), (240, 320)]
COUNTS = {name: (1, 2, 3, 8) if "video" in family.media else (1,) for name, family in FAMILIES.items()}
ASKED = [(name, count) for name, counts in COUNTS.items() for count in counts]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "count"), ASKED)
def test_a_call_is_known_before_there_are_frames(family_model, name, count, size):
    adapter = adapter_for(*family_model(name))
    (call,) = made(adapter, pictures(count, size))
    expected = adapter.expected_call(count, *size)
    assert expected.modality == call.modality
    assert rows_of(adapter.media(expected)) == rows_of(adapter.media(call))
    assert adapter.vision_flops(expected) == adapter.vision_flops(call) > 0


@pytest.mark.parametrize("name", FAMILIES)
def test_the_memory_of_the_vision_side_is_known_before(family_model, name):
    """Within a factor: small towers hold little beside their pixels."""
    adapter, count = adapter_for(*family_model(name)), max(COUNTS[name])
    made(adapter, pictures(count, (240, 320)), peak := Peak())
    expected, config = adapter.expected_call(count, 240, 320), adapter.model.config.vision_config
    told = vision_activations(expected, config, adapter.model.dtype.itemsize, adapter.keeps_tower_states)
    assert 0.45 < peak.most / told < 1.4


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_family_reads_is_what_its_adapter_says(family_model, name):
    adapter = adapter_for(*family_model(name))
    assert ("video" in adapter.modalities) == ("video" in FAMILIES[name].media)
    if "video" not in adapter.modalities:
        with pytest.raises(ValueError, match="one picture"):
            adapter.expected_call(2, 64, 96)

"""Checkpoints of the families, each made once a run, when a test first wants it."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from tests.families.family import load
from tests.families.table import FAMILIES


@pytest.fixture(scope="session")
def family_folder(tmp_path_factory):
    """name → the folder of that family's small checkpoint."""
    made = {}

    def folder(name: str):
        needs = FAMILIES[name].needs
        if needs and importlib.util.find_spec(needs) is None:
            pytest.skip(f"the processor of {name} needs the package {needs}")
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name)
            FAMILIES[name].save(made[name])
        return made[name]

    return folder


@pytest.fixture(scope="session")
def family_model(family_folder):
    """(name, dtype) → its model and processor, loaded by the Auto classes; shared, so leave them as they are."""
    loaded = {}

    def model(name: str, dtype: torch.dtype = torch.float32):
        if (name, dtype) not in loaded:
            loaded[name, dtype] = load(family_folder(name), dtype)
        return loaded[name, dtype]

    return model

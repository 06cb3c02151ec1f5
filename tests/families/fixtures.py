"""Checkpoints of the families, each made once a run, when a test first wants it.

What is large is imported where it is used: pytest's own process, which only hands out the tests, needs none of it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def family_folder(tmp_path_factory):
    """name → the folder of that family's small checkpoint."""
    import transformers
    from packaging.version import Version

    from tests.families.table import FAMILIES

    made = {}

    def folder(name: str):
        needs = FAMILIES[name].needs
        if needs and importlib.util.find_spec(needs) is None:
            pytest.skip(f"the processor of {name} needs the package {needs}")
        if Version(transformers.__version__) < Version(since := FAMILIES[name].since):
            pytest.skip(f"{name} needs transformers {since}")
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name)
            FAMILIES[name].save(made[name])
        return made[name]

    return folder


@pytest.fixture(scope="session")
def family_model(family_folder):
    """(name, dtype) → its model and processor, loaded by the Auto classes; shared, so leave them as they are."""
    import torch

    from tests.families.family import load

    loaded = {}

    def model(name: str, dtype: torch.dtype = torch.float32):
        if (name, dtype) not in loaded:
            loaded[name, dtype] = load(family_folder(name), dtype)
        return loaded[name, dtype]

    return model


@pytest.fixture(scope="session")
def blocks(tmp_path_factory) -> dict[str, Path]:
    """A picture and a video of coloured blocks, 128 x 192 pixels, by what they are."""
    import av
    from PIL import Image

    from tests.families.family import pictures

    folder, (height, width) = tmp_path_factory.mktemp("blocks"), (128, 192)
    frames = pictures(12, (height, width))
    Image.fromarray(frames[0]).save(folder / "blocks.png")
    with av.open(str(folder / "blocks.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=6, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())
    return {"image": folder / "blocks.png", "video": folder / "blocks.mp4"}

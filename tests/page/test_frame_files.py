"""Frame files: written whole, once, also where many visitors ask for the same picture at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
from PIL import Image

from page.state.frame_files import write_frames

VISITORS = 6


def test_many_may_write_the_same_picture_at_once(tmp_path):
    pictures = [np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8) for seed in range(3)]
    for turn in range(20):
        together, folder = Barrier(VISITORS), str(tmp_path / str(turn))

        def write(_, together=together, folder=folder):
            together.wait(timeout=30)
            return write_frames(pictures, folder)

        with ThreadPoolExecutor(VISITORS) as visitors:
            first, *others = visitors.map(write, range(VISITORS))
        assert all(other == first for other in others)
        shown = [np.asarray(Image.open(file.path)) for file in first]
        assert all(np.array_equal(one, picture) for one, picture in zip(shown, pictures, strict=True))
        assert not [*(tmp_path / str(turn)).rglob("*.part")]

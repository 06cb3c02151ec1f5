"""What tests share: a small random checkpoint of the real classes, a clip, and the app as a server.

What is large is imported where it is used: pytest's own process, which only hands out the tests, needs none of it.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):  # they share the cores, and so do their children
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    if os.environ["PYTEST_XDIST_WORKER"] != "gw0":  # which gets the first tests, those of the page, and takes longest
        os.nice(5)

import pytest

from tests.helpers.browsing import CHROMIUM, FLAGS, PATIENCE
from tests.helpers.one_browser import on_page

pytest_plugins = ["tests.helpers.ending", "tests.helpers.one_browser", "tests.families.fixtures"]
SIZES = (128, 8)  # of the random checkpoint: 128 pixels, patches of 8, so 8 x 8 visual tokens a frame


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What asks the app, drives a page or is about training is slow, and gets a longer limit, for a busy machine.

    Files that do so come first, as one process does all of them; others with something slow next.
    """
    for item in items:
        if {"served", "browser"} & {*item.fixturenames} or item.path.parent.name == "training":
            item.add_marker("slow")
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(400))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (not on_page(item.nodeid.partition("::")[0]), item.path not in slow))


@pytest.fixture(autouse=True)
def usual_priority():
    """No test may leave its process with real-time priority, as some encoders do: others would wait for its core."""
    yield
    if hasattr(os, "sched_getscheduler"):
        assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.fixture(scope="session")
def browser():
    """A real Chromium; tests that ask for it are skipped where there is none."""
    driver = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no Chromium; `make chromium` installs it")
    with driver.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        driver.expect.set_options(timeout=PATIENCE)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """The folder of a LLaVA-OneVision checkpoint with random weights, sharp enough in attention to rank tokens."""
    import torch

    from training.build import make_model, make_processor

    folder = tmp_path_factory.mktemp("checkpoint")
    model = make_model(0, *SIZES, wide=False)
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            layer.self_attn.q_proj.weight.mul_(8)
            layer.self_attn.k_proj.weight.mul_(8)
            layer.mlp.down_proj.weight.mul_(8)
    model.save_pretrained(folder)
    make_processor(*SIZES, wide=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def engine(checkpoint):
    """An engine in float64, so that scores are not tied by rounding."""
    import torch

    from aim_core.engine import Engine

    return Engine.from_pretrained(checkpoint, device="cpu", dtype=torch.float64)


@pytest.fixture(scope="session")
def frames():
    """(4, 96, 128, 3) uint8, a clip that is not square."""
    from training.drawing import render
    from training.world import frame_times, make_scene

    return render(make_scene(3), frame_times(4), 128)[:, 16:112]


@pytest.fixture(scope="session")
def served():
    """Address of the page with the embedded model, in this process: a process of its own takes ten times as long.

    `tests/browser/test_families.py` and the benchmarks start it as a user does.
    """
    from tests.helpers.here import app_here, quick

    with app_here(quick("")) as address:
        yield address


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """A short H.264 video of the shape world: one red circle goes right, one blue star rests."""
    import av

    from training.drawing import render
    from training.world import Scene, Thing, frame_times

    rest = {"phase": "start", "appears": 0.0, "vanishes": 1.0}
    circle = Thing("red", "circle", 0.11, (0.2, 0.3), (0.8, 0.3), "right", **rest)
    star = Thing("blue", "star", 0.11, (0.3, 0.75), (0.3, 0.75), "still", **rest)
    scene = Scene((circle, star), "gradient", (50, 45, 60), (70, 60, 50), 2.0, 7)
    path = tmp_path_factory.mktemp("clip") / "shapes.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=12)
        stream.width = stream.height = 320
        stream.pix_fmt = "yuv420p"
        for picture in render(scene, frame_times(36), 320):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return path

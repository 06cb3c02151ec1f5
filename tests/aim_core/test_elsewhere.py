"""Windows, as far as it can be played here: no module and no call that only POSIX has, and a launcher around Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAYED = """
import builtins, os, signal, sys
import aim_core.media.kernel as kernel

found, absent = builtins.__import__, {"fcntl", "grp", "pwd", "resource", "termios"}

def elsewhere(name, globals=None, *args, **more):
    if name in absent and str((globals or {}).get("__name__")).startswith("aim_core"):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return found(name, globals, *args, **more)

builtins.__import__, kernel.IS_LINUX = elsewhere, False

def forget_posix():
    for name in ("fork", "killpg", "memfd_create", "pidfd_open", "setpriority"):
        delattr(os, name)
    for name in ("SIGALRM", "SIGXCPU", "setitimer"):
        delattr(signal, name)

if "aim_core.media.worker" in sys.orig_argv:
    forget_posix()
"""
USE = """
import logging, sys
logging.basicConfig()
checkpoint, clip, picture, sys.executable = sys.argv[1:]
from aim_core import AimConfig, Engine

engine = Engine.from_pretrained(checkpoint, device="cpu")
__import__("sitecustomize").forget_posix()  # now that torch and transformers are there, which ask the platform
for file in (clip, picture):
    print(len(engine.run(file, "where?", config=AimConfig(0.5, 2, 6), num_frames=2, max_new_tokens=1).trace.frames))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="the launcher is a shell script")
def test_the_engine_and_its_decoder_need_nothing_of_posix(checkpoint, clip, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(PLAYED)
    (launcher := tmp_path / "python").write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit $?\n')
    launcher.chmod(0o755)
    from PIL import Image

    Image.new("RGB", (64, 48), "teal").save(picture := tmp_path / "picture.png")
    done = subprocess.run(
        [sys.executable, "-c", USE, checkpoint, clip, picture, launcher],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.stdout.split() == ["2", "1"], done.stderr
    assert done.stderr.count("cannot confine the decoder entirely") == 1
    assert all(named in done.stderr for named in ("seccomp", "Landlock", "limits on memory", "an alarm"))


def test_the_page_says_where_it_runs():
    code = "import sys; sys.modules['fcntl'] = None; import app"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("The page runs on Linux and macOS only.")
    assert done.stderr.count("\n") == 1

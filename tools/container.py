"""Container: build the Dockerfile without Docker or a hub, and run the main job in it as its user.

    python -m tools.container [BUILD OPTIONS]

Debian's debootstrap makes what stands in for the base image, Debian's buildah builds on it in a chroot; both need root.
Options go to `buildah build`: a torch index, or the volumes and variables of a network where pip needs its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from gradio_client import Client, handle_file

from tools.load.server import ended

ROOT = Path(__file__).parent.parent
BASE, IMAGE = "aim-explorer-base", "aim-explorer"
PORT = 7861
BUILDAH = ("buildah", "--storage-driver", "vfs")
CHROOT = ("--isolation", "chroot")
NAMES = "python3,python3-venv,ca-certificates"
SAMPLE = ROOT / "assets" / "samples" / "crossing.mp4"
# What user 1000 must be and find: prints what is wrong.
LOOK = """
import os, pathlib
wrong = [] if os.getuid() == 1000 else [f"runs as user {os.getuid()}"]
code = ("/app", "/app/app.py", "/app/page", "/opt/venv")
wrong += [f"{path} can be written" for path in code if os.access(path, os.W_OK)]
wrong += [f"{name} is in the image" for name in (".git", "tests", ".venv") if pathlib.Path("/app", name).exists()]
print("; ".join(wrong), end="")
"""


def main(options: list[str]) -> None:
    for program in ("buildah", "debootstrap"):
        if not shutil.which(program):
            sys.exit(f"{program} is missing: apt-get install buildah debootstrap")
    make_base(ROOT / ".cache" / "container")
    buildah("build", *CHROOT, "--build-arg", f"BASE=localhost/{BASE}", *options, "--tag", IMAGE, str(ROOT))
    print(f"{IMAGE}: {size()}")
    with container() as name:
        if wrong := told(name, "python", "-c", LOOK):
            sys.exit(wrong)
        print(main_job(name))


def make_base(folder: Path) -> None:
    """The image that stands in for the official one: Debian with its own Python."""
    if subprocess.run([*BUILDAH, "images", BASE], capture_output=True, check=False).returncode == 0:
        return
    root = folder / "base"
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["debootstrap", "--variant=minbase", f"--include={NAMES}", "bookworm", str(root)], check=True)
    name = told_by("from", "scratch")
    buildah("copy", name, str(root), "/")
    buildah("commit", "--rm", name, BASE)
    shutil.rmtree(root)


@contextmanager
def container():
    """The name of one, removed at the end."""
    name = told_by("from", IMAGE)
    try:
        yield name
    finally:
        buildah("rm", name)


def main_job(name: str) -> str:
    """Serve the app inside, ask it about a sample from outside, end it as an operator does; what it answered."""
    command = [*BUILDAH, "run", *CHROOT, name, "--", "tini", "--", "python", "app.py", "--port", str(PORT)]
    serving = subprocess.Popen(command, start_new_session=True)
    with ended(serving, group=True):
        client = _connected(f"http://127.0.0.1:{PORT}", serving)
        asked = {"question": "how does the cyan star move?", "video": handle_file(str(SAMPLE))}
        answer = client.predict(**asked, timed=False, api_name="/answer")
    return json.dumps({key: answer[key] for key in ("model", "answers")})


def _connected(address: str, serving: subprocess.Popen, seconds: float = 180) -> Client:
    end = time.monotonic() + seconds
    while time.monotonic() < end and serving.poll() is None:
        try:
            return Client(address, verbose=False)
        except Exception:  # any error of a server that is not up yet
            time.sleep(1)
    raise SystemExit("the app did not start in the container")


def size() -> str:
    """Of the image's files as they are unpacked, as buildah says it: "2.1 GB"."""
    return json.loads(told_by("images", "--json", IMAGE))[0]["size"]


def told(name: str, *command: str) -> str:
    """What a command prints inside."""
    return told_by("run", *CHROOT, name, "--", *command)


def told_by(*arguments: str) -> str:
    done = subprocess.run([*BUILDAH, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def buildah(*arguments: str) -> None:
    subprocess.run([*BUILDAH, *arguments], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""The wheel: `aim_core` and `aim_lab`, which need neither this repository nor Gradio nor matplotlib."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from tests.helpers.wheel import build_wheel

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
UNNEEDED = ["app", "cv2", "gradio", "matplotlib", "page", "training", "visual"]
USE = """
import json, sys
sys.modules.update(dict.fromkeys({unneeded}))  # None there makes an import fail

from aim_core import AimConfig, Engine, aim
from transformers import AutoModelForImageTextToText, AutoProcessor

checkpoint, clip = sys.argv[1:]
config = AimConfig(keep_ratio=0.5, l1=2, l2=6)
result = Engine.from_pretrained(checkpoint, device="cpu").run(clip, "where is the red circle?", config=config)

model = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype="float32", attn_implementation="sdpa").eval()
turn = [{{"role": "user", "content": [{{"type": "text", "text": "what?"}}, {{"type": "video"}}]}}]
processor = AutoProcessor.from_pretrained(checkpoint)
prompt = processor.apply_chat_template(turn, add_generation_prompt=True)
inputs = processor(text=prompt, videos=[result.trace.frames], return_tensors="pt", do_sample_frames=False)
with aim(model, config) as recorder:
    model.generate(**inputs, max_new_tokens=2)
entered = [len(kept) for kept in recorder.record.kept]
print(json.dumps({{"file": sys.modules["aim_core"].__file__, "engine": len(result.answer), "entered": entered}}))
"""


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_it_holds_the_core_and_the_lab_alone(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        (metadata,) = (message_from_string(file.read(n).decode()) for n in names if n.endswith(".dist-info/METADATA"))
    here = {str(path.relative_to(ROOT)) for room in ("aim_core", "aim_lab") for path in (ROOT / room).rglob("*.py")}
    assert {name for name in names if ".dist-info/" not in name} == here | {"aim_core/py.typed"}
    always = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert not [line for line in always if line.startswith(("gradio", "matplotlib", "opencv"))] and len(always) > 4
    assert set(metadata.get_all("Provides-Extra")) == {"development", "lab", "lmms", "media", "quantisation", "ray"}


def test_it_works_where_this_repository_gradio_and_matplotlib_are_not(wheel, checkpoint, clip, tmp_path):
    """The environment sees this one's torch and transformers, so that the test needs no network."""
    venv.create(tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    (site,) = (tmp_path / "env" / "lib").glob("python3*/site-packages")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        wheel,
        folder=tmp_path,
    )
    (site / "others.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    code = USE.format(unneeded=UNNEEDED)
    said = json.loads(run(python, "-c", code, checkpoint, clip, folder=tmp_path).splitlines()[-1])
    assert Path(said["file"]).is_relative_to(site)
    assert said["engine"] > 0 and said["entered"][0] > said["entered"][-1] == 0

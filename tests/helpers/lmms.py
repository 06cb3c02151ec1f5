"""lmms-eval as a user runs it: in an environment of its own, with this project's wheel and a task of shapes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest

from aim_core.media.decode import load_frames
from training.eval_sets import NUM_FRAMES, Item
from training.questions import Question

ROOT = Path(__file__).parents[2]
TASK = "shape_world"
_YAML = """dataset_path: json
dataset_kwargs: {{data_files: {{test: {questions}}}}}
task: {task}
test_split: test
output_type: generate_until
doc_to_visual: !function shapes.visual
doc_to_text: "{{{{question}}}}"
doc_to_target: answer
generation_kwargs: {{max_new_tokens: 16, temperature: 0, do_sample: false, num_beams: 1}}
process_results: !function shapes.score
cluster_key: video
metric_list:
  - {{metric: shape_world_score, aggregation: mean, higher_is_better: true}}
"""
_LAUNCHER = (
    "-m accelerate.commands.launch --multi_gpu --num_machines 1 --mixed_precision no --dynamo_backend no "
    "--main_process_port 0 --num_processes"
)
_FUNCTIONS = """def visual(doc):
    return [doc["video"]]


def score(doc, results):
    return {"shape_world_score": float(results[0].strip() in (doc["answer"], doc["word"]))}
"""


@dataclass(frozen=True)
class Filmed:
    """A held-out question about a film on the disk."""

    video: int
    question: Question
    path: Path

    def frames(self, num_frames: int) -> np.ndarray:
        return load_frames(self.path, num_frames).frames


def filmed(items: Sequence[Item], folder: Path) -> list[Filmed]:
    """The same questions, their scenes as films of NUM_FRAMES frames."""
    paths = {}
    for item in items:
        if item.video not in paths:
            paths[item.video] = folder / f"{item.video}.mp4"
            _film(paths[item.video], item.frames(NUM_FRAMES))
    return [Filmed(item.video, item.question, paths[item.video]) for item in items]


def _film(path: Path, frames: np.ndarray) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=4, options={"crf": "4"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())


def write_task(folder: Path, items: Sequence[Filmed]) -> None:
    """What `--include_path` is given: a task, its functions and its questions."""
    questions = folder / "questions.jsonl"
    docs = [
        {
            "video": str(own.path),
            "question": own.question.text,
            "answer": own.question.answer,
            "word": own.question.word,
        }
        for own in items
    ]
    questions.write_text("".join(json.dumps(doc) + "\n" for doc in docs))
    (folder / f"{TASK}.yaml").write_text(_YAML.format(questions=questions, task=TASK))
    (folder / "shapes.py").write_text(_FUNCTIONS)


@cache
def python_with_lmms_eval() -> str | None:
    """An interpreter that has lmms-eval: this one, or that of the environment which `make lmms` sets up."""
    if find_spec("lmms_eval"):
        return sys.executable
    own = Path(os.environ.get("LMMS_ENVIRONMENT", ROOT / ".venv-lmms")) / "bin" / "python"
    return str(own) if own.exists() else None


@dataclass(frozen=True)
class LmmsEval:
    """The command line of lmms-eval, where this project's wheel is installed and the Hub is out of reach."""

    site: Path
    home: Path

    @classmethod
    def beside(cls, wheel: Path, folder: Path) -> LmmsEval:
        """Skips the test where there is no lmms-eval."""
        if python_with_lmms_eval() is None:
            pytest.skip("lmms-eval is not installed here; `make lmms` sets up an environment with it")
        with zipfile.ZipFile(wheel) as file:
            file.extractall(folder / "site")
        return cls(folder / "site", folder)

    def start(self, *arguments: str | Path, processes: int = 1) -> subprocess.Popen[str]:
        """processes: how many `accelerate launch` is to start, on a CPU."""
        python = python_with_lmms_eval()
        assert python
        launcher = [*_LAUNCHER.split(), str(processes)] if processes > 1 else []
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(self.home / "hub")}
        alone = {"PYTHONPATH": str(self.site), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        return subprocess.Popen(
            [python, *launcher, "-m", "lmms_eval", *map(str, arguments)],
            cwd=self.home,
            env=os.environ | offline | alone,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str | Path, processes: int = 1) -> tuple[int, str]:
        """Exit code, and all that was said."""
        with self.start(*arguments, processes=processes) as process:
            try:
                said, _ = process.communicate(timeout=350)
            finally:
                process.terminate()  # and a launcher those that it started
        return process.returncode, said

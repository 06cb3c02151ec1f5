"""Train the embedded model: `python -m training.train`; stops and resumes at any time, same data for the same seed."""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from training.batches import BatchMaker, prepare
from training.build import make_model, make_processor
from training.muon import Muon
from training.objectives import Helpers, answer_loss, vision_loss
from training.recipe import MAX_ANSWER_SKEW, RECIPE, THREES, WIDE, Stage, learning_rate
from training.teacher import begin_as, load_teacher

PLAIN = ("stage", "step", "seconds")  # what a checkpoint holds as it is


class Steps(Dataset):
    """The batches of all that is left of the recipe, from a stage's step on, made in other processes."""

    def __init__(self, maker: BatchMaker, stage: int, step: int):
        self.maker = maker
        self.left = [(i, k) for i, s in enumerate(RECIPE) for k in range(s.steps) if (i, k) >= (stage, step)]

    def __len__(self) -> int:
        return len(self.left)

    def __getitem__(self, item: int):
        index, step = self.left[item]
        stage = RECIPE[index]
        spec = stage.batches[step % len(stage.batches)]
        return self.maker.make(index, step, spec.videos, spec.frames, stage.draws, MAX_ANSWER_SKEW, THREES, WIDE)


class Training:
    """Everything that a checkpoint holds."""

    def __init__(self, seed: int, device: str):
        self.device, self.seed = device, seed
        self.processor = make_processor()
        self.teacher, self.model = load_teacher().to(device), make_model(seed).to(device)
        begin_as(self.model, self.teacher)
        self.helpers = Helpers(self.model.config.vision_config.hidden_size).to(device)
        self.stage, self.step, self.seconds = 0, 0, 0.0
        self.begin_stage()

    def begin_stage(self) -> None:
        """Make fresh optimisers: Muon for the matrices of the layers, AdamW for the rest."""
        matrices = [p for n, p in self.model.named_parameters() if ".layers." in n and p.ndim == 2]
        chosen = {id(p) for p in matrices}
        rest = [p for m in (self.model, self.helpers) for p in m.parameters() if id(p) not in chosen]
        self.muon = Muon(matrices, lr=1e-3, weight_decay=0.05)
        fused = self.device != "cpu"
        self.adamw = torch.optim.AdamW(rest, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0, fused=fused)

    def save(self, path: Path) -> None:
        state = {name: getattr(self, name) for name in PLAIN} | {"seed": self.seed, "recipe": _recipe()}
        for name in ("model", "helpers", "muon", "adamw"):
            state[name] = getattr(self, name).state_dict()
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint. Raises ValueError if it is of another seed or recipe."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        if (state["seed"], _values(state.get("recipe", ""))) != (self.seed, _recipe()):
            raise ValueError(f"{path} is of another seed or recipe. Give another --folder, or remove it to start anew.")
        for name in PLAIN:
            setattr(self, name, state[name])
        for name in ("model", "helpers", "muon", "adamw"):
            getattr(self, name).load_state_dict(state[name])


def take_step(training: Training, batch, stage: Stage) -> tuple[dict[str, Tensor], Tensor]:
    """One update; returns the losses and the share of right answers, which a GPU may not have computed yet."""
    optimizers = (training.muon, training.adamw)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(stage, training.step)
    with torch.autocast(training.device, torch.bfloat16, enabled=training.device != "cpu"):
        losses, share = _losses(training, batch.to(training.device), stage)
    loss = sum(losses.values())
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_([*training.model.parameters(), *training.helpers.parameters()], 1.0)
    for optimizer in optimizers:
        optimizer.step()
    return {name: value.detach() for name, value in losses.items()}, share


def _losses(training: Training, batch, stage: Stage) -> tuple[dict[str, Tensor], Tensor]:
    if not stage.asks:
        return vision_loss(training.model, training.teacher, training.helpers, batch), torch.zeros(())
    rng = torch.Generator().manual_seed(training.seed * 1_000_003 + training.stage * 100_003 + training.step)
    spec = stage.batches[training.step % len(stage.batches)]
    low, high = spec.keep
    keep = low + (high - low) * float(torch.rand((), generator=rng))
    losses, right = answer_loss(training.model, batch, keep, spec.how, rng)
    return losses, right.float().mean()


def run(training: Training, folder: Path, save_every: float) -> None:
    """All that is left of the recipe, with a log line every 50 steps and a checkpoint every `save_every` seconds."""
    maker = BatchMaker(training.processor.tokenizer, training.seed)
    cv2.setNumThreads(1)  # threads that OpenCV has started here would be waited for in the other processes
    prepare(MAX_ANSWER_SKEW)
    _end_stages(training)
    loader = DataLoader(
        Steps(maker, training.stage, training.step),
        batch_size=None,
        num_workers=max(1, min(15, (os.cpu_count() or 1) - 1)),
        prefetch_factor=6,
        pin_memory=training.device != "cpu",
        worker_init_fn=_one_thread,
    )
    shown, saved = [], time.monotonic()
    begun = reported = saved
    for batch in loader:
        stage = RECIPE[training.stage]
        shown.append(take_step(training, batch, stage))
        training.step += 1
        ends = training.step == stage.steps
        if ends or training.step % 50 == 0:
            shown = [({name: float(value) for name, value in losses.items()}, float(share)) for losses, share in shown]
            now = time.monotonic()
            report(training, stage, shown, folder, training.seconds + now - begun, (now - reported) / len(shown))
            shown, reported = [], now
        _end_stages(training)
        now = time.monotonic()
        if ends or now - saved > save_every:
            training.seconds, begun, saved = training.seconds + now - begun, now, now
            training.save(folder / "checkpoint.pt")


def _end_stages(training: Training) -> None:
    """Go on to the first stage that has steps left."""
    while training.stage < len(RECIPE) and training.step >= RECIPE[training.stage].steps:
        training.stage, training.step = training.stage + 1, 0
        training.begin_stage()


def report(training: Training, stage: Stage, shown: list, folder: Path, seconds: float, pace: float) -> None:
    """A line of the log, and one for whoever waits: how far it is, and how long at this stage's `pace` (s a step)."""
    losses = {name: round(sum(s[0].get(name, 0.0) for s in shown) / len(shown), 4) for name in shown[-1][0]}
    right = round(sum(s[1] for s in shown) / len(shown), 4)
    line = {
        "stage": stage.name,
        "step": training.step,
        "of": stage.steps,
        "minutes": round(seconds / 60, 1),
        "right": right,
    }
    with open(folder / "log.jsonl", "a") as file:
        file.write(json.dumps(line | {"losses": losses}) + "\n")
    done, left = steps_done(training), sum(stage.steps for stage in RECIPE) - steps_done(training)
    print(*(f"{key} {value}" for key, value in line.items()), f"loss {sum(losses.values()):.3f}", end="; ")
    print(f"{100 * done / (done + left):.1f} % done, {pace * left / 60:.0f} minutes left at this pace", flush=True)


def steps_done(training: Training) -> int:
    return sum(stage.steps for stage in RECIPE[: training.stage]) + training.step


def export(training: Training, folder: Path) -> None:
    """Write the model as its users load it: half precision, with processor and tokenizer."""
    model = make_model(0)
    model.load_state_dict(training.model.state_dict())
    model.half().save_pretrained(folder)
    training.processor.save_pretrained(folder)


def _recipe() -> str:
    """All that decides what is trained on, as a checkpoint keeps it."""
    return _values(repr((MAX_ANSWER_SKEW, THREES, WIDE, RECIPE)))


def _values(text: str) -> str:
    """A recipe's text without the names of classes and fields, so that a checkpoint still loads when they are renamed.

    >>> _values("Stage(name='look', draws={'order': 2})")
    "('look', {'order': 2})"
    """
    return re.sub(r"\b\w+=|\b[A-Z]\w*(?=\()", "", text)


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("runs/model"), help="checkpoints and log")
    parser.add_argument("--out", type=Path, default=Path("assets/model"), help="where the finished model goes")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--save-every", type=float, default=120.0, help="seconds between checkpoints")
    parser.add_argument("--export", action="store_true", help="only write the model of the last checkpoint")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.set_float32_matmul_precision("high")  # on a GPU, where a step's own error is larger
    training = Training(options.seed, "cuda" if torch.cuda.is_available() else "cpu")
    checkpoint = options.folder / "checkpoint.pt"
    if checkpoint.exists():
        try:
            training.load(checkpoint)
        except ValueError as error:
            parser.error(str(error))
        print(f"resuming in stage {training.stage}, step {training.step}")
    elif options.export:
        parser.error(f"{checkpoint} is not there. Train first, or give the folder of a training with --folder.")
    if not options.export:
        run(training, options.folder, options.save_every)
    export(training, options.out)


if __name__ == "__main__":
    main()

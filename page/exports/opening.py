"""Opening example: a run recorded with the embedded model, which the page shows before anyone has asked; `make samples`
records it anew."""

from __future__ import annotations

from functools import cache

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.decode import load_frames
from page.exports.saved_run.file import load_run, save_run
from page.state.model_facts import ModelFacts
from page.state.samples import SAMPLES, known_answer, sample_path
from page.state.startup import EMBEDDED_MODEL, Loaded
from page.state.store import StoredRun
from page.token_text import SavedTokens

OPENING = SAMPLES / "opening.npz"
SAMPLE, QUESTION = "coming_and_going.mp4", "which appears first, the orange star or the red square?"
NUM_FRAMES = 8


@cache
def opening_run() -> StoredRun:
    """The recorded run."""
    return load_run(OPENING)


def recorded(engine: Engine) -> StoredRun:
    """The sample question, answered dense and with AIM at the defaults, with all that the page records."""
    path = str(sample_path(SAMPLE))
    frames = load_frames(path, NUM_FRAMES)
    dense, aim = (
        engine.run(frames, QUESTION, config=config, details=True)
        for config in (AimConfig.dense(), engine.adapter.default_config())
    )
    return StoredRun(path, QUESTION, NUM_FRAMES, dense, aim, details=True, known=known_answer(path, QUESTION))


def main() -> None:
    engine = Engine.from_pretrained(EMBEDDED_MODEL, device="cpu")
    stored = recorded(engine)
    facts = ModelFacts.of(Loaded(engine, str(EMBEDDED_MODEL), is_embedded=True))
    save_run(stored, facts, SavedTokens.of(stored.runs, engine.adapter.processor.tokenizer), OPENING)


if __name__ == "__main__":
    main()

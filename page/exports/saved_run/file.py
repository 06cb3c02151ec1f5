"""Saved run: a trace's .npz with question, answers and settings beside it, written and read back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from aim_core.config import AimConfig
from aim_core.ops.flops import Cost
from aim_core.overrides import TokenOverrides
from aim_core.result import Result, Timing
from aim_core.trace import Trace
from aim_core.world_score import WorldCheck
from page.checks import MAX_PICTURES
from page.exports.record import FORMAT, VERSION, run_record
from page.exports.saved_run import attention
from page.exports.saved_run.archive import HARM, SavedRunError, inspected
from page.exports.saved_run.reader import Reader
from page.exports.saved_run.rules import check_trace
from page.i18n import strings
from page.state.model_facts import ModelFacts
from page.state.store import StoredRun
from page.token_text import SavedTokens

ABOUT = "run.json"
ARRAYS = {"first": "first_token_logprobs", "word_frames": "frame_attention"}  # name in the file: field of each run

SINCE_5 = ("audio_keep_ratio", "audio_floor")  # settings that older files lack


def save_run(stored: StoredRun, model: ModelFacts, saved_tokens: SavedTokens, path: Path) -> None:
    """Write a run to one .npz; `Trace.load` reads the trace in it, which is the one the page shows, as any other."""
    stored.shown.trace.save(path)
    if stored.is_bare:
        return
    texts = {
        "tokens": {str(token): text for token, text in saved_tokens.tokens.items()},
        "answers": [[list(ids), text] for ids, text in saved_tokens.answers.items()],
        "end": saved_tokens.eos_token_id,
        "special": saved_tokens.all_special_ids,
    }
    with ZipFile(path, "a", ZIP_DEFLATED) as file:
        file.writestr(ABOUT, json.dumps(run_record(stored, model) | {"spelling": texts, "details": stored.details}))
        for side, result in stored.runs.items():
            arrays = {name: np.asarray(getattr(result, field), np.float32) for name, field in ARRAYS.items()}
            for name, array in (arrays | attention.arrays(result.token_attention)).items():
                with file.open(f"{side}_{name}.npy", "w") as entry:
                    np.save(entry, array, allow_pickle=False)


def load_run(path: str | Path) -> StoredRun:
    """What `save_run` wrote, or a bare trace, for which question and answers are empty.

    The file may come from anywhere: nothing is unpickled, and nothing larger than the archive declares, and the limits
    allow, is read. Raises SavedRunError with a sentence for the user.
    """
    try:
        members = inspected(path)
        trace = Trace.load(path)
        check_trace(trace)
        return _stored(path, trace, members)
    except SavedRunError:
        raise
    except HARM as error:
        raise SavedRunError(strings().SAVED_BROKEN) from error


def _stored(path: str | Path, trace: Trace, members: frozenset[str]) -> StoredRun:
    if ABOUT not in members:
        return _bare(trace)
    with ZipFile(path) as file:
        about = Reader(json.loads(file.read(ABOUT)))
    version = about.whole("version", 1, 10**6)
    if about.text("format", 40) != FORMAT or version > VERSION:
        raise SavedRunError(strings().SAVED_BROKEN)
    settings = about.part("settings")
    names = [name for name in AimConfig.__dataclass_fields__ if version > 4 or name not in SINCE_5]
    config = AimConfig(**{name: settings.value(name) for name in names})
    marks = TokenOverrides(settings.pairs("protect", trace.group.shape), settings.pairs("remove", trace.group.shape))
    if any(trace.group[mark] < 0 for mark in (*marks.protect, *marks.remove)):
        raise SavedRunError(strings().SAVED_BROKEN)
    runs = _runs(path, about.part("runs"), trace, config, marks, version)
    return StoredRun(
        Path(about.text("file", 300)).name,
        about.text("question", 4000),
        about.whole("num_frames", 1, 64),
        runs["dense"],
        runs["aim"],
        about.whole("timed_prefills", 0, 1000),
        about.value("details") is True,
        runs.get("hand"),
        _facts(about.part("model"), version),
        _saved_tokens(about.part("spelling"), version),
        about.text("known", 100) if version > 2 and about.value("known") is not None else None,
        _world(about.part("world")) if version > 3 and about.value("world") is not None else None,
        hears=version < 6 or about.value("sound") is True,
        more=tuple(Path(name).name for name in about.texts_if_any("more", MAX_PICTURES, 300)),
    )


def _world(record: Reader) -> WorldCheck:
    return WorldCheck(*(record.number(name, -1e9, 1e9) for name in ("score", "limit")))


def _runs(
    path: str | Path, records: Reader, trace: Trace, config: AimConfig, marks: TokenOverrides, version: int
) -> dict[str, Result]:
    """Every run by its name: dense, AIM, and AIM by hand if there are marks."""
    settled = {"dense": (AimConfig.dense(), TokenOverrides()), "aim": (config, TokenOverrides())} | (
        {"hand": (config, marks)} if marks else {}
    )
    with np.load(path, allow_pickle=False) as data:
        arrays = {side: [data[f"{side}_{name}"] for name in ARRAYS] for side in settled}
        seen = {side: attention.read(data, side) for side in settled}
    if len({first.shape for first, _ in arrays.values()}) > 1:
        raise SavedRunError(strings().SAVED_BROKEN)
    runs = {side: _result(records.part(side), trace, *settled[side], arrays[side], version) for side in settled}
    if not all(attention.fits(own, trace, len(runs[side].answer_ids)) for side, own in seen.items()):
        raise SavedRunError(strings().SAVED_BROKEN)
    return {side: replace(run, token_attention=seen[side]) for side, run in runs.items()}


def _facts(model: Reader, version: int) -> ModelFacts:
    given = model.part("sizes")
    sizes = {name: given.whole(name, 1, 10**6) for name in ("hidden", "kv", "intermediate")}
    sizes["q"] = given.whole("q", 1, 10**6) if version > 1 else sizes["hidden"]
    return ModelFacts(model.text("name", 300, least=1), sizes, model.whole("number_bytes", 1, 16))


def _saved_tokens(record: Reader, version: int) -> SavedTokens:
    end = record.value("end")
    return SavedTokens(
        record.texts_by_number("tokens"),
        record.texts_by_numbers("answers"),
        end if isinstance(end, int) else None,
        record.wholes("special", None) if version > 2 else (),
    )


def _result(
    side: Reader, trace: Trace, config: AimConfig, overrides: TokenOverrides, arrays: list[np.ndarray], version: int
) -> Result:
    """One run, with the one trace that is kept: nothing is drawn from another."""
    layers = trace.num_layers
    cost = Cost(
        side.wholes("tokens_per_layer", layers),
        side.wholes("visual_per_layer", layers),
        side.whole("num_text", 0, 10**7),
        side.whole("language_flops", 0, 10**21),
        side.whole("vision_flops", 0, 10**21),
        _audio_counts(side, layers) if version > 5 else (),
    )
    first, frame_attention = arrays
    ids = side.wholes("answer_ids", None)
    if first.ndim != 1 or not np.isfinite(first).any() or not (first < 1e-3).all():  # minus infinity is no chance
        raise SavedRunError(strings().SAVED_BROKEN)
    if frame_attention.shape not in ((0, 0), (len(ids), trace.num_views)) or not np.isfinite(frame_attention).all():
        raise SavedRunError(strings().SAVED_BROKEN)
    answer = side.text("answer", 20_000)
    return Result(answer, ids, config, trace, cost, _timing(side, version), first, overrides, frame_attention)


def _audio_counts(side: Reader, layers: int) -> tuple[int, ...]:
    """Audio tokens of each layer, or none at all."""
    return side.wholes("audio_per_layer", layers if side.value("audio_per_layer") else 0)


def _timing(side: Reader, version: int) -> Timing:
    spent: dict[str, Any] = {
        name: side.number(name, 0, 1e9) for name in ("vision_ms", "merge_ms", "prefill_ms", "decode_ms")
    }
    if version == 1:
        return Timing(**spent | {"prefill_ms": spent["prefill_ms"] + spent["merge_ms"]})
    first_words_ms = side.numbers("first_words_ms", 0, 1e9) if version > 2 else ()
    return Timing(**spent, runs_ms=side.numbers("runs_ms", 0, 1e9), first_words_ms=first_words_ms)


def _bare(trace: Trace) -> StoredRun:
    """A run of which the trace is all that is known: no answer, and a cost of tokens alone."""
    visual = tuple(trace.retained.tolist())
    nothing = Timing(0.0, 0.0, 0.0, 0.0)
    dense, aim = (
        Result("", (), config, trace, Cost(counts, counts, 0, 0, 0), nothing, np.zeros(0, np.float32))
        for config, counts in ((AimConfig.dense(), (trace.dense_tokens,) * trace.num_layers), (AimConfig(), visual))
    )
    return StoredRun("", "", trace.num_frames, dense, aim, model=ModelFacts.unknown())

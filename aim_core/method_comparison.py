"""Compare methods: one video and question, one budget, and what every method makes of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from aim_core.budget import Budget, Unreachable, solve
from aim_core.comparison import compare
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.frames import Frames
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method
from aim_core.methods.knobs import Settings
from aim_core.methods.registry import METHODS
from aim_core.reasons import Reason, because
from aim_core.result import Planned, Result
from aim_core.shown import Media
from aim_core.trace import Trace
from aim_core.workload import Shares, Workload

DENSE = "dense"


@dataclass(frozen=True, eq=False)
class MethodRun:
    """What one method made of a video and a question, beside the dense model.

    name, title:   as in the registry; "dense" for the model itself.
    refusal:       why it was not run; None if it was. Else what follows is empty but for `limit`.
    limit:         the nearest share of the dense cost that a method can meet that cannot meet the budget.
    settings:      what the budget made of its settings, by keyword of `make_method`.
    miss, why:     how far its cost is from the budget, and why, see `Solved`.
    shares:        what the run cost, of the dense one.
    answer:        what was said; same_answer: whether the dense model says just that.
    kl:            of the dense and its distribution of the first answer token, in nats; first_token_agrees: whether the
                   most likely one is the same.
    visual_per_layer: visual tokens that entered each layer.
    flops, kv_bytes:  of the language model's prefill.
    prefill_ms:    prefills in milliseconds, merging included, warm, in turns with those of all others; () until then.
    peak_bytes:    most memory during the run on a CUDA device, see `Result`; None elsewhere.
    method, result: what was run, and all that is known of it.
    """

    name: str
    title: str
    refusal: Reason | None = None
    limit: float | None = None
    settings: Settings = field(default_factory=dict)
    miss: float = 0.0
    why: Reason | None = None
    shares: Shares | None = None
    answer: str = ""
    same_answer: bool = False
    kl: float = 0.0
    first_token_agrees: bool = False
    visual_per_layer: tuple[int, ...] = ()
    flops: int = 0
    kv_bytes: int = 0
    prefill_ms: tuple[float, ...] = ()
    peak_bytes: int | None = None
    method: Method | None = None
    result: Result | None = None

    @property
    def refused(self) -> str:
        """`refusal` as an English sentence; "" if it was run."""
        return str(self.refusal or "")

    @property
    def note(self) -> str:
        """`why` as an English sentence; "" where the budget is met."""
        return str(self.why or "")

    @property
    def median_ms(self) -> float | None:
        """Median of `prefill_ms`; None where nothing was timed. Their spread is from the least to the largest."""
        return statistics.median(self.prefill_ms) if self.prefill_ms else None

    @property
    def trace(self) -> Trace | None:
        """What happened to every token; None if it was refused."""
        return self.result.trace if self.result else None


def compare_methods(
    engine: Engine,
    media: Media,
    question: str,
    *,
    methods: Sequence[str] | None = None,
    budget: Budget | float = 0.25,
    num_frames: int = 8,
    max_new_tokens: int = 64,
    num_timed: int = 3,
    stop: Callable[[], bool] | None = None,
    on_done: Callable[[MethodRun], None] | None = None,
) -> tuple[MethodRun, ...]:
    """Answer a question under every method at one cost; the dense model comes first.

    methods:    names of the registry; all of them if left out.
    budget:     a `Budget`, or a share of the dense prefill's FLOPs.
    num_timed:  prefills of each that are timed, in turns, after all have answered; 0 for none.
    on_done:    called with each as it finishes, and once more when it is timed.
    What the video is encoded to is remembered, once more for methods that ask for the tower's attention. The others,
    and what is raised: as in `Engine.run`; ValueError as well for a name that there is none of. A method that does not
    fit the budget or the model is not raised but `refused`.
    """
    runs: dict[str, MethodRun] = {}
    for run in each_method(
        engine,
        media,
        question,
        methods=methods,
        budget=budget,
        num_frames=num_frames,
        max_new_tokens=max_new_tokens,
        num_timed=num_timed,
        stop=stop,
    ):
        runs[run.name] = run
        if on_done is not None:
            on_done(run)
    return tuple(runs.values())


def each_method(
    engine: Engine,
    media: Media,
    question: str,
    *,
    methods: Sequence[str] | None = None,
    budget: Budget | float = 0.25,
    num_frames: int = 8,
    max_new_tokens: int = 64,
    num_timed: int = 3,
    stop: Callable[[], bool] | None = None,
) -> Iterator[MethodRun]:
    """The same one by one, as they finish: first each with its answer, then each that ran once more with its times."""
    names = list(METHODS) if methods is None else list(methods)
    if unknown := [name for name in names if name not in METHODS]:
        raise ValueError(f"there is no method {unknown[0]!r}: choose among {', '.join(METHODS)}")
    if num_timed < 0:
        raise ValueError(f"num_timed must be at least 0, got {num_timed}")
    frames = engine.frames(media, num_frames)
    asked = _Asked(engine, frames, question, max_new_tokens, stop)
    budget = budget if isinstance(budget, Budget) else Budget(budget)
    return _each(asked, names, budget, num_timed)


def _each(asked: _Asked, names: Sequence[str], budget: Budget, num_timed: int) -> Iterator[MethodRun]:
    dense = as_method(AimConfig.dense())
    workload = Workload.of(asked.engine.adapter, asked.planned(dense))
    first = asked.run(dense)
    runs = [_with_result(MethodRun(DENSE, DENSE, method=dense), first, first, workload)]
    yield runs[0]
    for name in names:
        run = _one(name, asked, budget, workload, first)
        if run.result is not None:
            runs.append(run)
        yield run
    if num_timed:
        yield from asked.timed(runs, num_timed)


def _one(name: str, asked: _Asked, budget: Budget, workload: Workload, dense: Result) -> MethodRun:
    """One method at the budget, run or refused."""
    title = METHODS[name].title
    try:
        found = solve(name, budget, workload, lambda method: asked.planned(method).visual_per_layer)
        if isinstance(found, Unreachable):
            return MethodRun(name, title, refusal=found.why, limit=found.limit)
        run = MethodRun(name, title, settings=found.settings, miss=found.miss, why=found.why, method=found.method)
        return _with_result(run, asked.run(found.method), dense, workload)
    except ValueError as error:
        return MethodRun(name, title, refusal=Reason("cannot_run", {"title": title, "because": because(error)}))


def _with_result(run: MethodRun, result: Result, dense: Result, workload: Workload) -> MethodRun:
    """The run with what its result says beside the dense one."""
    apart = compare(dense.first_token_logprobs, result.first_token_logprobs)
    counts = result.cost.visual_per_layer
    others = workload.others_per_layer(as_method(result.config), result.cost.audio_per_layer)
    return replace(
        run,
        shares=workload.shares(counts, others),
        answer=result.answer,
        same_answer=result.answer == dense.answer,
        kl=apart.kl,
        first_token_agrees=apart.agrees,
        visual_per_layer=counts,
        flops=result.cost.language_flops,
        kv_bytes=workload.kv_bytes(counts, others),
        peak_bytes=result.peak_bytes,
        result=result,
    )


@dataclass(frozen=True)
class _Asked:
    """What every method is asked."""

    engine: Engine
    media: Frames
    question: str
    max_new_tokens: int
    stop: Callable[[], bool] | None

    def planned(self, method: Method) -> Planned:
        return self.engine.planned(self.media, self.question, config=method, stop=self.stop)

    def run(self, method: Method) -> Result:
        return self.engine.run(
            self.media, self.question, config=method, max_new_tokens=self.max_new_tokens, stop=self.stop
        )

    def timed(self, runs: Sequence[MethodRun], turns: int) -> Iterator[MethodRun]:
        """Each once in every turn; all are warm, since they have just answered."""
        configs = [run.method for run in runs if run.method is not None]
        found = self.engine.time_prefills(
            self.media, self.question, configs=configs, repeats=turns, warm=0, vision=False, stop=self.stop
        )
        for run, times in zip(runs, found, strict=True):
            assert run.result is not None
            timing = run.result.timing.with_prefills(times)
            yield replace(run, prefill_ms=times.ms, result=replace(run.result, timing=timing))

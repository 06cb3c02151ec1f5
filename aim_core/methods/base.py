"""Method: how visual tokens are merged, how many enter each layer, and how they are scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard, runtime_checkable

from torch import Tensor

from aim_core.ops.folding import Folded
from aim_core.ops.merging import Merged
from aim_core.ops.reduced import Reduced
from aim_core.ops.tower_attention import TowerAttention

POSITIONS = ("sequential", "original")
MODES = ("dropped", "masked")


class Merger(Protocol):
    """First choice: what is left of the visual tokens before layer 0. A small frozen value.

    It is called with all views of one medium and one size at once, as the language model would get them: the frames of
    a video (Qwen: planes of two frames), or the crops of an image.
    """

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Merged | Reduced:
        """tokens (views, n, d), and what to match them on, (views, n, m), if not themselves → what is left of them."""

    def reduces(self) -> bool:
        """Whether it ever does anything; a method that does nothing leaves the model bit for bit alone."""


@runtime_checkable
class EarlyMerger(Protocol):
    """What a merger may say beside: that it works before the projector where a family can (LLaVA-1.5), on each image by
    itself, matched on the keys of the tower's last layer. AIM's does. It must give a `Merged`."""

    before_projector: bool


@runtime_checkable
class CountedMerger(Protocol):
    """What a merger may offer beside: how many tokens it leaves, where that does not hang on the tokens."""

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        """Tokens left of `num_views` views of `grid` = (rows, columns) patches each."""


@runtime_checkable
class GridMerger(Protocol):
    """What a merger offers beside that must know rows and columns: itself for views of one grid."""

    def on_grid(self, grid: tuple[int, int]) -> Merger:
        """The merger that is called with views of `grid` = (rows, columns) patches."""


@runtime_checkable
class TowerMerger(Protocol):
    """What a merger may say beside: that it ranks patches by the attention of the vision tower (VisionZip does). It is
    then called with it; families compute it for such mergers alone."""

    needs_tower: bool

    def __call__(
        self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None
    ) -> Merged | Reduced:
        """tower: of the same patches as tokens (views, n, d), beside them; never None where `needs_tower` is true."""


@runtime_checkable
class InTowerMerger(Protocol):
    """What a merger with `needs_tower` may say beside: that tokens merge in the vision tower's layers already."""

    @property
    def tower_share(self) -> float:
        """The share of patches that are left at the tower's end, in (0, 1]; 1 for all."""


class Schedule(Protocol):
    """Second choice: how many visual tokens enter each layer. A small frozen value; `LinearSchedule` is AIM's."""

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        """A count for each layer: the first is `num_visual`, none is larger than the one before."""


class Steps(Protocol):
    """A schedule that is decided while one prompt runs; made anew for each."""

    def wants_scores(self, layer: int) -> bool:
        """Whether the step after `layer` goes by the scores of its tokens; asked as the layer attends."""

    def step(
        self,
        layer: int,
        hidden: Tensor,
        scores: Tensor | None,
        rows: Tensor,
        entered: Sequence[int],
        protected: Tensor | None = None,
    ) -> Folded | None:
        """What enters `layer` of the tokens that are left; None for all of them.

        hidden: (c, d), as they would enter; scores: (c,) of the layer before, if wanted; rows: (c,) int64, their rows
        in the prompt. entered: tokens that entered each layer before. protected: (c,) bool, those that a reader wants
        to stay; their scores, if wanted, are above all others.
        """


@runtime_checkable
class RuntimeSchedule(Protocol):
    """What a schedule offers beside that is decided while the layers run (FrameFusion's is); the method's `folder` is
    not asked then. Its `tokens_entering` says the most that may enter each layer.

    Not for methods that drop text.
    """

    def reduces(self) -> bool:
        """Whether it ever takes tokens out."""

    def begin(self, num_layers: int, num_visual: int, cells: Tensor) -> Steps:
        """The steps of one prompt.

        cells: (n, 3) int64, for each row of the prompt the block of views that were reduced together, the view among
               them and the patch at which it stands; -1 for text and separators.
        """


class Scorer(Protocol):
    """Third choice: which tokens go first. A small frozen value."""

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        """Scores (1, n) of the n tokens, text and visual, of one sample in one layer; high ones stay longest.

        query: (1, heads, n, head_dim) after rotary positions; key: (1, kv_heads, n, head_dim), likewise.
        scale: what attention multiplies q·k by. Attention is causal. In mode "masked" both have one more
            feature, which makes q·k of a token that is masked already too small for any softmax.
        """

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        """The layers whose scores it wants to be asked for (`where_needed` for most)."""


@runtime_checkable
class IterativeScorer(Protocol):
    """What a scorer may offer beside: the scores with all iterations that led to them. AIM's PageRank does."""

    def with_iterations(self, query: Tensor, key: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """The same scores (1, n), bit for bit, and each head's after every iteration, (1, heads, iterations + 1, n)."""


@runtime_checkable
class PromptScorer(Protocol):
    """What a scorer offers beside that must know the prompt: itself for one prompt (SparseVLM's does).

    Not for methods that drop text.
    """

    def for_prompt(self, embeds: Tensor, visual: Tensor) -> Scorer:
        """The scorer of one prompt's tokens.

        embeds: (n, d), text and visual tokens as they enter layer 0, but for what is only guessed to be said;
        visual: (n,) bool.
        """


@runtime_checkable
class AheadScorer(Protocol):
    """What a scorer may say beside: that it scores a layer's tokens by the query and key that the *next* layer has of
    them, before any of them is dropped (PyramidDrop's does). The next layer's norm, projections and rotary positions
    are run once more for that, on all rows."""

    looks_ahead: bool


class Folder(Protocol):
    """What a method may have beside its three choices: how tokens that leave inside the language model go on in others.

    A small frozen value. Where all leave it is not asked.
    """

    def __call__(self, hidden: Tensor, scores: Tensor, counts: Sequence[int], layer: int) -> Folded:
        """What enters `layer` of the tokens of the layer before.

        hidden: (c, d), c = counts[layer - 1], as they would enter; scores: (c,), those that decide.
        counts: tokens entering each layer: counts[layer] have to be left.
        """


@dataclass(frozen=True)
class AudioMethod:
    """What becomes of audio tokens: how those of a chunk are merged, and how many of a prompt's enter each layer.

    The method's scorer says which go first, among audio tokens alone. Tokens left of a chunk stay in the order of time.
    """

    merger: Merger
    schedule: Schedule


@dataclass(frozen=True)
class Method:
    """A method is these three choices, and ways to carry them out; those with names are in `methods.registry`.

    positions: "sequential", as AIM was released: the shorter prompt is numbered anew; or "original": every token
               keeps its own position, a merged one that of the patch it was merged into (ours).
    mode:      "dropped": rows leave the sequence; or "masked", as AIM was released: they stay, nobody sees them.
    drop_text: whether text may be dropped like visual tokens, all but the last row; the schedule then counts both.
    folder:    what becomes of the tokens that the schedule takes out; None: they are gone.
    audio:     what becomes of audio tokens, where a family has them; None: all stay. Under `drop_text` they count as
               text whatever it says.
    text:      how many of a prompt's text tokens, all but the last row counted, enter each layer: those with the
               highest scores among text, template and question alike; None: all. Not beside `drop_text`.
    Raises ValueError for another word, and where text may be dropped for a folder or a RuntimeSchedule.
    """

    name: str
    merger: Merger
    schedule: Schedule
    scorer: Scorer
    positions: str = "sequential"
    mode: str = "dropped"
    drop_text: bool = False
    folder: Folder | None = None
    audio: AudioMethod | None = None
    text: Schedule | None = None

    def __post_init__(self):
        if self.drop_text and self.text is not None:
            raise ValueError("text goes by one count with visual tokens (drop_text) or by its own (text): choose one")
        if prunes_text(self) and self.folder is not None:
            raise ValueError(f"{self.name} folds visual tokens into others: it cannot drop text")
        if prunes_text(self) and decides_at_run_time(self):
            raise ValueError(f"{self.name} decides for visual tokens while it runs: it cannot drop text")
        for value, words in ((self.positions, POSITIONS), (self.mode, MODES)):
            if value not in words:
                raise ValueError(f"choose one of {', '.join(words)}, got {value!r}")


def merges_early(merger: Merger) -> bool:
    """Whether it works before the projector, in the families that can."""
    return isinstance(merger, EarlyMerger) and merger.before_projector


def needs_tower(merger: Merger) -> TypeGuard[TowerMerger]:
    """Whether it is to be called with the attention of the vision tower."""
    return isinstance(merger, TowerMerger) and merger.needs_tower


def tower_share(merger: Merger) -> float:
    """The share of patches that it leaves at the vision tower's end; 1 for all."""
    return merger.tower_share if isinstance(merger, InTowerMerger) else 1.0


def require_tower(tower: TowerAttention | None) -> TowerAttention:
    """What a merger with `needs_tower` was called with. Raises ValueError for None."""
    if tower is None:
        raise ValueError("this merger must be called with the vision tower's attention, tower=TowerAttention(...)")
    return tower


def looks_ahead(scorer: Scorer) -> bool:
    """Whether it scores by the query and key of the next layer."""
    return isinstance(scorer, AheadScorer) and scorer.looks_ahead


def decides_at_run_time(method: Method) -> bool:
    """Whether its schedule is known only once the layers have run."""
    return isinstance(method.schedule, RuntimeSchedule)


def prunes_text(method: Method) -> bool:
    """Whether text tokens may be dropped."""
    return method.drop_text or method.text is not None

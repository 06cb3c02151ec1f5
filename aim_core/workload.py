"""Workload: the dense prefill of one prompt, and what share of it any other number of visual tokens costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from aim_core.adapters.base import Adapter
from aim_core.methods.base import CountedMerger, Method
from aim_core.methods.counts import check_schedule, tokens_of_blocks
from aim_core.methods.knobs import ModelShape
from aim_core.ops.flops import Decoder, kv_bytes, prefill_flops
from aim_core.result import Planned


@dataclass(frozen=True)
class Shares:
    """What a prefill costs as shares of the dense one.

    entering: visual tokens that enter layer 0. mean: visual tokens, mean over layers.
    flops:    operations of the language model, text included, by `ops.flops.FORMULA`.
    kv:       bytes of the KV cache that the prefill leaves, text included.
    """

    entering: float
    mean: float
    flops: float
    kv: float


@dataclass(frozen=True)
class Workload:
    """The dense prefill of one prompt.

    decoder, shape: sizes of the language model.
    blocks:         the views that are reduced together: how many, and their grid (rows, columns).
    num_separators: visual rows beside their patches; num_text: text tokens.
    number_bytes:   bytes of one number in the KV cache.
    audio_chunks:   audio tokens of each chunk.
    """

    decoder: Decoder
    shape: ModelShape
    blocks: tuple[tuple[int, tuple[int, int]], ...]
    num_separators: int = 0
    num_text: int = 0
    number_bytes: int = 2
    audio_chunks: tuple[int, ...] = ()

    @classmethod
    def of(cls, adapter: Adapter, dense: Planned) -> Workload:
        """Of a model and what it plans for a prompt under `AimConfig.dense()`."""
        groups = groupby(dense.views, key=lambda view: (view.medium, view.grid))
        blocks = tuple((len(list(views)), grid) for (_, grid), views in groups)
        num_patches = sum(views * rows * columns for views, (rows, columns) in blocks)
        usual, least = adapter.default_config(), adapter.least_l1
        shape = ModelShape(
            num_layers=adapter.num_layers,
            l1=max(usual.l1, least),
            l2=max(usual.l2, least + 1),
            first_droppable=adapter.first_droppable,
            num_views=max(views for views, _ in blocks),
            longest_side=max(max(grid) for _, grid in blocks),
        )
        return cls(
            Decoder.of(adapter.decoder.config),
            shape,
            blocks,
            dense.visual_per_layer[0] - num_patches,
            dense.num_text,
            adapter.model.dtype.itemsize,
            dense.audio_chunks,
        )

    @property
    def num_visual(self) -> int:
        """Visual tokens of the dense prompt, separators included."""
        return sum(views * rows * columns for views, (rows, columns) in self.blocks) + self.num_separators

    def visual_per_layer(self, method: Method) -> tuple[int, ...]:
        """Visual tokens entering each layer in closed form. Raises what `methods.counts.tokens_entering` does."""
        shape = self.shape
        counts = tokens_of_blocks(method, self.blocks, shape.num_layers, self.num_separators, shape.first_droppable)
        return tuple(counts)

    def text_per_layer(self, method: Method) -> tuple[int, ...]:
        """Text tokens entering each layer in closed form; a prompt's last token always does.

        Raises ValueError where text goes by one count with visual tokens, so that how many go depends on the video.
        """
        shape, rest = self.shape, max(0, self.num_text - 1)
        if method.drop_text:
            raise ValueError(f"how many text tokens {method.name} leaves depends on the video: run it to know")
        if method.text is None:
            return (self.num_text,) * shape.num_layers
        counts = method.text.tokens_entering(rest, shape.num_layers)
        check_schedule(counts, shape.num_layers, rest, shape.first_droppable)
        return tuple(self.num_text - rest + count for count in counts)

    def audio_per_layer(self, method: Method) -> tuple[int, ...]:
        """Audio tokens entering each layer in closed form; () where the prompt has none.

        Raises ValueError for a method that merges them so that their count depends on them.
        """
        own, layers = method.audio, self.shape.num_layers
        if not self.audio_chunks:
            return ()
        if own is None or method.drop_text:
            return (sum(self.audio_chunks),) * layers
        if not isinstance(own.merger, CountedMerger):
            raise ValueError(f"how many audio tokens {method.name} leaves depends on the sound: run it to know")
        left = sum(own.merger.num_left(1, (1, size)) for size in self.audio_chunks)
        return tuple(own.schedule.tokens_entering(left, layers))

    def others_per_layer(self, method: Method, audio_per_layer: Sequence[int] = ()) -> tuple[int, ...]:
        """Text and audio tokens entering each layer; audio_per_layer: where a run has told how many of audio do.

        Raises what `text_per_layer` and `audio_per_layer` do.
        """
        text, audio = self.text_per_layer(method), audio_per_layer or self.audio_per_layer(method)
        return tuple(own + heard for own, heard in zip(text, audio or [0] * len(text), strict=True))

    def flops(self, visual_per_layer: Sequence[int], others_per_layer: Sequence[int] | None = None) -> int:
        """Operations of the language model's prefill with so many visual tokens, and so many others, in each layer.

        others_per_layer: text and audio; None for all of it. Likewise below.
        """
        own, tokens = self.decoder, self._tokens(visual_per_layer, others_per_layer)
        return prefill_flops(tokens, own.hidden, own.kv, own.intermediate, own.q)

    def kv_bytes(self, visual_per_layer: Sequence[int], others_per_layer: Sequence[int] | None = None) -> int:
        """Bytes of the keys and values that such a prefill leaves."""
        return kv_bytes(self._tokens(visual_per_layer, others_per_layer), self.decoder.kv, self.number_bytes)

    def shares(self, visual_per_layer: Sequence[int], others_per_layer: Sequence[int] | None = None) -> Shares:
        """What such a prefill costs of the dense one."""
        dense = [self.num_visual] * self.shape.num_layers
        return Shares(
            entering=visual_per_layer[0] / self.num_visual,
            mean=sum(visual_per_layer) / sum(dense),
            flops=self.flops(visual_per_layer, others_per_layer) / self.flops(dense),
            kv=self.kv_bytes(visual_per_layer, others_per_layer) / self.kv_bytes(dense),
        )

    def _tokens(self, visual_per_layer: Sequence[int], others_per_layer: Sequence[int] | None) -> list[int]:
        all_of_them = self.num_text + sum(self.audio_chunks)
        others = [all_of_them] * len(visual_per_layer) if others_per_layer is None else others_per_layer
        return [count + own for count, own in zip(visual_per_layer, others, strict=True)]

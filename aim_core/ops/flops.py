"""FLOPs: operations of a prefill, counted by the formula behind the paper's tables, under a convention that has a name.

The model prices layer i by the tokens that enter it. The published tables price it by the share the
schedule leaves after it, the one entering layer i + 1: for that reading, pass
`config.schedule.tokens_entering(num_visual, num_layers + 1)[1:]` plus the text. For the default schedule that is
14.75 T (published: 14.76) where 15.52 T are executed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

FORMULA = "Per layer with n tokens: 2n(2·d·q + 2·d·kv) + 6·n·d·m + 4·n²·q, summed over layers"


@dataclass(frozen=True)
class Convention:
    """What a count of operations counts. Papers differ, so a figure should carry the `name` of its convention.

    multiply_add:   operations in a multiplication and its addition: 2 (FLOPs as the paper has them) or 1 (MACs).
    small:          also softmax, norms, residuals, the MLP's gate and the last token's logits.
    text:           text tokens as well, or visual tokens alone.
    vision:         the vision side as well, which methods leave as it is (LLaVA-1.5: all but the projector), but for
                    those that merge in its layers (`saved_in_tower`).

    The default is FORMULA; PUBLISHED adds the small operations, as the paper's script does.
    Raises ValueError for another `multiply_add`.
    """

    multiply_add: int = 2
    small: bool = False
    text: bool = True
    vision: bool = False

    def __post_init__(self):
        if self.multiply_add not in (1, 2):
            raise ValueError(f"multiply_add must be 1 or 2, got {self.multiply_add}")

    @property
    def name(self) -> str:
        """In words, in a fixed order."""
        return ", ".join(
            [
                "multiply-add as one (MACs)" if self.multiply_add == 1 else "multiply-add as two (FLOPs)",
                "with softmax and norms" if self.small else "without softmax and norms",
                "visual and text tokens" if self.text else "visual tokens only",
                "with the vision tower" if self.vision else "language model only",
            ]
        )


PUBLISHED = Convention(small=True)


def head_dim(config) -> int:
    """Width of one attention head of a language model; where a configuration names none, its width over its heads."""
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def widths(config) -> dict[str, int]:
    """What `prefill_flops` needs of a transformers text config such as `Qwen2Config`."""
    return {
        "hidden": config.hidden_size,
        "kv": config.num_key_value_heads * head_dim(config),
        "intermediate": config.intermediate_size,
        "q": config.num_attention_heads * head_dim(config),
    }


def prefill_flops(
    tokens_per_layer: Iterable[int], hidden: int, kv: int, intermediate: int, q: int | None = None
) -> int:
    """Operations of the language model's prefill, by FORMULA.

    With q = d it gives the tables of arXiv 2412.03248 to 0.015 T for every schedule (seven of ten to 0.01 T) and
    99.46 T for the dense model's 99.63 T; with `small_flops` added, all of them to 0.01 T.
    tokens_per_layer: n of each layer, visual and text together.
    hidden (d): width; kv: width of all key heads together; intermediate (m): width of the gated MLP.
    q: width of all query heads together; None where it is d, as in the paper's models (Qwen3's is not).
    Raises ValueError if a layer has fewer than 0 tokens.
    """
    q = hidden if q is None else q
    total = 0
    for n in map(int, tokens_per_layer):
        if n < 0:
            raise ValueError(f"tokens_per_layer must be at least 0 everywhere, got {n}")
        total += _layer_flops(n, n, hidden, kv, intermediate, q)
    return total


def further_flops(
    num_new: int, held_per_layer: Iterable[int], hidden: int, kv: int, intermediate: int, q: int | None = None
) -> int:
    """Operations of the language model for `num_new` tokens behind a cache, by FORMULA with n·(held + n) in the place
    of n²: what the cache holds is attended to and not computed again.

    held_per_layer: tokens in the cache of each layer; the others: as in `prefill_flops`, which it equals for 0 held.
    Raises ValueError for fewer than 0 tokens.
    """
    held = [int(own) for own in held_per_layer]
    if min(num_new, *held) < 0:
        raise ValueError(f"num_new and held_per_layer must be at least 0, got {num_new}, {held}")
    q = hidden if q is None else q
    return sum(_layer_flops(num_new, own + num_new, hidden, kv, intermediate, q) for own in held)


def _layer_flops(n: int, attended: int, hidden: int, kv: int, intermediate: int, q: int) -> int:
    """Of one layer for n tokens that attend to so many."""
    projections = 2 * n * (2 * hidden * q + 2 * hidden * kv)
    return projections + 6 * n * hidden * intermediate + 4 * n * attended * q


def kv_bytes(tokens_per_layer: Iterable[int], kv: int, number_bytes: int) -> int:
    """Bytes of the keys and values that a prefill leaves for decoding; kv: as in `prefill_flops`."""
    return sum(2 * int(n) * kv * number_bytes for n in tokens_per_layer)


def pagerank_flops(tokens_per_layer: Iterable[int], heads: int, iterations: int = 5, q: int = 0) -> int:
    """Operations of PageRank in the layers where it runs, over all pairs of tokens as in FORMULA.

    For each head and pair 1 for the temperature, 5 for the softmax, 2 for each iteration. With the paper's 28 heads, in
    the 8 layers from l1 to l2, this is the 4.18 G that arXiv 2412.03248 says pruning costs.
    tokens_per_layer: of those layers alone, text and visual.
    q: width of all query heads together, to count the product of query and key too, which sdpa keeps to itself; 0 where
       the logits are there already, as in eager attention.
    Raises ValueError if a layer has fewer than 0 tokens.
    """
    pairs = 0
    for n in map(int, tokens_per_layer):
        if n < 0:
            raise ValueError(f"tokens_per_layer must be at least 0 everywhere, got {n}")
        pairs += n * n
    return pairs * (heads * (6 + 2 * iterations) + 2 * q)


def small_flops(tokens_per_layer: Iterable[int], hidden: int, heads: int) -> int:
    """Operations that FORMULA leaves out, by the usual rough weights: softmax 5 for each head and pair of tokens;
    two norms 14, two residuals 2 and the MLP's gate 2 for each token and channel.
    """
    return sum(5 * heads * n**2 + (14 + 2 + 2) * n * hidden for n in map(int, tokens_per_layer))


def logits_flops(hidden: int, vocabulary: int) -> int:
    """Operations of the last token's logits, all that a prefill needs."""
    return 2 * hidden * vocabulary


def vision_flops(
    num_frames: int, patches: int, hidden: int, intermediate: int, num_layers: int, patch_dim: int, extra: int = 0
) -> int:
    """Operations of a SigLIP-style vision tower in which nothing is merged.

    patches: cells of one frame; patch_dim: values in one cell, channels x height x width.
    extra: further tokens of a frame that are no patches, such as CLIP's class token; with them it has n tokens.
    A layer costs 8·n·d² + 4·n·d·m + 4·n²·d (four full projections, a plain MLP, attention inside the frame),
    the patch embedding 2·patches·patch_dim·d. SigLIP-so400m at 729 patches: 0.67 T a frame.
    """
    n = patches + extra
    layer = tower_layer_flops(n, n, hidden, intermediate)
    return num_frames * (num_layers * layer + 2 * patches * patch_dim * hidden)


def tower_layer_flops(entering: int, left: int, hidden: int, intermediate: int) -> int:
    """Operations of such a layer that `entering` tokens of a frame enter, of which `left` go through its MLP."""
    return 8 * entering * hidden**2 + 4 * entering**2 * hidden + 4 * left * hidden * intermediate


def saved_in_tower(rows: Sequence[int], hidden: int, intermediate: int) -> int:
    """Operations of a frame that the tower's layers do not do, where tokens merge between attention and MLP of each.

    rows: tokens of the frame that enter each layer, and last those left. Of merging itself nothing is counted, as of
    merging before the language model.
    """
    done = sum(tower_layer_flops(*pair, hidden, intermediate) for pair in pairwise(rows))
    return (len(rows) - 1) * tower_layer_flops(rows[0], rows[0], hidden, intermediate) - done


def linear_flops(module: nn.Module, rows: int) -> int:
    """Operations of all Linear layers in `module`, each given `rows` rows: of a projector or a patch merger."""
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    return sum(2 * rows * layer.in_features * layer.out_features for layer in layers)


@dataclass(frozen=True)
class Decoder:
    """The sizes of a language model that its cost depends on.

    hidden (d), kv, intermediate (m), q: widths, as in `prefill_flops`;
    heads: query heads; vocabulary: rows of the output matrix.
    """

    hidden: int
    kv: int
    intermediate: int
    q: int
    heads: int
    vocabulary: int

    @classmethod
    def of(cls, config) -> Decoder:
        """From a transformers text config such as `Qwen2Config`."""
        return cls(**widths(config), heads=config.num_attention_heads, vocabulary=config.vocab_size)

    def count(
        self, visual_per_layer: Iterable[int], num_text: int, convention: Convention = PUBLISHED, vision: int = 0
    ) -> int:
        """Operations of one prefill under `convention`.

        visual_per_layer: visual tokens of each layer; num_text: text tokens, the same in every layer.
        vision: operations of the vision side, as `Cost.vision_flops` has them.
        """
        tokens = [int(n) + num_text * convention.text for n in visual_per_layer]
        products = prefill_flops(tokens, self.hidden, self.kv, self.intermediate, self.q)
        if convention.vision:
            products += vision
        small = 0
        if convention.small:
            products += logits_flops(self.hidden, self.vocabulary)
            small = small_flops(tokens, self.hidden, self.heads)
        return products * convention.multiply_add // 2 + small


@dataclass(frozen=True)
class Cost:
    """What one prefill costs.

    tokens_per_layer: tokens, visual and text, that each decoder layer computes and keeps in the KV cache; in mode
                      "masked" also those that nobody sees any more.
    visual_per_layer: visual tokens that each layer sees.
    num_text:         text tokens that enter the first layer.
    language_flops:   operations of the language model's prefill.
    vision_flops:     operations of the vision tower and of what brings its features to the language model's width,
                      without those that a method saves in the tower; and of the audio encoder.
    audio_per_layer:  audio tokens that each layer sees; () for a prompt without a sound.
    """

    tokens_per_layer: tuple[int, ...]
    visual_per_layer: tuple[int, ...]
    num_text: int
    language_flops: int
    vision_flops: int
    audio_per_layer: tuple[int, ...] = ()

    @property
    def total_flops(self) -> int:
        return self.language_flops + self.vision_flops

    @property
    def vision_share(self) -> float:
        """Share of the vision side in the total, in [0, 1]; 0 when nothing is counted."""
        return self.vision_flops / self.total_flops if self.total_flops else 0.0

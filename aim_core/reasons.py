"""Reasons: why a method comes no nearer to a budget or is not run: a code and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MEASURES = {
    "flops": "of the dense FLOPs",
    "entering": "of the visual tokens entering layer 0",
    "mean": "of the visual tokens, mean over layers",
    "kv": "of the dense KV cache",
}
SENTENCES = {
    "under": "{title} cannot go under {share} {of}: {because}.",
    "over": "{title} cannot go over {share} {of}: {because}.",
    "no_knob": "{title} has no setting that a budget could move.",
    "no_setting": "{title} has no setting that fits this model.",
    "does_not_fit": "{title} does not fit this model: {because}.",
    "cannot_run": "{title} cannot run here: {because}.",
    "nearest": "As near as whole {steps} allow: {below} and {above} are next to the budget.",
    "nearest_here": "As near as this video allows: {below} and {above} are next to the budget.",
}
CLAUSES = {  # what may stand for {because}
    "whole_layer": "all visual tokens enter at least the first layer of {num_layers}",
    "whole_layers": "all visual tokens enter at least the first {num_whole} layers of {num_layers}",
    "least_entering": "at least {entering} of the visual tokens enter",
    "most_kept": "it keeps at most {mean} of the visual tokens, mean over layers",
    "text_alone": "{because}, and the text alone costs {text}",
    "no_stage": "of {num_layers} layers none is left for a stage of the pyramid that begins at {layer}",
    "no_layer": "of {num_layers} layers none is left to drop before from layer {layer} on",
    "late_layer": "layer must be below {num_layers}, or no layer is left to drop before, got {layer}",
    "needed_early": "this model needs all its visual tokens before layer {layer}: drop none earlier",
    "tower_unknown": (
        "of {model_type} models the attention of the vision tower is not known: choose a method that does not need it"
    ),
    "tower_packed": (
        "the vision tower of {model_type} models packs all pictures into one row, so tokens cannot be merged in its "
        "layers: choose a method that works after it, such as tome"
    ),
    "tower_pools": "this model pools frames by a convolution, which attention cannot be carried through",
}
STEPS = ("tokens", "layers", "squares", "frames")


@dataclass(frozen=True, repr=False)
class Reason:
    """What is the matter.

    code:   one of SENTENCES or CLAUSES.
    fields: what its places stand for: a share as a float, a number as an int, "of" one of MEASURES, "steps" one of
            STEPS, "because" another reason, or the words of an error that has no code.
    """

    code: str
    fields: Mapping[str, str | int | float | Reason]

    def __str__(self) -> str:
        """In English."""
        return self.told(SENTENCES | CLAUSES, MEASURES)

    def __repr__(self) -> str:
        return f"Reason({self.code!r}: {str(self)!r})"

    def told(self, texts: Mapping[str, str], words: Mapping[str, str], unknown: str | None = None) -> str:
        """In the language of `texts`, by code, and of `words`, for measures and steps.

        unknown: what is said in the place of an error without a code, which is English; the error itself if left out.
        """
        filled = {}
        for name, value in self.fields.items():
            if isinstance(value, Reason):
                filled[name] = value.told(texts, words, unknown)
            elif name == "because" and unknown is not None:
                filled[name] = unknown
            else:
                filled[name] = f"{value:.1%}" if isinstance(value, float) else words.get(str(value), str(value))
        return texts[self.code].format(**filled)


class UnfitError(ValueError):
    """A method that does not fit a model, with the reason, a clause."""

    def __init__(self, code: str, **fields: str | int):
        self.reason = Reason(code, fields)
        super().__init__(str(self.reason))


def because(error: ValueError) -> Reason | str:
    """What an error says, without a full stop at its end."""
    return error.reason if isinstance(error, UnfitError) else str(error).rstrip(".")

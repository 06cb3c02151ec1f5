"""Figure texts: all that is written into figures and below them, as one value, so that they can speak any language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FigureTexts:
    """English where nothing else is given. {Braces} are filled by what draws.

    font: the file of a font that has all of its letters; None for the one that comes with matplotlib.
    """

    one_frame: str = "1 frame"
    many_frames: str = "{count} frames"
    less_than_one: str = "less than 1 %"

    groups_merged: str = (
        "After merging inside {frames}, {kept}; the largest stands for {size} similar patches of one frame."
    )
    groups_kept: str = "{merged} of {patches} visual tokens remain ({share})"
    groups_dropped: str = (
        "Before layer 0, {dropped} patches of {frames} are dropped (faded): {kept}; "
        "each stands for {size} patches at most."
    )
    groups_dropped_alone: str = (
        "Before layer 0, {dropped} patches of {frames} are dropped (faded): {kept}; each stands for itself."
    )
    groups_nothing: str = "Nothing was merged: all {patches} visual tokens of {frames} go into the language model."
    alive_now: str = "At layer {layer}, {alive} of {merged} merged visual tokens are alive ({share})."
    alive_folded: str = " Right before it {folded} were folded into them (rings)."
    scores_none: str = "This run measured no PageRank scores, because nothing was pruned."
    scores_later: str = "No scores were measured in layer {layer}: from layer {next} on nothing is ranked."
    scores_in: str = "In layer {shown}, {held}"
    scores_near: str = "In layer {shown}, the measured layer nearest to {layer}, {held}"
    scores_held: str = "{share} of the PageRank of visual tokens is held by the {top} highest-scoring of {count}."
    scores_early: str = " How early a token comes explains {early} of their ranking (Spearman's rank correlation)."

    frame: str = "frame {first} · {start}"
    frames: str = "frames {first}–{last} · {start}–{end}"
    picture: str = "picture {number}"
    one_crop: str = "{frame} · 1 crop"
    many_crops: str = "{frame} · {count} crops"

    merged_area: str = "one area: one merged token, in the mean colour of its pixels"
    small_areas: str = "small areas: nothing merged"
    outlined: str = "outlined: alive, enters this layer"
    pale: str = "pale: pruned"
    dot: str = "dot: pruned right before this layer"
    pale_earlier: str = "pale: pruned in an earlier layer"
    rank_low: str = "lowest score"
    rank_high: str = "highest score, by rank"
    log_low: str = "low score"
    log_high: str = "high score, log scale"

    groups_title: str = "Merged tokens"
    alive_title: str = "Visual tokens that enter layer {layer}"
    scores_title: str = "PageRank scores measured in layer {shown}"
    scores_title_near: str = "PageRank scores measured in layer {shown} (layer {layer} was not measured)"
    retained_title: str = "Visual tokens that enter each layer"
    cost_title: str = "Compute of one prefill, counted"

    dense: str = "dense"
    aim: str = "AIM"
    planned: str = "planned"
    actual: str = "actual"
    layer_axis: str = "layer of the language model"
    next_layer: str = "enter layer {layer}: {count}"
    answer: str = "reach the answer: {count}"
    pruned_here: str = "pruned here: {count}"
    rank_axis: str = "visual tokens, highest score first"
    score_axis: str = "score, log scale"
    vision: str = "vision encoder"
    language: str = "language model"
    less_language: str = "{ratio}× less in the language model"
    less_total: str = "{ratio}× less in total"
    separator: str = ", "

    film_frames: str = "The frames as the model gets them"
    film_merged: str = "Merged: {merged} visual tokens stand for {patches} patches"
    film_dropped: str = "Merged: {merged} visual tokens stand for {patches} patches; {dropped} are dropped"
    film_layer: str = "Layer {layer} (0 to {most}): {count} of {all} visual tokens enter"

    font: str | None = None

    def ends(self, scale: str) -> tuple[str, str]:
        """The lowest and the highest score on a scale; ValueError if there is no such scale."""
        if scale not in ("rank", "log"):
            raise ValueError(f'scale must be "rank" or "log", got {scale!r}')
        return (self.rank_low, self.rank_high) if scale == "rank" else (self.log_low, self.log_high)

    def scores_in_title(self, shown: int, layer: int) -> str:
        """A title that names the layer shown, and the one asked for where it is another."""
        return (self.scores_title if shown == layer else self.scores_title_near).format(shown=shown, layer=layer)


ENGLISH = FigureTexts()

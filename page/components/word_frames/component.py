"""Word frames: the attention of each generated word to every view, one run beside the other."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

from gradio.data_classes import FileData, GradioModel

from aim_core.result import Result
from page.components.base import Panel
from page.components.explorer.view_names import view_names
from page.components.word_frames.patches import is_recorded, patches_record
from page.state.frame_files import write_frames
from page.token_text import answer_words
from visual.palette import browser_palette
from visual.view_pictures import view_pictures, view_times


class WordFramesData(GradioModel):
    """Pictures of the views as files that Gradio serves, and `word_frames_record` of the same run."""

    pictures: list[FileData]
    record: dict


class WordFramesPanel(Panel):
    """Shows the runs of one request by their names; asks for the event "patches" where its record lacks them."""

    data_model = WordFramesData

    def __init__(self, **kwargs):
        super().__init__(
            "word_frames", "WORD_FRAMES", events=("patches",), fixed={"palette": browser_palette()}, **kwargs
        )

    def postprocess(self, value: Any) -> Any:
        """value: a trace and `word_frames_record` of its run, or None; returns WordFramesData."""
        if value is None:
            return None
        trace, record = value
        return WordFramesData(pictures=write_frames(view_pictures(trace), self.GRADIO_CACHE), record=record)


def word_frames_record(runs: dict[str, Result], tokenizer: Any, with_patches: bool = False) -> dict:
    """Words and attention of the runs that were made of the same frames.

    runs: "dense", "aim" and, where there are overrides, "hand".
    Returns views, name and time of each; sides, for each run its words: text, share of attention on each
    view (the mean over the word's tokens), and for each run the place of the same word there, or None; measured,
    whether attention was recorded. A run that did not record it has no words. byPatch: whether attention was recorded
    by patch too; patches: `patches_record`, None until it is asked for, as it may be larger than all else of a run.
    """
    words = [_words(result, tokenizer) for result in runs.values()]
    texts = [[text for text, _ in one] for one in words]
    sides = [
        {
            "side": side,
            "words": [
                [text, shares, [_twin(texts[place], other, word) for other in texts]]
                for word, (text, shares) in enumerate(words[place])
            ],
        }
        for place, side in enumerate(runs)
    ]
    measured = all(result.frame_attention.size for result in runs.values())
    trace = next(iter(runs.values())).trace
    named = zip(view_names(trace.all_views), view_times(trace), strict=True)
    views = [{"name": name, "time": time} for name, time in named]
    patches = patches_record(runs, tokenizer) if with_patches else None
    shown = {"byPatch": is_recorded(runs), "patches": patches}
    return {"views": views, "sides": sides, "measured": measured} | shown


def _words(result: Result, tokenizer: Any) -> list[tuple[str, list[float]]]:
    if not result.frame_attention.size:
        return []
    found = answer_words(tokenizer, result.answer_ids)
    return [
        (text, [round(float(share), 5) for share in result.frame_attention[places].mean(0)]) for text, places in found
    ]


def _twin(own: list[str], other: list[str], word: int) -> int | None:
    """The place in another answer of a word of this one, as a word diff pairs them."""
    for block in SequenceMatcher(None, own, other, autojunk=False).get_matching_blocks():
        if block.a <= word < block.a + block.size:
            return block.b + word - block.a
    return None

"""RunPanels: what each panel of the page gets of a run."""

from __future__ import annotations

from aim_core.adapters.base import Adapter
from aim_core.trace import Trace
from page.comparison_table import comparison, summary
from page.components.answers.component import answers_record
from page.components.asked.component import Asked, asked_record
from page.components.explorer.by_hand import by_hand_record
from page.components.explorer.component import Explored
from page.components.first_token.component import first_token_record
from page.components.word_frames.component import word_frames_record
from page.i18n import strings
from page.layout import Results, Update
from page.permalink import slider_values, sound_values
from page.state.model_facts import EMBEDDED_NAME, ModelFacts
from page.state.store import StoredRun


class RunPanels:
    """What the panels of one model's page get; the run may be of another model, or from a file."""

    def __init__(self, results: Results, facts: ModelFacts, adapter: Adapter):
        self._results, self._facts, self._adapter = results, facts, adapter
        self._tokenizer = adapter.processor.tokenizer

    def of(self, stored: StoredRun) -> Update:
        """What each panel gets of a run; of a trace alone there is only the explorer's."""
        to = self._results
        if stored.is_bare:
            return dict.fromkeys(to.panels) | {to.explorer: Explored(stored.shown)}
        tokenizer = stored.saved_tokens or self._tokenizer
        return {
            to.asked: self.asked(Asked.of(stored), stored.model, stored.is_others),
            to.answers: answers_record(
                stored.runs, stored.timed_prefills > 0, stored.known, stored.world, is_saved=stored.model is not None
            ),
            to.first_token: first_token_record(stored.runs, tokenizer, stored.world),
            to.comparison: comparison(stored.dense, stored.aim, stored.timed_prefills),
            to.explorer: Explored(stored.shown, by_hand_record(stored.runs)),
            to.word_frames: self.word_frames(stored),
            to.summary: summary(stored.runs),
        }

    def asked(self, asked: Asked, maker: ModelFacts | None = None, is_others: bool = False) -> dict:
        """The strip's record of a run; maker: of a run from a file or of another model, its model."""
        name = (maker or self._facts).name
        adapter, config = self._adapter, asked.config
        sliders = slider_values(config, asked.num_frames, adapter.num_layers, adapter.least_l1)
        sound = sound_values(config, asked.hears) if adapter.hearing else ()
        shown = strings().EMBEDDED_NAME if name == EMBEDDED_NAME else name
        return asked_record(asked, shown, (*sliders, *sound), is_saved=maker is not None, is_others=is_others)

    def word_frames(self, stored: StoredRun, with_patches: bool = False) -> tuple[Trace, dict]:
        """What the panel of words gets of a run."""
        record = word_frames_record(stored.runs, stored.saved_tokens or self._tokenizer, with_patches)
        return stored.aim.trace, record

"""Handlers of further questions: they ask on the caches that the page's last run has left."""

from __future__ import annotations

from contextlib import suppress

import gradio as gr

from aim_core.conversation import Conversation, ConversationFullError
from aim_core.errors import Stopped
from page.checks import checked_question, guarded, refusal
from page.components.talk.component import talk_record
from page.handlers import Handlers
from page.i18n import strings
from page.state.model_facts import EMBEDDED_NAME
from page.state.store import StoredRun
from page.state.talks import NAMES
from page.state.waiting import waiting


class TalkHandlers:
    """The handlers of one page; their questions share `handlers`' runs, engine, turns and Stop."""

    def __init__(self, handlers: Handlers):
        self.handlers, self.runner, self.talks = handlers, handlers.runner, handlers.runner.talks

    @guarded
    def begin(self, key, request: gr.Request):
        """What the caches of the run that was just answered hold; nothing where they are not kept."""
        stored = self.handlers.stored(key)
        talks = self._talks(request, stored)
        return self._record(talks) if talks else None

    @guarded
    def ask(self, question, key, request: gr.Request, progress=gr.Progress()):
        """Ask on: the dense cache, whose answer is shown at once, then AIM's. Stopped in between, neither was asked."""
        question, stored = checked_question(question), self.handlers.stored(key)
        if not self.runner.converses:
            raise refusal(strings().TALK_NEVER, "talk")
        if (talks := self._talks(request, stored)) is None:
            raise refusal(strings().TALK_GONE if key else strings().TALK_FIRST, "gone")
        running = strings().RUNNING_ON
        with suppress(Stopped), self.handlers.cancellation.run(request.session_hash) as stop:
            with self.runner.turns.turn(waiting("model", stop, running["dense"], 0.2)):
                self._reply(talks["dense"], question, stop)
                yield self._record(talks)
                progress(0.6, running["aim"])
                self._reply(talks["aim"], question, stop)
            for name in NAMES:
                self.talks.keep(request.session_hash, name, talks[name])
            yield self._record(talks)
            return
        yield self.begin(key, request)

    def _talks(self, request: gr.Request, stored: StoredRun | None) -> dict[str, Conversation] | None:
        """The conversations of a run that this model answered; None where they are not kept."""
        if stored is None or stored.model is not None:
            return None
        return self.talks.of(request.session_hash, stored)

    def _reply(self, talk: Conversation, question: str, stop) -> None:
        try:
            talk.ask(question, stop=stop)
        except ConversationFullError as error:
            sentence = strings().TALK_FULL.format(needed=f"{error.needed:,}", most=f"{error.most:,}")
            raise refusal(sentence, "talk") from error

    def _record(self, talks: dict[str, Conversation]) -> dict:
        return talk_record(talks["dense"], talks["aim"], self.handlers.facts.name == EMBEDDED_NAME)

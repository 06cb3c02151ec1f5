"""Queue: Gradio's, in which no visitor takes the places of the others, and in which all are told in a sentence."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio.queueing import Event, Queue
from gradio.route_utils import get_fn
from gradio.server_messages import EventMessage, ProcessCompletedMessage

from page.i18n import STRINGS, language_of
from page.server.mailbox import MOST_OF_ADDRESS, Mailboxes, is_lasting
from page.server.record import Record
from page.server.sessions import Sessions
from page.server.settings import ServerSettings

RUNS, EXPORTS = "model", "exports"  # the lines of events that run the model, and that write files to take away
SWEEPS = "sweeps"  # of the lab, each of which takes the model's turn many times
_TOLD = {  # names in REFUSED: a page, an address, all together have too many
    RUNS: ("own", "address_full", "full"),
    EXPORTS: ("exports_own", "exports_address", "exports_full"),
    SWEEPS: ("sweeps_own", "sweeps_address", "sweeps_full"),
}
CHEAP = ""  # all other lines
MOST_PENDING = 2000  # sessions whose answers are kept until they are fetched
MOST_UNHEARD = 100  # of one address, where nobody listens
_UNHEARD = 300.0  # seconds after which the answers for a page that does not listen are dropped
_AT_ONCE = 4  # of one cheap event, for all visitors together


class FairQueue(Queue):
    """Runs wait in a line of their own, in which addresses take turns; whatever else is asked never waits behind them.

    notes:     of an event under way, for its line in the log.
    under_way: numbers of the runs that do not wait, of all that have been let on.
    """

    def __init__(
        self,
        blocks: gr.Blocks,
        settings: ServerSettings,
        record: Record,
        under_way: Callable[[], Container[str]],
    ):
        super().__init__(
            live_updates=True,
            concurrency_count=blocks.max_threads,
            update_intervals=1,
            max_size=None,  # counted here
            blocks=blocks,
            default_concurrency_limit=_AT_ONCE,
        )
        self.ANALYTICS_MAX_EVENTS = 0  # kept for a page that is off; they name sessions
        self.settings, self.record, self._under_way = settings, record, under_way
        self.sessions = Sessions(blocks)
        self.notes: dict[str, dict[str, str]] = {}
        self._listening: Counter[str] = Counter()
        self._heard_at: dict[str, float] = {}
        self._asked_from: dict[str, str] = {}  # address of each session
        self._boxes = Mailboxes(2 * MOST_PENDING)  # none has to go, see `has_place`
        self.pending_messages_per_session = self._boxes  # type: ignore[assignment]

    def start(self) -> None:
        for fn in self.blocks.fns.values():  # all at once: Gradio would let the first of a line set its limit
            self.create_event_queue_for_fn(fn)
        super().start()

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """As Gradio's; what has no place is answered at once, where its page or program listens for the answer."""
        fn, address = get_fn(self.blocks, None, body), request.client.host if request.client else ""
        if why := self._full(fn.concurrency_id, body.session_hash, address):
            return await self._refuse(Event(body.session_hash, fn, request, username), why)
        told = await super().push(body, request, username)
        self._used(body.session_hash, address)  # which Gradio has named where it had no name
        line = self.event_queue_per_concurrency_id[fn.concurrency_id].queue
        if told[0] and line and line[-1]._id == told[1]:
            same = [*line, *self._let_on(fn.concurrency_id)]
            line[-1].turn = sum(address_of(one) == address for one in same)  # type: ignore[attr-defined]
            line.sort(key=lambda event: event.turn)  # type: ignore[attr-defined]
            self.broadcast_estimations(fn.concurrency_id)
        return told

    def has_place(self, session: str | None, address: str) -> bool:
        """Whether the answers of a session can be kept. One more than there may be is refused, since Gradio would drop
        those of the session that waits longest: a session costs nothing to invent."""
        pending = self.pending_messages_per_session
        if session is not None and session in pending:
            return not self._keeps_enough(session, address)
        if len(pending) >= MOST_PENDING:
            self._drop_answered()
        waits = [one for one in pending if one not in self._listening and self.pending_event_ids_session.get(one)]
        unheard = sum(self._asked_from.get(one) == address for one in waits)
        return len(pending) < MOST_PENDING and unheard < MOST_UNHEARD and self._kept_for(address) < MOST_OF_ADDRESS

    def _keeps_enough(self, session: str, address: str) -> bool:
        """Whether as many answers, or bytes, wait for a session or its address as may. Who listens has what comes."""
        box = self._boxes[session]
        if box.empty() and session in self._listening:
            return False
        return box.is_full or self._kept_for(address) >= MOST_OF_ADDRESS

    def _kept_for(self, address: str) -> int:
        return sum(box.num_bytes for session, box in self._boxes.items() if self._asked_from.get(session) == address)

    def _drop_answered(self) -> None:
        """Forget the sessions that got all their answers, which Gradio keeps for their next question."""
        at_work = {event.session_hash for job in self.active_jobs for event in job or ()} | {*self._listening}
        for session in [*self.pending_messages_per_session]:
            if session not in at_work and not self.pending_event_ids_session.get(session):
                del self.pending_messages_per_session[session]
                self.pending_event_ids_session.pop(session, None)

    def _full(self, line: str, session: str | None, address: str) -> str:
        """Which sentence of REFUSED says that there is no place; "" where there is one."""
        waiting, (most, most_address, most_own) = self._waiting(kind_of(line)), self._most(line)
        own, of_address, of_all = _TOLD.get(line, ("many",) * 3)
        if sum(event.session_hash == session for event in waiting) >= most_own:
            return own
        if sum(address_of(event) == address for event in waiting) >= most_address:
            return of_address
        return of_all if len(waiting) >= most else ""

    def _most(self, line: str) -> tuple[int, int, int]:
        """Of all, of an address and of a page in the line of this name; of what is cheap, in all its lines."""
        of = self.settings
        most = {RUNS: of.waiting, EXPORTS: of.waiting_exports, SWEEPS: of.waiting_sweeps}
        return most.get(line, of.waiting_cheap)

    def _waiting(self, kind: str) -> list[Event]:
        """Runs, exports, sweeps, or all other events, that wait here; of runs those too that have been let on but are
        not under way, since they wait for the model or for a decoder, and of sweeps all, which wait between cells."""
        lines = self.event_queue_per_concurrency_id.items()
        here = [event for name, own in lines if kind_of(name) == kind for event in own.queue]
        if kind == SWEEPS:
            return here + self._let_on(SWEEPS)
        if kind != RUNS:
            return here
        under_way = self._under_way()
        return here + [event for event in self._let_on(RUNS) if event._id not in under_way]

    def _let_on(self, line: str) -> list[Event]:
        return [event for job in self.active_jobs for event in job or () if event.fn.concurrency_id == line]

    async def _refuse(self, event: Event, why: str) -> tuple[bool, str, str]:
        """Answer with a sentence."""
        async with self.pending_message_lock:
            if event.session_hash not in self.pending_messages_per_session:
                self.pending_messages_per_session[event.session_hash] = asyncio.Queue()
            self.pending_event_ids_session.setdefault(event.session_hash, set()).add(event._id)
        self.send_message(event, self._sentence(event, why))
        self.record.refused(str(event.fn.api_name or event.fn.name), why)
        self._used(event.session_hash, address_of(event))
        return True, event._id, "success"

    def _sentence(self, event: Event, why: str) -> ProcessCompletedMessage:
        """One of REFUSED in place of the answer, in the visitor's language."""
        texts = STRINGS[language_of(event.request)]  # type: ignore[arg-type]
        total, _, own = self._most(event.concurrency_id)
        said, title = texts["REFUSED"][why].format(own=own, waiting=total), texts["TITLES"]["busy"]
        output = {"error": said, "title": title, "duration": 10, "visible": True}
        return ProcessCompletedMessage(output=output, title=title, success=False)

    def _used(self, session: str, address: str) -> None:
        self.sessions.used(session, address)
        self._asked_from[session] = address
        self._heard_at[session] = time.monotonic()

    async def process_events(self, events: list[Event], batch: bool, begin_time: float, fn: Any) -> None:
        """As Gradio's, with a line in the log for its end."""
        event, begun, how = events[0], time.monotonic(), "stopped"
        notes = self.notes.setdefault(event._id, {})
        try:
            await super().process_events(events, batch, begin_time, fn)
            how = getattr(event, "how", "left")
        finally:
            self.notes.pop(event._id, None)
            what, waited = str(fn.api_name or fn.name), begun - event.enqueue_time
            self.record.ended(event._id[:8], what, waited, time.monotonic() - begun, how, notes)

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        """As Gradio's; an answer that is too much for its session to keep is a sentence instead."""
        if isinstance(event_message, ProcessCompletedMessage) and event.alive:
            why = self.notes.get(event._id, {}).get("why")
            event.how = "answered" if event_message.success else "failed" if why == "wrong" else "refused"  # type: ignore[attr-defined]
        if is_lasting(event_message) and event.alive and self._is_unkept(event):
            if not isinstance(event_message, ProcessCompletedMessage):
                return
            event_message = self._sentence(event, "unkept")
        super().send_message(event, event_message)

    def _is_unkept(self, event: Event) -> bool:
        """Whether this event's answer is not kept, or an earlier part of it was not."""
        if not getattr(event, "unkept", False) and self._keeps_enough(event.session_hash, address_of(event)):
            event.unkept = True  # type: ignore[attr-defined]
            self.record.refused(str(event.fn.api_name or event.fn.name), "unkept")
        return getattr(event, "unkept", False)

    def compute_analytics_summary(self, records: Any) -> Any:
        """Nothing: the page that would show it is off, and it takes longer with every event."""
        return self.cached_event_analytics_summary

    @contextmanager
    def listening(self, session: str) -> Iterator[None]:
        """A page or program hears the answers for its session for the length of the block."""
        self._listening[session] += 1
        try:
            yield
        finally:
            self._listening[session] -= 1
            self._listening += Counter()  # drops what is 0
            self._heard_at[session] = time.monotonic()

    async def tidy(self, seconds: float = _UNHEARD) -> None:
        """Drop what waits for pages that nobody has listened at for so long."""
        old = time.monotonic() - seconds
        known = {*self.pending_messages_per_session, *self.pending_event_ids_session, *self._heard_at}
        for session in known:
            if not self._listening[session] and self._heard_at.get(session, 0.0) < old:
                await self.clean_events(session_hash=session)
                self.pending_event_ids_session.pop(session, None)
                self._heard_at.pop(session, None)
                if session in self.pending_messages_per_session:
                    del self.pending_messages_per_session[session]
        pending = self.pending_messages_per_session
        self._asked_from = {one: address for one, address in self._asked_from.items() if one in pending}

    def session_of(self, event_id: str) -> str:
        """Of an event whose answer has not been fetched; "" for any other."""
        event = self.event_ids_to_events.get(event_id)
        sessions = (session for session, ids in self.pending_event_ids_session.items() if event_id in ids)
        return event.session_hash if event else next(sessions, "")

    def num_waiting(self, is_run: bool) -> int:
        """Runs, or all other events but sweeps, that wait."""
        return sum(len(self._waiting(kind)) for kind in ((RUNS,) if is_run else (EXPORTS, CHEAP)))

    def num_sweeps(self) -> int:
        """Under way and waiting."""
        return len(self._waiting(SWEEPS))

    def num_running(self) -> int:
        return sum(line.current_concurrency for line in self.event_queue_per_concurrency_id.values())


def kind_of(line: str) -> str:
    """RUNS, EXPORTS, SWEEPS or CHEAP."""
    return line if line in _TOLD else CHEAP


def address_of(event: Event) -> str:
    """Of who asked."""
    return event.request.client.host if event.request.client else ""

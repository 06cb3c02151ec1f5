"""Mailbox: what waits for a page or a program to fetch it, counted in answers and bytes."""

from __future__ import annotations

import asyncio
from collections import deque

import orjson
from gradio.server_messages import EventMessage, ProcessCompletedMessage, ProcessGeneratingMessage
from gradio.utils import LRUCache

MOST_ANSWERS, MOST_BYTES = 100, 16 << 20  # of one session
MOST_OF_ADDRESS = 64 << 20  # bytes of all sessions of an address
_MOST_PASSING = 100  # words on the way to an answer, such as how far it is
_MOST_LATE = 200  # what still comes once there are enough answers: that they were not kept


class Mailbox(asyncio.Queue[EventMessage]):
    """Messages for one session in their order. num_bytes: of all in it, as they would be sent."""

    def _init(self, maxsize: int) -> None:
        self._queue: deque[tuple[EventMessage, int]] = deque()
        self._getters: deque
        self.num_bytes = self.num_answers = 0

    def _put(self, message: EventMessage) -> None:
        is_answer = is_lasting(message)
        passing = len(self._queue) - self.num_answers
        if self.num_answers >= MOST_ANSWERS + _MOST_LATE if is_answer else passing >= _MOST_PASSING:
            return
        size = 0 if self._getters else _size(message)  # who waits for it takes it at once
        self._queue.append((message, size))
        self.num_bytes += size
        self.num_answers += is_answer

    def _get(self) -> EventMessage:
        message, size = self._queue.popleft()
        self.num_bytes -= size
        self.num_answers -= is_lasting(message)
        return message

    @property
    def is_full(self) -> bool:
        return self.num_answers >= MOST_ANSWERS or self.num_bytes >= MOST_BYTES


class Mailboxes(LRUCache[str, Mailbox]):
    """Those of all sessions; Gradio puts plain queues into it, and finds a mailbox there."""

    def __setitem__(self, session: str, _: object) -> None:
        super().__setitem__(session, Mailbox())


def is_lasting(message: EventMessage) -> bool:
    """Whether this is an answer or a part of one, and not a word on the way to it."""
    return isinstance(message, ProcessCompletedMessage | ProcessGeneratingMessage)


def _size(message: EventMessage) -> int:
    return len(orjson.dumps(message.model_dump(), default=str))

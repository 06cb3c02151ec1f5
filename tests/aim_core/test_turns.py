"""Turns: who comes next, who is told what, and who leaves the line."""

from __future__ import annotations

import threading

import pytest

from aim_core.errors import Stopped
from aim_core.turns import Asker, Turns
from tests.helpers.waiting import in_thread, wait_until


class Line:
    """Callers that wait for a turn one after the other, each of which ends it when it is told to."""

    def __init__(self, turns: Turns):
        self.turns, self.entered, self.told = turns, [], {}
        self.ends: dict[str, threading.Event] = {}
        self.begun: dict[str, object] = {}

    def join(self, caller: str, stop=lambda: False):
        """caller: the name of the visitor and a number."""
        self.ends[caller], self.told[caller] = threading.Event(), []
        asker = Asker(caller[0], stop, self.told[caller].append)

        def turn():
            with self.turns.turn(asker):
                self.entered.append(caller)
                self.ends[caller].wait(60)

        self.begun[caller] = in_thread(turn)
        wait_until(lambda: self.told[caller] or caller in self.entered)
        return self.begun[caller]

    def end(self, caller: str):
        self.ends[caller].set()
        self.begun[caller].result(timeout=60)


def test_each_visitor_has_a_turn_before_anyone_has_a_second():
    line = Line(Turns(1))
    for caller in ("a1", "a2", "a3", "b1", "c1", "b2"):
        line.join(caller)
    assert line.entered == ["a1"]
    for count in range(2, 7):
        line.end(line.entered[-1])
        wait_until(lambda count=count: len(line.entered) == count)
    assert line.entered == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_everybody_is_told_how_many_come_before():
    line = Line(Turns(1))
    for caller in ("a1", "a2", "b1"):
        line.join(caller)
    wait_until(lambda: line.told["a2"] == [0, 1])  # b1 came and goes first
    assert line.told["b1"] == [0] and not line.told["a1"]


def test_two_places_are_two_turns_and_one_who_leaves_early_makes_room():
    turns = Turns(2)
    line = Line(turns)
    line.join("a1")
    with turns.turn(Asker("b")) as place:
        line.join("c1")
        assert line.entered == ["a1"] and turns.at_once() is None
        place.leave()
        wait_until(lambda: line.entered == ["a1", "c1"])
        place.leave()
    assert turns.at_once() is None  # it was left once
    line.end("a1")
    assert turns.at_once() is not None


def test_who_is_stopped_leaves_the_line():
    line, stop = Line(Turns(1)), threading.Event()
    line.join("a1")
    waiting = line.join("b1", stop.is_set)
    line.join("c1")
    stop.set()
    with pytest.raises(Stopped):
        waiting.result(timeout=60)
    line.end("a1")
    wait_until(lambda: line.entered == ["a1", "c1"])


def test_what_goes_wrong_in_a_turn_or_in_the_line_ends_it():
    turns = Turns(1)
    with pytest.raises(KeyError), turns.turn():
        raise KeyError
    held = turns.at_once()

    def failing(before):
        raise OSError

    with pytest.raises(OSError), turns.turn(Asker("a", on_wait=failing)):
        pass
    held.leave()
    assert turns.at_once()

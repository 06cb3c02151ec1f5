"""Talk panel: what the caches of the last run hold, and the answers to further questions from them."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from aim_core.conversation import Conversation, Reply
from page.comparison_table import flops
from page.components.base import Panel
from page.i18n import strings


class TalkPanel(Panel):
    """Shows `talk_record`; None for a page whose caches are not there."""

    def __init__(self, **kwargs):
        super().__init__("talk", "TALK", **kwargs)


def talk_record(dense: Conversation, aim: Conversation, is_embedded: bool) -> dict[str, Any]:
    """What AIM's cache holds, and each further question with its two answers.

    aim: may have one reply less than `dense`, while it is being asked.
    Returns held, the visual tokens of each layer in AIM's cache; dense, those of the dense cache; embedded, whether the
    model is the embedded one; turns.
    """
    held = aim.held
    return {
        "held": list(held.visual_per_layer),
        "dense": held.dense_visual,
        "embedded": is_embedded,
        "turns": [_turn(*both) for both in zip_longest(dense.replies, aim.replies)],
    }


def _turn(dense: Reply, aim: Reply | None) -> dict[str, Any]:
    return {"question": dense.question, "dense": _side(dense), "aim": aim and _side(aim)}


def _side(reply: Reply) -> dict[str, Any]:
    """An answer with its cost; anew: of reading the whole conversation from its beginning, dense."""
    counted = {"flops": flops(reply.language_flops), "anew": flops(reply.whole_flops), "tokens": reply.num_new}
    return {"answer": reply.answer or strings().SILENT} | counted

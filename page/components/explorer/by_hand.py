"""By hand: what marks on patches did to the answer, for the explorer to say where they were made."""

from __future__ import annotations

from aim_core.result import Result
from page.i18n import strings


def by_hand_record(runs: dict[str, Result]) -> dict | None:
    """Both answers, whether they have the same words, and how many visual tokens entered layer 0 with the marks and
    without; None where there is no run by hand.

    runs: "aim" and, where there are overrides, "hand".
    """
    if not (hand := runs.get("hand")):
        return None
    aim = runs["aim"]
    return {
        "aim": aim.answer or strings().SILENT,
        "hand": hand.answer or strings().SILENT,
        "same": aim.answer.split() == hand.answer.split(),
        "entered": hand.cost.visual_per_layer[0],
        "enteredAlone": aim.cost.visual_per_layer[0],
    }

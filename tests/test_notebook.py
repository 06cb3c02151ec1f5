"""The notebook: it runs as it stands and prints what is kept in it."""

from __future__ import annotations

import re

import nbformat
import pytest

from tools.notebook import NOTEBOOK, executed, printed

MOST = 1_000_000  # bytes
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kept():
    return nbformat.read(NOTEBOOK, as_version=4)


def rounded(text: str) -> str:
    """Decimals differ from machine to machine; words and counts do not."""
    return re.sub(r"\d+\.\d+", "#", text)


def test_it_prints_today_what_it_printed_when_it_was_kept(kept):
    assert [*map(rounded, printed(executed(NOTEBOOK)))] == [*map(rounded, printed(kept))]


def test_it_has_ten_cells_that_ran_in_order_and_drew_three_pictures(kept):
    codes = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == list(range(1, 11))
    assert sum("image/png" in output.get("data", {}) for cell in codes for output in cell.outputs) == 3


def test_it_is_small_and_holds_nothing_of_the_machine_that_ran_it(kept):
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < MOST
    assert "stderr" not in text and "site-packages" not in text and 'execution":' not in text

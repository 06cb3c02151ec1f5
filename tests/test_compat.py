"""`make compat`: what it asks to be installed, and the table that it keeps."""

from __future__ import annotations

import datetime
import re

import pytest
from packaging.requirements import Requirement

from tools import compat
from tools.compat import HEAD, LOCK, PAGE, Row, ranges, wanted, with_row


def a_row(environment: str, failed: tuple[str, ...] = (), passed: int = 3, python: str = "3.11.7") -> Row:
    return Row(environment, python, ("torch 2.8.0", "transformers 5.20.0"), passed, failed, 1, 2.4)


def test_the_lowest_environment_keeps_every_range_and_takes_its_lower_end():
    asked = wanted("lowest")
    assert asked[:2] == ["--resolution", "lowest-direct"] and set(ranges()) <= set(asked)


def test_the_newest_environment_has_no_bounds_but_the_same_packages():
    names = {Requirement(line).name for line in ranges()}
    asked = [Requirement(line) for line in wanted("newest")]
    assert names <= {one.name for one in asked}
    assert not [str(one) for one in asked if one.name in names and one.specifier]


def test_the_locked_environment_is_the_lock():
    assert wanted("locked") == ["-r", str(LOCK)]


@pytest.mark.parametrize("environment", ["lowest", "newest"])
def test_the_tests_run_with_pytest_as_locked(environment):
    locked = {line.split()[0] for line in LOCK.read_text().splitlines() if line.startswith("pytest")}
    assert locked and locked <= set(wanted(environment))


def test_a_row_takes_the_place_of_the_older_one_and_rows_are_in_order():
    page = with_row(HEAD, a_row("newest"))
    page = with_row(with_row(page, a_row("lowest", passed=1)), a_row("lowest", passed=5))
    page = with_row(page, a_row("lowest", python="3.12.1"))
    lines = page.removeprefix(HEAD).splitlines()
    assert [line.split(" | ")[0] for line in lines] == ["| lowest", "| lowest", "| newest"]
    assert " | 5 | 0 | 1 | 2 | " in lines[0] and str(datetime.date.today()) in lines[0]


def test_a_row_names_the_tests_that_failed():
    assert " | 2, `a::b`, `a::c` | " in str(a_row("newest", failed=("a::b", "a::c")))


def test_the_run_ends_with_1_where_a_test_failed(monkeypatch):
    for failed, code in (((), 0), (("a::b",), 1)):
        monkeypatch.setattr(compat, "measure", lambda environment, _, failed=failed: a_row(environment, failed))
        assert compat.main(["lowest"]) == code


def test_the_table_in_the_docs_has_all_three_environments_without_a_failure_at_both_ends():
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().removeprefix(HEAD).splitlines()]
    assert {row[0] for row in rows} == set(compat.ENVIRONMENTS)
    for environment, _python, libraries, passed, failed, *_ in rows:
        assert int(passed) > 600 and {name.split()[0] for name in libraries.split(", ")} >= {"torch", "transformers"}
        assert environment == "newest" or failed == "0"
        assert all(re.search(r"\d", library) for library in libraries.split(", "))

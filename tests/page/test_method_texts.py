"""What is said of methods on a Chinese page is Chinese: every variant, and every reason that comes of a budget."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from aim_core.budget import MEASURES, Budget, solve
from aim_core.method_comparison import MethodRun
from aim_core.methods.counts import check_schedule
from aim_core.methods.fastv import DropOnce
from aim_core.methods.knobs import SHARE, ModelShape, WholeKnob
from aim_core.methods.registry import METHODS
from aim_core.ops.flops import Decoder
from aim_core.reasons import CLAUSES, SENTENCES, STEPS, Reason, UnfitError, because
from aim_core.workload import Workload
from page import method_texts
from page.components.compare import record
from page.i18n import LOCALES, STRINGS
from page.method_texts import method_title, method_variant, reason_text

DECODER = Decoder(hidden=896, kv=128, intermediate=4864, q=896, heads=14, vocabulary=1000)
VIDEO = Workload(DECODER, ModelShape(12, 6, 9, num_views=8, longest_side=12), ((8, (12, 12)),), 0, 200)
KNOWN = {"token", "FLOPs", "CSV", "vLLM", "llava"}  # in Chinese texts too, beside the names of methods
READ = tomllib.loads((LOCALES / "methods_zh.toml").read_text(encoding="utf-8"))


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setattr(method_texts, "language", lambda: "zh")


def solved(share: float, of: str, workload: Workload = VIDEO) -> Iterator[Reason]:
    """What every method says of a budget."""

    def count(method) -> list[int]:
        kept = getattr(method.merger, "keep_ratio", 0.5)
        return [math.ceil(workload.num_visual * min(1.0, max(0.02, kept)))] * workload.shape.num_layers

    for name in METHODS:
        found = solve(name, Budget(share, of), workload, count)
        if found.why:
            yield found.why


def rare(monkeypatch) -> Iterator[Reason]:
    """Reasons that no method of the registry gives on a common model."""
    monkeypatch.setitem(METHODS, "vtw", replace(METHODS["vtw"], knob=SHARE))
    yield solve("vtw", Budget(), VIDEO).why
    monkeypatch.setitem(METHODS, "vtw", replace(METHODS["vtw"], knob=WholeKnob(lambda shape: [], "layers")))
    yield solve("vtw", Budget(), VIDEO).why
    jumps = solve("vidcom2", Budget(0.5, "mean"), VIDEO, lambda own: [1000 if own.merger.keep_ratio > 0.3 else 9] * 12)
    yield jumps.why
    with pytest.raises(UnfitError) as early:
        check_schedule([9, 5, 5], 3, 9, 2)
    with pytest.raises(UnfitError) as late:
        DropOnce(3, 0.5).tokens_entering(9, 3)
    towers = [UnfitError(code, model_type="llava") for code in ("tower_unknown", "tower_packed", "tower_pools")]
    for error in (early.value, late.value, *towers):
        yield Reason("cannot_run", {"title": METHODS["random"].title, "because": because(error)})


def codes(reason: Reason) -> set[str]:
    inner = reason.fields.get("because")
    return {reason.code} | (codes(inner) if isinstance(inner, Reason) else set())


def english_in(text: str) -> list[str]:
    for title in sorted((entry.title for entry in METHODS.values() if entry.paper), key=len, reverse=True):
        text = text.replace(title, "")
    return [word for word in re.findall(r"[A-Za-z]{3,}", text) if word not in KNOWN]


def test_every_reason_is_told_in_chinese(chinese, monkeypatch):
    shallow = replace(VIDEO, shape=replace(VIDEO.shape, num_layers=3, l1=1, l2=2))
    deep = replace(VIDEO, shape=replace(VIDEO.shape, first_droppable=12))
    reasons = [why for of in MEASURES for share in (0.97, 0.3, 0.23, 0.06, 0.01) for why in solved(share, of)]
    reasons += [*solved(0.5, "flops", shallow), *solved(0.5, "mean", deep), *rare(monkeypatch)]
    seen = set().union(*map(codes, reasons))
    assert seen == {*SENTENCES, *CLAUSES}
    assert {why.fields["steps"] for why in reasons if "steps" in why.fields} >= {*STEPS} - {"tokens"}
    for why in reasons:
        told = reason_text(why)
        assert not english_in(told), told
        assert told.endswith("。") and "{" not in told
        shares = set(re.findall(r"[\d.]+%", str(why)))
        assert shares <= set(re.findall(r"[\d.]+%", told)), told


def test_an_error_without_a_code_is_told_where_its_words_are(chinese, monkeypatch):
    why = Reason("cannot_run", {"title": "EVS", "because": because(ValueError("no such thing as that."))})
    assert str(why) == "EVS cannot run here: no such thing as that."
    assert reason_text(why) == "EVS 在这里无法运行：原因见导出的表格（CSV，英文）。"
    monkeypatch.setattr(method_texts, "language", lambda: "en")
    assert reason_text(why) == str(why) and reason_text(None) == ""


def test_every_method_has_its_title_and_variant_in_chinese(chinese):
    for name, entry in METHODS.items():
        variant, title = method_variant(name), method_title(name)
        assert bool(variant) == bool(entry.variant) and not english_in(variant), variant
        assert not english_in(title), title
        assert method_title(name, "en") == entry.title


def test_nothing_is_translated_that_nobody_says():
    assert {*READ["variants"]} == {entry.variant for entry in METHODS.values()} - {""}
    assert {*READ["titles"]} <= {entry.title for entry in METHODS.values()}
    assert {*READ["sentences"]} == {*SENTENCES} and {*READ["clauses"]} == {*CLAUSES, "unknown"}
    assert {*READ["steps"]} == {*STEPS}
    for code, english in (SENTENCES | CLAUSES).items():
        own = (READ["sentences"] | READ["clauses"])[code]
        assert {*re.findall(r"\{\w+\}", own)} == {*re.findall(r"\{\w+\}", english)}, code


def test_the_panel_gets_them_in_the_language_of_the_page(chinese, monkeypatch):
    monkeypatch.setattr(record, "strings", lambda: SimpleNamespace(**STRINGS["zh"]))
    refusal = Reason("under", {"title": "DyCoke", "share": 0.141, "of": "flops", "because": Reason("tower_pools", {})})
    run = MethodRun("dycoke", "DyCoke", refusal=refusal)
    row = record._row(run, run, None)
    assert not english_in(row["refused"] + row["variant"]) and "14.1%" in row["refused"]

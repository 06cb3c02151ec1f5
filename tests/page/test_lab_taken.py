"""What a sweep of the page is taken away as, what its settings open, and what the script makes of its record."""

from __future__ import annotations

import csv
import io
import re
import shlex
import sys
from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
import pytest
from PIL import Image

from aim_lab.arguments import arguments
from aim_lab.settings import grid
from aim_lab.summary import Interval, front, summarise
from page import lab_plan, scripts
from page.components.lab.published import published
from page.exports.lab import KINDS, command_of, write_lab
from page.i18n import STRINGS
from page.lab_handlers import LabHandlers
from page.lab_plan import LabForm
from page.state.startup import Loaded
from tests.helpers.lab_page import FORM, ROWS, counted, layout_of, pictures, refused, server, swept
from tests.helpers.modules import evaluate, module_page

ENGLISH = STRINGS["en"]


@pytest.fixture(scope="module")
def whole(engine, checkpoint, tmp_path_factory):
    """Handlers with a sweep that is done, and its record; its last question looks like a formula."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab_plan, "NEW_TOKENS", 2)
        loaded = Loaded(engine, str(checkpoint), is_embedded=False)
        own = server(loaded, layout_of(loaded), tmp_path_factory.mktemp("sweeps"))
        files = pictures(tmp_path_factory.mktemp("uploads"))
        form = FORM[0], "budget", *FORM[2:]
        rows = [ROWS[1]._replace(question="=1+1, or what's more?")]
        *_, record = swept(own, counted(own, files, rows, form)[1], files, rows, form)
        return own, record


def test_it_is_taken_away_in_every_kind(whole, tmp_path, monkeypatch):
    own, record = whole
    asked = own.sweeps.find(record["key"])
    words = shlex.split(command_of(asked), comments=True)
    options = arguments(words[3:])
    assert grid(options.grid, options.frames)[0] == LabForm(**asked.form).settings()[0]
    lines = asked.lines(own.sweeps.log(asked))
    written = {kind: write_lab(kind, asked, lines, tmp_path) for kind in KINDS if kind != "parquet"}
    table = list(csv.DictReader(io.StringIO(written["csv"][0].read_text())))
    assert len(table) == 3 and {row["question"] for row in table} == {"'=1+1, or what's more?"}
    assert written["csv"][1].read_text().splitlines()[0] == "video,question,answer"
    assert Image.open(written["chart"][0]).width > 800 and '"rows"' in written["json"][0].read_text()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert refused(write_lab, "parquet", asked, lines, tmp_path) == ENGLISH["NO_PARQUET"]


def test_the_command_names_the_model_and_its_bits_apart(whole):
    own, record = whole
    asked = replace(own.sweeps.find(record["key"]), model="org/model (int8)")
    options = arguments(shlex.split(command_of(asked), comments=True)[3:])
    assert (options.model, options.weights) == ("org/model", "int8")


def test_each_setting_opens_where_it_can_be_seen(whole):
    links = {row["method"]: row["link"] for row in whole[1]["rows"]}
    assert {method: page for method, (page, _) in links.items()} == {
        "dense": "explore",
        "aim": "explore",
        "random": "compare",
    }
    aim, random = (dict(parse_qsl(links[method][1])) for method in ("aim", "random"))
    assert {"keep_ratio", "l1", "l2", "frames", "question"} == {*aim} and aim["question"] == "=1+1, or what's more?"
    assert (random["budget"], random["of"], random["methods"], random["frames"]) == ("25", "flops", "random", "1")


def test_records_have_the_properties_that_the_script_is_checked_against(whole):
    source = scripts.sources()["components/lab/lab.js"]
    assert {*re.findall(r"@property {.*} (\w+)", source)} == {*whole[1]["rows"][0]}
    (listed,) = re.findall(r"@typedef {{(.*)}} LabRecord", source)
    assert {*re.findall(r"(\w+): ", listed)} == {*whole[1]}


@pytest.mark.browser
def test_the_front_of_the_page_is_the_front_of_the_lab(browser, whole):
    own, record = whole
    rng = np.random.default_rng(0)
    lines = asked_lines(own, record)
    rows = [
        replace(row, flops=float(rng.integers(1, 9)), accuracy=Interval(float(rng.integers(0, 9)) / 8, 0, 1))
        for row in summarise(lines)
        for _ in range(8)
    ]
    drawn = [{"name": str(i), "share": row.flops, "right": [row.accuracy.value, 0, 1]} for i, row in enumerate(rows)]
    page = module_page(browser)
    script = "front(points(argument, 'share', 'right'), 'right').map(({ row }) => row.name)"
    names = evaluate(page, ("components/lab/axes.js",), script, drawn)
    assert [rows[int(name)] for name in names] == front(rows, "flops", "accuracy") and 1 < len(names) < len(rows)
    page.close()


def asked_lines(own: LabHandlers, record: dict):
    asked = own.sweeps.find(record["key"])
    return asked.lines(own.sweeps.log(asked))


def test_published_points_are_shares_of_the_papers_dense():
    own = {one["name"]: one for one in published()}
    assert own["AIM"]["flops"] == pytest.approx(14.76 / 99.63) and own["AIM"]["right"] == 1
    assert all(0 < one["flops"] < 0.5 and 0.6 < one["right"] < 1.02 for one in own.values()) and len(own) == 19

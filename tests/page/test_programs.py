"""The endpoints for programs: what Gradio's page about the API tells of them, what they give, what they refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from aim_core.config import AimConfig
from page.components.estimate.component import prompt_of
from page.components.estimate.counted import counted
from page.i18n import ENGLISH
from training.strangers.grounds import shipped

ROOT = Path(__file__).parents[2]
VIDEO = {"video": handle_file(str(ROOT / "assets" / "samples" / "crossing.mp4"))}
IMAGE = {"image": handle_file(str(ROOT / "assets" / "samples" / "shapes.png"))}
QUESTION = "how does the cyan star move?"


@pytest.fixture(scope="module")
def client(served):
    return Client(served, verbose=False)


def ask(client, name="/answer", **asked):
    return client.submit(**asked, api_name=name).result(timeout=300)


@pytest.fixture(scope="module")
def run(client):
    return ask(client, question=QUESTION, **VIDEO, kept_rows=True)


def test_the_api_page_shows_these_two_and_tells_what_each_value_is(client):
    shown = client.view_api(return_format="dict", print_info=False)
    assert list(shown["named_endpoints"]) == ["/answer", "/estimate"] and not shown["unnamed_endpoints"]
    for endpoint in shown["named_endpoints"].values():
        values = endpoint["parameters"] + endpoint["returns"]
        assert endpoint["description"].endswith(".") and len(endpoint["returns"]) == 1
        assert all(value["python_type"]["description"] and value["python_type"]["type"] != "Any" for value in values)
        assert not any("__i18n__" in value["label"] or "_" in value["label"] for value in values)
    names = [value["parameter_name"] for value in shown["named_endpoints"]["/answer"]["parameters"]]
    assert names[:7] == ["question", "video", "image", "keep_ratio", "l1", "l2", "num_frames"]
    required = [value["parameter_name"] for value in shown["named_endpoints"]["/answer"]["parameters"][:1]]
    assert required == ["question"]


def test_an_answer_is_one_plain_dict(run):
    assert json.loads(json.dumps(run)) == run and run["model"] == {"name": "assets/model", "layers": 12}
    settings = {"question": QUESTION, "num_frames": 8, "keep_ratio": 0.25, "l1": 6, "l2": 9}
    assert run["settings"] == settings and set(run["answers"]) == {"dense", "aim"}
    assert run["counts"]["aim"]["visual_per_layer"] == [len(rows) for rows in run["kept_rows"]]
    assert run["counts"]["dense"]["visual_per_layer"] == [8 * 144 + 1] * 12
    top = run["first_tokens"][0]
    assert max(top["dense"], top["aim"]) == max(row[side] for row in run["first_tokens"] for side in ("dense", "aim"))
    assert run["kl_nats"] >= 0
    for times in run["timing"]["first_word_ms"].values():
        assert 0 < times["fastest"] <= times["median"] <= times["slowest"] and times["turns"] == 2  # see QuickTimes
    told = run["timing"]["speedup"]
    assert told is None or told["low"] <= told["high"] <= 2 * told["low"]


def test_an_answer_says_whether_the_file_is_of_the_models_world(client, run):
    assert set(run["world"]) == {"score", "limit", "outside"} and not run["world"]["outside"]
    world = str(shipped("gradio") / "media_assets" / "videos" / "world.mp4")
    other = ask(client, question=QUESTION, video=handle_file(world), timed=False)["world"]
    assert other["outside"] and other["score"] > other["limit"] == run["world"]["limit"]


def test_rows_and_times_come_where_they_are_asked_for(client):
    plain = ask(client, question="what shape is the blue object?", **IMAGE, timed=False)
    assert "kept_rows" not in plain and plain["timing"] is None and plain["settings"]["num_frames"] == 1


def test_the_estimate_is_what_the_run_counts(client, run):
    cost = ask(client, "/estimate")
    for side in ("dense", "aim"):
        assert cost["counts"][side]["visual_per_layer"] == run["counts"][side]["visual_per_layer"]
    assert cost["vision_flops"] == run["counts"]["aim"]["vision_flops"]
    assert cost["share_of_dense"] == pytest.approx(0.09, abs=0.01)
    picture = ask(client, "/estimate", kind="image", num_frames=8)
    assert picture["settings"]["num_frames"] == 1 and picture["counts"]["dense"]["visual_per_layer"][0] == 145


@pytest.mark.parametrize("config", [AimConfig(0.25, 6, 9), AimConfig(0.07, 0, 1), AimConfig.dense()])
def test_python_counts_what_the_engine_runs(engine, frames, config):
    cost = engine.run(frames, ENGLISH["EXAMPLE_QUESTION"], config=config, max_new_tokens=1).cost
    own = counted(engine.adapter, prompt_of(engine.adapter, "video", len(frames), *frames.shape[1:3]), config)
    assert own.visual_per_layer == cost.visual_per_layer and own.language_flops == cost.language_flops
    assert own.kv_bytes == np.sum(cost.tokens_per_layer) * 2 * engine.adapter.sizes["kv"] * 8  # float64


BAD = [
    ("/answer", {"question": QUESTION}, "Give a video or an image"),
    ("/answer", {"question": QUESTION, **VIDEO, **IMAGE}, "not both"),
    ("/answer", {"question": " ", **VIDEO}, "Type a question"),
    ("/answer", {"question": QUESTION, **VIDEO, "keep_ratio": 0}, "keep_ratio"),
    ("/answer", {"question": QUESTION, **VIDEO, "keep_ratio": "much"}, "These settings"),
    ("/answer", {"question": QUESTION, **VIDEO, "l1": 9, "l2": 6}, "l1"),
    ("/answer", {"question": QUESTION, **VIDEO, "l1": 2.5}, "whole number"),
    ("/answer", {"question": QUESTION, **VIDEO, "num_frames": 33}, "between 1 and 32"),
    ("/answer", {"question": QUESTION, **VIDEO, "num_frames": None}, "whole number"),
    ("/answer", {"question": QUESTION, "video": handle_file(__file__)}, ""),
    ("/answer", {"question": 5, **VIDEO}, "must be a text"),
    ("/answer", {"question": ["why?"], **VIDEO}, "must be a text"),
    ("/answer", {"question": {"why": None}, **VIDEO}, "must be a text"),
    ("/answer", {"question": "w" * 900_000, **VIDEO}, "900,000 characters"),
    ("/answer", {"question": QUESTION, "video": 5}, "not what it should be"),
    ("/answer", {"question": QUESTION, "video": [[]]}, "not what it should be"),
    ("/estimate", {"kind": "film"}, "as kind, not 'film'"),
    ("/estimate", {"kind": ["video"]}, "Choose one"),
    ("/estimate", {"height": 0}, "between 1 and"),
    ("/estimate", {"width": 10**9}, "between 1 and"),
    ("/estimate", {"width": "wide"}, "whole number"),
    ("/estimate", {"keep_ratio": [1]}, "These settings"),
]


@pytest.mark.parametrize(("name", "asked", "says"), BAD)
def test_what_cannot_be_done_is_one_sentence_and_no_traceback(client, caplog, capfd, name, asked, says):
    with pytest.raises(AppError) as caught:
        ask(client, name, **asked)
    said = str(caught.value)
    assert says in said and said.endswith(".") and "\n" not in said and len(said) > 20
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def test_the_python_of_the_docs_runs(served, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs" / "programs.md").read_text(), re.MULTILINE | re.DOTALL
    )
    exec(compile(code.replace("http://127.0.0.1:7860", served), "programs.md", "exec"), {})
    first, tokens, times, share = capsys.readouterr().out.splitlines()
    assert first == "{'dense': 'down', 'aim': 'down'}" and tokens.startswith("[289, 289") and "'turns': " in times
    assert re.fullmatch(r"\d+\.\d%", share)

"""Scripts: every one is a module that something needs; the app serves them and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import gradio as gr
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from aim_core.budget import Budget
from aim_core.config import AimConfig
from aim_core.method_comparison import compare_methods
from page import scripts
from page.components.answers.component import AnswersPanel, answers_record
from page.components.asked.component import Asked, AskedPanel, asked_record
from page.components.bar.component import BarPanel
from page.components.base import Panel
from page.components.compare.component import ComparePanel
from page.components.compare.record import compare_record
from page.components.estimate.component import EstimatePanel, frames_and_prompts, model_sizes
from page.components.explorer.by_hand import by_hand_record
from page.components.explorer.component import TokenExplorer
from page.components.explorer.record import explorer_record
from page.components.first_token.component import FirstTokenPanel, first_token_record
from page.components.lab.component import LabPanel
from page.components.models.component import ModelsPanel, models_record, state_record
from page.components.nav.component import NavPanel
from page.components.pictures.component import PicturesPanel
from page.components.questions.component import QuestionsPanel
from page.components.talk.component import TalkPanel, talk_record
from page.components.tour.component import Tour
from page.components.tour.steps import measured, steps
from page.components.word_frames.component import WordFramesPanel, word_frames_record
from page.components.word_frames.patches import patches_record
from page.head import Head
from page.state.choices import Choice
from page.state.models import Loading, Models, Unloaded
from page.state.startup import Loaded
from page.state.store import StoredRun
from tests.helpers.drawn_trace import make_trace
from tests.helpers.modules import GREY, ORIGIN, module_page, mount, panel_page

REPLAY, SIZES, ADDRESS = "exports/replay.js", "components/estimate/sizes.js", "address.js"
UPLOADS = "components/uploads.js"


PATHS = ("/", "/explain")


@pytest.fixture(scope="module")
def panels() -> list[Panel]:
    with gr.Blocks():
        return [
            AnswersPanel(),
            AskedPanel(),
            BarPanel(),
            ComparePanel(),
            EstimatePanel(),
            FirstTokenPanel(),
            LabPanel(),
            ModelsPanel(),
            NavPanel(),
            PicturesPanel(),
            QuestionsPanel(),
            TalkPanel(),
            TokenExplorer(),
            Tour(),
            WordFramesPanel(),
        ]


@pytest.fixture(scope="module")
def entries(panels) -> list[str]:
    return [panel.entry for panel in panels]


def test_every_script_is_a_checked_module_that_something_needs(entries):
    assert {*scripts.needed(scripts.LANGUAGE, ADDRESS, SIZES, REPLAY, UPLOADS, *entries)} == {*scripts.sources()}
    for name, text in scripts.sources().items():
        assert text.startswith("// @ts-check\n") and re.search(r"^(import|export) ", text, re.MULTILINE), name
        assert "innerHTML" not in text and "insertAdjacentHTML" not in text, name


def test_each_module_comes_after_what_it_imports():
    order = scripts.needed("components/nav/nav.js")
    assert {*order} == {"components/now.js", "address.js", "components/common.js", "components/nav/nav.js"}
    assert order.index("components/now.js") < order.index("address.js") < order.index("components/nav/nav.js")


@pytest.mark.parametrize(
    "line", ['import "./b.js";', 'import * as b from "./b.js";', 'export { b } from "./b.js";', "export default 1;"]
)
def test_a_bundle_carries_no_import_or_export_that_it_does_not_know(monkeypatch, line):
    monkeypatch.setattr(scripts, "sources", lambda: {"a.js": f"// @ts-check\n{line}\n"})
    with pytest.raises(ValueError, match=r"a\.js: only names in braces"):
        scripts.bundle("a.js")


@pytest.fixture(scope="module")
def client(entries):
    pages = [Route(path, lambda request: HTMLResponse("<html><head><title>x</title></head></html>")) for path in PATHS]
    middleware = [Middleware(Head, entries=tuple(entries), paths=PATHS)]
    return TestClient(Starlette(routes=[scripts.route(), *pages], middleware=middleware))


def test_the_app_serves_the_modules_for_good_and_no_other_file(client):
    for name, text in scripts.sources().items():
        reply = client.get(f"/{scripts.folder()}/{name}")
        assert reply.text == text and reply.headers["content-type"].startswith("text/javascript")
        assert "immutable" in reply.headers["cache-control"]
    for name in ("scripts.py", "components/base.py", "../app.py", "%2e%2e/app.py", "/etc/passwd", ""):
        assert client.get(f"/{scripts.folder()}/{name}").status_code == 404
    assert client.get(f"/gradio_api/scripts/0123/{scripts.LANGUAGE}").status_code == 404


def test_a_changed_module_has_another_address(monkeypatch):
    before = scripts.folder()
    monkeypatch.setattr(scripts, "sources", lambda: {"a.js": ""})
    assert scripts.folder() != before


@pytest.mark.parametrize("path", PATHS)
def test_a_page_names_what_it_will_need_and_speaks_first(client, entries, path):
    reply = client.get(path)
    assert len(reply.content) == int(reply.headers["content-length"])
    head = reply.text.split("<title>")[0]
    assert re.findall('script[^>]*src="([^"]+)"', head) == [f"{scripts.folder()}/{scripts.LANGUAGE}"]
    preloaded = re.findall('modulepreload" href="([^"]+)"', head)
    assert {*preloaded} == {f"{scripts.folder()}/{name}" for name in scripts.needed(scripts.LANGUAGE, *entries)}


@pytest.mark.browser
def test_a_panel_finds_its_module_below_a_proxys_path(browser, panels):
    page, asked = module_page(browser), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{ORIGIN}some/place/?lang=en")
    run = "code => Function('element', 'props', 'watch', 'trigger', 'upload', code)()"
    for panel in panels:
        with page.expect_request(f"{ORIGIN}some/place/{scripts.folder()}/{panel.entry}"):
            page.evaluate(f"code => {{ ({run})(code)?.catch(() => {{}}); }}", panel.js_on_load)
    page.close()


@pytest.mark.browser
def test_what_never_changes_is_one_text_for_gradio_and_whole_for_the_script(browser, panels):
    """Gradio copies each part of each property at every step of a run: 50,000 copies while it was not one text."""
    page = module_page(browser)
    run = """([code, fixed]) => {
        let got; const props = { fixed, value: 1 };
        const loaded = Promise.resolve({ start: (mount) => { got = mount; } });
        Function('element', 'props', 'watch', 'trigger', 'upload', 'loaded', code)(0, props, 0, 0, 0, loaded);
        return Promise.resolve().then(() => { props.value = 2; return [{ ...got.props }, got.props.value]; }); }"""
    for panel in panels:
        text, code = panel.props["fixed"], panel.js_on_load.replace(scripts.imported(panel.entry), "loaded")
        assert isinstance(text, str) and {*panel.props} <= {"fixed", "value"}
        assert page.evaluate(run, [code, text]) == [json.loads(json.dumps(panel.fixed)) | {"value": 2}, 2]
    page.close()


@pytest.fixture(scope="module")
def values(engine) -> dict[str, dict]:
    """Values of the panels that listen to more than their own elements."""
    settings = {"keep_ratio": 0.5, "l1": 3, "l2": 7, "frames": 4, "model": model_sizes(engine)}
    settings |= frames_and_prompts(engine.adapter, 96, 128)
    record = explorer_record(trace := make_trace(3))
    return {"explorer": {"pictures": [{"url": GREY}] * trace.num_views, "record": record}, "estimate": settings}


@pytest.mark.browser
@pytest.mark.parametrize("panel", range(9))
def test_a_panel_that_is_made_again_leaves_nothing_behind(browser, engine, panels, values, panel):
    props, name = panels[panel].fixed, panels[panel].entry.split("/")[1]
    props = json.loads(json.dumps(props | {"value": values.get(name)}))
    page = panel_page(browser, name, props)
    protocol = page.context.new_cdp_session(page)

    def left(times: int) -> dict[str, int]:
        for _ in range(times):
            mount(page, name, props)
            page.evaluate("document.querySelector('[data-part=layerPlay]')?.click()")
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        protocol.send("HeapProfiler.collectGarbage")
        return protocol.send("Memory.getDOMCounters")

    before, after = left(5), left(30)
    assert after["jsEventListeners"] <= before["jsEventListeners"] and after["nodes"] <= before["nodes"] + 50
    page.close()


def properties(name: str) -> dict[str, bool]:
    """The properties of a JSDoc record by their names: whether each has to be there."""
    text = "\n".join(scripts.sources().values())
    (body,) = re.findall(rf"@typedef {{object}} {name}\n(.*?)\*/", text, re.DOTALL)
    found = re.findall(r"@property {.*} (\[?)(\w+)", body)
    return {own: not optional for optional, own in found}


def models_records(engine) -> dict[str, dict]:
    """Of the picker, while a model is loaded."""
    models = Models(Loaded(engine, "first", is_embedded=True), [choice := Choice("org/name", "Name")])
    models.loading, models.unloaded = Loading(choice), Unloaded(choice, "killed")
    record, state = models_record(models, 8, "all"), state_record(models)
    return {
        "ModelsRecord": record,
        "ModelRow": record["rows"][1],
        "ModelsState": state,
    }


def test_records_have_the_properties_that_scripts_are_checked_against(engine, frames):
    ask = lambda config: engine.run(frames, "what?", config=config, max_new_tokens=2, details=True)  # noqa: E731
    dense, aim = ask(AimConfig.dense()), ask(AimConfig(0.25, 4, 9))
    runs, tokenizer = {"dense": dense, "aim": aim}, engine.adapter.processor.tokenizer
    answers, settings = answers_record(runs, True), frames_and_prompts(engine.adapter, 96, 128)
    stored = StoredRun("clip.mp4", "what?", len(frames), dense, aim)
    talk = engine.converse(frames, "what?", config=AimConfig(0.25, 4, 9), max_new_tokens=1)
    talk.ask("and now?", max_new_tokens=1)
    talked = talk_record(talk, talk, is_embedded=True)
    records = {
        "ExplorerRecord": explorer_record(aim.trace),
        "ByHand": by_hand_record({"aim": aim, "hand": dense}),
        "Answer": answers["aim"],
        "AskedRecord": asked_record(Asked.of(stored), "tiny", (0.25, 4, 9, 4)),
        "FirstTokenRecord": first_token_record(runs, tokenizer),
        "WordFramesRecord": word_frames_record(runs, tokenizer),
        "PatchesRecord": patches_record(runs, tokenizer),
        "Measured": measured(stored),
        "ModelSizes": model_sizes(engine),
        "TalkRecord": talked,
        "Turn": talked["turns"][0],
        "Reply": talked["turns"][0]["aim"],
        "Prompt": settings["prompts"][0],
    } | models_records(engine)
    runs_of = compare_methods(engine, frames, "what?", methods=["aim"], max_new_tokens=1)
    compared = compare_record(runs_of, None, False, Budget())
    row = compared["rows"][1]
    assert {*row} == {*properties("MethodAbout"), *properties("MethodMeasured")}
    for name, record in records.items():
        assert {*record} == {*properties(name)}, name
    assert {*answers} <= {*properties("AnswersRecord")}
    assert {*properties("Step")} == {*asdict(steps(12)[0])}

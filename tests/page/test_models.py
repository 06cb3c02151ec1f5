"""Models: what a page offers, what lies in the Hub's cache, what fits, and what happens when another one answers."""

from __future__ import annotations

import gc
import signal
import weakref
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest
from huggingface_hub import constants
from starlette.applications import Starlette
from starlette.testclient import TestClient

from aim_core import low_bits
from aim_core.checkpoint import read_checkpoint
from aim_core.footprint import Footprint
from aim_core.low_bits import WEIGHTS
from aim_core.memory import SHARE
from page.build import build_page
from page.components.models.component import EMBEDDED, models_record, state_record
from page.exports.code import engine_of
from page.i18n import ENGLISH
from page.per_model import PerModel
from page.server.settings import ServerSettings, SettingError, read_settings
from page.state import models as models_module
from page.state.choices import Choice, ListError, named, on_disk, read_list
from page.state.model_facts import ModelFacts
from page.state.models import Models
from page.state.startup import AUTO, Loaded, arguments, with_bits, without_bits
from page.state.store import Maker, StoredRun
from page.switching import USUAL_FRAMES, Picker
from tests.helpers.brief import BriefEngine
from tests.helpers.hub_cache import in_hub_cache
from tests.helpers.packing import needs_packing

PATIENCE = 100
NAME = "org/random"


@pytest.fixture
def cache(checkpoint, tmp_path, monkeypatch):
    """A Hub's cache with the random checkpoint, and what is no checkpoint that can be used."""
    hub = tmp_path / "hub"
    in_hub_cache(hub, NAME, checkpoint)
    (other := tmp_path / "other").mkdir()
    (other / "config.json").write_text('{"model_type": "bert"}')
    in_hub_cache(hub, "aaa/bert", other)
    half = in_hub_cache(hub, "aaa/half", checkpoint)
    (half / "model.safetensors").unlink()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    return hub


@pytest.fixture
def first(engine):
    return Loaded(BriefEngine(engine.adapter), "embedded model", is_embedded=True)


@pytest.fixture
def no_trial(monkeypatch):
    """Trials, which have tests of their own, end well at once."""
    monkeypatch.setattr(models_module, "try_checkpoint", lambda *_: None)


def loaded_by(models: Models, choice: Choice, frames: int = 4) -> Models:
    assert models.begin(choice, frames)
    models.wait(PATIENCE)
    return models


def test_the_owners_list_is_read_and_a_broken_one_is_a_sentence(tmp_path):
    shipped = read_list()
    assert shipped[0].path in (one.path for one in shipped) and all(one.family and one.parameters for one in shipped)
    assert read_list(tmp_path / "none.toml") == ()
    (own := tmp_path / "models.toml").write_text('[[model]]\nname = "Without an id"\n')
    with pytest.raises(ListError, match=r"models\.toml.*id.*\.$"):
        read_list(own)
    own.write_text('[[model]]\nid = "a/b"\nname = "B"\nknows = "everything"\n')
    with pytest.raises(ListError, match=r"everything.*\.$"):
        read_list(own)
    own.write_text('[[model]]\nid = "a/b"\nname = "B"\nweights = "int8"\n')
    with pytest.raises(ListError, match=r"AIM_WEIGHTS.*\.$"):
        read_list(own)


def test_visitors_see_no_path(checkpoint):
    choice = named(str(checkpoint), ())
    assert choice.key == choice.name == checkpoint.name and choice.folder == checkpoint


def test_auto_takes_a_whole_checkpoint_of_a_family_that_lies_in_the_cache(cache, first, caplog, no_trial):
    assert [one.path for one in on_disk([Choice("org/none", "None")])] == [NAME]
    models = Models(first)
    with caplog.at_level("INFO"):
        models.begin_with(AUTO, 4)
        for _ in range(PATIENCE * 10):
            if models.serial or models._stop.wait(0.1):
                break
    assert models.now.path == NAME and not models.now.is_embedded and f"auto takes {NAME}" in caplog.text
    assert NAME in [one.path for one in models.listed]  # so that one can come back to it


def test_auto_without_a_checkpoint_leaves_the_embedded_model(tmp_path, first, caplog, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    models = Models(first)
    with caplog.at_level("INFO"):
        models._begin_automatic(4)
    assert models.now is first and models.loading is None and "embedded model answers" in caplog.text


def test_auto_passes_over_what_does_not_fit(cache, first, monkeypatch):
    monkeypatch.setattr(models_module, "free_bytes", lambda _: 1 << 20)
    assert Models(first).automatic(4) is None


def test_what_does_not_fit_is_refused_with_its_figures_and_what_would(cache, first, monkeypatch, checkpoint):
    choice, models = Choice(NAME, "Random"), Models(first)
    one, four = (models.needed(choice, frames)[0] for frames in (1, 4))
    monkeypatch.setattr(models_module, "free_bytes", lambda _: round((one.total + 1) / SHARE))
    loaded_by(models, choice)
    told = models.unloaded
    assert models.now is first and (told.why, told.needed, told.frames, told.fewer) == ("memory", four, 4, 1)
    assert told.needed.weights == read_checkpoint(checkpoint).num_parameters * 4
    record = state_record(models)["unloaded"]
    assert record["needs"]["total"] == four.total > SHARE * record["free"] and record["fewer"] == 1
    row = models_record(replace_listed(models, choice), 4, "all")["rows"][1]
    assert not row["fits"] and row["isHere"] and row["needs"]["total"] == four.total


def replace_listed(models: Models, *listed: Choice) -> Models:
    models.listed = listed
    return models


def test_a_model_of_the_list_that_is_not_here_counts_by_its_parameters(first, monkeypatch):
    models = Models(first, [Choice("org/huge", "Huge", "Qwen2-VL", 1e15, "videos")])
    for can, weights, least in (
        (False, "full", 4e15),
        (True, "full", 2e15),
        (True, "int8", 1e15),
        (True, "int4", 5e14),
    ):
        monkeypatch.setattr(models_module, "computes_in_bfloat16", lambda can=can: can)
        row = models_record(models, 8, "all", weights=weights)["rows"][1]
        assert row["least"] == least and not row["fits"] and not row["isHere"] and row["needs"] is None


def test_a_killed_trial_costs_the_load_and_not_the_page(cache, first, monkeypatch):
    def killed(*_):
        raise models_module.TrialKilledError(f"code {-signal.SIGKILL}")

    monkeypatch.setattr(models_module, "try_checkpoint", killed)
    models = loaded_by(Models(first), Choice(NAME, "Random"))
    assert models.now is first and models.unloaded.why == "killed" and models.loading is None


def test_a_broken_checkpoint_and_an_unknown_name_are_sentences(cache, first, tmp_path):
    models = loaded_by(Models(first), Choice("aaa/half", "Half"))
    assert models.unloaded.why == "failed" and models.unloaded.sentence.endswith(".")
    loaded_by(models, named(str(tmp_path / "none"), ()))
    assert str(tmp_path) not in models.unloaded.sentence and "none" in models.unloaded.sentence


def test_switching_back_is_at_once_and_both_stay_if_they_fit(cache, first, no_trial):
    models = loaded_by(Models(first), choice := Choice(NAME, "Random"))
    assert models.now.name == NAME and models.serial == 1 and models.is_kept(choice)
    assert models.begin(None, 4) and models.now is first and models.serial == 2
    assert models.begin(choice, 4) and models.now.name == NAME and models.serial == 3 and models.loading is None


def test_a_model_makes_room_for_one_that_fits_only_in_its_place(cache, first, monkeypatch, no_trial, checkpoint):
    models = loaded_by(Models(first), Choice(NAME, "Random"))
    page = PerModel(models, lambda loaded: SimpleNamespace(loaded=loaded))
    assert page.now.loaded is models.now
    gone, weights = weakref.ref(models.now), models_module.weights_of(models.now)
    need = models.needed(Choice(NAME, "Random"), 4)[0].total
    scarce = lambda _: round(need / SHARE) + 1 if gone() is None else round(need / SHARE) + 1 - weights  # noqa: E731
    monkeypatch.setattr(models_module, "free_bytes", scarce)
    loaded_by(models, Choice(str(checkpoint), "Folder"))
    gc.collect()
    assert gone() is None and models.now.name == checkpoint.name and not models.is_kept(Choice(NAME, "Random"))


def test_one_model_is_loaded_at_a_time_and_can_be_stopped(cache, first, monkeypatch):
    def slow(folder, dtype, more, on_read, stop, weights):
        while not stop():
            pass
        raise models_module.Stopped

    monkeypatch.setattr(models_module, "try_checkpoint", slow)
    models = Models(first)
    assert models.begin(Choice(NAME, "Random"), 4) and not models.begin(None, 4)
    models.stop()
    models.wait(PATIENCE)
    assert models.unloaded.why == "stopped" and models.now is first


def test_progress_tells_shard_bytes_and_time_left(cache, first, monkeypatch):
    seen = []

    def tried(folder, dtype, more, on_read, stop, weights):
        on_read(models_module.ReadSoFar(2, 4, 300, 1200))
        seen.append(state_record(models)["loading"])

    monkeypatch.setattr(models_module, "try_checkpoint", tried)
    models = Models(first)
    loaded_by(models, Choice(NAME, "Random"))
    told = seen[0]
    assert (told["name"], told["stage"], told["shard"], told["shards"]) == ("Random", "try", 2, 4)
    assert (told["done"], told["all"]) == (300, 1200) and told["left"] >= 0
    assert models.serial == 1 and state_record(models) == {"serial": 1, "loading": None, "unloaded": None}


def test_a_run_keeps_its_models_name_and_is_not_run_again_by_another(engine, frames):
    dense = engine.run(frames, "what?", config=engine.adapter.default_config(), max_new_tokens=2)
    tokenizer = engine.adapter.processor.tokenizer
    own, other = (Maker(ModelFacts(name, engine.adapter.sizes, 4), tokenizer) for name in ("own", "other"))
    stored = StoredRun("a.mp4", "what?", 4, dense, dense, maker=own)
    assert stored.seen_by(own) is stored
    seen = stored.seen_by(other)
    assert seen.is_others and seen.model is own.facts and seen.saved_tokens.answers
    assert stored.seen_by(other).seen_by(own).is_others  # what was seen once is a record
    loaded = replace(stored, maker=None, model=own.facts)
    assert loaded.seen_by(other) is loaded


@pytest.fixture
def page(cache, first, no_trial):
    """A page with two models, as it is served, and the pickers of Explore and Compare."""
    models = Models(first, [Choice(NAME, "Random")])
    made = []
    real = Picker.__init__

    def kept(self, *given):
        made.append(self)
        real(self, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Picker, "__init__", kept)
        demo = build_page(models, ServerSettings(switchers="key", owner_key="0123456789abcdef"))
    switching, compared = made
    return SimpleNamespace(models=models, demo=demo, switching=switching, compared=compared)


def chosen(page, **asked) -> dict:
    return page.switching.choose(SimpleNamespace(_data=asked))


def test_only_the_owner_switches(page):
    for secret in (None, "", "wrong", 5, "0123456789abcdeX"):
        with pytest.raises(gr.Error, match="owner"):
            chosen(page, key=NAME, secret=secret)
    with pytest.raises(gr.Error, match="not offered"):
        chosen(page, key="/etc", secret="0123456789abcdef")
    assert page.models.loading is None and page.models.serial == 0


def test_the_page_is_fitted_to_the_model_that_answers(page):
    chosen(page, key=NAME, frames=4, secret="0123456789abcdef")
    page.models.wait(PATIENCE)
    switching, now = page.switching, page.models.now
    state = TestClient(Starlette(routes=page.demo.more_routes)).get("/gradio_api/models").json()
    assert state == {"serial": 1, "loading": None, "unloaded": None}
    fitted = switching.fit({"sizes": {"video": [96, 128]}, "open": "video"})
    assert {*fitted} == {*switching.fitted} - {switching.media.tabs, switching.media.shown}
    assert fitted[switching.panel]["serial"] == 1 and f"`{NAME}`" in fitted[switching.notice]
    assert fitted[switching.controls.l2]["maximum"] == now.engine.num_layers + 1
    assert fitted[switching.controls.estimate]["size"] == [96, 128]
    opened = switching.restore("keep_ratio=0.5&l1=3")
    assert opened[switching.controls.keep_ratio]["value"] == 0.5 and opened[switching.controls.l1]["value"] == 3
    assert opened[switching.controls.l1]["maximum"] == now.engine.num_layers
    chosen(page, key=EMBEDDED, secret="0123456789abcdef")
    assert page.models.now is page.models.first
    assert {*switching.restore("keep_ratio=0.5")} == {switching.controls.keep_ratio, switching.panel}


def test_the_page_that_compares_follows_a_switch_too(page):
    page.compared.choose(SimpleNamespace(_data={"key": NAME, "frames": 4, "secret": "0123456789abcdef"}))
    page.models.wait(PATIENCE)
    shown = page.compared.fit(5)
    columns = {folder.name: {shown[one]["visible"] for one in own} for folder, own in page.compared.samples.items()}
    assert columns == {"samples": {False}, "natural": {True}}  # a real model is asked about what it may know
    assert shown[page.compared.panel]["now"]["name"] == "Random" and shown[page.compared.frames]["value"] == 5
    opened = page.compared.restore("question=why%3F&frames=3&methods=aim")
    assert opened[page.compared.frames]["value"] == 3 and "why?" in opened.values()
    with pytest.raises(gr.Error, match="owner"):
        page.compared.choose(SimpleNamespace(_data={"key": EMBEDDED}))


def test_any_name_is_offered_where_the_owner_says_so(first):
    assert Models(first).offered("/etc") is None
    models = Models(first, may_any=True)
    assert models.offered("/etc").path == "/etc" and models.offered(" ") is None


def test_who_may_switch_follows_from_where_the_page_is_served():
    key = {"AIM_OWNER_KEY": "0123456789abcdef"}
    who = lambda host, **given: read_settings(host, given).switchers  # noqa: E731
    assert who("127.0.0.1") == "all" and who("0.0.0.0") == "nobody" and who("127.0.0.1", SPACE_ID="a/b") == "nobody"
    assert who("0.0.0.0", **key) == "key" and who("0.0.0.0", AIM_SWITCH="all") == "all"
    for bad in ({"AIM_SWITCH": "key"}, {"AIM_OWNER_KEY": "short"}, {"AIM_SWITCH": "some"}):
        with pytest.raises(SettingError, match=r"\.$"):
            read_settings("0.0.0.0", bad)


def test_texts_of_refusals_have_places_for_their_figures():
    said = ENGLISH["MODELS"]["whyNot"]["memory"]
    needs = {"weights": 1, "kv": 1, "activations": 1}
    assert Footprint(**needs).total == 3
    assert all(f"{{{name}}}" in said for name in (*needs, "total", "free", "may", "frames")) and USUAL_FRAMES == 8


@needs_packing
def test_a_model_that_fits_only_in_fewer_bits_says_so_and_is_loaded_in_them(cache, first, monkeypatch, no_trial):
    choice, models = Choice(NAME, "Random"), Models(first, [Choice(NAME, "Random")])
    needs = {bits: models.needed(replace(choice, weights=bits), 4)[0] for bits in WEIGHTS}
    assert needs["full"].weights > needs["int8"].weights > needs["int4"].weights
    monkeypatch.setattr(models_module, "free_bytes", lambda _: round((needs["int8"].total + 1) / SHARE))
    loaded_by(models, choice)
    assert models.unloaded.why == "memory" and state_record(models)["unloaded"]["bits"] == "int8"
    rows = {bits: models_record(models, 4, "all", weights=bits)["rows"][1] for bits in WEIGHTS}
    assert [row["fits"] for row in rows.values()] == [False, True, True]
    assert rows["int8"]["needs"]["total"] == needs["int8"].total
    loaded_by(models, models.offered(NAME, "int8"))
    assert (
        models.now.name == f"{NAME} (int8)"
        and models.now.weights == "int8"
        and models.is_kept(models.listed[0]) is False
    )
    assert models_module.weights_of(models.now) < needs["full"].weights / 2
    record = models_record(models, 4, "all", weights="int8")
    assert record["rows"][1]["answers"] and record["now"]["name"] == "Random (int8)" and record["weights"] == "int8"
    assert not models_record(models, 4, "all")["rows"][1]["answers"]


def test_bits_that_cannot_be_here_are_a_sentence(cache, first, monkeypatch):
    monkeypatch.setattr(low_bits, "_NEEDED", ("a_package_that_nobody_has",))
    models = loaded_by(Models(first), Choice(NAME, "Random", weights="int8"))
    assert models.unloaded.why == "failed" and "aim-explorer[quantisation]" in models.unloaded.sentence


def test_bits_that_cannot_be_here_are_not_advised(cache, first, monkeypatch, no_trial):
    choice, models = Choice(NAME, "Random"), Models(first, [Choice(NAME, "Random")])
    needed = models.needed(replace(choice, weights="int8"), 4)[0].total
    monkeypatch.setattr(models_module, "free_bytes", lambda _: round((needed + 1) / SHARE))
    monkeypatch.setattr(low_bits, "_NEEDED", ("a_package_that_nobody_has",))
    loaded_by(models, choice)
    assert models.unloaded.why == "memory" and not models.unloaded.bits


def test_a_page_asks_for_bits_and_gets_the_servers_where_it_asks_for_none(page):
    page.models.weights = "int8"
    look = lambda **asked: page.switching.look(SimpleNamespace(_data=asked))["weights"]  # noqa: E731
    assert (look(), look(weights="full"), look(weights="int9"), look(weights=8)) == ("int8", "full", "int8", "int8")


def test_a_name_with_bits_is_taken_apart_again():
    for name, bits in (("a/b", "full"), ("a/b (int8)", "full"), ("a/b", "int4")):
        assert without_bits(with_bits(name, bits)) == (("a/b", "int8") if "int8" in name else (name, bits))
    assert engine_of("a/b (int8)") == "Engine.from_pretrained('a/b', weights='int8')"
    assert engine_of("a/b") == "Engine.from_pretrained('a/b')"


def test_the_bits_of_weights_are_told_by_the_environment_or_the_command_line(monkeypatch, capsys):
    assert arguments([]).weights == "full"
    monkeypatch.setenv("AIM_WEIGHTS", "int8")
    assert arguments([]).weights == "int8" and arguments(["--weights", "int4"]).weights == "int4"
    monkeypatch.setenv("AIM_WEIGHTS", "int9")
    with pytest.raises(SystemExit):
        arguments([])
    assert "AIM_WEIGHTS must be one of full, int8, int4, got 'int9'" in capsys.readouterr().err

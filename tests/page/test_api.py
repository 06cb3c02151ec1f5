"""The page's own events, called as its script calls them; bad calls get a sentence and the app goes on."""

from __future__ import annotations

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from page.i18n import ENGLISH
from tools.load.visitor import EXTRAS

QUESTION = "which way does the red circle move?"


@pytest.fixture(scope="module")
def client(served):
    return Client(served, verbose=False)


def ask(client, video, question=QUESTION, **settings):
    """What /run returns: panels in the page's order, the summary last."""
    chosen = {"keep_ratio": 0.25, "l1": 6, "l2": 9, "num_frames": 8} | settings
    upload = handle_file(str(video)) if video else None
    return run(client, upload, None, question, *chosen.values())


def run(client, *inputs):
    """/run with details; it is not on the page about the API, so that its inputs have no names."""
    return client.submit(*inputs, True, *EXTRAS, api_name="/run").result(timeout=100)


def test_run_answers_dense_and_aim(client, clip):
    answers, table, *_, summary = ask(client, clip)
    for name in ("dense", "aim"):
        said = " ".join(word for _, word in answers[name]["words"])
        assert said == (summary[name]["answer"] or ENGLISH["SILENT"])
    assert summary["dense"]["visual_tokens_per_layer"] == [8 * 144 + 1] * 12
    assert summary["aim"]["visual_tokens_per_layer"] == [289] * 7 + [192, 96, 0, 0, 0]
    assert summary["aim"]["language_flops"] < summary["dense"]["language_flops"] / 5
    assert "(measured here)" not in table and summary["aim"]["prefill_ms"] == []


def test_times_follow_in_a_call_of_their_own(client, clip):
    before, *_ = ask(client, clip)
    answers, table, summary = client.submit(api_name="/times").result(timeout=100)
    assert "(measured here)" in table and answers["aim"]["words"] == before["aim"]["words"]
    for name in ("dense", "aim"):
        times = zip(summary[name]["prefill_ms"], summary[name]["first_word_ms"], strict=True)
        assert all(0 < prefill < first_word for prefill, first_word in times)


def test_sliders_reach_the_engine(client, clip):
    *_, summary = ask(client, clip, keep_ratio=0.5, l1=2, l2=4, num_frames=3)
    assert summary["aim"]["visual_tokens_per_layer"] == [217, 217, 217, 108] + [0] * 8


def test_an_image_is_answered_too(client, tmp_path):
    path = tmp_path / "grey.png"
    Image.new("RGB", (200, 120), (60, 60, 60)).save(path)
    result = run(client, None, handle_file(str(path)), "how many objects are there?", 0.25, 6, 9, 8)
    assert result[-1]["dense"]["visual_tokens_per_layer"][0] == 145


def text_file(folder):
    path = folder / "notes.mp4"
    path.write_text("this is no video\n" * 50)
    return path


def empty_file(folder):
    path = folder / "empty.mp4"
    path.write_bytes(b"")
    return path


def huge_picture(folder):
    path = folder / "huge.png"
    Image.new("1", (12000, 12000)).save(path)
    return path


@pytest.mark.parametrize("make", [text_file, empty_file, huge_picture])
def test_files_that_cannot_be_used_are_a_sentence(client, tmp_path, make):
    with pytest.raises(AppError) as caught:
        ask(client, make(tmp_path))
    assert str(caught.value).endswith(".") and "Traceback" not in str(caught.value)


def test_half_a_video_does_not_stop_the_app(client, clip, tmp_path):
    half = tmp_path / "half.mp4"
    half.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    try:
        ask(client, half)
    except AppError as error:
        assert str(error).endswith(".")
    assert ask(client, clip)[0]


@pytest.mark.parametrize(
    "settings",
    [
        {"question": ""},
        {"question": "why " * 2000},
        {"l1": 9, "l2": 6},
        {"l1": 6, "l2": 6},
        {"keep_ratio": 0},
        {"keep_ratio": 7},
        {"num_frames": 0},
        {"num_frames": 5000},
        {"l1": -3},
    ],
)
def test_bad_settings_are_a_sentence(client, clip, settings):
    with pytest.raises(AppError) as caught:
        ask(client, clip, **settings)
    assert len(str(caught.value)) > 10 and "Traceback" not in str(caught.value)


def test_nothing_to_look_at_is_a_sentence_and_no_traceback_in_the_log(client, caplog, capfd):
    with pytest.raises(AppError, match="Upload a video"):
        ask(client, None)
    assert "Traceback" not in capfd.readouterr().err + caplog.text

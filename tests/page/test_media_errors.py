"""What is wrong with a file is told in Chinese too: every sentence that the media code can say."""

from __future__ import annotations

import ast
from pathlib import Path

import gradio as gr
import pytest
from gradio.context import LocalContext

import aim_core.media
from aim_core.media.check import check_media
from aim_core.media.errors import MediaError
from page import media_errors
from page.checks import sentences

ROOM = Path(aim_core.media.__file__).parent


@pytest.fixture
def in_chinese(monkeypatch):
    monkeypatch.setattr(media_errors, "language", lambda: "zh")


def said_by(path: Path) -> list[str]:
    """The sentences in a file of code, with 7 for what is filled in; docstrings are none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            texts = [part.value if isinstance(part, ast.Constant) else "7" for part in node.values]
            found.append("".join(map(str, texts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | parts:
            found.append(node.value)
    return [text for text in found if text[:1].isupper() and text.endswith(".") and " " in text]


def test_every_sentence_has_its_translation(in_chinese):
    all_said = {text for path in ROOM.glob("*.py") for text in said_by(path)}
    assert len(all_said) > 20
    assert not {text for text in all_said if media_errors.media_error(text) == text}


def test_numbers_and_words_are_carried_over(in_chinese):
    told = media_errors.media_error(
        "This video is 29 minutes long; 10 minutes is the most. Cut out the part you want to ask about."
    )
    assert told == "这个视频长 29 分钟，最多允许 10 分钟。请剪出你想问的那一段。"
    assert media_errors.media_error("Some other words.") == "Some other words."


def test_a_bad_file_is_refused_in_the_language_of_the_reader(tmp_path):
    (tmp_path / "empty.mp4").touch()
    told = {}
    for browser in ("zh-CN,zh;q=0.9", "en-US"):
        request = gr.Request()
        request.__dict__["headers"] = {"accept-language": browser}
        before = LocalContext.request.set(request)
        try:
            with pytest.raises(gr.Error) as error, sentences():
                check_media(tmp_path / "empty.mp4")
        finally:
            LocalContext.request.reset(before)
        told[browser[:2]] = error.value.message
    with pytest.raises(MediaError) as plain:
        check_media(tmp_path / "empty.mp4")
    assert told == {"zh": "这个文件是空的。请重新选择，或重新导出。", "en": str(plain.value)}

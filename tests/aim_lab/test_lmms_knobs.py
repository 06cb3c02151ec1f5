"""What the lmms-eval model may be told, what it can be asked, and the file of its answers; lmms-eval is not needed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PIL import Image

from aim_lab.lmms_answers import Answer, AnswerLog
from aim_lab.lmms_knobs import Knobs
from aim_lab.lmms_request import asked_of

GREEDY = {"max_new_tokens": 16, "temperature": 0.0, "do_sample": False, "until": ["\n\n"]}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "no model was named: give pretrained="),
        ({"framse": 8}, "there is no knob 'framse': choose among pretrained, method, .* and of aim keep_ratio, l1, l2"),
        ({"method": "fastvv"}, "method must be one of dense, aim, .*, got 'fastvv'"),
        ({"method": "dense", "keep_ratio": 0.5}, "there is no knob 'keep_ratio'"),
        ({"method": "dense", "budget": 0.5}, "the dense model has no budget"),
        ({"budget": 1.5}, r"a budget is a share of the dense cost in \(0, 1\], got 1.5"),
        ({"budget": "half"}, "budget must be a share"),
        ({"budget": True}, "budget must be a share"),
        ({"of": "euros"}, "of must be one of flops, entering, mean, kv"),
        ({"budget": 0.5, "keep_ratio": 0.25}, "a budget decides about keep_ratio: give one of the two"),
        ({"keep_ratio": 2}, r"keep_ratio must be in \(0, 1\], got 2"),
        ({"keep_ratio": "0.25+0.5"}, "keep_ratio must be a number"),
        ({"l2": 10}, "l1 and l2 go together"),
        ({"l1": 10, "l2": 10}, "layers must satisfy 0 <= l1 < l2"),
        ({"frames": 0}, "frames must be a whole number from 1 to 256, got 0"),
        ({"frames": 8.5}, "frames must be a whole number"),
        ({"max_side": 9}, "max_side must be a whole number from 16 to 2048"),
        ({"images": "many"}, "images must be one of one, frames"),
        ({"unreadable": "skip"}, "unreadable must be one of stop, wrong"),
    ],
)
def test_a_wrong_knob_is_refused_in_a_sentence(arguments, sentence):
    given = {"pretrained": "some/model"} if arguments else {}
    with pytest.raises(ValueError, match=sentence):
        Knobs.of_arguments(given | arguments)


def test_settings_of_a_method_are_knobs_too():
    knobs = Knobs.of_arguments({"pretrained": "some/model", "method": "fastv", "keep_ratio": 0.5, "frames": 16})
    assert knobs.settings == {"keep_ratio": 0.5} and knobs.frames == 16


def test_where_the_checkpoint_lies_is_no_part_of_what_an_answer_hangs_on():
    one, other = (Knobs(pretrained=name, frames=8) for name in ("here", "there"))
    assert one.as_dict() == other.as_dict() != Knobs("here", frames=9).as_dict()


def turn(*parts: dict) -> list[dict]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": " Which? "}]}]


def picture(value: int, width: int = 4) -> dict:
    return {"type": "image", "url": Image.new("RGB", (width, 3), (value, 0, 0))}


def test_a_document_is_one_question_about_one_video(tmp_path):
    asked = asked_of(turn({"type": "video", "url": str(tmp_path / "a.mp4")}), GREEDY, 8, "one")
    assert (asked.question, asked.media, asked.max_new_tokens) == ("Which?", tmp_path / "a.mp4", 16)
    assert asked.cut("left\n\nor right") == "left" and asked.cut("left") == "left"


def test_several_pictures_are_the_frames_of_a_video_if_told_so():
    shown = turn(*(picture(value) for value in range(8)))
    asked = asked_of(shown, GREEDY, 4, "frames")
    assert asked.media.shape == (4, 3, 4, 3) and asked.media[:, 0, 0, 0].tolist() == [1, 3, 5, 7]
    with pytest.raises(ValueError, match="the task shows 8: images=frames takes them as the frames of a video"):
        asked_of(shown, GREEDY, 4, "one")


@pytest.mark.parametrize(
    ("messages", "generation", "sentence"),
    [
        (turn(), GREEDY, "one video or picture, the task shows none"),
        (turn({"type": "audio", "url": "a.wav"}), GREEDY, "the task shows audio"),
        (turn({"type": "video", "url": "a.mp4"}, picture(0)), GREEDY, "the task shows video, image"),
        (turn({"type": "video", "url": "a.mp4", "start_time": 2.0}), GREEDY, "the task asks about a part of one"),
        (turn(picture(0), picture(0, 5)), GREEDY, "differ in size"),
        ([{"role": "system", "content": "Be kind."}, *turn(picture(0))], GREEDY, "one of the system"),
        (turn(picture(0)), {"temperature": 0.7}, "answers greedily: give --gen_kwargs"),
        (turn(picture(0)), GREEDY | {"do_sample": True}, "answers greedily"),
        (turn(picture(0)), GREEDY | {"num_beams": 4}, "answers greedily"),
    ],
)
def test_what_it_cannot_be_asked_is_refused_in_a_sentence(messages, generation, sentence):
    with pytest.raises(ValueError, match=sentence):
        asked_of(messages, generation, 8, "frames")


def test_a_question_is_known_again_wherever_its_video_lies(tmp_path):
    for folder, content in (("one", b"film"), ("two", b"film"), ("three", b"longer film")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.mp4").write_bytes(content)
    videos = [turn({"type": "video", "url": str(tmp_path / name / "a.mp4")}) for name in ("one", "two", "three")]
    one, two, three = (asked_of(video, GREEDY, 8, "one").name for video in videos)
    assert one == two != three
    assert one != asked_of(videos[0], GREEDY | {"max_new_tokens": 17}, 8, "one").name
    assert one != asked_of([*videos[0], *turn()], GREEDY, 8, "one").name
    dark, light = (asked_of(turn(picture(value)), GREEDY, 8, "one").name for value in (0, 1))
    assert dark != light == asked_of(turn(picture(1)), GREEDY, 8, "one").name


ONE = Answer("f1", "task", 3, "a1", {"method": "aim"}, "left")


def test_answers_are_read_back_and_a_line_that_was_cut_off_is_asked_again(tmp_path):
    path = tmp_path / "new" / "answers.jsonl"
    log = AnswerLog(path)
    log.add(ONE)
    log.add(replace(ONE, doc_id=4, answer="→"))
    assert AnswerLog(path).get(ONE.key) == ONE
    path.write_bytes(path.read_bytes()[:-5])
    again = AnswerLog(path)
    assert again.get(ONE.key) == ONE and again.get(replace(ONE, doc_id=4).key) is None
    again.add(replace(ONE, doc_id=5))
    assert [json.loads(line)["doc_id"] for line in path.read_text().splitlines()] == [3, 5]
    for other in (replace(ONE, fingerprint="f2"), replace(ONE, task="other"), replace(ONE, asked="a2")):
        assert again.get(other.key) is None


def test_several_processes_may_add_to_one_file(tmp_path):
    one, two = (AnswerLog(tmp_path / "answers.jsonl") for _ in range(2))
    for doc_id in range(6):
        (one if doc_id % 2 else two).add(replace(ONE, doc_id=doc_id))
    assert all(AnswerLog(tmp_path / "answers.jsonl").get(replace(ONE, doc_id=own).key) for own in range(6))


def test_a_file_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "results.jsonl").write_text('{"score": 1}\n')
    with pytest.raises(ValueError, match=r"line 1 of .*results.jsonl is not of this log"):
        AnswerLog(tmp_path / "results.jsonl")
    with pytest.raises(ValueError, match=r"answers cannot be kept in .*: Is a directory"):
        AnswerLog(tmp_path)
    assert (tmp_path / "results.jsonl").read_text() == '{"score": 1}\n'

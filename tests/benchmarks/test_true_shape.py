"""The script that measures checkpoints of a true shape, on a small one."""

from __future__ import annotations

import json

import pytest

from benchmarks.released.processors import make_processor
from benchmarks.true_shape import SMALLEST, arguments, main, measured, table


@pytest.fixture(scope="module")
def found(family_folder):
    return measured(family_folder("smolvlm"), num_frames=2, repeats=2)


def test_what_is_measured(found):
    assert found["visual"] == [32, 8] and found["num_text"] > 8 and found["layers"] == 6
    assert all(len(own) == 2 and min(own) > 0 for own in found["prefill_ms"])
    assert found["vision_ms"] > 0 < min(found["decode_ms"])
    assert found["language_flops"][0] > found["language_flops"][1] and found["kv_bytes"][0] > found["kv_bytes"][1]
    assert found["taken_mb"] > 0 < min(found["estimate_mb"].values()) and json.dumps(found)


def test_the_table_has_medians_of_ratios(found):
    taken = {"prefill_ms": [[3000, 8000, 4000], [1000, 2000, 4000]], "vision_ms": 6000}
    text = table("a", found | taken)
    assert "| prefill, s | 4.00 | 2.00 | 3.00× |" in text
    assert "| from frames to the first word, s | 10.0 | 8.0 | 1.25× |" in text
    assert "a's shape, 6 layers, 2 frames" in text
    told = found["estimate_mb"]
    assert f"the page's estimate is {sum(told.values()):,.0f} MB ({told['weights']:,.0f} weights, " in text


def test_a_folder_is_measured_and_told_as_json(family_folder, capsys):
    main(["--folder", str(family_folder("smolvlm")), "--frames", "2", "--repeats", "1"])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["frames"] == 2
    assert arguments([]).models == list(SMALLEST)


def test_a_tokenizer_learns_words_and_keeps_special_tokens_in_their_places():
    own, without = (make_processor(SMALLEST[0], text).tokenizer for text in (["the burrow and the rabbit"] * 20, []))
    assert len(own("the burrow")["input_ids"]) < len(without("the burrow")["input_ids"]) == 10
    assert own.decode(own("the rabbit is rare.")["input_ids"]) == "the rabbit is rare."
    assert own.convert_tokens_to_ids("<video>") == without.convert_tokens_to_ids("<video>") == 151647

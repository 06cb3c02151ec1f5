"""The benchmarks run at small size and report what they measured; how fast anything is stays out of the tests."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from aim_core.forward.hooks import patched
from aim_core.forward.session import Session
from aim_core.methods.aim import as_method
from benchmarks import gpu, growth, low_bits, page, speedup
from benchmarks.__main__ import arguments, main
from benchmarks.eager import eager_prefill
from benchmarks.memory_probe import ProbeTask, memory_probe
from benchmarks.prefill import ablations, interleaved
from benchmarks.shapes import TINY, random_model, random_prompt
from benchmarks.timer import Timer
from tests.helpers.packing import needs_packing

SMALL = ["--shape", "tiny", "--frames", "2", "--side", "4", "--text", "20", "--repeats", "1", "--threads", "1"]


@pytest.fixture(scope="module")
def tiny():
    return random_model(TINY, TINY.layers)


def test_each_setting_computes_the_rows_it_says(tiny):
    prompt = random_prompt(tiny, 2, 4, 20)
    assert prompt.num_visual == 33 and prompt.embeds.shape == (1, 53, TINY.hidden)
    measured = {one.name: one for one in interleaved(tiny, prompt, ablations(8), repeats=2)}
    tokens = {name: one.runs[0].tokens for name, one in measured.items()}
    assert tokens["dense"] == (53,) * 8
    assert tokens["merge"] == (29,) * 8
    assert tokens["prune"] == (53,) * 5 + (36, 20, 20)
    assert tokens["both"] == (29,) * 5 + (24, 20, 20)
    for way in ("masked", "eager"):
        assert tokens[f"prune, {way}"] == (53,) * 8 and tokens[f"both, {way}"] == (29,) * 8
    assert measured["both"].flops(tiny) < measured["merge"].flops(tiny) < measured["dense"].flops(tiny)
    assert all(len(one.runs) == 2 and one.ms > 0 for one in measured.values())


def test_pagerank_and_merging_are_timed_inside_the_prefill(tiny):
    prompt = random_prompt(tiny, 2, 4, 20)
    measured = {one.name: one for one in interleaved(tiny, prompt, ablations(8), repeats=1)}
    assert measured["dense"].pagerank_share == measured["dense"].merge_share == 0
    assert measured["merge"].pagerank_share == 0 < measured["merge"].merge_share < 1
    assert 0 < measured["both"].pagerank_share < 1 and 0 < measured["both"].merge_share < 1


def test_the_stock_model_is_left_as_it_was(tiny):
    prompt = random_prompt(tiny, 2, 4, 20)
    with torch.inference_mode():
        before = tiny.model(inputs_embeds=prompt.embeds).logits
        interleaved(tiny, prompt, ablations(8), repeats=1)
        assert torch.equal(tiny.model(inputs_embeds=prompt.embeds).logits, before)


@pytest.mark.parametrize("name", ["prune", "both"])
def test_eager_masking_is_our_masked_mode_done_slowly(name):
    torch.manual_seed(0)  # of few seeds, scores are so near to each other that rounding decides
    adapter = random_model(TINY, TINY.layers, dtype=torch.float64)
    with torch.no_grad():
        for layer in adapter.decoder.layers:  # attention sharp enough to rank by
            layer.self_attn.q_proj.weight.mul_(20)
            layer.self_attn.k_proj.weight.mul_(20)
    prompt = random_prompt(adapter, 4, 4, 20)
    prompt = replace(prompt, embeds=prompt.embeds * 50)
    settings = ablations(8)
    session = Session(adapter, as_method(settings[f"{name}, masked"]))
    session.use_layouts([prompt.layout])
    with torch.inference_mode(), patched(adapter, session):
        ours = adapter.model(inputs_embeds=prompt.embeds, logits_to_keep=1).logits[0, -1]
    _, theirs = eager_prefill(adapter, prompt, settings[f"{name}, eager"])
    torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-6)  # softmax in float32, as released
    assert adapter.decoder.config._attn_implementation == "sdpa"


def test_a_timer_adds_up_its_spans():
    timer = Timer(torch.device("cpu"))
    with timer.running():
        pass
    first = timer.ms
    with timer.running():
        sum(range(1000))
    assert 0 <= first < timer.ms


def test_the_speedup_table():
    result = speedup.measure(arguments(["speedup", *SMALL, "--memory"]))
    rows = {row["setting"]: row for row in result["rows"]}
    assert list(rows) == list(ablations(8)) and rows["dense"]["speedup"] == rows["dense"]["ideal"] == 1
    assert rows["both"]["ideal"] > rows["merge"]["ideal"] > rows["prune"]["ideal"] > 1 == rows["prune, masked"]["ideal"]
    text = speedup.table(result)
    assert text.count("\n| ") == 10 and "| dense | 53 |" in text and "as fast as masking" in text


@pytest.mark.slow
def test_a_task_that_fails_says_why():
    with pytest.raises(RuntimeError, match="expects a positive integer"):
        memory_probe(ProbeTask("tiny", 2, "dense", 1, 2, 20, repeats=1, warm=0, threads=0))


@pytest.mark.slow
def test_the_growth_table_and_more_memory_for_more_frames():
    larger = ["--side", "14", "--growth-frames", "1", "16", "--growth-layers", "6"]
    result = growth.measure(arguments(["growth", *SMALL, *larger]))
    few, many = result["rows"]
    assert (few["tokens"], many["tokens"]) == (49 + 1 + 20, 16 * 49 + 1 + 20)
    assert many["rise_mb"] > few["rise_mb"] >= 0 and many["peak_mb"] > many["rise_mb"]
    assert few["pagerank_share"] > 0 and many["pagerank_share"] > 0
    assert "Run with 6 of the shape's 8 layers, not scaled up." in growth.table(result)


@pytest.mark.slow
@needs_packing
def test_the_table_of_bits_and_fewer_bytes_for_fewer_bits():
    result = low_bits.measure(arguments([*SMALL, "--low-bits-layers", "3", "low_bits"]))
    sizes = [result["bytes"][name] for name in low_bits.FORMATS]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == 2 * sizes[1] > 3 * sizes[2]
    assert all(len(own) == 1 and own[0] > 0 for ms in result["ms"].values() for own in ms.values())
    assert result["tokens"]["dense"] > result["tokens"]["both"]
    lines = low_bits.table(result).splitlines()
    assert len(lines) == 10 and all("1.00×" in cell for cell in lines[4].split("|")[3:-1])


def test_the_page_is_started_and_asked_again():
    result = page.measure(arguments(["page", "--starts", "1", "--reruns", "1", "--threads", "1"]))
    assert result["start_s"] > 0 and result["first_ms"] > 0 and result["rerun_ms"] > 0
    assert "median of 1" in page.table(result)


def test_the_gpu_part_runs_the_same_on_a_cpu():
    small = ["--gpu-device", "cpu", "--gpu-shape", "tiny", "--gpu-frames", "2", "--gpu-long-frames", "5"]
    result = gpu.measure(arguments(["gpu", *SMALL, *small, "--gpu-repeats", "1"]))
    assert result["tokens"] == 2 * 16 + 20 and result["ideal"] > 1 and result["pagerank_share"] > 0
    assert result["long"]["frames"] == 5 and not result["long"]["ran_out"]
    assert "| AIM, 5 frames |" in gpu.table(result)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_report_says_so(tmp_path, capsys):
    out = tmp_path / "results.json"
    main(["gpu", "--out", str(out), "--threads", str(torch.get_num_threads())])
    assert "not run: no GPU" in capsys.readouterr().out
    report = json.loads(out.read_text())
    assert (
        report["parts"] == {"gpu": None} and report["torch"] == torch.__version__ and report["date"] and report["chip"]
    )


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        arguments(["speed"])
    assert "there is no part speed: choose from speedup, page, growth, low_bits, gpu" in capsys.readouterr().err

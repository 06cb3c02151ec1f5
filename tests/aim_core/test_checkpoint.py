"""What a checkpoint needs is told from its headers, and a trial tells whether it loads, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants

from aim_core import trial
from aim_core.checkpoint import CheckpointError, cached_ids, folder_of, read_checkpoint
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.errors import Stopped
from aim_core.footprint import TEXT_TOKENS, footprint, outlined
from aim_core.loading import ModelLoadError, load_adapter
from aim_core.memory import free_bytes
from aim_core.ops.flops import kv_bytes
from aim_core.trial import TrialKilledError, try_checkpoint
from tests.helpers.hub_cache import in_hub_cache
from tests.helpers.peak import Peak

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sharded(checkpoint, tmp_path_factory):
    """The same checkpoint in several files, half as large."""
    folder = tmp_path_factory.mktemp("sharded")
    adapter = load_adapter(checkpoint, "cpu")
    adapter.model.to(torch.bfloat16).save_pretrained(folder, max_shard_size="300KB")
    adapter.processor.save_pretrained(folder)
    return folder


def test_the_headers_tell_what_the_model_takes(sharded):
    found, model = read_checkpoint(sharded), load_adapter(sharded, "cpu").model
    assert len(found.shards) > 1 and found.num_bytes < sum(shard.path.stat().st_size for shard in found.shards)
    assert found.num_parameters == sum(one.numel() for one in model.parameters())
    for dtype in (torch.float32, torch.bfloat16):
        assert found.bytes_as(dtype) == sum(one.nbytes for one in model.to(dtype).parameters())


def test_shards_are_read_one_after_the_other_and_give_the_same_model(sharded):
    told = []
    ours, stock = load_adapter(sharded, "cpu", on_read=told.append).model, load_adapter(sharded, "cpu").model
    num_bytes = [one.num_bytes for one in told]
    assert num_bytes == sorted(num_bytes) and num_bytes[-1] == told[-1].all_bytes == read_checkpoint(sharded).num_bytes
    assert sorted({one.shard for one in told}) == list(range(1, told[-1].num_shards + 1))
    both = zip(ours.state_dict().items(), stock.state_dict().items(), strict=True)
    assert all(name == other and torch.equal(one, two) for (name, one), (other, two) in both)
    assert ours.dtype == stock.dtype and ours.generation_config.to_dict() == stock.generation_config.to_dict()
    buffers = zip(ours.named_buffers(), stock.named_buffers(), strict=True)
    assert all(name == other and torch.equal(one, two) for (name, one), (other, two) in buffers)


@pytest.mark.parametrize("times", [1, 4])
def test_a_footprint_is_what_a_run_takes(checkpoint, engine, frames, times):
    """The weights to the byte, the keys and values but for the text, and all that lives at once within a factor."""
    clip = np.concatenate([frames] * times)
    told = footprint(checkpoint, outlined(checkpoint), torch.float64, len(clip), *frames.shape[1:3])
    assert told.weights == sum(one.nbytes for one in engine.adapter.model.parameters())
    with Peak() as peak:
        run = Engine(engine.adapter).run(clip, "what?", config=AimConfig.dense(), max_new_tokens=1)
    visual = run.cost.visual_per_layer[0]
    assert told.kv == kv_bytes([visual + TEXT_TOKENS] * 12, engine.adapter.sizes["kv"], 8)
    assert 0.5 < peak.most / (told.kv + told.activations) < 1


def test_an_outline_has_the_layout_of_the_loaded_model(checkpoint, engine):
    outline = outlined(checkpoint)
    assert all(one.is_meta for one in outline.model.parameters())
    assert outline.num_layers == engine.num_layers and outline.sizes == engine.adapter.sizes
    calls = [one.expected_call(8, 432, 768) for one in (outline, engine.adapter)]
    rows = [
        sum(medium.num_rows for medium in one.media(call))
        for one, call in zip((outline, engine.adapter), calls, strict=True)
    ]
    assert rows[0] == rows[1] == 8 * 64 + 1


@pytest.mark.parametrize("harm", ["short", "header", "missing"])
def test_a_checkpoint_that_is_not_whole_says_so(sharded, tmp_path, harm):
    for file in sharded.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    last = read_checkpoint(tmp_path).shards[-1].path
    if harm == "short":
        last.write_bytes(last.read_bytes()[:-10])
    elif harm == "header":
        last.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    else:
        last.unlink()
    with pytest.raises(CheckpointError, match="missing" if harm == "missing" else "cannot be read"):
        read_checkpoint(tmp_path)
    with pytest.raises(ModelLoadError, match=r"\.$"):
        load_adapter(tmp_path, "cpu", on_read=lambda _: None)


def test_the_hubs_cache_is_looked_into(sharded, tmp_path, monkeypatch):
    snapshot = in_hub_cache(tmp_path, "org/some-model", sharded)
    assert "org/some-model" not in cached_ids()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert cached_ids() == ["org/some-model"] and folder_of("org/some-model") == snapshot
    assert folder_of("org/none") is None and folder_of("not a name at all") is None
    assert folder_of(str(sharded)) == sharded and len(read_checkpoint(snapshot).shards) > 1


def test_free_memory_is_the_least_of_what_system_and_container_allow(tmp_path):
    (tmp_path / "proc").mkdir()
    (cgroup := tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    assert free_bytes(CPU, tmp_path) is None
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 4000 kB\n")
    assert free_bytes(CPU, tmp_path) == 4000 << 10
    (cgroup / "memory.max").write_text("max\n")
    (cgroup / "memory.current").write_text("1000000\n")
    (cgroup / "memory.stat").write_text("anon 5\ninactive_file 300000\n")
    assert free_bytes(CPU, tmp_path) == 4000 << 10
    (cgroup / "memory.max").write_text("2000000\n")
    assert free_bytes(CPU, tmp_path) == 1_300_000
    assert free_bytes(CPU) > 0


@pytest.fixture
def children(monkeypatch):
    """The child processes that are started."""
    real, started = subprocess.Popen, []

    def start(*args, **more):
        started.append(real(*args, **more))
        return started[-1]

    monkeypatch.setattr(trial.subprocess, "Popen", start)
    return started


@pytest.mark.slow
def test_a_trial_tells_how_far_it_is_and_is_the_first_that_the_system_ends(sharded, children):
    told, scores = [], []

    def heard(read):
        told.append(read)
        scores.append(int(Path(f"/proc/{children[0].pid}/oom_score_adj").read_text()))

    try_checkpoint(sharded, torch.float32, 1 << 20, heard)
    assert scores[0] == 1000 and children[0].returncode == 0
    assert told[-1].num_bytes == told[-1].all_bytes == read_checkpoint(sharded).num_bytes


@pytest.mark.slow
def test_a_trial_that_the_system_ends_costs_the_trial(sharded, children):
    """While it loads, as the kernel ends a process where memory runs out."""
    with pytest.raises(TrialKilledError):
        try_checkpoint(sharded, torch.float32, 0, lambda _: os.kill(children[0].pid, signal.SIGKILL))
    assert children[0].returncode == -signal.SIGKILL


@pytest.mark.slow
def test_a_trial_in_too_little_memory_says_so(sharded, monkeypatch):
    """It loads within eight gigabytes, and there is no room for eight more."""
    real, limit = subprocess.Popen, 8 << 30
    limited = ["sh", "-c", f'ulimit -v {limit >> 10}; exec "$@"', "sh"]
    monkeypatch.setattr(trial.subprocess, "Popen", lambda command, **more: real([*limited, *command], **more))
    told = []
    with pytest.raises(ModelLoadError, match="does not fit into memory"):
        try_checkpoint(sharded, torch.float32, limit, told.append)
    assert told[-1].num_bytes == told[-1].all_bytes


def test_a_trial_can_be_stopped(sharded):
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Stopped):
        try_checkpoint(sharded, torch.float32, 0, lambda _: None, stopped.is_set)


def test_lines_of_a_trial_are_json(capsys, sharded):
    trial.main(str(sharded / "none"), "float32", "0")
    assert "none" in json.loads(capsys.readouterr().out)["error"]

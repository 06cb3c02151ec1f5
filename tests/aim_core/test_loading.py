"""Checkpoints load by path; what cannot be loaded says so in one sentence."""

from __future__ import annotations

import json
import shutil
import time

import pytest
import torch

from aim_core import loading
from aim_core.loading import ModelLoadError, load_adapter


def test_a_checkpoint_of_the_stock_class_loads(checkpoint):
    adapter = load_adapter(checkpoint, device="cpu")
    assert type(adapter.model).__module__.startswith("transformers.models.llava_onevision")
    assert adapter.model.dtype == torch.float32 and adapter.num_layers == 12 and adapter.grid == (8, 8)


@pytest.mark.parametrize("name", ["", "no/such-model-anywhere", "not a name at all"])
def test_an_unknown_name_is_a_sentence(name):
    with pytest.raises(ModelLoadError, match=r"\.$"):
        load_adapter(name)


def test_a_hub_that_does_not_answer_is_a_sentence_at_once(monkeypatch):
    monkeypatch.setattr(loading.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(loading.constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    begun = time.monotonic()
    with pytest.raises(ModelLoadError, match="network"):
        load_adapter("some/model")
    assert time.monotonic() - begun < 10  # the client's own retries take half a minute


def test_a_folder_without_a_model_is_a_sentence(tmp_path):
    with pytest.raises(ModelLoadError, match=r"config\.json"):
        load_adapter(tmp_path)


def test_another_class_is_a_sentence(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2"}))
    with pytest.raises(ModelLoadError, match=r"qwen2.*LLaVA-OneVision"):
        load_adapter(tmp_path)


def test_a_model_with_code_of_its_own_is_a_sentence(tmp_path):
    for config in ({"model_type": "internvl_chat"}, {"auto_map": {"AutoConfig": "own.Config"}, "model_type": "own"}):
        (tmp_path / "config.json").write_text(json.dumps(config))
        with pytest.raises(ModelLoadError, match=r"transformers' own format.*\.$"):
            load_adapter(tmp_path)


def test_a_known_type_with_another_tower_is_a_sentence(tmp_path):
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "llava", "vision_config": {"model_type": "pixtral"}})
    )
    with pytest.raises(ModelLoadError, match=r"CLIP tower.*pixtral.*\.$"):
        load_adapter(tmp_path)


def test_a_package_that_a_processor_misses_is_a_sentence(checkpoint, monkeypatch):
    def missing(_name):
        raise ImportError("Package `num2words` is required to run SmolVLM processor.\nMore.")

    monkeypatch.setattr(loading.AutoProcessor, "from_pretrained", missing)
    with pytest.raises(ModelLoadError, match=r"num2words.*\.$"):
        load_adapter(checkpoint)


def test_broken_weights_are_a_sentence(checkpoint, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(checkpoint, broken)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ModelLoadError, match="again"):
        load_adapter(broken)


def test_a_missing_processor_is_a_sentence(checkpoint, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(checkpoint, bare)
    for file in bare.iterdir():
        if "processor" in file.name or "token" in file.name:
            file.unlink()
    with pytest.raises(ModelLoadError, match="again"):
        load_adapter(bare)

"""Loading a checkpoint by Hub id or local path; what goes wrong becomes one sentence."""

from __future__ import annotations

from pathlib import Path

import torch
from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.utils import httpx  # the client that the Hub's library uses; which one depends on its version
from safetensors import SafetensorError
from transformers import AutoConfig, AutoProcessor

from aim_core.adapters.base import Adapter
from aim_core.adapters.registry import adapter_class


class ModelLoadError(RuntimeError):
    """A checkpoint could not be loaded; the message says why and what to do."""


def load_adapter(id_or_path: str | Path, device: str = "auto", dtype: str | torch.dtype = "auto") -> Adapter:
    """A stock model with its processor, ready to run.

    device: "auto" takes a GPU if there is one; otherwise anything torch knows.
    dtype:  "auto" is float32 on a CPU and bfloat16 on a GPU (float16 gives NaN on some of these models).
    Raises ModelLoadError.
    """
    name = str(id_or_path).strip()
    place = _device(device)
    if dtype == "auto":
        dtype = torch.float32 if place.type == "cpu" else torch.bfloat16
    config = _config(name)
    try:
        family = adapter_class(config.model_type)
        family.check(config)
    except ValueError as error:
        raise ModelLoadError(f"{name} cannot be used: {error}.") from error
    try:
        processor = AutoProcessor.from_pretrained(name)
        model = family.model_class.from_pretrained(name, dtype=dtype, attn_implementation="sdpa")
        return family(model.to(place).eval(), processor)
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise ModelLoadError(f"{name} does not fit into memory. Choose a smaller model or a larger machine.") from error
    except RuntimeError as error:
        if "memory" in str(error).lower():
            raise ModelLoadError(
                f"{name} does not fit into memory. Choose a smaller model or a larger machine."
            ) from error
        raise ModelLoadError(f"The files of {name} do not fit its configuration; get the checkpoint again.") from error
    except ImportError as error:
        need = str(error).strip().splitlines()[0]
        raise ModelLoadError(f"{name} needs a Python package that is not installed here: {need}") from error
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelLoadError(f"{name} has files missing or broken; get the checkpoint again.") from error


def _device(device: str) -> torch.device:
    if device != "auto":
        return torch.device(device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _config(name: str):
    """The checkpoint's configuration; the first thing read, so most mistakes show here."""
    if not name:
        raise ModelLoadError("No model was named. Give a Hub id or the path of a folder.")
    local = Path(name).expanduser()
    if local.exists() and not (local / "config.json").is_file():
        raise ModelLoadError(f"{name} holds no config.json. Give the folder that save_pretrained wrote.")
    try:
        if not local.exists():
            _knock(name)
        return AutoConfig.from_pretrained(name)
    except (httpx.HTTPError, OSError, ValueError, KeyError) as error:
        if "trust_remote_code" in str(error) or "does not recognize" in str(error):
            raise ModelLoadError(
                f"{name} is not in transformers' own format; take one that is, often named with -hf at the end."
            ) from error
        raise ModelLoadError(
            f"{name} could not be loaded: no such folder here, and the Hub did not give it "
            "(is the id right, is there a network?)."
        ) from error


def _knock(name: str) -> None:
    """Raise httpx.HTTPError at once if the Hub is needed and not there; its own client would retry for a minute."""
    if not constants.HF_HUB_OFFLINE and not isinstance(try_to_load_from_cache(name, "config.json"), str):
        httpx.head(constants.ENDPOINT, timeout=10)

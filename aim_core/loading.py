"""Loading a checkpoint by Hub id or local path; what goes wrong becomes one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.utils import httpx  # the client that the Hub's library uses; which one depends on its version
from safetensors import SafetensorError
from transformers import AutoConfig, AutoProcessor, GenerationConfig, PreTrainedConfig

from aim_core.adapters.base import Adapter
from aim_core.adapters.registry import adapter_class, outline_of
from aim_core.checkpoint import CheckpointError, ReadSoFar, read_checkpoint
from aim_core.low_bits import FULL, INT4, check_weights, low_bit_config

WIDE = 512  # width of a language model from which on a CPU is faster in bfloat16, see docs/low_bits.md
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # what torch calls that in x86 and Arm processors


class ModelLoadError(RuntimeError):
    """A checkpoint could not be loaded; the message says why and what to do."""


def load_adapter(
    id_or_path: str | Path,
    device: str = "auto",
    dtype: str | torch.dtype = "auto",
    on_read: Callable[[ReadSoFar], object] | None = None,
    weights: str = FULL,
) -> Adapter:
    """A stock model with its processor, ready to run.

    device:  "auto" takes a GPU if there is one; otherwise anything torch knows.
    dtype:   "auto" as in `chosen_dtype`; otherwise one of torch's, or its name.
    weights: "full", or "int8" and "int4" for a language model whose weights are kept in few bits, see `low_bits`; they
             are packed one after the other as they are read, so that the whole of them is never in memory.
    on_read: told how far the files have been read after each of their tensors; needs a folder of safetensors files.
    Raises ModelLoadError, and what `on_read` raises.
    """
    name = str(id_or_path).strip()
    place = chosen_device(device)
    _refuse(check_weights, weights, place)
    config = _config(name)
    try:
        family = adapter_class(config.model_type)
        family.check(config)
    except ValueError as error:
        raise ModelLoadError(f"{name} cannot be used: {error}.") from error
    dtype = chosen_dtype(dtype, place, config, weights)
    settings: dict[str, Any] = {"dtype": dtype, "attn_implementation": "sdpa"}
    if weights != FULL:
        settings["quantization_config"] = _refuse(low_bit_config, outline_of(config), weights)
    try:
        processor = AutoProcessor.from_pretrained(name)
        if on_read:
            model = _read(family.model_class, Path(name), config, on_read, settings)
        else:
            model = family.model_class.from_pretrained(name, **settings)
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
    except CheckpointError as error:
        raise ModelLoadError(f"{name} is not whole: {error}. Get the checkpoint again.") from error
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelLoadError(f"{name} has files missing or broken; get the checkpoint again.") from error


def chosen_device(device: str = "auto") -> torch.device:
    """As `load_adapter` takes it."""
    if device != "auto":
        return torch.device(device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def chosen_dtype(
    dtype: str | torch.dtype, device: torch.device, config: PreTrainedConfig, weights: str = FULL
) -> torch.dtype:
    """What a checkpoint of this configuration is computed in.

    dtype: "auto" is bfloat16 on a GPU (float16 gives NaN on some of these models); on a CPU for 4-bit weights, whose
           kernel is for that, and where the processor computes in it and the model is at least WIDE; float32 elsewhere.
    Raises ModelLoadError for a name that torch does not know.
    """
    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype == "auto":
        is_wide = config.get_text_config(decoder=True).hidden_size >= WIDE
        is_fast = device.type != "cpu" or weights == INT4 or (is_wide and computes_in_bfloat16())
        return torch.bfloat16 if is_fast else torch.float32
    found = getattr(torch, dtype, None)
    if not isinstance(found, torch.dtype):
        raise ModelLoadError(f"dtype must be auto, or one of torch's such as float32 or bfloat16, got {dtype!r}.")
    return found


def computes_in_bfloat16() -> bool:
    """Whether this machine's processor multiplies in bfloat16 itself; False where torch is too old to say."""
    known: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(known.get(name) for name in _BFLOAT16)


def _refuse(check: Callable[..., Any], *given: Any) -> Any:
    """What `check` returns; its ValueError becomes a ModelLoadError."""
    try:
        return check(*given)
    except ValueError as error:
        raise ModelLoadError(str(error)) from error


def _read(model_class: Any, folder: Path, config: Any, on_read: Callable[[ReadSoFar], object], settings: dict) -> Any:
    """`from_pretrained` of tensors that are read here, one after the other, each at once as it will be kept."""
    found = read_checkpoint(folder)
    is_packed = "quantization_config" in settings  # by transformers, tensor by tensor as it asks for them
    tensors = found.unread(on_read) if is_packed else dict(found.tensors(settings["dtype"], on_read))
    model = model_class.from_pretrained(None, config=config, state_dict=tensors, **settings)
    with suppress(OSError):  # there need not be one
        model.generation_config = GenerationConfig.from_pretrained(folder)
    return model


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

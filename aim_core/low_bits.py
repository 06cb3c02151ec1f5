"""Low bits: the language model's weights kept in 8 or 4 bits by torchao, and how many bytes that is.

What is computed stays in the model's own dtype: 8-bit weights are unpacked for each product, 4-bit ones multiplied by
torch's kernel for them. Vision tower, projector, embeddings and the output matrix stay as they are.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import torch
from packaging.version import Version
from torch import Tensor, nn

from aim_core.adapters.base import Adapter

FULL, INT8, INT4 = "full", "int8", "int4"
WEIGHTS = (FULL, INT8, INT4)
GROUP = 32  # weights of a row that share a scale and a zero point in 4 bits
LEAST_BYTES = {INT8: 1.0, INT4: 0.5}  # of a weight
_ROWS = 16  # the kernel for 4 bits takes matrices of so many rows, or a multiple
_NEEDED = ("torchao", "accelerate")
OLDEST = "0.18"  # torchao; older ones pack weights in another way


def check_weights(weights: str, device: torch.device) -> None:
    """Raise ValueError, in a sentence, for weights that there are not, or not here."""
    if weights not in WEIGHTS:
        raise ValueError(f"weights must be one of {', '.join(WEIGHTS)}, got {weights!r}.")
    if weights == FULL:
        return
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise ValueError(
            f"weights={weights} needs {' and '.join(_NEEDED)}: pip install 'aim-explorer[quantisation]', or take full."
        )
    if Version(here := version("torchao")) < Version(OLDEST):
        raise ValueError(f"weights={weights} needs torchao {OLDEST} or newer, {here} is here: renew it, or take full.")
    if weights == INT4 and device.type != "cpu":
        raise ValueError(f"weights={INT4} is for a CPU, not for {device.type}: take weights={INT8} there.")


def low_bit_config(adapter: Adapter, weights: str) -> Any:
    """What `from_pretrained` takes as `quantization_config`. adapter: of the same model, on the meta device perhaps.

    Raises ValueError for a version of torchao that has not the one for 4 bits.
    """
    from transformers import TorchAoConfig

    chosen = {id(linear) for linear in low_bit_layers(adapter, weights)}
    linears = [(name, one) for name, one in adapter.model.named_modules() if isinstance(one, nn.Linear)]
    others = [name for name, one in linears if id(one) not in chosen]
    return TorchAoConfig(_kind(weights), modules_to_not_convert=others)


def _kind(weights: str) -> Any:
    if weights == INT8:
        from torchao.quantization import Int8WeightOnlyConfig

        return Int8WeightOnlyConfig(set_inductor_config=False)
    try:
        from torchao.prototype.quantization.int4 import PrototypeInt4WeightOnlyConfig
    except ImportError as error:
        raise ValueError(f"weights={INT4} needs torchao 0.18: install it, or take weights={INT8}.") from error
    return PrototypeInt4WeightOnlyConfig(group_size=GROUP, set_inductor_config=False)


def low_bit_layers(adapter: Adapter, weights: str) -> Iterator[nn.Linear]:
    """The linear layers whose weights are kept so: those of the decoder's layers, but for matrices that the kernel for
    4 bits does not take."""
    if weights == FULL:
        return
    for one in adapter.decoder.layers.modules():
        if isinstance(one, nn.Linear) and (weights == INT8 or _is_packable(one)):
            yield one


def _is_packable(linear: nn.Linear) -> bool:
    return linear.in_features % GROUP == 0 and linear.out_features % _ROWS == 0


def saved_bytes(adapter: Adapter, weights: str, dtype: torch.dtype) -> int:
    """Bytes that these weights take less than as `dtype`.

    8 bits: a byte each, and for each row of a matrix a scale in float32 and a zero point of a byte.
    4 bits: half a byte each, and for each GROUP of a row a scale and a zero point in `dtype`.
    """
    return sum(
        one.in_features * one.out_features * dtype.itemsize - _bytes(one, weights, dtype)
        for one in low_bit_layers(adapter, weights)
    )


def largest_unpacked(adapter: Adapter, weights: str, dtype: torch.dtype) -> int:
    """Bytes of the largest matrix as `dtype`, which 8-bit weights are unpacked to for its product; 0 for others."""
    layers = low_bit_layers(adapter, weights) if weights == INT8 else ()
    return max((one.in_features * one.out_features * dtype.itemsize for one in layers), default=0)


def _bytes(linear: nn.Linear, weights: str, dtype: torch.dtype) -> int:
    rows, columns = linear.out_features, linear.in_features
    if weights == INT8:
        return rows * (columns + 4 + 1)
    return rows * columns // 2 + rows * (columns // GROUP) * 2 * dtype.itemsize


def num_bytes(tensor: Tensor) -> int:
    """What a tensor really takes: of one in few bits all its parts, where `nbytes` counts what it stands for."""
    if not hasattr(tensor, "__tensor_flatten__"):
        return tensor.nbytes
    return sum(num_bytes(getattr(tensor, name)) for name in tensor.__tensor_flatten__()[0])


def kept_as(adapter: Adapter) -> str:
    """How a loaded model's weights are kept: one of WEIGHTS."""
    for one in adapter.decoder.layers.modules():
        data = getattr(one.weight, "qdata", None) if isinstance(one, nn.Linear) else None
        if data is not None:
            return INT8 if data.dtype == torch.int8 else INT4
    return FULL


def number_format(adapter: Adapter) -> str:
    """What a loaded model computes in, and its weights' bits where they are few: "float32", "bfloat16 int8"."""
    kept = kept_as(adapter)
    return str(adapter.model.dtype).removeprefix("torch.") + (f" {kept}" if kept != FULL else "")

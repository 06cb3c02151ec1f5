"""Random weights with which a small model does something: attention is uneven and answers vary.

The library's fresh weights (standard deviation 0.02) leave every attention row uniform and repeat one token.
Here a matrix keeps the size of what goes through it (deviation 1/sqrt(inputs)), queries and keys are `SHARPNESS`
times larger (attention logits of deviation 2 to 3), and what layers add to the residual stream is scaled so that a
new token still counts in the last one. Biases, class tokens and layer scales are there to be seen if a code path
forgets them.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel

SHARPNESS = 1.6
_GAINS = dict.fromkeys(("q_proj", "k_proj", "qkv"), SHARPNESS) | dict.fromkeys(("o_proj", "down_proj"), 0.5)


@torch.no_grad()
def liven(model: PreTrainedModel, seed: int) -> PreTrainedModel:
    """Give `model` fresh weights from `seed`, in place."""
    draw = torch.Generator().manual_seed(seed)
    for name, module in model.named_modules():
        leaf = name.rsplit(".", 1)[-1]
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            gain = _GAINS.get(leaf, 1.0)
            module.weight.normal_(0, gain * module.weight[0].numel() ** -0.5, generator=draw)
            if module.bias is not None:
                module.bias.normal_(0, 0.1, generator=draw)
        elif leaf in ("q_norm", "k_norm") and hasattr(module, "weight"):  # Qwen3's; InternVL has empty ones
            module.weight.fill_(SHARPNESS)
    for module in model.modules():  # after the matrices, since a head may be tied to an embedding
        if isinstance(module, nn.Embedding):
            module.weight.normal_(0, 0.4, generator=draw)
    # With random signs before the head, a head tied to the embeddings does not answer with the token it was given.
    norm = model.get_decoder().norm.weight
    norm.copy_(torch.randint(0, 2, norm.shape, generator=draw) * 2 - 1)
    for name, parameter in model.named_parameters():
        leaf = name.rsplit(".", 1)[-1]
        if leaf.startswith("lambda_"):  # InternVL's layer scales, 0.1 when fresh
            parameter.fill_(1.0)
        elif leaf in ("cls_token", "class_embedding", "position_embeddings", "image_newline"):
            parameter.normal_(0, 0.4, generator=draw)
    return model

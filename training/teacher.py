"""The teacher: the model of the old world, whose tokens of plain drawings the new one learns to make of any drawing."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from training.build import make_model, vocabulary

TEACHER = Path(__file__).with_name("teacher.safetensors")  # half precision, `assets/model` of commit 986ddfe
# Words that the teacher does not know: of each, those that it knows and that mean most nearly the same. What is like an
# answer is like another word too, so that it is not said in its place.
LIKE = {
    "5": "4 3",
    "6": "4 many",
    "away": "gone vanish",
    "can": "does",
    "describe": "what",
    "direction": "way",
    "ends": "end where",
    "go": "move",
    "goes": "move",
    "has": "have",
    "if": "is",
    "me": "video",
    "moves": "move",
    "not": "no does",
    "number": "many",
    "of": "the",
    "place": "where corner",
    "see": "show",
    "shows": "show",
    "starts": "start where",
    "stays": "still move",
    "tell": "what",
    "vanishes": "vanish",
    "you": "video",
}


def load_teacher() -> nn.Module:
    """The old world's model in float32, not to be trained."""
    model = make_model(0, wide=False)
    weights = load_file(TEACHER)
    missing, unknown = model.load_state_dict({_today(name): v.float() for name, v in weights.items()}, strict=False)
    if unknown or set(missing) - {"lm_head.weight"}:
        raise ValueError(f"{TEACHER} does not fit the old world's model: {unknown}, {missing}")
    model.tie_weights()
    return model.requires_grad_(False).eval()


def _today(name: str) -> str:
    """A name of the file as the module tree has it."""
    return "model." + name.replace("language_model.model.", "language_model.")


@torch.no_grad()
def begin_as(model: nn.Module, teacher: nn.Module) -> None:
    """Give `model`, of one tower layer and some words more, the teacher's weights: it starts by seeing the same.

    The new layer is the tower's first; it has the attention of the teacher's first and adds nothing yet.
    """
    model.get_input_embeddings().weight.copy_(_words(teacher.get_input_embeddings().weight))
    embedded = {id(model.get_input_embeddings().weight)}
    layers = teacher.model.vision_tower.encoder.layers
    new = deepcopy(layers[0])
    for last in (new.self_attn.out_proj, new.mlp.fc2):
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    old = nn.ModuleList([new, *layers])
    for mine, theirs in zip(model.model.vision_tower.encoder.layers, old, strict=True):
        mine.load_state_dict(theirs.state_dict())
    own = dict(teacher.named_parameters())
    for name, parameter in model.named_parameters():
        if "vision_tower.encoder.layers" not in name and id(parameter) not in embedded:
            parameter.copy_(own[name])


def _words(known: Tensor) -> Tensor:
    """(words, width), the embeddings of all words from those of the teacher's."""
    rows = {word: row for row, word in enumerate(vocabulary(wide=False))}
    return torch.stack([known[[rows[w] for w in LIKE.get(word, word).split()]].mean(0) for word in vocabulary()])

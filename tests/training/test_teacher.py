"""The teacher: the new model begins by seeing and saying what it does; new words begin near known ones."""

import numpy as np
import pytest
import torch

from aim_core.adapters.registry import adapter_for
from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from training.batched_inference import Video
from training.build import make_model, make_processor, vocabulary
from training.drawing import render
from training.eval_sets import DEVELOPMENT_SEED, held_out_set
from training.teacher import LIKE, TEACHER, begin_as, load_teacher
from training.world import frame_times

NUM_FRAMES = 4


@pytest.fixture(scope="module")
def teacher():
    return load_teacher()


@pytest.fixture(scope="module")
def begun(teacher):
    model = make_model(1).eval()
    begin_as(model, teacher)
    return model


def test_the_model_begins_by_answering_as_the_teacher(teacher, begun):
    """To the questions that the teacher knows; and it knows their answers, so something is compared."""
    asked = held_out_set(1, seed=DEVELOPMENT_SEED)[:8]
    frames = render(asked[0].scene, frame_times(NUM_FRAMES), 96)
    texts = [item.question.text for item in asked]
    said = []
    for model, wide in ((teacher, False), (begun, True)):
        adapter = adapter_for(model, make_processor(wide=wide))
        with torch.inference_mode():
            said.append(Video(adapter, frames).answers(as_method(AimConfig.dense()), texts, 2))
    assert said[0] == said[1] and len(set(said[0])) > 3
    own = [(item.question, words) for item, words in zip(asked, said[0], strict=True) if item.video == asked[0].video]
    assert np.mean([question.accepts(words) for question, words in own]) > 0.7


def test_the_tower_begins_with_a_layer_that_adds_nothing_and_can_learn(teacher, begun):
    pixels = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        old, new = (m.model.vision_tower(pixels, output_hidden_states=True).hidden_states for m in (teacher, begun))
    assert len(new) == len(old) + 1
    torch.testing.assert_close(new[1], new[0], rtol=0, atol=0)
    torch.testing.assert_close(new[-1], old[-1], rtol=0, atol=1e-5)
    first = begun.model.vision_tower.encoder.layers[0]
    begun.model.vision_tower(pixels).last_hidden_state.square().sum().backward()
    for last in (first.self_attn.out_proj, first.mlp.fc2):
        assert last.weight.grad.abs().max() > 0
    begun.zero_grad()


def test_known_words_keep_their_embedding_and_new_ones_begin_as_the_mean_of_those_they_are_like(teacher, begun):
    known, words = vocabulary(wide=False), vocabulary()
    assert set(LIKE) == set(words) - set(known) and set(" ".join(LIKE.values()).split()) <= set(known)
    old, new = (m.get_input_embeddings().weight for m in (teacher, begun))
    assert torch.equal(new[words.index("star")], old[known.index("star")])
    mean = (old[known.index("where")] + old[known.index("corner")]) / 2
    torch.testing.assert_close(new[words.index("place")], mean)
    assert begun.lm_head.weight is new


def test_the_teacher_is_small_and_is_not_trained(teacher):
    assert TEACHER.stat().st_size < 5.1e6
    assert not any(parameter.requires_grad for parameter in teacher.parameters())

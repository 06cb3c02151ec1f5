"""Objectives: training asks as the model is asked later, and labels and wanted attention are what one would write."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from aim_core.adapters.registry import adapter_for
from aim_core.forward.hooks import patched
from training.batched_inference import Video
from training.batches import IGNORE, PATCH_ROWS, TOKEN_ROWS, Batch, BatchMaker, _centers, _moment, _to_middle, traits
from training.build import make_model, make_processor, vocabulary
from training.findings.settings import Maker
from training.objectives import GROUND, Helpers, _attend, _off, _spread, _unlike, answer_loss, vision_loss
from training.packed_forward import BACK, COUNT, LOOK, _one_head, normalised, packed_forward
from training.questions import ANSWERS, TYPES
from training.world import Scene, Thing, frame_times, owner_map

SEED, NUM_FRAMES = 5, 2
SAME = {"rtol": 0, "atol": 1e-4}  # what is different differs by 0.01 and more


@pytest.fixture(scope="module")
def adapter():
    """A random model that is sharp enough for its answers to depend on what it sees and where it stands."""
    model = make_model(SEED).eval()
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            for part in (layer.self_attn.q_proj, layer.self_attn.k_proj, layer.mlp.down_proj):
                part.weight.mul_(8)
    return adapter_for(model, make_processor())


@pytest.fixture(scope="module")
def batch(adapter) -> Batch:
    """Two videos, with a question of every type that two frames can answer; all are kept, for rates take seconds."""
    rates = {(kind, answer): 1.0 for kind, answers in ANSWERS.items() for answer in answers}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.batches.answer_rates", lambda max_skew, wide=False: rates)
        maker = BatchMaker(adapter.processor.tokenizer, SEED)
        return maker.make(1, 0, 2, NUM_FRAMES, dict.fromkeys(TYPES, 1), 1.5, 0.15, 0.0)


def packed(adapter, batch: Batch, keep: float = 0.25, how: str = "merge") -> torch.Tensor:
    """(questions, vocabulary) logits of the answers' first words, as training gets them."""
    with torch.no_grad():
        logits = packed_forward(adapter.model, batch, keep, how, torch.Generator())[1]
    return logits[batch.tokens[batch.targets != IGNORE] == vocabulary().index("<|assistant|>")]


def alone(adapter, batch: Batch, keep: float, positions: str) -> torch.Tensor:
    """The same, each question asked alone the way that evaluation asks."""
    method = Maker(adapter)(NUM_FRAMES, keep, positions=positions).method
    words, found = vocabulary(), []
    for frames, tokens, question in zip(batch.pixels, batch.tokens, batch.question, strict=True):
        with torch.inference_mode():
            video = Video(adapter, frames.permute(0, 2, 3, 1).numpy())
        for number in range(int(question.max()) + 1):
            own = tokens[question == number].tolist()
            asked = own[: own.index(words.index("<|assistant|>"))]
            session = video._session(method)
            with torch.inference_mode(), patched(adapter, session):
                found.append(video._prompt_logits(session, [" ".join(words[token] for token in asked)])[0])
    return torch.stack(found)


@pytest.mark.parametrize(
    ("keep", "how", "positions"),
    [(1.0, "merge", "sequential"), (0.3, "merge", "sequential"), (0.3, "place", "original")],
)
def test_packed_questions_are_answered_as_when_asked_alone(adapter, batch, keep, how, positions):
    trained, asked = packed(adapter, batch, keep, how), alone(adapter, batch, keep, positions)
    assert len(trained) == len(asked) > 12
    assert differ(asked[1:], asked[:-1]).all()
    torch.testing.assert_close(trained, asked, **SAME)


def differ(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    """(n,) bool, which rows of logits are not the same, by far."""
    return (one - two).abs().amax(1) > 0.01


def test_positions_make_a_difference(adapter, batch):
    assert differ(packed(adapter, batch, 0.25, "merge"), packed(adapter, batch, 0.25, "place")).all()


def test_frames_are_normalised_as_the_processor_does(adapter, batch):
    frames = batch.pixels[1].permute(0, 2, 3, 1).numpy()
    wanted = adapter.inputs(frames, np.arange(NUM_FRAMES, dtype=np.float32), "?")["pixel_values_videos"][0]
    torch.testing.assert_close(normalised(batch.pixels)[NUM_FRAMES:], wanted, rtol=0, atol=1e-6)


def test_a_question_sees_no_other_question(adapter, batch):
    changed, tokens = (batch.question == 1) & (batch.offset < 2), batch.tokens.clone()
    tokens[0, changed[0]] = vocabulary().index("star")
    told = differ(packed(adapter, batch), packed(adapter, replace(batch, tokens=tokens)))
    assert told.nonzero().flatten().tolist() == [1]


def test_a_question_sees_its_own_video_only(adapter, batch):
    pixels = batch.pixels.clone()
    pixels[1] = pixels[1].flip(-1)
    told, num_first = differ(packed(adapter, batch), packed(adapter, replace(batch, pixels=pixels))), questions(batch)
    assert not told[:num_first].any() and told[num_first:].all()


def questions(batch: Batch) -> int:
    """How many are asked about the first video."""
    return int(batch.question[0].max()) + 1


@pytest.mark.parametrize(("layer", "head"), [BACK, LOOK, *COUNT])
def test_one_head_is_the_attention_of_the_layer(adapter, layer, head):
    """Rows 4 to 7 do not see rows 2 and 3, as one question does not see another."""
    decoder, positions = adapter.decoder, torch.tensor([[0, 3, 4, 5, 4, 5, 6, 9], [0, 1, 2, 3, 2, 3, 4, 5]])
    hidden = torch.randn(2, 8, 128, generator=torch.Generator().manual_seed(SEED))
    mask = torch.ones(2, 8, 8, dtype=torch.bool).tril()
    mask[:, 4:, 2:4] = False
    module, rotary = decoder.layers[layer], decoder.rotary_emb(hidden, positions)
    hides = torch.zeros(2, 1, 8, 8).masked_fill(~mask[:, None], -math.inf)
    usual = decoder.config._attn_implementation
    decoder.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            inside = module.input_layernorm(hidden)
            weights = module.self_attn(inside, position_embeddings=rotary, attention_mask=hides)[1]
            found = _one_head(module, head, hidden, rotary, mask)
            last = _one_head(module, head, hidden, rotary, mask[:, 5:])
            first = _one_head(module, head, hidden, rotary, mask[:, :4, :4])
    finally:
        decoder.set_attn_implementation(usual)
    torch.testing.assert_close(found, weights[:, head])
    torch.testing.assert_close(last, weights[:, head, 5:])
    torch.testing.assert_close(first, weights[:, head, :4, :4])
    assert (weights[:, head] - weights[:, 1 - head]).abs().max() > 0.01


MOVER = Thing("red", "star", 0.1, (0.1, 0.3), (0.9, 0.3), "right", "start", 0.0, 1.0)
VISITOR = Thing("blue", "ring", 0.12, (0.7, 0.8), (0.7, 0.8), "still", "middle", 0.4, 0.7)
SCENE = Scene((MOVER, VISITOR), "plain", (40, 40, 40), (50, 50, 50), 0.0, 0)


def test_traits_are_colour_and_shape():
    assert (traits(MOVER), traits(VISITOR)) == ([0, 3], [2, 5])  # a red star, a blue ring


def test_a_moment_holds_what_is_there_at_rest():
    (red,) = _moment(SCENE, 0.25).things
    assert (red.motion, red.begin, red.finish) == ("still", red.finish, pytest.approx((0.3, 0.3)))
    red, blue = _moment(SCENE, 0.5).things
    assert (red.name, red.begin) == ("red star", pytest.approx((0.5, 0.3)))
    assert blue == replace(VISITOR, phase="start", appears=0.0, vanishes=1.0)
    (only,) = _moment(replace(SCENE, things=(VISITOR,)), 0.1).things  # nothing is there: the first thing is shown
    assert only.name == "blue ring" and only.visible(0.0) and only.stays


def test_middles_are_shared_by_the_tokens_around_them_where_and_when_a_thing_is_there():
    shares = _centers(SCENE, frame_times(4))  # at 1/8, 3/8, 5/8 and 7/8
    assert shares.shape == (4, TOKEN_ROWS, TOKEN_ROWS) and TOKEN_ROWS == 12
    assert shares.sum((1, 2)) == pytest.approx([1, 1, 2, 1])
    found = {tuple(where): float(shares[tuple(where)]) for where in np.argwhere(shares > 1e-6).tolist()}
    # At 5/8 the mover's middle is at 7.2, 3.6 tokens, the visitor's at 8.4, 9.6; a token's own middle is at its half.
    mover = {(2, 3, 6): 0.27, (2, 3, 7): 0.63, (2, 4, 6): 0.03, (2, 4, 7): 0.07}
    visitor = {(2, 9, 7): 0.09, (2, 9, 8): 0.81, (2, 10, 7): 0.01, (2, 10, 8): 0.09}
    assert {where: share for where, share in found.items() if where[0] == 2} == pytest.approx(mover | visitor)


def test_every_patch_of_a_thing_is_told_where_its_middle_is():
    times = frame_times(4)
    owner = owner_map(SCENE, times, PATCH_ROWS)
    offsets = _to_middle(SCENE, times, owner)
    assert offsets.shape == (4, PATCH_ROWS, PATCH_ROWS, 2) and not offsets[owner < 0].any()
    row, column = 19, 16  # of the visitor, whose middle is at row 19.2, column 16.8 of 24
    assert owner[2, row, column] == 1
    assert offsets[2, row, column] == pytest.approx([(16.8 - 16.5) / 2, (19.2 - 19.5) / 2], abs=1e-6)
    far = np.linalg.norm(offsets[owner == 0], axis=1)
    assert 0.9 * MOVER.radius * TOKEN_ROWS < far.max() < MOVER.radius * TOKEN_ROWS


def test_attention_is_wanted_somewhere_on_the_wanted_columns():
    attention = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.2, 0.7], [0.0, 0.0, 1.0]]])
    wanted = torch.tensor([[[True, False, True], [False, False, False], [False, False, True]]])
    assert _attend(attention, wanted).item() == pytest.approx((-math.log(0.75) - math.log(1.0)) / 2)
    missed = torch.tensor([[[True, False, False]]])
    assert _attend(attention[:, 2:], missed).item() == pytest.approx(-math.log(1e-6))  # finite where there is none


def test_attention_to_count_with_is_wanted_in_proportion():
    wanted = torch.tensor([[[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]])
    attention = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]])
    assert _spread(attention, wanted).item() == pytest.approx(-(math.log(0.5) + math.log(0.25)) / 2)
    even = torch.tensor([[[0.5, 0.0, 0.5], [0.1, 0.2, 0.7]]])
    assert _spread(even, wanted).item() == pytest.approx(math.log(2))  # no attention gives less
    split = torch.tensor([[[1.0, 0.25, 0.75]]])  # a middle between two tokens counts once
    assert _spread(split / 2, split).item() == pytest.approx(
        -(math.log(1 / 2) + sum(p * math.log(p / 2) for p in (0.25, 0.75))) / 2
    )


def test_the_number_is_told_by_the_attention_to_the_first_token():
    number = torch.tensor([0, 1, 3])
    even = 1 / (1 + number)  # spread evenly over the first token and each thing
    assert _off(even, number).item() == pytest.approx(0, abs=1e-12)
    one_more = torch.tensor([1.0, 1 / 3, 1 / 4])
    assert _off(one_more, number).item() == pytest.approx(math.log(3 / 2) ** 2 / 3)
    assert _off(torch.zeros(0), torch.zeros(0, dtype=torch.int64)).item() == 0  # nothing is counted


def test_the_heads_that_count_are_told_the_number_of_things_counted(adapter, batch):
    counted = batch.about[batch.counts].sum(-1)
    assert [vocabulary()[token] for token in batch.targets[batch.counts]] == [
        str(number) for number in counted.tolist()
    ]
    asked = counting_losses(adapter, batch)
    none = counting_losses(adapter, replace(batch, counts=torch.zeros_like(batch.counts)))
    assert asked.keys() == {f"{name} {layer}" for name in ("count", "number") for layer, _head in COUNT}
    assert all(asked[name] > 0 and none[name] == 0 for name in asked)


def counting_losses(adapter, batch: Batch) -> dict[str, float]:
    with torch.no_grad():
        losses, _ = answer_loss(adapter.model, batch, 1.0, "merge", torch.Generator())
    return {name: loss.item() for name, loss in losses.items() if name.startswith(("count", "number"))}


def test_tokens_are_compared_with_those_wanted_as_a_share_of_their_variance():
    rng = torch.Generator().manual_seed(SEED)
    tokens, wanted = torch.rand(2, 2, 9, 4, generator=rng)
    owner = torch.full((2, 3, 3), -1)
    owner[0, 0, 0] = 1  # touched by four tokens, itself among them
    weight = np.full((2, 9), GROUND)
    weight[0, [0, 1, 3, 4]] = 1.0
    middle = np.average(wanted.numpy(), axis=(0, 1), weights=weight)
    far, spread = (
        sum(weight[i, j] * np.sum((wanted[i, j].numpy() - other(i, j)) ** 2) for i in range(2) for j in range(9))
        for other in (lambda i, j: tokens[i, j].numpy(), lambda i, j: middle)
    )
    assert _unlike(tokens, wanted, owner).item() == pytest.approx(far / spread, rel=1e-5)
    assert _unlike(wanted, wanted, owner).item() == 0


def test_a_model_that_sees_what_its_teacher_sees_has_nothing_to_match(adapter, batch):
    """Compared on the plain drawing: other pixels of the same things cost something."""
    helpers = Helpers(adapter.model.config.vision_config.hidden_size)
    with torch.no_grad():
        same = vision_loss(adapter.model, adapter.model, helpers, replace(batch, pixels=batch.plain))
        drawn = vision_loss(adapter.model, adapter.model, helpers, batch)
    assert same["match"].item() == 0 < 0.01 < drawn["match"].item()
    assert set(drawn) == {"match", "patch color", "patch shape", "patch there", "offset"}


@pytest.mark.parametrize("wish", [_attend, _spread])
def test_attention_that_nothing_is_wanted_of_costs_nothing(wish):
    attention = torch.full((1, 2, 3), 1 / 3, requires_grad=True)
    loss = wish(attention, torch.zeros(1, 2, 3, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0 and torch.equal(attention.grad, torch.zeros(1, 2, 3))

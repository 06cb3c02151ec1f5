"""TokenAttention: a byte a number, words in place of tokens, and what a patch is shown."""

from __future__ import annotations

import numpy as np
import pytest

from aim_core.token_attention import TokenAttention

ROW = np.array([[0, 0, 1], [2, -1, 1]])  # row 1 has patches in both views, one patch was dropped
LAST = np.array([1, 0, 1, -1])  # row 3 was removed before layer 0


@pytest.fixture
def layers() -> list[np.ndarray]:
    """Of three tokens and two heads: three rows in layer 0, two in layer 1, none in layer 2."""
    draw = np.random.default_rng(0)
    return [draw.random((3, 2, k), dtype=np.float32) / k * scale for k, scale in ((3, 1), (2, 1e-3), (0, 1))]


def test_shares_come_back_within_half_a_step_of_their_own_largest(layers):
    found = TokenAttention.of(ROW, LAST, layers)
    assert (found.num_tokens, found.num_heads, found.num_layers) == (3, 2, 3) and found.levels.shape == (3, 2, 5)
    assert found.levels.dtype == np.uint8 and (found.peaks[:, :, 2] == 0).all()
    for own, back in zip(layers, found.layers(), strict=True):
        step = own.max(axis=2, initial=0)[..., None] / 255
        assert own.shape == back.shape and (np.abs(own - back) <= 0.501 * step).all()


def test_a_patch_has_the_whole_share_of_its_token_and_none_where_that_is_gone(layers):
    found = TokenAttention.of(ROW, LAST, layers)
    first = [float(own) for own in found.layers()[0][1, 0]]
    np.testing.assert_allclose(found.by_patch(1, 0, 0), [[first[0]] * 2 + [first[1]], [first[2], 0, first[1]]])
    second = found.layers()[1][1].mean(axis=0)  # rows 0 and 2
    np.testing.assert_allclose(found.by_patch(1, 1), [[second[0]] * 2 + [0], [second[1], 0, 0]])
    assert (found.by_patch(1, 2) == 0).all()


def test_a_word_is_the_mean_of_its_tokens_and_ends_where_the_record_does(layers):
    found = TokenAttention.of(ROW, LAST, layers)
    words = found.words([[0], [1, 2], [3], [0]])  # the third has a token that was not recorded
    assert words.num_tokens == 2 and words.num_heads == 2
    for own, back in zip(found.layers(), words.layers(), strict=True):
        np.testing.assert_allclose(back[0], own[0], rtol=1e-5)
        np.testing.assert_allclose(back[1], own[1:].mean(axis=0), atol=own.max(initial=0) / 500)
    assert found.words([[5]]).levels.shape == (0, 2, 5)


def test_the_mean_over_heads_is_a_record_of_one_head(layers):
    found = TokenAttention.of(ROW, LAST, layers).over_heads()
    assert found.levels.shape == (3, 1, 5)
    for own, back in zip(layers, found.layers(), strict=True):
        np.testing.assert_allclose(back[:, 0], own.mean(axis=1), atol=own.max(initial=0) / 250)

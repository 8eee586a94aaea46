"""What chapter 11 says in words is what the layers and the trials say."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch.nn import functional

from actlab import claims
from actlab.experiments import attention

TEXT = (Path(__file__).parents[2] / "notebooks/11_attention.py").read_text("utf-8")
WORDS = " ".join(TEXT.replace("\n# ", " ").split())


def cases(name):
    (measured,) = claims.get(name).recorded().measured.values()
    return {", ".join(case): found for case, found in measured.cases.items()}


def test_the_worked_numbers():
    shares = softmax([2.0, 0.0])
    assert "the shares are 0.88 and 0.12" in WORDS
    assert shares == pytest.approx([0.88, 0.12], abs=0.005)
    assert "it gets 11.2" in WORDS
    assert shares @ [10, 20] == pytest.approx(11.2, abs=0.02)


def test_the_neighbours_in_the_list_work_on_each_place_by_itself():
    assert "All others in the list, softmax included, work on each place by itself" in WORDS
    (measured,) = claims.get("attention-is-activation").recorded().measured.values()
    assert set(measured.notes.values()) == {0.0}
    assert all(found.low == 100 for found in measured.cases.values())


def test_in_small_heads_the_bare_products_leave_more_slope():
    assert "In small heads it is the other way round: sharper shares move *more*" in WORDS
    found = cases("attention-scale")
    assert all(found[f"d = {d}"].low > 100 for d in (4, 16))
    assert found["d = 1,024"].high < 10 < found["d = 256"].low
    (measured,) = claims.get("attention-scale").recorded().measured.values()
    assert "a few queries that hesitate between two keep most of theirs" in WORDS
    assert measured.notes["by the mean query instead (%)"]["d = 1,024"] > 20


def test_who_divides():
    assert "`keras.layers.Attention` does not divide" in WORDS
    q, k = np.random.default_rng(0).normal(size=(2, 1, 3, 16)).astype(np.float32)
    v = np.eye(3, dtype=np.float32)[None]
    bare, divided = (softmax(q @ k.transpose(0, 2, 1) * s, axis=-1) for s in (1, 1 / 4))
    assert np.allclose(keras.layers.Attention()([q, v, k]), bare, atol=1e-5)
    given = map(torch.from_numpy, (q, k, v))
    assert np.allclose(functional.scaled_dot_product_attention(*given), divided, atol=1e-5)
    heads = (part[:, :, None] for part in (q, k, v))
    assert np.allclose(keras.ops.dot_product_attention(*heads)[:, :, 0], divided, atol=1e-5)


def test_what_true_means():
    assert "*drop* for `nn.MultiheadAttention`, *keep* for all others here" in WORDS
    for call, found in cases("attention-mask-polarity").items():
        assert found.mean == pytest.approx(0 if call.startswith("nn.Multihead") else 100)


def test_what_a_place_gets_that_may_look_nowhere():
    assert "PyTorch's function shares out nothing and gives 0" in WORDS
    assert "`keras.ops.dot_product_attention` gives the plain mean of everything" in WORDS
    mask = np.ones((2, 3), bool)
    mask[0] = False
    calls = attention.masked(mask, 0)
    for name, share in (
        ("scaled_dot_product_attention", 0),
        ("keras.layers.MultiHeadAttention", 0),
        ("keras.ops.dot_product_attention", 1 / 3),
    ):
        assert calls[name]()[0] == pytest.approx([share] * 3), name
    found = cases("attention-blank-row")
    assert found["nn.MultiheadAttention, need_weights=False"].mean == 0
    assert found["nn.MultiheadAttention, need_weights=False, evaluation"].mean == 100


def test_keras_layer_gives_a_mean_or_nothing_by_how_it_is_called():
    assert "does the latter, or with a dropout or scores returned the former" in WORDS
    x = np.random.default_rng(0).normal(size=(1, 3, 8))
    mask = np.ones((1, 3, 3), bool)
    mask[0, 0] = False
    plain, dropping = (
        keras.layers.MultiHeadAttention(2, 4, dropout=rate, dtype="float64") for rate in (0, 0.5)
    )
    for layer in (plain, dropping):
        layer.build((None, None, 8), (None, None, 8))
    dropping.set_weights(plain.get_weights())
    value, out = (plain.get_weights()[i] for i in (4, 6))
    mean = np.einsum("d,dhs,hsf->f", x[0].mean(0), value, out)  # the biases are 0
    assert np.asarray(plain(x, x, attention_mask=mask))[0, 0] == pytest.approx(mean)
    scored = plain(x, x, attention_mask=mask, return_attention_scores=True)[0]
    for found in (scored, dropping(x, x, attention_mask=mask)):
        assert np.asarray(found)[0, 0] == pytest.approx(np.zeros(8))


def test_without_batch_first_any_batch_goes_through():
    assert "the first axis is the place, and any batch goes through wrongly" in WORDS
    torch.manual_seed(0)
    layer = torch.nn.MultiheadAttention(8, 2)
    x = torch.randn(5, 6, 8)
    other = x.clone()
    other[1] += 1
    moved = (layer(x, x, x)[0] != layer(other, other, other)[0]).any(-1)
    assert moved[0].all()  # what is another sequence of the batch is heard


def test_with_few_keys_smaller_heads_are_flat():
    assert "With 4 keys in place of 64 that begins at $d = 64$" in WORDS
    rng = np.random.default_rng(0)
    left = {}
    for d in (16, 64):
        scores = rng.normal(size=(20, 200, d)) @ rng.normal(size=(20, 4, d)).mT
        bare, divided = (np.median(attention.slope(softmax(scores * s, -1))) for s in (1, d**-0.5))
        left[d] = bare / divided
    assert left[64] < 0.1 < left[16]


def test_every_claim_but_one_is_shown():
    calls = re.findall(r"claims\.trial\((.*?)\)", TEXT, re.DOTALL)
    shown = set(re.findall(r'"([a-z-]+)"', " ".join(calls)))
    known = {claim.id for claim in claims.all() if claim.chapter == "11_attention"}
    assert "That both frameworks agree, with masks as well, is [in the ledger]" in WORDS
    assert known - shown == {"attention-frameworks-equal"}
    assert claims.get("attention-frameworks-equal").recorded().verdict == "holds"

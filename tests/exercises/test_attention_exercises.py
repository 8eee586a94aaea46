"""The checkers of the chapter on attention: right answers pass, each mistake gets its hint."""

import keras
import numpy as np
import pytest
import torch
from torch import nn

from actlab.exercises import attention
from tests.exercises import rules
from tests.exercises.judge import judge


def _attend(scale=0.25, fill=-torch.inf, dim=1, flip=False, late=False):
    def answer(query, key, value, mask):
        query, key, value, mask = map(torch.as_tensor, (query, key, value, mask))
        seen = mask.bool() ^ flip
        scores = scale * query @ key.T
        if late:
            return scores.softmax(dim).masked_fill(~seen, 0) @ value
        return scores.masked_fill(~seen, fill).softmax(dim) @ value

    return answer


def _in_keras(query, key, value, mask):
    scores = keras.ops.matmul(query, keras.ops.transpose(key)) / 4
    return keras.ops.matmul(keras.ops.softmax(keras.ops.where(mask, scores, -1e9), 1), value)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_attend(), None),
        (_in_keras, None),
        (lambda *given: _attend()(*given).tolist(), None),
        (
            lambda q, k, v, mask: nn.functional.scaled_dot_product_attention(
                *(torch.as_tensor(part) for part in (q, k, v, mask))
            ),
            None,
        ),
        (_attend(scale=1.0), "do not divide"),
        (_attend(scale=1 / 16), "its root"),
        (_attend(scale=3**-0.5), "of a query, not of a value"),
        (_attend(flip=True, fill=-1e9), "the mask is inverted"),
        (lambda *given: _attend()(*given) * float("nan"), "NaN"),
        (lambda q, k, v, mask: _attend()(q, k, v, np.ones_like(mask)), "changes nothing"),
        (_attend(dim=0), "goes over the queries"),
        (_attend(late=True), "behind the softmax"),
        (_attend(fill=0.0), "set masked scores to 0"),
        (_attend(scale=0.3), "expected"),
        (lambda q, k, v, mask: q, "expected (5, 3)"),
        (lambda q, k, v: v, "stopped with TypeError"),
    ],
)
def test_attend(answer, hint):
    judge(attention.check_attend, answer, hint)


def _to_torch(order=(0, 1, 2), turn=True, late=False, out=True, arrays=torch.as_tensor):
    def answer(weights, heads):
        parts = [np.asarray(w) for w in weights]
        d = len(parts[0])
        if late:
            parts[0:6:2] = [w.transpose(0, 2, 1) for w in parts[0:6:2]]
        matrices = [parts[2 * i].reshape(d, d) for i in order]
        last = parts[6].reshape(d, d)
        found = (
            np.concatenate([w.T if turn else w for w in matrices]),
            np.concatenate([parts[2 * i + 1].ravel() for i in range(3)]),
            last.T if out else last,
            parts[7],
        )
        return tuple(map(arrays, found))

    return answer


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_to_torch(), None),
        (_to_torch(arrays=np.array), None),
        (_to_torch(arrays=keras.ops.convert_to_tensor), None),
        (_to_torch(order=(2, 0, 1)), "query, key, value is the order"),
        (_to_torch(turn=False), "is not transposed"),
        (_to_torch(late=True), "head after head"),
        (_to_torch(out=False), "out_proj.weight is not transposed"),
        (lambda weights, heads: weights, "expected four arrays"),
        (lambda weights, heads: weights[:4], "in_proj_weight: expected shape"),
    ],
)
def test_to_torch(answer, hint):
    judge(attention.check_to_torch, answer, hint)


def test_what_is_right_for_the_checker_is_right_for_the_layers():
    layer = keras.layers.MultiHeadAttention(2, 3)
    layer.build((None, None, 6), (None, None, 6))
    twin = nn.MultiheadAttention(6, 2, batch_first=True)
    with torch.no_grad():
        for weight, given in zip(
            twin.parameters(), _to_torch()(layer.get_weights(), 2), strict=True
        ):
            weight.copy_(given)
    x = np.random.default_rng(0).normal(size=(2, 4, 6)).astype(np.float32)
    given = torch.from_numpy(x)
    ours = twin(given, given, given)[0].detach().numpy()
    assert np.allclose(ours, layer(x, x), atol=1e-5)


def _attended(x, place=0.0):
    shares = (50 * x.mT.expand(-1, 8, -1)).softmax(-1)
    return shares @ x + place * torch.arange(8)[:, None] / 8


def _by_hand(x):
    grown = (20 * x).exp()
    return ((grown * x).sum(1, keepdim=True) / grown.sum(1, keepdim=True)).expand_as(x)


class Largest(nn.Module):
    def __init__(self, how="attended"):
        super().__init__()
        self.how = how

    def forward(self, x):
        top = x.amax(1, keepdim=True).expand_as(x)
        return {
            "attended": lambda: _attended(x),
            "by hand": lambda: _by_hand(x),
            "in places": lambda: _attended(x, 0.1),
            "pooled": lambda: top,
            "alone": lambda: x,
            "badly": lambda: _attended(0 * x) + x.mean(1, keepdim=True),
            "by place": lambda: (
                top + 0.1 * torch.arange(8)[:, None] * x.mean(1, keepdim=True) + x[:, :1] * 0.1
            ),
            "once": lambda: top[:, 0],
            "lost": lambda: top * float("nan"),
        }[self.how]()


@pytest.mark.parametrize(
    ("how", "hint"),
    [
        ("attended", None),
        ("by hand", None),
        ("in places", None),
        ("pooled", "by no attention"),
        ("alone", "answers for itself"),
        ("badly", "mean square error"),
        ("by place", "in another order"),
        ("once", "expected an array"),
        ("lost", "infinite or NaN"),
    ],
)
def test_largest(how, hint):
    judge(attention.check_largest, Largest(how), hint)


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(attention.check_scale_rule, answer, hint)

"""The PyTorch recipes against Keras's originals and against float64 formulas."""

import copy
import io
import itertools
import pickle
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from actlab.recipes.torch import (
    RECIPES,
    Exponential,
    Sparsemax,
    SparsePlus,
    SparseSigmoid,
    Squareplus,
)

ORIGINALS = {
    "squareplus": keras.activations.squareplus,
    "sparsemax": keras.activations.sparsemax,
    "sparse_plus": keras.activations.sparse_plus,
    "sparse_sigmoid": keras.activations.sparse_sigmoid,
    "exponential": keras.activations.exponential,
}
# Formula and derivative in float64, written so that nothing cancels.
FORMULAS = {
    "squareplus": (
        lambda x: np.maximum(x, 0) + 2 / (np.hypot(x, 2) + np.abs(x)),
        lambda x: np.where(
            x > 0,
            0.5 + x / np.hypot(x, 2) / 2,
            2 / (np.hypot(x, 2) * (np.hypot(x, 2) + np.abs(x))),
        ),
    ),
    "sparse_plus": (
        lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, np.square(np.clip(x, -1, 1) + 1) / 4)),
        lambda x: (np.clip(x, -1, 1) + 1) / 2,
    ),
    "sparse_sigmoid": (
        lambda x: (np.clip(x, -1, 1) + 1) / 2,
        lambda x: np.where((x > -1) & (x < 1), 0.5, 0.0),
    ),
    "exponential": (np.exp, np.exp),
}


def value_and_gradient(module, x, weights=None):
    x = x.detach().clone().requires_grad_()
    y = module(x)
    y.backward(torch.ones_like(y) if weights is None else weights)
    return y.detach(), x.grad


def edges(dtype):
    """±0, the kinks and one ulp either side, subnormals, huge and infinite, NaN left out."""
    info = torch.finfo(dtype)
    one = torch.tensor(1.0, dtype=dtype)
    # PyTorch's nextafter has no float16, hence the spacing below and above 1.
    near = [one, one + info.eps, one - info.eps / 2]
    huge = [info.max, info.max / 2, info.max**0.5, 2 * info.max**0.5, 300.0]
    tiny = [0.0, info.tiny, info.tiny / 4, info.eps]
    positive = torch.tensor([*near, *huge, *tiny, 0.5, 2.0, 7.0, torch.inf], dtype=dtype)
    return torch.cat([positive, -positive])


def test_table_names_each_module_once():
    assert set(RECIPES) == set(ORIGINALS)
    assert len(set(RECIPES.values())) == len(RECIPES)


@pytest.mark.parametrize("name", sorted(set(ORIGINALS) - {"sparsemax"}))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_keras_original_in_value_and_gradient(name, dtype):
    x = np.linspace(-6, 6, 600).reshape(100, 6).astype(dtype)
    x = np.concatenate([x, np.random.default_rng(0).normal(size=(100, 6)).astype(dtype)])
    weights = np.random.default_rng(1).normal(size=x.shape).astype(dtype)
    ours, our_gradient = value_and_gradient(
        RECIPES[name](), torch.from_numpy(x), torch.from_numpy(weights)
    )
    with tf.GradientTape() as tape:
        tape.watch(inputs := tf.constant(x))
        theirs = ORIGINALS[name](inputs)
    their_gradient = tape.gradient(theirs, inputs, output_gradients=tf.constant(weights))
    # x + √(x² + b) loses digits in Keras: eps · 6 absolute, hence the absolute tolerance.
    close = {"rtol": 1e-6, "atol": 2e-6} if dtype == "float32" else {"rtol": 1e-14, "atol": 4e-15}
    assert ours.numpy().dtype == dtype
    np.testing.assert_allclose(ours, theirs.numpy(), **close)
    np.testing.assert_allclose(our_gradient, their_gradient.numpy(), **close)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_exact_to_a_few_ulp_everywhere_with_gradients_without_nan(name, dtype):
    forward, backward = FORMULAS[name]
    x = torch.cat([torch.linspace(-20, 20, 2001, dtype=torch.float64).to(dtype), edges(dtype)])
    value, gradient = value_and_gradient(RECIPES[name](), x)
    exact = x.double().numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        pairs = [(value, forward(exact)), (gradient, backward(exact))]
    infinite = np.isinf(exact)
    if name == "squareplus":  # inf / inf in the formula; the limits are 0, ∞ and 0, 1
        pairs[0][1][infinite] = np.maximum(exact[infinite], 0)
        pairs[1][1][infinite] = exact[infinite] > 0
    info = torch.finfo(dtype)
    for ours, reference in pairs:
        assert not ours.isnan().any()
        in_range = torch.from_numpy(np.asarray(reference, dtype=np.float64)).to(dtype).double()
        np.testing.assert_allclose(
            ours.double(), in_range, rtol=4 * info.eps, atol=info.smallest_normal
        )


def test_nan_stays_nan():
    for name in FORMULAS:
        assert RECIPES[name]()(torch.tensor([torch.nan, 1.0]))[0].isnan(), name
    assert Sparsemax()(torch.tensor([torch.nan, 1.0])).isnan().all()


def test_squareplus_keeps_the_digits_that_the_formula_loses():
    x = torch.tensor([-1e4, -3e5], dtype=torch.float32)
    exact = (2 / (torch.hypot(x.double(), torch.tensor(2.0)) - x)).float()
    torch.testing.assert_close(Squareplus()(x), exact, rtol=1e-6, atol=0)
    as_written = (x + (x * x + 4).sqrt()) / 2
    assert (as_written / exact - 1).abs().min() > 0.1  # nothing right is left


@pytest.mark.parametrize("b", [1e-30, 0.25, 1.0, 100.0])
def test_squareplus_takes_b(b):
    x = torch.linspace(-3, 3, 101, dtype=torch.float64)
    value, _ = value_and_gradient(Squareplus(b), x)
    keras_value = keras.activations.squareplus(x.numpy(), b=b).numpy()
    np.testing.assert_allclose(value, keras_value, rtol=1e-13, atol=1e-15)
    half = value_and_gradient(Squareplus(b), x.half())
    torch.testing.assert_close(half[0].double(), value, rtol=4e-3, atol=1e-3)
    assert half[1].isfinite().all()


def test_squareplus_does_not_overflow_where_the_sum_of_its_parts_would():
    value, gradient = value_and_gradient(Squareplus(1e4), torch.tensor([-4e4, 4e4]).half())
    torch.testing.assert_close(
        value.double(), torch.tensor([0.0625, 4e4]).double(), rtol=2e-3, atol=0
    )
    assert gradient.isfinite().all()


def simplex_projection(x):
    """Try every support: the nearest point with non-negative entries that sum to 1."""
    best, distance = None, np.inf
    for size in range(1, len(x) + 1):
        for support in itertools.combinations(range(len(x)), size):
            point = np.zeros_like(x)
            index = list(support)
            point[index] = x[index] - (x[index].sum() - 1) / size
            if point.min() >= 0 and np.square(point - x).sum() < distance:
                best, distance = point, np.square(point - x).sum()
    return best


@pytest.mark.parametrize("scale", [0.1, 0.7, 3.0, 1e6])
def test_sparsemax_is_the_nearest_point_of_the_simplex(scale):
    x = np.random.default_rng(2).normal(scale=scale, size=(40, 5))
    x[0] = x[0, 0]  # all tied
    x[1, :3] = x[1, 0]
    ours = Sparsemax()(torch.from_numpy(x)).numpy()
    # The brute force sees the differences only, as x ~ 1e6 would cost it the digits.
    expected = [simplex_projection(row - row.max()) for row in x]
    np.testing.assert_allclose(ours, expected, atol=1e-9)
    np.testing.assert_allclose(ours.sum(-1), 1, atol=1e-12)


@pytest.mark.parametrize("dim", [0, 1, 2, -1, -2, -3])
def test_sparsemax_works_along_any_dim(dim):
    x = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours = Sparsemax(dim)(x)
    by_hand = Sparsemax()(x.movedim(dim, -1)).movedim(-1, dim)
    torch.testing.assert_close(ours, by_hand, rtol=0, atol=0)


def test_sparsemax_equals_keras_original_where_that_is_right():
    # Up to 3.15.1 at least, Keras takes a wrong threshold as soon as two entries share the
    # support (https://github.com/keras-team/keras/issues/23425), and its output does not sum to 1.
    x = np.random.default_rng(4).normal(scale=2.0, size=(200, 3))
    with tf.GradientTape() as tape:
        tape.watch(inputs := tf.constant(x))
        theirs = keras.activations.sparsemax(inputs)
    their_gradient = tape.gradient(theirs, inputs, output_gradients=tf.constant(x))
    right = np.abs(theirs.numpy().sum(-1) - 1) < 1e-9
    assert right.sum() > 50
    ours, our_gradient = value_and_gradient(Sparsemax(), *[torch.from_numpy(x)] * 2)
    np.testing.assert_allclose(ours[right], theirs.numpy()[right], atol=1e-14)
    np.testing.assert_allclose(our_gradient[right], their_gradient.numpy()[right], atol=1e-14)


def test_sparsemax_gives_masked_inputs_nothing_and_keeps_gradients_finite():
    x = torch.tensor([[0.3, -torch.inf, 0.1, -torch.inf], [-torch.inf] * 3 + [2.0]])
    value, gradient = value_and_gradient(Sparsemax(), x, torch.randn(2, 4))
    torch.testing.assert_close(value, torch.tensor([[0.6, 0, 0.4, 0], [0, 0, 0, 1.0]]))
    assert gradient.isfinite().all()


def test_sparsemax_in_half_precision_keeps_its_sum_over_many_entries():
    x = torch.randn(4, 5000, generator=torch.Generator().manual_seed(1)).mul(1e-4)
    for dtype in (torch.float16, torch.bfloat16):
        ours = Sparsemax()(x.to(dtype))
        assert ours.dtype == dtype
        exact = Sparsemax()(x.to(dtype).double())
        torch.testing.assert_close(ours, exact.to(dtype), rtol=1e-2, atol=1e-6)
        assert (ours.double().sum(-1) - 1).abs().max() < 1e-2


@pytest.mark.parametrize("name", RECIPES)
def test_gradient_is_that_of_the_function(name):
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    module = RECIPES[name]()
    assert torch.autograd.gradcheck(module, x.requires_grad_())
    assert torch.autograd.gradgradcheck(module, x)
    jacobians = torch.func.vmap(torch.func.jacrev(module))(x.detach())
    expected = torch.stack([torch.autograd.functional.jacobian(module, row) for row in x.detach()])
    torch.testing.assert_close(jacobians, expected)


def test_gradients_at_the_kinks_are_those_of_keras():
    for name in ("sparse_plus", "sparse_sigmoid"):
        kinks = np.array([-1.0, 1.0])
        with tf.GradientTape() as tape:
            tape.watch(x := tf.constant(kinks))
            y = ORIGINALS[name](x)
        _, ours = value_and_gradient(RECIPES[name](), torch.from_numpy(kinks))
        np.testing.assert_array_equal(ours, tape.gradient(y, x).numpy())


def composed():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(6, 6),
        Squareplus(2.0),
        torch.nn.Linear(6, 6),
        SparsePlus(),
        torch.nn.Linear(6, 6),
        SparseSigmoid(),
        Exponential(),
        Sparsemax(),
    ).double()


def test_state_dict_and_whole_module_round_trips(tmp_path):
    model, x = composed(), torch.randn(8, 6, dtype=torch.float64)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    assert all(".weight" in key or ".bias" in key for key in model.state_dict())
    other = composed()
    for parameter in other.parameters():
        torch.nn.init.zeros_(parameter)
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True), strict=True)
    torch.testing.assert_close(other(x), model(x), rtol=0, atol=0)
    torch.save(model, tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=False)
    torch.testing.assert_close(loaded(x), model(x), rtol=0, atol=0)
    assert "Squareplus(b=2)" in repr(loaded)
    assert "Sparsemax(dim=-1)" in repr(loaded)


def test_compiles_as_one_graph_with_the_same_values_and_gradients():
    backend = "inductor" if shutil.which("g++") else "eager"
    model = composed()
    compiled = torch.compile(model, fullgraph=True, backend=backend)
    x = torch.randn(8, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    weights = torch.randn(8, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    value, gradient = value_and_gradient(compiled, x, weights)
    expected_value, expected_gradient = value_and_gradient(model, x, weights)
    assert expected_gradient.abs().max() > 1e-6
    torch.testing.assert_close(value, expected_value)
    torch.testing.assert_close(gradient, expected_gradient)


# --- Wherever the built-in neighbour works -------------------------------------------------------

NEIGHBOURS = {
    "squareplus": torch.nn.Softplus(),
    "sparsemax": torch.nn.Softmax(dim=-1),
    "sparse_plus": torch.nn.Softplus(),
    "sparse_sigmoid": torch.nn.Hardsigmoid(),
    "exponential": torch.nn.Sigmoid(),
}


def saved_script(module, x):
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module), buffer)
    buffer.seek(0)
    return torch.jit.load(buffer)(x)


def exported(module, x):
    batch = {0: torch.export.Dim("batch", min=2)}
    example = torch.zeros(2, *x.shape[1:], dtype=x.dtype)
    return torch.export.export(module, (example,), dynamic_shapes=(batch,)).module()(x)


def compiled(module, x):
    torch.compiler.reset()
    return torch.compile(module, backend="eager", fullgraph=True)(x)


def on_meta(module, x):
    nothing = module(x.to("meta"))
    assert nothing.device.type == "meta"
    return module(torch.empty_like(nothing, device="cpu").copy_(x))


def autocast(module, x):
    with torch.autocast("cpu", torch.bfloat16):
        return module(x)


def initialised_late(module, x):
    return copy.deepcopy(module).to("meta").to_empty(device="cpu").eval()(x)


WAYS = {
    "script": lambda module, x: torch.jit.script(module)(x),
    "script saved": saved_script,
    "script in a model": lambda module, x: torch.jit.script(torch.nn.Sequential(module))(x),
    "trace": lambda module, x: torch.jit.trace(module, x)(x),
    "fx": lambda module, x: torch.fx.symbolic_trace(torch.nn.Sequential(module))(x),
    "fx alone": lambda module, x: torch.fx.symbolic_trace(module)(x),
    "export": exported,
    "compile": compiled,
    "vmap": lambda module, x: torch.func.vmap(module)(x),
    "functionalize": lambda module, x: torch.func.functionalize(module)(x),
    "jvp": lambda module, x: torch.func.jvp(module, (x,), (x,))[0],
    "inference mode": torch.inference_mode()(lambda module, x: module(x)),
    "autocast": autocast,
    "deepcopy": lambda module, x: copy.deepcopy(module)(x),
    "pickle": lambda module, x: pickle.loads(pickle.dumps(module))(x),
    "meta": on_meta,
    "empty and late": initialised_late,
    "not contiguous": lambda module, x: module(x.mT.contiguous().mT),
    "no batch": lambda module, x: torch.cat([module(x[:0]), module(x)]),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_works_wherever_its_neighbour_works(name, way, dtype):
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(6)).to(dtype)
    recipe, neighbour = RECIPES[name](), NEIGHBOURS[name]
    for module in (neighbour, recipe):
        got, expected = WAYS[way](module, x), module(x)
        assert got.dtype == expected.dtype
        torch.testing.assert_close(got, expected)


def test_a_module_that_works_only_eagerly_is_found_out():
    class Eager(torch.nn.Module):
        def forward(self, x):
            return x * torch.finfo(x.dtype).eps if x.max() > 0 else x.cpu().numpy() * 1

    x = torch.ones(5, 4)
    Eager()(x)
    for way in ("script", "fx", "export", "vmap", "compile", "meta"):
        with pytest.raises(Exception, match=r"\w"):
            WAYS[way](Eager(), x)


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_scripts_keep_arguments_and_refusals(name):
    arguments = {"squareplus": (0.3,), "sparsemax": (0,)}.get(name, ())
    module, x = RECIPES[name](*arguments), torch.randn(5, 4)
    torch.testing.assert_close(torch.jit.script(module)(x), module(x), rtol=0, atol=0)
    assert repr(RECIPES[name](*arguments)).startswith(type(module).__name__)
    if name == "sparsemax":
        with pytest.raises(Exception, match="at least one entry"):
            torch.jit.script(module)(torch.zeros(0, 3))


@pytest.mark.parametrize("b", [0, -1.0, float("nan"), float("inf")])
def test_squareplus_refuses_b(b):
    with pytest.raises(ValueError, match="positive, finite"):
        Squareplus(b)


def test_sparsemax_refuses_what_it_cannot_normalise():
    with pytest.raises(ValueError, match=r"dim=2, got shape \[3, 4\]"):
        Sparsemax(2)(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="at least one entry"):
        Sparsemax()(torch.tensor(1.0))
    with pytest.raises(ValueError, match="at least one entry"):
        Sparsemax()(torch.zeros(3, 0))
    with pytest.raises(TypeError, match="int64"):
        Sparsemax()(torch.tensor([1, 2]))

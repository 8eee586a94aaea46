"""Every line that the catalog knows, then and now, means the same after translation."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import actlab
from actlab import catalog
from actlab.catalog import ParameterError, UnknownActivationError
from actlab.frameworks.binding import arguments
from actlab.frameworks.parity import settings_of
from actlab.frameworks.translate import TranslationError

X = np.linspace(-4, 4, 82).reshape(1, 2, 41, 1) / 1.03  # no kink is met


def written(name, value):
    if name == "weight":
        return f"torch.tensor([{value}])"
    if name.endswith("_initializer") and not isinstance(value, str):
        return f"keras.initializers.Constant({value})"
    return f"float('{value}')" if value in (np.inf, -np.inf) else repr(value)


def line_of(record, place, params):
    """The line somebody would have written who wanted these parameters here."""
    passed = arguments(record, place, params)
    options = [f"{name}={written(name, value)}" for name, value in passed.items()]
    head = [] if place.is_class else ["x"]
    return f"{place.path}({', '.join([*head, *options])})"


def lines():
    for record in catalog.records():
        if record.kind == "layer":
            continue
        for params in settings_of(record):
            for place in record.places:
                if (
                    place.path.endswith("keras.layers.LeakyReLU")
                    and params.get("negative_slope", 0) < 0
                ):
                    continue  # it refuses them
                try:
                    yield record, params, line_of(record, place, params), place
                except ParameterError:
                    continue


LINES = list(lines())


def values(line, framework, shape):
    x = X if shape is None else X.reshape(shape)
    of = {"torch": torch, "keras": keras, "actlab": actlab}
    x = (
        torch.tensor(x, dtype=torch.float32 if "tensor(" in line else None)
        if framework == "PyTorch"
        else keras.ops.convert_to_tensor(x)
    )
    with keras.device("cpu"):
        result = eval(line, {**of, "x": x})
        if callable(result) and not hasattr(result, "shape"):
            if isinstance(result, torch.nn.Module):
                result = result.double().eval()
            elif hasattr(result, "dtype_policy"):
                result = type(result).from_config(result.get_config() | {"dtype": "float64"})
            result = result(x)
    return np.asarray(result.detach() if hasattr(result, "detach") else result)


def shape_of(record):
    return {"gate": (41, 2), "elementwise": (82,)}.get(
        record.kind, X.shape if record.axis == -3 else (2, 41)
    )


@pytest.mark.parametrize(
    ("record", "params", "line", "place"),
    LINES,
    ids=[f"{place.when}-{line}" for _, _, line, place in LINES],
)
def test_a_line_means_the_same_in_both_frameworks(record, params, line, place):
    told = actlab.translate(line, place.when)
    assert all(told.lines.values()) or record.name == "gumbel_softmax", told
    if record.stochastic:
        return
    expected = record.reference(X.reshape(shape_of(record)), **{**params, **place.settings})
    for framework, written in told.lines.items():
        if written.startswith(BEYOND):
            continue
        np.testing.assert_allclose(
            values(written, framework, shape_of(record)),
            expected,
            rtol=1e-5,
            atol=1e-6,
            err_msg=written,
        )


# Recorded faults of the target itself, which the translation says: Keras's sparsemax is wrong,
# and its layer refuses a negative slope.
BEYOND = ("keras.activations.sparsemax", "keras.layers.LeakyReLU(negative_slope=-")


def test_what_the_target_does_wrong_is_said():
    assert any("off by more" in note for note in actlab.translate("sparsemax").notes)


@pytest.mark.parametrize(
    ("line", "pytorch", "in_keras"),
    [
        (
            "keras.layers.LeakyReLU(alpha=0.3)",
            "torch.nn.LeakyReLU(negative_slope=0.3)",
            "keras.layers.LeakyReLU(negative_slope=0.3)",
        ),
        (
            "nn.LeakyReLU()",
            "torch.nn.LeakyReLU()",
            "keras.layers.LeakyReLU(negative_slope=0.01)",
        ),
        (
            "tf.nn.leaky_relu(x, alpha=0.2)",
            "torch.nn.functional.leaky_relu(x, negative_slope=0.2)",
            "keras.activations.leaky_relu(x, negative_slope=0.2)",
        ),
        (
            "activation='swish'",
            "torch.nn.functional.silu(x)",
            "keras.activations.swish(x)",
        ),
        (
            "F.gelu(x, approximate='tanh')",
            "torch.nn.functional.gelu(x, approximate='tanh')",
            "keras.activations.gelu(x, approximate=True)",
        ),
        ("nn.Softmax()", "torch.nn.Softmax(dim=-1)", "keras.layers.Softmax()"),
        ("nn.Softmax(dim=1)", "torch.nn.Softmax(dim=1)", "keras.layers.Softmax(axis=1)"),
        ("x.relu()", "torch.nn.functional.relu(x)", "keras.activations.relu(x)"),
        ("y = nn.ReLU(inplace=True)(x)", "torch.nn.ReLU(inplace=True)", "keras.layers.ReLU()"),
        (
            "tf.keras.layers.PReLU()",
            "torch.nn.PReLU(init=0.0)",
            "keras.layers.PReLU()",
        ),
        (
            "tf.keras.layers.ThresholdedReLU(theta=0.5)",
            "torch.nn.Threshold(value=0.0, threshold=0.5)",
            "keras.layers.ReLU(threshold=0.5)",
        ),
        (
            "nn.MultiheadAttention(64, 8, bias=False)",
            "torch.nn.MultiheadAttention(embed_dim=64, num_heads=8, batch_first=True, bias=False)",
            "keras.layers.MultiHeadAttention(num_heads=8, key_dim=8, use_bias=False)",
        ),
        ("leaky relu", "torch.nn.LeakyReLU()", "keras.layers.LeakyReLU(negative_slope=0.01)"),
    ],
)
def test_lines_that_people_bring(line, pytorch, in_keras):
    assert actlab.translate(line).lines == {"PyTorch": pytorch, "Keras": in_keras}


@pytest.mark.parametrize("slope", [0.0, 0.1])
@pytest.mark.parametrize("top", [None, 3.0])
@pytest.mark.parametrize("threshold", [0.0, 1.0])
@pytest.mark.parametrize("path", ["tf.keras.activations.relu", "tf.keras.layers.ReLU"])
def test_kerass_relu_with_all_its_arguments(slope, top, threshold, path):
    name = "alpha" if path.endswith("relu") else "negative_slope"
    head = "x, " if path.endswith("relu") else ""
    told = actlab.translate(f"{path}({head}{name}={slope}, max_value={top}, threshold={threshold})")
    x = X.reshape(82)
    bent = np.where(x >= threshold, np.minimum(x, np.inf if top is None else top),
                    slope * (x - threshold))  # fmt: skip
    for framework, written in told.lines.items():
        np.testing.assert_allclose(values(written, framework, (82,)), bent, atol=1e-6)


def test_what_changed_is_said():
    then = actlab.translate("tf.keras.layers.LeakyReLU(alpha=0.1)")
    assert "The argument alpha is called negative_slope today." in then.notes
    gone = actlab.translate("tf.keras.layers.ThresholdedReLU()")
    assert any("is gone" in note for note in gone.notes)
    guessed = actlab.translate("nn.Softmax()")
    assert any("guesses the axis" in note for note in guessed.notes)
    assert any("0.01" in note for note in actlab.translate("keras.layers.LeakyReLU()").notes)


def test_a_line_that_meant_something_else_then():
    line = "keras.activations.hard_sigmoid(x)"
    now, then = actlab.translate(line), actlab.translate(line, "then")
    assert now.parameters.get("limit", 3.0) == 3.0
    assert then.parameters["limit"] == 2.5
    assert any("limit = 2.5 in Keras 2.4" in note for note in now.notes)
    assert actlab.translate("tf." + line).parameters["limit"] == 2.5


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        ("nn.Foo()", UnknownActivationError, "unknown activation"),
        ("nn.ELU(slope=2)", ParameterError, "takes alpha, inplace"),
        ("nn.ELU(alpha=a)", ParameterError, "not written out"),
        ("nn.ELU(alpha=1/0)", ParameterError, "not written out"),
        ("nn.ELU(1, True, 3)", ParameterError, "takes alpha"),
        ("nn.ELU(**options)", TranslationError, "write it out"),
        ("nn.Softplus(beta=-1)", ParameterError, "beta"),
        ("nn.MultiheadAttention(64, 7)", ParameterError, "multiple of the heads"),
        ("1 +", TranslationError, "one line of Python"),
        ("3", TranslationError, "calls nothing"),
        ("", TranslationError, "one line of Python"),
        ("a = 1; b = 2", TranslationError, "one line of Python"),
        ("squareplus(3, c=2)", ParameterError, "does not take"),
        (None, TypeError, "a line of code"),
    ],
)
def test_what_can_not_be_read_is_said(line, error, words):
    with pytest.raises(error, match=words):
        actlab.translate(line)


def test_nothing_of_the_line_is_run():
    with pytest.raises((TranslationError, ParameterError, UnknownActivationError)):
        actlab.translate("__import__('os').system('false')")


def test_a_layer_with_weights_says_where_it_lives():
    told = actlab.translate("nn.AdaptiveLogSoftmaxWithLoss(64, 1000, [100])")
    assert not any(told.lines.values())
    assert any("torch.nn.AdaptiveLogSoftmaxWithLoss" in note for note in told.notes)
    assert "—" in str(told)

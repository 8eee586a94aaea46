"""The Keras recipes against PyTorch's originals, and through saving and training."""

import copy
import pickle

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import torch

from actlab.recipes.keras import (
    RECIPES,
    ActivationWith,
    AdaptiveLogSoftmaxWithLoss,
    RReLU,
    Softmax2d,
    Softmin,
    ThresholdedReLU,
)


def in_keras(layer, x, weights, **kwargs):
    """Value, and gradient of the sum of value · weights."""
    with tf.GradientTape() as tape:
        tape.watch(inputs := tf.constant(x))
        y = layer(inputs, **kwargs)
    return y.numpy(), tape.gradient(y, inputs, output_gradients=tf.constant(weights)).numpy()


def in_torch(module, x, weights):
    inputs = torch.from_numpy(x).requires_grad_()
    y = module(inputs)
    y.backward(torch.from_numpy(weights))
    return y.detach().numpy(), inputs.grad.numpy()


def numbers(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(scale=2.0, size=shape).astype(dtype)


TWINS = {
    "rrelu": (RReLU(0.1, 0.4, dtype=None), torch.nn.RReLU(0.1, 0.4).eval(), (5, 7)),
    "rrelu default": (RReLU(), torch.nn.RReLU().eval(), (5, 7)),
    "thresholded": (ThresholdedReLU(), torch.nn.Threshold(1.0, 0.0), (5, 7)),
    "thresholded 1/4": (ThresholdedReLU(0.25), torch.nn.Threshold(0.25, 0.0), (5, 7)),
    "softmin": (Softmin(), torch.nn.Softmin(dim=-1), (5, 7)),
    "softmin axis": (Softmin(axis=1), torch.nn.Softmin(dim=1), (5, 7, 3)),
    "softmax2d": (Softmax2d("channels_first"), torch.nn.Softmax2d(), (2, 5, 4, 3)),
}


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_equals_pytorch_original_in_value_and_gradient(name, dtype):
    layer, module, shape = TWINS[name]
    layer = layer.from_config({**layer.get_config(), "dtype": dtype})
    x = numbers(shape, dtype)
    x.flat[:8] = [0.0, -0.0, 1.0, 0.25, 50.0, -50.0, 200.0, -200.0]
    weights = numbers(shape, dtype, seed=1)
    ours, our_gradient = in_keras(layer, x, weights)
    theirs, their_gradient = in_torch(module, x, weights)
    assert ours.dtype == dtype
    tolerance = {"rtol": 4 * np.finfo(dtype).eps, "atol": 8 * np.finfo(dtype).eps}
    np.testing.assert_allclose(ours, theirs, **tolerance)
    np.testing.assert_allclose(our_gradient, their_gradient, **tolerance)


def test_table_names_each_layer_once():
    assert set(RECIPES) == {
        "rrelu",
        "thresholded_relu",
        "softmin",
        "softmax2d",
        "adaptive_log_softmax",
    }
    assert len(set(RECIPES.values())) == len(RECIPES)


def test_nan_stays_nan():
    for layer in (RReLU(), ThresholdedReLU(), Softmin()):
        assert np.isnan(layer(np.array([[np.nan, -1.0]]))[0, 0]), layer.name
    assert np.isnan(RReLU()(np.array([np.nan]), training=True)[0])


# --- RReLU in training ---------------------------------------------------------------------------


def drawn_slopes(layer, shape=(200, 100)):
    return layer(-np.ones(shape, "float32"), training=True).numpy() * -1


def test_rrelu_draws_uniform_slopes_for_each_element():
    slopes = drawn_slopes(RReLU(0.15, 0.6, seed=1))
    assert slopes.min() >= 0.15
    assert slopes.max() <= 0.6
    assert len(np.unique(slopes)) > 0.9 * slopes.size  # one for each element, not for each unit
    assert scipy.stats.kstest(slopes.ravel(), scipy.stats.uniform(0.15, 0.45).cdf).pvalue > 1e-3
    # Neighbours know nothing of each other.
    assert abs(np.corrcoef(slopes[:, :-1].ravel(), slopes[:, 1:].ravel())[0, 1]) < 0.03
    torch.manual_seed(0)
    theirs = -torch.nn.RReLU(0.15, 0.6).train()(-torch.ones(200, 100)).numpy()
    assert scipy.stats.ks_2samp(slopes.ravel(), theirs.ravel()).pvalue > 1e-3


def test_rrelu_slopes_differ_between_calls_and_repeat_with_the_seed():
    layer, again, other = RReLU(seed=3), RReLU(seed=3), RReLU(seed=4)
    first, second = drawn_slopes(layer), drawn_slopes(layer)
    assert (first != second).mean() > 0.99
    np.testing.assert_array_equal(drawn_slopes(again), first)
    np.testing.assert_array_equal(drawn_slopes(again), second)
    assert (drawn_slopes(other) != first).mean() > 0.99
    assert (drawn_slopes(RReLU()) != drawn_slopes(RReLU())).mean() > 0.99


def test_rrelu_gradient_is_the_slope_drawn():
    x = numbers((50, 20), "float32")
    y, gradient = in_keras(RReLU(seed=5), x, np.ones_like(x), training=True)
    np.testing.assert_array_equal(y[x > 0], x[x > 0])
    np.testing.assert_array_equal(gradient[x > 0], 1)
    np.testing.assert_allclose(gradient[x < 0], y[x < 0] / x[x < 0], rtol=1e-6)
    assert len(np.unique(gradient[x < 0])) > 0.9 * (x < 0).sum()


def test_rrelu_is_random_in_training_only_and_starts_from_its_seed_when_loaded(tmp_path):
    model = keras.Sequential([keras.Input((100,)), RReLU(seed=6)])
    x = -np.ones((20, 100), "float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), (1 / 8 + 1 / 3) / 2 * x, rtol=1e-6)
    first = drawn_slopes(model.layers[-1])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(drawn_slopes(loaded.layers[-1]), first)


def test_rrelu_with_equal_bounds_is_a_leaky_relu():
    x = numbers((5, 7))
    expected = torch.nn.functional.leaky_relu(torch.from_numpy(x), 0.2).numpy()
    np.testing.assert_allclose(RReLU(0.2, 0.2, dtype="float64")(x, training=True), expected)


# --- Softmax2d's data format ---------------------------------------------------------------------


def test_softmax2d_normalises_channels_in_both_formats():
    x = numbers((2, 4, 3, 5))
    last = Softmax2d("channels_last", dtype="float64")(x).numpy()
    np.testing.assert_allclose(last.sum(-1), 1)
    first = Softmax2d("channels_first", dtype="float64")(np.moveaxis(x, -1, 1)).numpy()
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), last, rtol=1e-12)


def test_softmax2d_remembers_the_format_it_was_made_with(monkeypatch):
    assert Softmax2d().data_format == "channels_last"
    keras.config.set_image_data_format("channels_first")
    try:
        config = Softmax2d().get_config()
    finally:
        keras.config.set_image_data_format("channels_last")
    assert Softmax2d.from_config(config).data_format == "channels_first"


# --- AdaptiveLogSoftmaxWithLoss ------------------------------------------------------------------


def twins(head_bias=True, features=16, n_classes=30, cutoffs=(4, 9, 20), div_value=2.0):
    """The layer and PyTorch's module with the same weights, in float64."""
    torch.manual_seed(0)
    options = {"cutoffs": list(cutoffs), "div_value": div_value, "head_bias": head_bias}
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(features, n_classes, **options).double()
    layer = AdaptiveLogSoftmaxWithLoss(n_classes, **options, dtype="float64")
    layer.build((None, features))
    parameters = list(module.parameters())
    layer.set_weights([parameter.detach().numpy().T for parameter in parameters])
    return layer, module, parameters


@pytest.mark.parametrize("head_bias", [True, False])
def test_adaptive_equals_pytorch_original_with_the_same_weights(head_bias):
    layer, module, parameters = twins(head_bias)
    x, targets = numbers((200, 16)), np.random.default_rng(1).integers(0, 30, 200)
    assert len(np.unique(targets)) == 30
    inputs = torch.from_numpy(x).requires_grad_()
    output, loss = module(inputs, torch.from_numpy(targets))
    loss.backward()
    with tf.GradientTape() as tape:
        tape.watch(tensor := tf.constant(x))
        ours = layer(tensor, targets)
        (our_loss,) = layer.losses
    np.testing.assert_allclose(ours, output.detach().numpy(), rtol=1e-11)
    np.testing.assert_allclose(our_loss, loss.item(), rtol=1e-12)
    gradients = tape.gradient(our_loss, [tensor, *layer.trainable_variables])
    expected = [inputs.grad.numpy(), *[p.grad.numpy().T for p in parameters]]
    assert len(gradients) == len(expected)
    for got, want in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(
        layer.log_prob(x), module.log_prob(inputs).detach().numpy(), rtol=1e-11
    )
    predicted = layer.predict(x).numpy()
    np.testing.assert_array_equal(predicted, module.predict(inputs).numpy())
    assert len(np.unique(predicted)) > 3  # from the head and from clusters
    assert predicted.max() >= 9


def test_adaptive_log_probs_are_those_of_a_distribution_and_of_the_targets():
    layer, _, _ = twins()
    x, targets = numbers((50, 16)), np.random.default_rng(1).integers(0, 30, 50)
    log_probs = layer.log_prob(x).numpy()
    np.testing.assert_allclose(np.exp(log_probs).sum(-1), 1, rtol=1e-12)
    np.testing.assert_allclose(layer(x, targets), log_probs[np.arange(50), targets], rtol=1e-12)


def test_adaptive_takes_sequences():
    layer, _, _ = twins()
    x, targets = numbers((3, 5, 16)), np.random.default_rng(1).integers(0, 30, (3, 5))
    flat = layer(x.reshape(15, 16), targets.ravel()).numpy()
    np.testing.assert_allclose(layer(x, targets), flat.reshape(3, 5), rtol=1e-12)
    assert layer.log_prob(x).shape == (3, 5, 30)
    assert layer.predict(x).shape == (3, 5)


def test_adaptive_with_a_target_out_of_range_gives_nan_not_a_wrong_number():
    layer, _, _ = twins()
    output = layer(numbers((4, 16)), np.array([0, 30, -1, 29])).numpy()
    np.testing.assert_array_equal(np.isnan(output), [False, True, True, False])
    assert np.isnan(layer.losses[0])


def test_adaptive_trains_without_a_loss_saves_and_goes_on(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 8)).astype("float32")
    targets = np.argmax(x @ rng.normal(size=(8, 12)), axis=1)
    keras.utils.set_random_seed(0)
    features, labels = keras.Input((8,)), keras.Input((), dtype="int32")
    head = AdaptiveLogSoftmaxWithLoss(12, [3, 6], div_value=2.0, name="adaptive")
    hidden = keras.layers.Dense(8, "tanh")(features)
    model = keras.Model([features, labels], head(hidden, labels))
    model.compile(keras.optimizers.Adam(0.02))
    history = model.fit([x, targets], epochs=6, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    loss = model.evaluate([x, targets], verbose=0)
    np.testing.assert_allclose(loss, -model.predict([x, targets], verbose=0).mean(), rtol=1e-5)

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.evaluate([x, targets], verbose=0), loss, rtol=1e-6)
    expected = model.get_layer("adaptive").log_prob(x).numpy()
    np.testing.assert_array_equal(loaded.get_layer("adaptive").log_prob(x).numpy(), expected)
    kept_on = loaded.fit([x, targets], epochs=2, verbose=0).history["loss"]
    assert kept_on[-1] < loss

    # The model that predicts shares the layers and needs no targets.
    classifier = keras.Model(features, head(hidden))
    right = (classifier.predict(x, verbose=0).argmax(-1) == targets).mean()
    assert right > 0.4  # 12 classes: chance is far below


def test_adaptive_and_rrelu_compile_with_xla():
    features, labels = keras.Input((8,)), keras.Input((), dtype="int32")
    hidden = RReLU(seed=0)(keras.layers.Dense(8)(features))
    model = keras.Model([features, labels], AdaptiveLogSoftmaxWithLoss(12, [3])(hidden, labels))
    model.compile("sgd", jit_compile=True)
    x, targets = numbers((32, 8), "float32"), np.arange(32) % 12
    assert np.isfinite(model.fit([x, targets], verbose=0, batch_size=32).history["loss"]).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float32"])
@pytest.mark.parametrize("given", ["float32", "int64", "float64", "int32"])
def test_adaptive_keeps_targets_that_16_bits_can_not_hold(policy, given):
    layer = AdaptiveLogSoftmaxWithLoss(3000, [5, 50], div_value=2.0, dtype=policy)
    x, targets = numbers((4, 8), "float32"), np.array([0, 257, 2049, 2999])
    features, labels = keras.Input((8,)), keras.Input((), dtype=given)
    model = keras.Model([features, labels], layer(features, labels))
    expected = np.take_along_axis(layer.log_prob(x).numpy(), targets[:, None], 1)[:, 0]
    assert np.isfinite(expected.astype(float)).all()
    np.testing.assert_array_equal(model([x, targets]), expected)
    np.testing.assert_array_equal(layer(x, targets.astype(given)), expected)


@pytest.mark.parametrize(("n_classes", "samples"), [(70_000, 2), (12, 40_000)])
def test_adaptive_sums_do_not_overflow_in_16_bits(n_classes, samples):
    layer = AdaptiveLogSoftmaxWithLoss(n_classes, [1], div_value=1.0, dtype="mixed_float16")
    layer.build((None, 2))
    layer.set_weights([np.zeros(weight.shape) for weight in layer.weights])
    output = layer(np.zeros((samples, 2), "float32"), np.full(samples, n_classes - 1))
    assert output.dtype == "float16"
    expected = np.log(2 * (n_classes - 1))  # added up, more than the 65,504 that float16 can hold
    np.testing.assert_allclose(layer.losses[0], expected, rtol=1e-5)
    np.testing.assert_allclose(output, -expected, rtol=1e-3)


def test_adaptive_loss_leaves_masked_steps_out():
    layer, _, _ = twins()
    x, targets = numbers((3, 4, 16)), np.random.default_rng(1).integers(0, 30, (3, 4))
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 0, 1]], bool)
    x[~mask] = 0.0
    targets[0, 3] = -1  # padding is not looked at
    masked = keras.layers.Masking(dtype="float64")(x)
    output = layer(masked, targets)
    np.testing.assert_array_equal(output._keras_mask, mask)
    np.testing.assert_allclose(layer.losses[0], -output.numpy()[mask].mean(), rtol=1e-12)
    layer(x, targets, features_mask=mask)
    np.testing.assert_allclose(layer.losses[0], -output.numpy()[mask].mean(), rtol=1e-12)
    inputs, labels = keras.Input((4, 16)), keras.Input((4,), dtype="int32")
    model = keras.Model(
        [inputs, labels], layer(keras.layers.Masking(dtype="float64")(inputs), labels)
    )
    model.compile("sgd")
    loss = model.evaluate([x, targets], verbose=0)
    np.testing.assert_allclose(loss, -output.numpy()[mask].mean(), rtol=1e-5)


def test_adaptive_with_a_target_that_is_not_whole_gives_nan():
    layer, _, _ = twins()
    output = layer(numbers((3, 16)), np.array([2.0, 2.5, np.nan])).numpy()
    np.testing.assert_array_equal(np.isnan(output), [False, True, True])


def test_adaptive_says_its_shapes_before_it_is_called():
    layer = AdaptiveLogSoftmaxWithLoss(9, [2, 4], div_value=1.5)
    assert layer.compute_output_shape((None, 5, 6)) == (None, 5, 9)
    assert layer.compute_output_shape((None, 5, 6), (None, 5)) == (None, 5)
    inputs = keras.Input((None, 6)), keras.Input((None,), dtype="int32")
    assert layer(*inputs).shape == (None, None)
    assert layer(inputs[0]).shape == (None, None, 9)
    with pytest.raises(ValueError, match="expected axis -1"):
        layer(keras.Input((7,)))
    with pytest.raises(ValueError, match="do not fit"):
        layer(keras.Input((5, 6)), keras.Input((6,)))


def test_adaptive_learns_in_mixed_precision():
    layer = AdaptiveLogSoftmaxWithLoss(12, [3], dtype="mixed_float16")
    output = layer(numbers((8, 8), "float32"), np.arange(8))
    assert output.dtype == "float16"
    assert layer.trainable_variables[0].dtype == "float32"
    assert np.isfinite(output).all()


# --- Saving --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (RReLU(0.05, 0.2, seed=7), (6,)),
        (ThresholdedReLU(0.3), (6,)),
        (Softmin(axis=1), (6, 3)),
        (Softmax2d("channels_first"), (5, 4, 3)),
        (AdaptiveLogSoftmaxWithLoss(9, [2, 4], div_value=2.0, head_bias=True), (8,)),
        (ActivationWith("hard_shrink", threshold=0.7), (6,)),
        (ActivationWith("glu", axis=-1), (6,)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_survives_save_and_load(layer, shape, tmp_path):
    model = keras.Sequential([keras.Input(shape), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    twin = loaded.layers[-1]
    assert type(twin) is type(layer)
    assert twin.get_config() == layer.get_config()
    x = numbers((4, *shape), "float32")
    np.testing.assert_array_equal(
        loaded.predict_on_batch(x),
        model.predict_on_batch(x),
    )
    assert not np.array_equal(model.predict_on_batch(x), x)


# --- Wherever the built-in neighbour works -------------------------------------------------------

IMAGES = (4, 3, 6)
NEIGHBOURS = {
    "rrelu": (RReLU, keras.layers.LeakyReLU, (6,)),
    "thresholded": (ThresholdedReLU, lambda **kw: keras.layers.ReLU(threshold=1.0, **kw), (6,)),
    "softmin": (Softmin, keras.layers.Softmax, (6,)),
    "softmin axis": (
        lambda **kw: Softmin(axis=[1, 2], **kw),
        lambda **kw: keras.layers.Softmax(axis=[1, 2], **kw),
        (4, 6),
    ),
    "softmax2d": (Softmax2d, keras.layers.Softmax, IMAGES),
    "softmax2d first": (
        lambda **kw: Softmax2d("channels_first", **kw),
        lambda **kw: keras.layers.Softmax(axis=1, **kw),
        IMAGES,
    ),
    "adaptive": (
        lambda **kw: AdaptiveLogSoftmaxWithLoss(9, [2, 4], div_value=1.5, **kw),
        lambda **kw: keras.layers.Dense(9, "log_softmax", **kw),
        (6,),
    ),
    "celu": (
        lambda **kw: ActivationWith("celu", alpha=0.5, **kw),
        lambda **kw: keras.layers.Activation("celu", **kw),
        (6,),
    ),
    "glu": (
        lambda **kw: ActivationWith("glu", **kw),
        lambda **kw: keras.layers.Activation("glu", **kw),
        (6,),
    ),
    "hard_silu": (
        lambda **kw: ActivationWith("hard_silu", **kw),
        lambda **kw: keras.layers.Activation("hard_silu", **kw),
        (6,),
    ),
}


def by_step(layer, x):
    """What a TimeDistributed layer must give: each step on its own."""
    return np.stack([np.asarray(layer(step)) for step in x.swapaxes(0, 1)], axis=1)


def distributed(layer, x):
    steps = np.stack([x, -x, 2 * x], axis=1)
    inner = keras.Input(steps.shape[1:])
    model = keras.Model(inner, keras.layers.TimeDistributed(layer)(inner))
    assert model.output_shape == (None, 3, *layer.compute_output_shape((None, *x.shape[1:]))[1:])
    np.testing.assert_allclose(model(steps), by_step(layer, steps), rtol=1e-6)
    return model(steps)[:, 0]


def distributed_over_unknown_time(layer, x):
    steps = np.stack([x, -x], axis=1)
    inner = keras.Input((None, *x.shape[1:]))
    model = keras.Model(inner, keras.layers.TimeDistributed(layer)(inner))
    return model(steps)[:, 0]


def sequential(layer, x):
    model = keras.Sequential([layer])
    shape = model.compute_output_shape((None, *x.shape[1:]))
    output = model(x)
    assert tuple(shape) == (None, *output.shape[1:])
    return output


def of_shape_alone(layer, x):
    outer = keras.KerasTensor((None, *x.shape[1:]), dtype="float32")
    output = layer(x)
    spec = layer.compute_output_spec(outer)
    assert tuple(spec.shape) == (None, *output.shape[1:])
    assert tuple(layer.compute_output_shape(x.shape)) == tuple(output.shape)
    assert spec.dtype == keras.backend.standardize_dtype(output.dtype)
    return output


def of_unknown_batch(layer, x):
    inputs = keras.Input(batch_shape=(None, *x.shape[1:]))
    model = keras.Model(inputs, layer(inputs))
    np.testing.assert_allclose(model(x[:1]), layer(x[:1]), rtol=1e-5)
    return model(x)


def with_xla(layer, x):
    return tf.function(layer, jit_compile=True)(tf.constant(x))


def as_graph(layer, x):
    signature = tf.TensorSpec([None, *x.shape[1:]], "float32")
    return tf.function(layer, input_signature=[signature])(tf.constant(x))


def stateless(layer, x):
    layer.build(x.shape)
    trainable, rest = layer.trainable_variables, layer.non_trainable_variables
    return layer.stateless_call(trainable, rest, tf.constant(x))[0]


def cloned(layer, x):
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    return twin(x)


def copied(layer, x):
    layer.build(x.shape)
    return copy.deepcopy(layer)(x)


def pickled(layer, x):
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    return pickle.loads(pickle.dumps(model))(x)


def trained(layer, x):
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(x.shape[-1]), layer])
    model.compile("sgd", "mse", run_eagerly=True)
    assert np.isfinite(model.train_on_batch(x, np.asarray(layer(x))))
    return layer(x)


def given_a_mask(layer, x):
    """Steps that a mask excludes stay excluded for the layers behind."""
    if len(x.shape) != 2:
        return layer(x)
    steps = np.stack([x, 0 * x, 2 * x], axis=1)
    output = layer(keras.layers.Masking()(steps))
    np.testing.assert_array_equal(output._keras_mask, [[True, False, True]] * len(x))
    return layer(x)


WAYS = {
    "TimeDistributed": distributed,
    "TimeDistributed, unknown time": distributed_over_unknown_time,
    "Sequential": sequential,
    "shape alone": of_shape_alone,
    "unknown batch": of_unknown_batch,
    "XLA": with_xla,
    "graph": as_graph,
    "stateless": stateless,
    "clone_model": cloned,
    "pickle": pickled,
    "deepcopy": copied,
    "fit": trained,
    "mask": given_a_mask,
    "no batch": lambda layer, x: np.concatenate([layer(x[:0]), layer(x)]),
    "float64 in": lambda layer, x: layer(x.astype("float64")),
}
# Keras's own layer takes a mask of steps for one of entries, whose shape is wrong; and Activation
# says that GLU keeps the shape, which it halves.
NOT_EVEN_BUILT_IN = {("softmin", "mask"), ("glu", "Sequential"), ("glu", "shape alone")}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_works_wherever_its_neighbour_works(name, way):
    recipe, neighbour, shape = NEIGHBOURS[name]
    x = numbers((4, *shape), "float32")
    for make in (recipe, neighbour) if (name, way) not in NOT_EVEN_BUILT_IN else (recipe,):
        layer = make()
        got = np.asarray(WAYS[way](layer, x))
        np.testing.assert_allclose(got, np.asarray(layer(x)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "way"), sorted(NOT_EVEN_BUILT_IN))
def test_where_the_recipe_does_more(name, way):
    with pytest.raises((ValueError, AssertionError)):
        WAYS[way](NEIGHBOURS[name][1](), numbers((4, 6), "float32"))


def test_a_layer_that_only_computes_is_found_out():
    class Bare(keras.layers.Layer):
        def call(self, inputs):
            return inputs.numpy() * 1.0

    x = numbers((4, 6), "float32")
    Bare()(x)
    for way in ("TimeDistributed", "shape alone", "XLA", "graph", "mask", "unknown batch"):
        with pytest.raises(Exception, match=r"\w"):
            WAYS[way](Bare(), x)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_follows_the_policy_as_its_neighbour_does(name, policy):
    recipe, neighbour, shape = NEIGHBOURS[name]
    x = numbers((4, *shape), "float32")
    layer, other = recipe(dtype=policy), neighbour(dtype=policy)
    output, expected = layer(x), other(x)
    assert output.dtype == expected.dtype
    spec = layer.compute_output_spec(keras.KerasTensor(x.shape, dtype="float32"))
    assert spec.dtype == other.compute_output_spec(keras.KerasTensor(x.shape)).dtype
    exact = recipe(dtype="float64")
    exact.build(x.shape)
    exact.set_weights(layer.get_weights())
    tolerance = {"mixed_float16": 4e-3, "mixed_bfloat16": 3e-2, "float64": 1e-6}[policy]
    got, want = tf.cast(output, "float64").numpy(), exact(x).numpy()
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    twin = recipe(dtype=policy).from_config(layer.get_config())
    assert twin.dtype_policy.name == layer.dtype_policy.name == policy


@pytest.mark.parametrize("steps", [3, None])
def test_rrelu_draws_anew_for_every_step_as_dropout_does(steps):
    x = -np.ones((4, 3, 6), "float32")
    for layer in (keras.layers.Dropout(0.5, seed=1), RReLU(seed=1)):
        inputs = keras.Input((steps, 6))
        model = keras.Model(inputs, keras.layers.TimeDistributed(layer)(inputs))
        first, second = (np.asarray(model(x, training=True)) for _ in range(2))
        assert (first != second).any()
        assert (first[:, 0] != first[:, 1]).any()


def test_softmin_masks_and_takes_several_axes_as_softmax_does():
    x = numbers((2, 3, 4), "float32")
    mask = np.random.default_rng(3).random((2, 3, 4)) < 0.5
    for options in ({"axis": (1, 2)}, {"axis": [-1]}, {"axis": 1}):
        own, other = Softmin(**options), keras.layers.Softmax(**options)
        np.testing.assert_array_equal(own(x), other(-x))
        np.testing.assert_array_equal(own(x, mask=mask), other(-x, mask=mask))
        np.testing.assert_array_equal(own(x, mask=mask[..., :1]), other(-x, mask=mask[..., :1]))


# --- ActivationWith ------------------------------------------------------------------------------


def test_activation_with_makes_a_layer_of_any_function():
    x = numbers((5, 7))
    pairs = [
        (ActivationWith("hard_shrink", threshold=0.7), torch.nn.Hardshrink(0.7)),
        (ActivationWith("celu", alpha=0.5), torch.nn.CELU(0.5)),
        (ActivationWith("soft_shrink", threshold=0.2), torch.nn.Softshrink(0.2)),
        (ActivationWith("tanh_shrink"), torch.nn.Tanhshrink()),
    ]
    for layer, module in pairs:
        exact = layer.from_config({**layer.get_config(), "dtype": "float64"})
        np.testing.assert_allclose(exact(x), module(torch.from_numpy(x)), atol=1e-15, rtol=1e-12)


# --- Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RReLU(0.4, 0.3), "lower=0.4, upper=0.3 is not allowed"),
        (lambda: RReLU(0.1, float("inf")), "finite"),
        (lambda: RReLU(float("nan"), 0.1), "finite"),
        (lambda: ThresholdedReLU(-0.1), "theta=-0.1"),
        (lambda: ThresholdedReLU(float("nan")), "theta=nan"),
        (lambda: Softmin(axis=2)(np.ones((2, 3))), r"axis=2 does not exist .* -2 to 1"),
        (lambda: Softmax2d("NCHW"), "data_format='NCHW'"),
        (lambda: Softmax2d()(np.ones((2, 3, 4))), r"four dimensions.*got shape \(2, 3, 4\)"),
        (lambda: AdaptiveLogSoftmaxWithLoss(10, []), "at least one integer"),
        (lambda: AdaptiveLogSoftmaxWithLoss(10, [5, 3]), r"cutoffs=\[5, 3\]"),
        (lambda: AdaptiveLogSoftmaxWithLoss(10, [3, 3]), "strictly increasing"),
        (lambda: AdaptiveLogSoftmaxWithLoss(10, [0, 3]), "between 1 and 9"),
        (lambda: AdaptiveLogSoftmaxWithLoss(10, [3, 10]), "between 1 and 9"),
        (lambda: AdaptiveLogSoftmaxWithLoss(10, [2.5]), "integer"),
        (lambda: AdaptiveLogSoftmaxWithLoss(10, [3], div_value=0), "div_value=0"),
        (lambda: AdaptiveLogSoftmaxWithLoss(10, [3, 5])(np.ones((2, 8))), "8 features are too few"),
        (
            lambda: AdaptiveLogSoftmaxWithLoss(10, [3])(np.ones((2, 8)), np.ones(3, int)),
            r"targets of shape \(3,\) do not fit .* expected \(2,\)",
        ),
        (
            lambda: AdaptiveLogSoftmaxWithLoss(10, [3])(np.ones((2, 8)), np.ones((2, 1), int)),
            r"targets of shape \(2, 1\) do not fit",
        ),
        (
            lambda: AdaptiveLogSoftmaxWithLoss(3000, [3])(np.ones((2, 8)), np.ones(2, "float16")),
            "float16 holds whole numbers up to 2048 only.*n_classes=3000",
        ),
        (lambda: AdaptiveLogSoftmaxWithLoss(9, [3])(keras.Input((None,))), "must be known"),
        (lambda: Softmin(axis=(1, 3))(keras.Input((5,))), r"axis=3 does not .*\(None, 5\)"),
        (lambda: Softmax2d()(keras.Input((5,))), r"four dimensions.*got shape \(None, 5\)"),
        (lambda: ActivationWith("hard_shrink", lambd=1), "does not take lambd; it takes threshold"),
        (lambda: ActivationWith("tanh", axis=1), "it takes no arguments"),
        (lambda: ActivationWith("hard_shrnk"), "hard_shrnk"),
    ],
)
def test_bad_arguments_are_refused_with_a_reason(make, message):
    with pytest.raises(ValueError, match=message):
        make()

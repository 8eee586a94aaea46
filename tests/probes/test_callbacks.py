"""The Keras callbacks: train tiny models, and compare with loops over the weights."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from actlab.callbacks import DeadUnits, GradientNorms, LayerMoments
from actlab.recipes.keras import ActivationWith, RReLU

X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
Y = (X.sum(1) > 0).astype("float32")


class Weights(keras.callbacks.Callback):
    """The weights at every look, so that the brute force can see what the callback saw."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append([w.copy() for w in self.model.get_weights()])

    def on_epoch_end(self, epoch, logs=None):
        self.on_train_begin()


def small(units=6, activation="relu"):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, activation, name="first"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(5, activation, name="second"),
            keras.layers.Dense(1, name="output"),
        ]
    )
    weights = model.get_weights()
    weights[1][0] = -50  # born dead
    weights[0][:, 1], weights[1][1] = 1, -0.99 * X.sum(1).max()  # fires for one input only
    weights[3][3] = -50
    model.set_weights(weights)
    return model


def train(model, *callbacks, x=X, y=Y, epochs=3, lr=0.5, **options):
    model.compile(keras.optimizers.SGD(lr), **{"loss": "mse", **options})
    return model.fit(x, y, epochs=epochs, batch_size=10, verbose=0, callbacks=list(callbacks))


def relu_layers(weights, x):
    """The two hidden layers of ``small``, one number at a time, in float64."""
    layers = []
    for kernel, bias in (weights[0:2], weights[2:4]):
        out = np.zeros((len(x), len(bias)))
        for s in range(len(x)):
            for u in range(len(bias)):
                z = sum(float(x[s][i]) * float(kernel[i, u]) for i in range(len(x[s])))
                out[s, u] = max(z + float(bias[u]), 0)
        layers.append(out)
        x = out
    return dict(zip(("first", "second"), layers, strict=True))


def test_dead_units_equal_a_loop_over_the_weights_at_every_epoch():
    dead, weights = DeadUnits(X, batch_size=7), Weights()
    history = train(small(), weights, dead, lr=3.0).history
    looks = [relu_layers(w, X) for w in weights.seen]
    assert list(dead.record) == ["first", "second"]
    for name, record in dead.record.items():
        assert len(record) == 4  # before training and after each of three epochs
        for epoch, mask in enumerate(record):
            h = looks[epoch][name]
            expected = [all(h[s, u] == 0 for s in range(50)) for u in range(h.shape[1])]
            assert mask.tolist() == expected, (name, epoch)
        shares = [mask.mean() for mask in record[1:]]
        np.testing.assert_allclose(history[f"dead_share/{name}"], shares)
    assert dead.record["first"][0].tolist()[:2] == [True, False]
    # The large learning rate changed something, so equal shares are not all one trivial value.
    assert any(len({mask.sum() for mask in record}) > 1 for record in dead.record.values())
    assert set(history) == {"loss", "dead_share/first", "dead_share/second"}


def test_threshold_counts_small_outputs_as_zero():
    model = small()
    dead = DeadUnits(X, threshold=0.7)
    train(model, dead, epochs=1, lr=0.0)
    h = relu_layers(model.get_weights(), X)["first"]
    assert dead.record["first"][0].tolist() == [h[:, u].max() <= 0.7 for u in range(6)]
    assert dead.record["first"][0].sum() > 1


def test_layer_moments_equal_a_loop_over_the_weights():
    moments, weights = LayerMoments(X, batch_size=7), Weights()
    history = train(small(), weights, moments, lr=0.05).history
    for name, record in moments.record.items():
        for epoch, (mean, variance) in enumerate(record):
            values = relu_layers(weights.seen[epoch], X)[name].ravel().tolist()
            expected = sum(values) / len(values)
            np.testing.assert_allclose(mean, expected, rtol=1e-5)
            spread = sum((v - expected) ** 2 for v in values) / len(values)
            np.testing.assert_allclose(variance, spread, rtol=1e-5)
        np.testing.assert_array_equal(history[f"mean/{name}"], [r[0] for r in record[1:]])
        np.testing.assert_array_equal(history[f"variance/{name}"], [r[1] for r in record[1:]])
    assert set(moments.record) == {"first", "second"}


def norm(values):
    return math.sqrt(sum(float(v) ** 2 for v in np.ravel(values)))


def test_gradient_norms_equal_finite_differences():
    model = small(activation="tanh")
    probe, weights = GradientNorms(X, Y, batch_size=20), Weights()  # 20, 20 and 10: unequal
    history = train(model, weights, probe, epochs=2, lr=0.1).history
    assert list(probe.record) == ["first", "second", "output"]

    def loss(w):
        h = np.asarray(X, float)
        for i, kernel in enumerate(w[::2]):
            h = h @ kernel.astype(float) + w[2 * i + 1].astype(float)
            h = np.tanh(h) if i < 2 else h
        return np.mean((h[:, 0] - Y) ** 2)

    for look, seen in enumerate(weights.seen):
        w = [a.astype(float) for a in seen]
        for name, index in (("first", 0), ("second", 2), ("output", 4)):
            gradient = np.zeros_like(w[index])
            for position in np.ndindex(gradient.shape):
                kept = w[index][position]
                w[index][position] = kept + 1e-6
                above = loss(w)
                w[index][position] = kept - 1e-6
                gradient[position] = (above - loss(w)) / 2e-6
                w[index][position] = kept
            got, ratio = probe.record[name][look]
            np.testing.assert_allclose(got, norm(gradient), rtol=1e-4)
            np.testing.assert_allclose(ratio, norm(gradient) / norm(w[index]), rtol=1e-4)
    for name, record in probe.record.items():
        np.testing.assert_array_equal(history[f"gradient_norm/{name}"], [r[0] for r in record[1:]])
        np.testing.assert_array_equal(history[f"gradient_ratio/{name}"], [r[1] for r in record[1:]])


def test_gradient_norms_include_the_regulariser_and_take_embeddings():
    keras.utils.set_random_seed(0)
    tokens = np.random.default_rng(1).integers(0, 7, (30, 3))
    y = np.random.default_rng(2).normal(size=30)
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(9, 2, name="embedding"),
            keras.layers.Flatten(),
            keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.1), name="dense"),
        ]
    )
    probe = GradientNorms(tokens, y, batch_size=8)
    train(model, probe, x=tokens, y=y, epochs=1, lr=0.0)
    table, kernel, bias = (w.astype(float) for w in model.get_weights())
    features = table[tokens].reshape(30, 6)
    error = features @ kernel[:, 0] + bias[0] - y
    of_kernel = 2 * (features * error[:, None]).mean(0) + 2 * 0.1 * kernel[:, 0]
    of_table = np.zeros_like(table)
    for s in range(30):
        for position, token in enumerate(tokens[s]):
            of_table[token] += 2 * error[s] * kernel[2 * position : 2 * position + 2, 0] / 30
    np.testing.assert_allclose(probe.record["dense"][0][0], norm(of_kernel), rtol=1e-5)
    np.testing.assert_allclose(probe.record["embedding"][0][0], norm(of_table), rtol=1e-5)


def test_a_channel_is_dead_only_if_it_is_zero_at_every_position():
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(3).random((6, 5, 5, 2)).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.Conv2D(3, 2, name="linear"),
            keras.layers.ReLU(name="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    kernel, bias, *rest = model.get_weights()
    bias[0] = -50
    kernel[..., 1] = 0
    kernel[0, 0, 0, 1] = 1  # fires where one pixel is bright enough, and only there
    bias[1] = -np.sort(x[:, :3, :3, 0].ravel())[-2]
    model.set_weights([kernel, bias, *rest])
    dead = DeadUnits(x, batch_size=4)
    moments = LayerMoments(x, batch_size=4)
    train(model, dead, moments, x=x, y=np.zeros(6), epochs=1, lr=0.0)
    out = np.zeros((6, 3, 3, 4))
    for s, i, j, c in np.ndindex(out.shape):
        patch = x[s, i : i + 3, j : j + 3].astype(float)
        out[s, i, j, c] = max((patch * kernel[..., c]).sum() + bias[c], 0)
    expected = [not out[..., c].any() for c in range(4)]
    assert np.count_nonzero(out[..., 1]) == 1
    assert expected[:2] == [True, False]
    assert list(dead.record) == ["conv", "relu"]
    assert dead.record["conv"][0].tolist() == expected
    assert dead.record["relu"][0].shape == (3,)
    np.testing.assert_allclose(moments.record["conv"][0], [out.mean(), out.var()], rtol=1e-5)


class Blocks(keras.Model):
    """Subclassed, with sub-models, a layer that runs twice, and names used twice."""

    def __init__(self):
        super().__init__()
        self.blocks = [
            keras.Sequential([keras.layers.Dense(4, "relu", name="dense")], name=f"block_{i}")
            for i in range(2)
        ]
        self.shared = keras.layers.Dense(4, "elu", name="shared")
        self.out = keras.layers.Dense(1)

    def call(self, x):
        for block in self.blocks:
            x = block(self.shared(x))
        return self.out(x)


def test_subclassed_and_nested_models_and_shared_layers():
    keras.utils.set_random_seed(2)
    model = Blocks()
    dead, moments = DeadUnits(X), LayerMoments(X)
    norms = GradientNorms(X, Y)
    history = train(model, dead, moments, norms, epochs=2).history
    assert list(dead.record) == ["shared", "dense", "shared:2", "dense:2"]
    assert "dead_share/dense:2" in history
    x = tf.constant(X)
    for i, block in enumerate(model.blocks, start=1):
        x = model.shared(x)
        name = "shared" if i == 1 else "shared:2"
        np.testing.assert_allclose(moments.record[name][-1][0], np.mean(x), rtol=1e-4)
        x = block(x)
        name = "dense" if i == 1 else "dense:2"
        assert dead.record[name][-1].tolist() == [bool(np.all(x[:, u] == 0)) for u in range(4)]
    assert set(norms.record) == {"dense", "dense:2", "shared", model.out.name}


def test_functional_model_with_two_inputs_and_a_shared_layer():
    keras.utils.set_random_seed(3)
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    tower = keras.layers.Dense(3, "relu", name="tower")
    both = keras.layers.Concatenate()([tower(left), tower(right)])
    model = keras.Model({"left": left, "right": right}, keras.layers.Dense(1)(both))
    x = {"left": X, "right": -X - 3}
    dead = DeadUnits(x)
    train(model, dead, x=x, epochs=1, lr=0.0)
    kernel, bias = tower.get_weights()
    for name, data in (("tower", X), ("tower:2", -X - 3)):
        h = np.maximum(data @ kernel + bias, 0)
        assert dead.record[name][0].tolist() == [not h[:, u].any() for u in range(3)]


def test_hidden_activations_are_found_and_others_are_not():
    act = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 4)),
            act.LSTM(4, name="lstm"),
            act.Dense(4, activation=act.LeakyReLU(name="leaky"), name="with_layer"),
            RReLU(name="rrelu"),
            act.Activation("gelu", name="gelu"),
            act.Activation("linear", name="linear"),
            ActivationWith("celu", alpha=0.5, name="celu"),
            act.PReLU(name="prelu"),
            act.Dense(3, "softmax", name="softmax"),
        ]
    )
    moments = LayerMoments(np.zeros((5, 6, 4)))
    x, y = np.zeros((5, 6, 4)), np.zeros(5)
    train(model, moments, x=x, y=y, epochs=1, loss="sparse_categorical_crossentropy")
    assert list(moments.record) == ["leaky", "rrelu", "gelu", "celu", "prelu"]
    named = LayerMoments(x, layers=["lstm", "softmax"])
    train(model, named, x=x, y=y, epochs=1, loss="sparse_categorical_crossentropy")
    assert list(named.record) == ["lstm", "softmax"]
    np.testing.assert_allclose(named.record["softmax"][0][0], 1 / 3, rtol=1e-6)


def test_a_look_changes_nothing():
    """Training with the callbacks equals training without them, batch norm and dropout included."""

    def run(*callbacks):
        keras.utils.set_random_seed(5)
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(6),
                keras.layers.BatchNormalization(),
                keras.layers.ReLU(),
                keras.layers.Dropout(0.4, seed=1),
                RReLU(seed=2),
                keras.layers.Dense(1, kernel_regularizer="l2"),
            ]
        )
        history = train(model, *callbacks, lr=0.1, metrics=["mae"]).history
        return model, history

    model, history = run(DeadUnits(X), LayerMoments(X), GradientNorms(X, Y))
    plain, plain_history = run()
    for ours, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert history["loss"] == plain_history["loss"]
    assert history["mae"] == plain_history["mae"]
    assert all("call" not in vars(layer) for layer in model.layers)


def test_layers_are_uncovered_after_an_error():
    class Fussy(keras.layers.Layer):
        def call(self, x):
            if x.shape[0] == 3:
                raise RuntimeError("three is too few")
            return x

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu"), Fussy()])
    dead = DeadUnits(X[:3])
    dead.set_model(model)
    with pytest.raises(RuntimeError, match="three"):
        dead.look()
    assert all("call" not in vars(layer) for layer in model.layers)


def test_earlier_logs_are_seen_by_early_stopping_and_a_new_fit_starts_a_new_record():
    model = small()
    dead = DeadUnits(X)
    stop = keras.callbacks.EarlyStopping("dead_share/first", mode="min", patience=0)
    train(model, dead, stop, epochs=5, lr=0.0)
    assert len(dead.record["first"]) == 3  # the second epoch was no better
    train(model, dead, epochs=1, lr=0.0)
    assert len(dead.record["first"]) == 2


def test_a_diverged_model_has_no_dead_share():
    model = small()
    weights = model.get_weights()
    weights[0][0, 2] = np.nan
    model.set_weights(weights)
    dead = DeadUnits(X)
    history = train(model, dead, epochs=1, lr=0.0).history
    assert np.isnan(history["dead_share/first"]).all()


def test_mixed_precision_models_can_be_looked_at():
    for policy in ("mixed_float16", "mixed_bfloat16"):
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(3, "tanh", dtype=policy, name="half")]
        )
        moments = LayerMoments(X, layers=["half"])
        moments.set_model(model)
        moments.look()
        h = np.tanh(X @ model.get_weights()[0])
        np.testing.assert_allclose(moments.record["half"][0], [h.mean(), h.var()], atol=5e-3)


# --- Bad input -----------------------------------------------------------------------------------


def test_bad_arguments_are_refused_with_a_reason():
    model = small()
    with pytest.raises(ValueError, match=r"no layer is called 'third'; the model has .*first"):
        train(model, DeadUnits(X, layers=["third"]))
    with pytest.raises(ValueError, match="no hidden layer with an activation"):
        train(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]), DeadUnits(X))
    with pytest.raises(ValueError, match="threshold=-1"):
        DeadUnits(X, threshold=-1)
    with pytest.raises(ValueError, match="batch_size=0"):
        LayerMoments(X, batch_size=0)
    with pytest.raises(ValueError, match="one length above 0"):
        DeadUnits(X[:0])
    with pytest.raises(ValueError, match=r"one length above 0, got \[49, 50\]"):
        DeadUnits([X, X[:49]])
    with pytest.raises(ValueError, match=r"x: expected an array.*got list with str inside"):
        DeadUnits(["x", "y"])
    with pytest.raises(ValueError, match="50 samples, but y has 49"):
        GradientNorms(X, Y[:49])
    model.trainable = False
    with pytest.raises(ValueError, match="no trainable weights"):
        train(model, GradientNorms(X, Y))


def test_a_layer_without_units_is_refused():
    class Two(keras.layers.Layer):
        def call(self, x):
            return x, keras.ops.sum(x)

    inputs = keras.Input((4,))
    model = keras.Model(inputs, Two(name="two")(inputs)[0])
    dead = DeadUnits(X, layers=["two"])
    dead.set_model(model)
    with pytest.raises(ValueError, match="layer 'two' gives tuple; expected one tensor"):
        dead.look()

# ruff: noqa: D102  (call, build and get_config are Keras's own hooks; the class describes them)
# mypy: allow-subclassing-any
"""For Keras: the activations that only PyTorch has (or that Keras once had), as layers.

All of them are written with ``keras.ops``, so that they run on every backend, and registered, so
that ``keras.saving.load_model`` finds them (once this module has been imported).
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="actlab")
class RReLU(keras.layers.Layer):
    """Randomised leaky ReLU: x where positive, slope · x elsewhere (Xu et al., 2015).

    In training every element draws its own slope from [``lower``, ``upper``) at every call; in
    inference all use the mean, (lower + upper) / 2. Any shape. The same ``seed`` gives the same
    slopes, again from the start in a model just loaded, as for Keras's ``Dropout``.

    Raises ``ValueError`` unless both bounds are finite and lower ≤ upper.
    """

    def __init__(
        self, lower: float = 1 / 8, upper: float = 1 / 3, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not (math.isfinite(lower) and math.isfinite(upper) and lower <= upper):
            raise ValueError(
                f"RReLU: lower={lower!r}, upper={upper!r} is not allowed; expected finite numbers "
                "with lower <= upper."
            )
        self.lower = float(lower)
        self.upper = float(upper)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            slope = keras.random.uniform(
                ops.shape(inputs),
                self.lower,
                self.upper,
                dtype=inputs.dtype,
                seed=self.seed_generator,
            )
        else:
            slope = (self.lower + self.upper) / 2
        return ops.where(inputs > 0, inputs, slope * inputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "lower": self.lower,
            "upper": self.upper,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable(package="actlab")
class ThresholdedReLU(keras.layers.Layer):
    """Thresholded ReLU: x where x > ``theta``, 0 elsewhere (Konda et al., 2014).

    The layer that Keras 3 dropped, with the argument and default it had; any shape. Raises
    ``ValueError`` unless theta is finite and not negative.
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (math.isfinite(theta) and theta >= 0):
            raise ValueError(
                f"ThresholdedReLU: theta={theta!r} is not allowed; expected a finite number >= 0."
            )
        self.theta = float(theta)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return ops.where(inputs <= self.theta, ops.zeros_like(inputs), inputs)  # NaN stays NaN

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "theta": self.theta}


@keras.saving.register_keras_serializable(package="actlab")
class Softmin(keras.layers.Layer):
    """Softmin: the softmax of -x along ``axis``, so that the smallest input gets the most.

    Any shape; ``axis`` counts the batch as axis 0, like the layer ``Softmax``.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        if not -len(inputs.shape) <= self.axis < len(inputs.shape):
            raise ValueError(
                f"Softmin: axis={self.axis} does not exist in an input of shape {inputs.shape}; "
                f"expected {-len(inputs.shape)} to {len(inputs.shape) - 1}."
            )
        return ops.softmax(-inputs, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


@keras.saving.register_keras_serializable(package="actlab")
class Softmax2d(keras.layers.Layer):
    """Softmax over the channels, at every pixel of a batch of images.

    With ``data_format="channels_last"`` the input is (batch, height, width, channels), with
    ``"channels_first"`` it is (batch, channels, height, width), which is PyTorch's order. ``None``
    takes ``keras.config.image_data_format()`` when the layer is made, and that is what is saved.

    Raises ``ValueError`` for another data format and for an input that has not four dimensions.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        data_format = data_format or keras.config.image_data_format()
        if data_format not in {"channels_last", "channels_first"}:
            raise ValueError(
                f"Softmax2d: data_format={data_format!r} is not allowed; expected "
                "'channels_last', 'channels_first' or None."
            )
        self.data_format = data_format

    def call(self, inputs: Any) -> Any:
        if len(inputs.shape) != 4:
            raise ValueError(
                f"Softmax2d: expected a batch of images (four dimensions, {self.data_format}), "
                f"got shape {tuple(inputs.shape)}."
            )
        return ops.softmax(inputs, axis=-1 if self.data_format == "channels_last" else 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


@keras.saving.register_keras_serializable(package="actlab")
class AdaptiveLogSoftmaxWithLoss(keras.layers.Layer):
    """A log-softmax for very many classes, frequent ones first (Grave et al., 2017).

    The first ``cutoffs[0]`` classes sit in the head, beside one entry for each cluster of rarer
    classes: cluster i holds the classes ``cutoffs[i]`` … ``cutoffs[i + 1] - 1`` (the last one up
    to ``n_classes - 1``) and sees the features through a projection to
    ⌊features / div_value^(i + 1)⌋ numbers, without biases. ``head_bias`` gives the head a bias.
    So the log-probability of a rare class is that of its cluster plus its own within the cluster.

    Features have shape (..., features), targets (...) with integers in [0, n_classes).

    - ``layer(features, targets)`` gives each sample's log-probability of its target, shape (...),
      and adds minus their mean to the losses: such a model is compiled without a loss. A target
      out of range gives NaN, and so does the loss.
    - ``layer(features)``, or ``layer.log_prob(features)``, gives the log-probabilities of all
      classes, shape (..., n_classes); they can also go to a cross-entropy as logits.
    - ``layer.predict(features)`` gives the most probable class, shape (...).

    The weights stand in the order of PyTorch's module, kernels transposed:
    ``layer.set_weights([p.detach().numpy().T for p in module.parameters()])``.

    PyTorch evaluates a cluster for those samples only whose target lies in it. Here all clusters
    are evaluated for all samples, so that shapes are static and XLA can compile the layer: what
    is saved is the narrower projections.

    Raises ``ValueError`` for cutoffs that do not increase strictly within [1, n_classes - 1], a
    div_value that is not positive, too few features for the last projection, and targets whose
    shape is not that of the features without the last axis.
    """

    def __init__(
        self,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        edges = [0, *cutoffs, n_classes]
        if len(edges) < 3 or any(
            int(low) != low or low >= high for low, high in itertools.pairwise(edges)
        ):
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: cutoffs={list(cutoffs)!r} is not allowed for "
                f"n_classes={n_classes}; expected at least one integer, strictly increasing, "
                f"each between 1 and {n_classes - 1}."
            )
        if not (math.isfinite(div_value) and div_value > 0):
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: div_value={div_value!r} is not allowed; expected a "
                "positive, finite number."
            )
        self.n_classes = int(n_classes)
        self.cutoffs = [int(cutoff) for cutoff in cutoffs]
        self.div_value = float(div_value)
        self.head_bias = bool(head_bias)

    def build(self, features_shape: Any, targets_shape: Any = None) -> None:
        features = features_shape[-1]
        widths = [int(features // self.div_value ** (i + 1)) for i in range(len(self.cutoffs))]
        if min(widths) < 1:
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: {features} features are too few for "
                f"{len(widths)} clusters with div_value={self.div_value:g}: the projections would "
                f"have {widths} numbers; take fewer cutoffs or a smaller div_value."
            )
        # Without a policy of their own, layers made here would take the global one.
        dense = functools.partial(keras.layers.Dense, dtype=self.dtype_policy)
        size = self.cutoffs[0] + len(self.cutoffs)
        self.head = dense(size, use_bias=self.head_bias, name="head")
        self.head.build((None, features))
        self.projections = []
        self.clusters = []
        bounds = itertools.pairwise([*self.cutoffs, self.n_classes])
        for i, (width, (low, high)) in enumerate(zip(widths, bounds, strict=True)):
            self.projections.append(dense(width, use_bias=False, name=f"projection_{i}"))
            self.projections[i].build((None, features))
            self.clusters.append(dense(high - low, use_bias=False, name=f"cluster_{i}"))
            self.clusters[i].build((None, width))

    def call(self, features: Any, targets: Any = None) -> Any:
        head = ops.log_softmax(self.head(features), axis=-1)
        tail = [
            ops.log_softmax(cluster(projection(features)), axis=-1)
            for projection, cluster in zip(self.projections, self.clusters, strict=True)
        ]
        first = self.cutoffs[0]
        if targets is None:
            of_clusters = ops.split(head[..., first:], len(tail), axis=-1)
            within = [p + q for p, q in zip(of_clusters, tail, strict=True)]
            return ops.concatenate([head[..., :first], *within], axis=-1)

        if len(targets.shape) != len(features.shape) - 1 or any(
            None not in sizes and sizes[0] != sizes[1]
            for sizes in zip(targets.shape, features.shape, strict=False)
        ):
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: targets of shape {tuple(targets.shape)} do not fit "
                f"features of shape {tuple(features.shape)}; expected {tuple(features.shape)[:-1]}."
            )
        targets = ops.cast(targets, "int32")

        def pick(log_probs: Any, index: Any) -> Any:
            index = ops.clip(index, 0, log_probs.shape[-1] - 1)
            return ops.take_along_axis(log_probs, index[..., None], axis=-1)[..., 0]

        output = pick(head, targets)
        for i, low in enumerate(self.cutoffs):  # a later cluster overrules the ones before
            rare = head[..., first + i] + pick(tail[i], targets - low)
            output = ops.where(targets >= low, rare, output)
        known = ops.logical_and(targets >= 0, targets < self.n_classes)
        output = ops.where(known, output, float("nan"))
        self.add_loss(-ops.mean(output))
        return output

    def log_prob(self, features: Any) -> Any:
        """Log-probabilities of all classes, shape (..., n_classes)."""
        return self(features)

    def predict(self, features: Any) -> Any:
        """The most probable class, shape (...)."""
        return ops.argmax(self(features), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "n_classes": self.n_classes,
            "cutoffs": self.cutoffs,
            "div_value": self.div_value,
            "head_bias": self.head_bias,
        }


@keras.saving.register_keras_serializable(package="actlab")
class ActivationWith(keras.layers.Layer):
    """Any function of ``keras.activations`` as a layer, with its arguments, saved with the model.

    ``keras.layers.Activation`` takes the name of a function but no arguments for it, and not every
    function has a layer of its own: ``ActivationWith("hard_shrink", threshold=0.7)``,
    ``ActivationWith("gelu", approximate=True)``. Shapes are those of the function.

    Raises ``ValueError`` for a function that Keras does not have and for an argument that the
    function does not take, and lists those that it takes.
    """

    def __init__(
        self,
        activation: str,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        **arguments: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.function = keras.activations.get(activation)  # raises for an unknown name
        takes = list(inspect.signature(self.function).parameters)[1:]
        if unknown := sorted(set(arguments) - set(takes)):
            raise ValueError(
                f"ActivationWith: {activation} does not take {', '.join(unknown)}; it takes "
                f"{', '.join(takes) or 'no arguments'}."
            )
        self.activation = activation
        self.arguments = arguments
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return self.function(inputs, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": self.activation, **self.arguments}


RECIPES: dict[str, type[keras.layers.Layer]] = {
    "rrelu": RReLU,
    "thresholded_relu": ThresholdedReLU,
    "softmin": Softmin,
    "softmax2d": Softmax2d,
    "adaptive_log_softmax": AdaptiveLogSoftmaxWithLoss,
}
"""Name of the catalog's record → the layer that computes it."""

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

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

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

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "theta": self.theta}


class _Softmax(keras.layers.Softmax):
    """Keras's layer, except that it lets a mask of whole steps of a sequence pass (see below)."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        self._check(tuple(inputs.shape))
        if mask is not None and len(mask.shape) < len(inputs.shape):
            mask = None  # Keras's own layer refuses it, where its neighbours pass it on
        return super().call(inputs, mask=mask)

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._check(tuple(input_shape))
        return input_shape

    def _check(self, shape: tuple[int | None, ...]) -> None:
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="actlab")
class Softmin(_Softmax):
    """Softmin: the softmax of -x along ``axis``, so that the smallest input gets the most.

    Any shape; ``axis`` is an integer or several of them and counts the batch as axis 0, like the
    layer ``Softmax``. A ``mask`` of as many dimensions as the input says where it is True which
    entries take part; one of fewer (the steps of a sequence) is only passed on.

    Raises ``ValueError`` for an axis that the input has not.
    """

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return super().call(-inputs, mask=mask)

    def _check(self, shape: tuple[int | None, ...]) -> None:
        n = len(shape)
        for axis in self.axis if isinstance(self.axis, list | tuple) else [self.axis]:
            if not -n <= axis < n:
                raise ValueError(
                    f"Softmin: axis={axis} does not exist in an input of shape {shape}; "
                    f"expected {-n} to {n - 1}."
                )


@keras.saving.register_keras_serializable(package="actlab")
class Softmax2d(_Softmax):
    """Softmax over the channels, at every pixel of a batch of images.

    With ``data_format="channels_last"`` the input is (batch, height, width, channels), with
    ``"channels_first"`` it is (batch, channels, height, width), which is PyTorch's order. ``None``
    takes ``keras.config.image_data_format()`` when the layer is made, and that is what is saved.
    A ``mask`` is treated as by :class:`Softmin`.

    Raises ``ValueError`` for another data format and for an input that has not four dimensions.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        data_format = data_format or keras.config.image_data_format()
        if data_format not in {"channels_last", "channels_first"}:
            raise ValueError(
                f"Softmax2d: data_format={data_format!r} is not allowed; expected "
                "'channels_last', 'channels_first' or None."
            )
        super().__init__(axis=-1 if data_format == "channels_last" else 1, **kwargs)
        self.data_format = data_format

    def _check(self, shape: tuple[int | None, ...]) -> None:
        if len(shape) != 4:
            raise ValueError(
                f"Softmax2d: expected a batch of images (four dimensions, {self.data_format}), "
                f"got shape {shape}."
            )

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "data_format": self.data_format}
        del config["axis"]
        return config


WHOLE_UP_TO = {"bfloat16": 2**8, "float16": 2**11, "float32": 2**24}
"""The whole number up to which a format holds all of them."""


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
      and adds minus their mean to the losses: such a model is compiled without a loss. What the
      features' mask excludes does not count there. A target that is out of range or not a whole
      number gives NaN, and so does the loss.
    - ``layer(features)``, or ``layer.log_prob(features)``, gives the log-probabilities of all
      classes, shape (..., n_classes); they can also go to a cross-entropy as logits.
    - ``layer.predict(features)`` gives the most probable class, shape (...).

    The weights stand in the order of PyTorch's module, kernels transposed:
    ``layer.set_weights([p.detach().numpy().T for p in module.parameters()])``.

    PyTorch evaluates a cluster for those samples only whose target lies in it. Here all clusters
    are evaluated for all samples, so that shapes are static and XLA can compile the layer: what
    is saved is the narrower projections. With a 16-bit policy, the products are computed in 16
    bits, the logarithms and the loss in float32; targets keep the dtype they come in.

    Raises ``ValueError`` for cutoffs that do not increase strictly within [1, n_classes - 1], a
    div_value that is not positive, too few features for the last projection, targets whose shape
    is not that of the features without the last axis, and those in a floating format that can not
    tell so many classes apart.
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
        self.autocast = False  # the layers within cast the features; 16 bits do not hold a target
        self.supports_masking = True

    def build(self, features_shape: Any, targets_shape: Any = None) -> None:
        features = features_shape[-1]
        if features is None:
            raise ValueError(
                "AdaptiveLogSoftmaxWithLoss: the number of features must be known, got shape "
                f"{tuple(features_shape)}."
            )
        widths = [int(features // self.div_value ** (i + 1)) for i in range(len(self.cutoffs))]
        if min(widths) < 1:
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: {features} features are too few for "
                f"{len(widths)} clusters with div_value={self.div_value:g}: the projections would "
                f"have {widths} numbers; take fewer cutoffs or a smaller div_value."
            )
        self.input_spec = keras.InputSpec(min_ndim=2, axes={-1: features})
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

    def call(self, features: Any, targets: Any = None, features_mask: Any = None) -> Any:
        self._check(features.shape, targets)
        # Sums over many classes or samples overflow 16 bits.
        precise = "float64" if self.compute_dtype == "float64" else "float32"
        head = ops.log_softmax(ops.cast(self.head(features), precise), axis=-1)
        tail = [
            ops.log_softmax(ops.cast(cluster(projection(features)), precise), axis=-1)
            for projection, cluster in zip(self.projections, self.clusters, strict=True)
        ]
        first = self.cutoffs[0]
        if targets is None:
            of_clusters = ops.split(head[..., first:], len(tail), axis=-1)
            within = [p + q for p, q in zip(of_clusters, tail, strict=True)]
            output = ops.concatenate([head[..., :first], *within], axis=-1)
            return ops.cast(output, self.compute_dtype)

        whole = ops.cast(targets, "int32")

        def pick(log_probs: Any, index: Any) -> Any:
            index = ops.clip(index, 0, log_probs.shape[-1] - 1)
            return ops.take_along_axis(log_probs, index[..., None], axis=-1)[..., 0]

        output = pick(head, whole)
        for i, low in enumerate(self.cutoffs):  # a later cluster overrules the ones before
            rare = head[..., first + i] + pick(tail[i], whole - low)
            output = ops.where(whole >= low, rare, output)
        known = ops.logical_and(whole >= 0, whole < self.n_classes)
        known = ops.logical_and(known, ops.cast(whole, targets.dtype) == targets)
        output = ops.where(known, output, float("nan"))
        if features_mask is None:
            self.add_loss(-ops.mean(output))
        else:
            count = ops.maximum(ops.sum(ops.cast(features_mask, precise)), 1)
            self.add_loss(-ops.sum(ops.where(features_mask, output, 0)) / count)
        return ops.cast(output, self.compute_dtype)

    def compute_output_shape(self, features_shape: Any, targets_shape: Any = None) -> Any:
        if targets_shape is None:
            return (*features_shape[:-1], self.n_classes)
        return tuple(features_shape[:-1])

    def compute_output_spec(
        self, features: Any, targets: Any = None, features_mask: Any = None
    ) -> Any:
        self._check(features.shape, targets)
        shape = self.compute_output_shape(features.shape, getattr(targets, "shape", None))
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def _check(self, features_shape: Any, targets: Any) -> None:
        if targets is None:
            return
        features_shape, shape = tuple(features_shape), tuple(targets.shape)
        if len(shape) != len(features_shape) - 1 or any(
            None not in sizes and sizes[0] != sizes[1]
            for sizes in zip(shape, features_shape, strict=False)
        ):
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: targets of shape {shape} do not fit features of "
                f"shape {features_shape}; expected {features_shape[:-1]}."
            )
        dtype = keras.backend.standardize_dtype(targets.dtype)
        if self.n_classes - 1 > WHOLE_UP_TO.get(dtype, math.inf):
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: {dtype} holds whole numbers up to "
                f"{WHOLE_UP_TO[dtype]} only, too few for the targets of n_classes="
                f"{self.n_classes}; give them as integers."
            )

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

    def compute_output_spec(self, inputs: Any) -> Any:
        traced = keras.Operation.compute_output_spec(self, inputs)  # GLU changes the shape
        return keras.KerasTensor(traced.shape, dtype=self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        inputs = keras.KerasTensor(input_shape, dtype=self.compute_dtype)
        return self.compute_output_spec(inputs).shape

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

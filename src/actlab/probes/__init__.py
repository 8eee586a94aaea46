"""What happens inside a network: dead and dormant units, moments, saturation, gradients, Jacobian.

Everything works on N networks at once: activations have shape (networks, samples, units), one
tensor per layer, and results have one row per network. A plain ``nn.Module`` is one network:
:func:`record` and :func:`layer_stats` bring its activations into this shape, and count every
position of a convolution's output as a sample and every channel as a unit.

The functions that need unit by unit statistics take either the activations themselves or a
:class:`LayerStats`, gathered batch by batch with :class:`ActivationStats`, so that a data set
larger than memory gives the same answer. A network whose activations hold a NaN gets NaN as its
share, score and moments: it has diverged, and is neither dead nor alive.

:func:`checkup` looks at any PyTorch or Keras model and says what is wrong. The same numbers after
every epoch of a Keras training come from :mod:`actlab.probes.callbacks`.
"""

from actlab.probes.report import Checkup, checkup
from actlab.probes.statistics import (
    ActivationStats,
    Fates,
    GradientNorms,
    LayerStats,
    Moments,
    dead_share,
    dead_units,
    dormant_scores,
    dormant_units,
    fates,
    gradient_norms,
    moments,
    saturation_share,
    update_ratios,
)
from actlab.probes.torch import (
    ACTIVATIONS,
    input_output_jacobian,
    jacobian_singular_values,
    layer_stats,
    record,
)

__all__ = [
    "ACTIVATIONS",
    "ActivationStats",
    "Checkup",
    "Fates",
    "GradientNorms",
    "LayerStats",
    "Moments",
    "checkup",
    "dead_share",
    "dead_units",
    "dormant_scores",
    "dormant_units",
    "fates",
    "gradient_norms",
    "input_output_jacobian",
    "jacobian_singular_values",
    "layer_stats",
    "moments",
    "record",
    "saturation_share",
    "update_ratios",
]

"""The probes as Keras callbacks; they live in :mod:`actlab.probes.callbacks`."""

from actlab.probes.callbacks import DeadUnits, GradientNorms, LayerMoments

__all__ = ["DeadUnits", "GradientNorms", "LayerMoments"]

"""An old address: that chapter became two, and notebooks copied from it still ask here."""

from actlab.exercises.elu import check_safe_elu
from actlab.exercises.selu import check_he_constants, check_self_normalising

__all__ = ["check_he_constants", "check_safe_elu", "check_self_normalising"]

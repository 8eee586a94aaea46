"""Checkers that tell a learner what is wrong, not only that it is; one module per chapter."""

from actlab.exercises.feedback import Feedback

__all__ = ["Feedback"]

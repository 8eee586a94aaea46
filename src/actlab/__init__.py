"""Helpers of the course "Activation Functions in Keras and PyTorch"."""

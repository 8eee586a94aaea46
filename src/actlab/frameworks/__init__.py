"""The real thing: every activation as PyTorch and Keras compute it, and where they disagree.

- :mod:`actlab.frameworks.torch` and :mod:`actlab.frameworks.keras` build a record's function from
  the framework (or from the course's recipe) and return its values and gradients as NumPy arrays.
- :mod:`actlab.frameworks.parity` compares both with the float64 reference; what differs is data,
  in ``differences.json``.
- :mod:`actlab.frameworks.pages` turns that data into the page "Where Keras and PyTorch disagree".

Neither framework is imported before it is used.
"""

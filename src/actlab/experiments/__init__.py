"""How each question is measured: one module per question, each with its studies."""


def root_seeds(root: int, count: int = 20) -> range:
    """The seeds of one root seed; different roots share none."""
    return range(1000 * root, 1000 * root + count)

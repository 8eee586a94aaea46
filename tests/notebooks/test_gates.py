"""The gates over every committed chapter."""

import pytest

from . import gates


@pytest.mark.parametrize("path", sorted(gates.FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_chapter(path):
    problems = gates.check(gates.read(path))
    assert not problems, "\n" + "\n".join(problems)


def test_every_chapter_has_its_twin():
    assert list(gates.FOLDER.glob("*.ipynb")), "there is no chapter at all"
    assert gates.unpaired() == []

"""Code whose lines can be told apart, so that a phone can wrap them and keep their indentation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pygments.formatters import HtmlFormatter

_TAG = re.compile(r"<[^>]*>")


class Lines(HtmlFormatter):
    """Every line is an element that knows how far it is indented, in ``--indent``."""

    def _format_lines(self, tokensource: Iterator[tuple[object, str]]) -> Iterator[tuple[int, str]]:
        for kind, line in super()._format_lines(tokensource):
            text = _TAG.sub("", line).rstrip("\n")
            indent = len(text) - len(text.lstrip(" "))
            yield kind, f'<span class="line" style="--indent: {indent}">{line}</span>'

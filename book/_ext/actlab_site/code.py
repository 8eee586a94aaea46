"""Code whose lines can be told apart, so that a phone can wrap them and keep their indentation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pygments.formatters import HtmlFormatter

_TAG = re.compile(r"<[^>]*>")
# Where a line may be broken: before a dot, after an opening bracket.
_DOT = re.compile(r'(<span class="o">\.</span>)')
_OPENING = re.compile(r'(<span class="p">[^<]*[(\[{]</span>)')


class Lines(HtmlFormatter):
    """Every line is an element that knows how far it is indented, in ``--indent``.

    It may be broken at dots and brackets, where it is allowed to break at all.
    """

    def _format_lines(self, tokensource: Iterator[tuple[object, str]]) -> Iterator[tuple[int, str]]:
        for kind, line in super()._format_lines(tokensource):
            text = _TAG.sub("", line).rstrip("\n")
            indent = len(text) - len(text.lstrip(" "))
            broken = _OPENING.sub(r"\1<wbr>", _DOT.sub(r"<wbr>\1", line))
            yield kind, f'<span class="line" style="--indent: {indent}">{broken}</span>'

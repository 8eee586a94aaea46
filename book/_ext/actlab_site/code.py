"""Code whose lines can be told apart, so that a phone can wrap them and keep their indentation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pygments.formatters import HtmlFormatter

_TAG = re.compile(r"<[^>]*>")
# Where a line may be broken: before a dot, after an opening bracket. A dot needs no colour.
_DOT = '<span class="o">.</span>'
_OPENING = re.compile(r'(<span class="p">[^<]*[(\[{]</span>)')
PLAIN = ("n", "nn", "nx", "p", "w")
"""Names, brackets and spaces: both styles draw them like text, and a third of a page was theirs."""
_PLAIN = re.compile(rf'<span class="(?:{"|".join(PLAIN)})">([^<]*)</span>')


class Lines(HtmlFormatter):
    """Every line is an element that knows how far it is indented, in ``--indent``.

    It may be broken at dots and brackets, where it is allowed to break at all. What has no colour
    of its own is no element of its own.
    """

    def _format_lines(self, tokensource: Iterator[tuple[object, str]]) -> Iterator[tuple[int, str]]:
        for kind, line in super()._format_lines(tokensource):
            text = _TAG.sub("", line).rstrip("\n")
            indent = len(text) - len(text.lstrip(" "))
            broken = _OPENING.sub(r"\1<wbr>", line.replace(_DOT, "<wbr>."))
            plain = _PLAIN.sub(r"\1", broken)
            yield kind, f'<span class="line" style="--indent: {indent}">{plain}</span>'

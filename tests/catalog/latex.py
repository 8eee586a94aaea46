"""A record's LaTeX, computed as it is written: by a small recursive descent over its tokens.

Only what the catalog's formulas use is understood; anything else raises ``UnreadableError``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[A-Za-z]|\S")
SPACE = {r"\,", r"\ ", r"\left", r"\right", r"\quad"}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    r"\tanh": np.tanh,
    r"\log": np.log,
    r"\Phi": special.ndtr,
    r"\sigma": special.expit,
    "erf": special.erf,
    "sign": np.sign,
    "softmax": lambda x: special.softmax(x, axis=-1),
}
EXTREMES = {r"\max": np.maximum, r"\min": np.minimum}
COMPARISONS = {"<": np.less, ">": np.greater, r"\le": np.less_equal, r"\ge": np.greater_equal}


class UnreadableError(ValueError):
    """The formula has something that this reader does not know."""


def value(formula: str, symbols: Mapping[str, Any]) -> list[Any]:
    """Each side of an equation, or the one formula, with these values for the symbols.

    What follows ``\\quad`` is read by :func:`definitions`.
    """
    reader = Reader(formula.split(r", \quad", maxsplit=1)[0], dict(symbols))
    sides = [reader.sum()]
    while reader.take("="):
        sides.append(reader.sum())
    if reader.next is not None:
        raise UnreadableError(f"{reader.next!r} in {formula}")
    return sides


def definitions(formula: str, symbols: Mapping[str, Any]) -> dict[str, Any]:
    """Symbols that the formula defines behind ``\\quad``: ``m = -1``, ``a = \\tfrac{l + u}{2}``."""
    rest = formula.partition(r", \quad")[2]
    found = {}
    pattern = r"(\\?[A-Za-z]+) (?:=|\\approx) (-?[\d.]+\b|\\tfrac\{[^}]*\}\{[^}]*\})"
    for name, text in re.findall(pattern, rest):
        found[name] = Reader(text, dict(symbols)).sum()
    return found


class Reader:
    """Reads and computes in one pass."""

    def __init__(self, text: str, symbols: dict[str, Any]) -> None:
        self.tokens = [token for token in TOKEN.findall(text) if token not in SPACE]
        self.symbols = symbols
        self.bars = 0

    @property
    def next(self) -> str | None:
        return self.tokens[0] if self.tokens else None

    def take(self, *wanted: str) -> str | None:
        return self.tokens.pop(0) if self.next in wanted else None

    def need(self, wanted: str) -> None:
        if self.take(wanted) is None:
            raise UnreadableError(f"{self.next!r} instead of {wanted!r}")

    def sum(self) -> Any:
        total = self.product()
        while sign := self.take("+", "-"):
            term = self.product()
            total = total + term if sign == "+" else total - term
        return total

    def product(self) -> Any:
        total = self.factor()
        while self.next is not None:
            if self.take("/"):
                total = total / self.factor()
            elif self.take(r"\odot"):
                total = total * self.factor()
            elif self.starts():
                factor = self.factor()
                both = np.ndim(total) == np.ndim(factor) == 2 and "Q" in self.symbols
                total = total @ factor if both else total * factor
            else:
                break
        return total

    def starts(self) -> bool:
        token = self.next or ""
        if token == "|":
            return self.bars == 0
        known = {"(", r"\frac", r"\tfrac", r"\sqrt", r"\sum", r"\operatorname", r"\begin"}
        name = token in self.symbols or token in FUNCTIONS or token in EXTREMES
        return name or token in known or token == "e" or token[0].isdigit()

    def factor(self) -> Any:
        if self.take("-"):
            return -self.factor()
        base = self.atom()
        if self.take("^"):
            if self.take(r"\top"):
                return np.swapaxes(base, -1, -2)
            base = base ** self.group()
        return base

    def group(self) -> Any:
        """What stands in braces, or the one symbol there is."""
        if self.take("{"):
            inside = self.sum()
            self.need("}")
            return inside
        return self.atom()

    def atom(self) -> Any:
        token = self.tokens.pop(0) if self.tokens else None
        if token is None:
            raise UnreadableError("the formula ends too early")
        if token == r"\operatorname":
            self.need("{")
            token = ""
            while not self.take("}"):
                token += self.tokens.pop(0)
        if token in FUNCTIONS and token not in self.symbols:
            return FUNCTIONS[token](self.factor())
        if token in EXTREMES:
            self.need("(")
            result = self.sum()
            while self.take(","):
                result = EXTREMES[token](result, self.sum())
            self.need(")")
            return result
        if token in (r"\frac", r"\tfrac"):
            above = self.group()
            return above / self.group()
        if token == r"\sqrt":
            return np.sqrt(self.group())
        if token == r"\sum":
            return self.total()
        if token == r"\begin":
            return self.cases()
        if token == "(":
            inside = self.sum()
            self.need(")")
            return inside
        if token == "|":
            self.bars += 1
            inside = self.sum()
            self.need("|")
            self.bars -= 1
            return np.abs(inside)
        return self.symbol(token)

    def symbol(self, token: str) -> Any:
        if token[0].isdigit():
            return float(token)
        if token in self.symbols:
            found = self.symbols[token]
            return found[self.indices()] if self.take("_") else found
        constants = {"e": np.e, r"\pi": np.pi}
        if token in constants:
            return constants[token]
        raise UnreadableError(f"the symbol {token!r}")

    def indices(self) -> tuple[int, ...]:
        if not self.take("{"):
            return (self.symbols[self.tokens.pop(0)],)
        found = []
        while not self.take("}"):
            found.append(self.symbols[self.tokens.pop(0)])
            self.take(",")
        return tuple(found)

    def total(self) -> Any:
        """``\\sum_j …`` over the first axis of x."""
        self.need("_")
        index = self.tokens.pop(0)
        start = list(self.tokens)
        result = 0.0
        for at in range(len(self.symbols["x"])):
            self.tokens = list(start)
            self.symbols[index] = at
            result = result + self.product()
        del self.symbols[index]
        return result

    def cases(self) -> Any:
        for token in "{cases}":
            self.need(token)
        values, conditions = [], []
        while not self.take(r"\end"):
            values.append(self.sum())
            self.need("&")
            conditions.append(self.condition())
            self.take(r"\\")
        for token in "{cases}":
            self.need(token)
        x = self.symbols["x"]
        if not (np.sum(conditions, axis=0) == 1).all():
            raise UnreadableError("the cases overlap or leave something out")
        return np.select(conditions, [np.broadcast_to(v, x.shape) for v in values])

    def condition(self) -> Any:
        left, met = self.sum(), True
        while comparison := self.take(*COMPARISONS):
            right = self.sum()
            met = COMPARISONS[comparison](left, right) & met
            left = right
        return met

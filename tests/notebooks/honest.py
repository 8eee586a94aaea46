"""What the code of a chapter may not do: hide what happens, or show what it did not compute.

Every function takes the parsed code cells of one notebook and yields (cell, what is wrong).
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

# Calls that keep something from being seen. Warnings may be recorded and shown.
_HIDES = {
    "suppress": "lets an error pass unseen",
    "capture_output": "keeps the output to itself",
    "redirect_stdout": "keeps the output to itself",
    "redirect_stderr": "keeps complaints to itself",
    "clear_output": "removes what was printed",
    "simplefilter('ignore')": "keeps warnings from being seen",
    "filterwarnings('ignore')": "keeps warnings from being seen",
}
_CATCH_ALL = {"Exception", "BaseException"}
_SHOWS = {"print", "display", "Markdown", "HTML", "display_markdown", "display_html", "reveal"}
_VERDICT = re.compile(r"\*\*\s*(?:Verdict|Claim)\b(?!\*\*)|\b(?:box-)?verdict-\w+")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")
_RESULT = re.compile(r"(?<![\w.])\d+\.\d+|(?<![\w.])\d+(?=\s?(?:%|per cent|points?\b))")


@dataclass(frozen=True)
class Code:
    """One code cell: words that say which, and its syntax tree."""

    where: str
    tree: ast.Module


def parse(cells: Sequence[tuple[str, Any]]) -> list[Code]:
    """The code cells as trees. Raises ``SyntaxError`` where a cell is no Python."""
    transform = TransformerManager().transform_cell
    return [Code(where, ast.parse(transform(cell.source))) for where, cell in cells]


Problems = Iterator[tuple[str, str]]


def hidden(codes: Sequence[Code]) -> Problems:
    """Calls that hide, and exceptions that nobody hears of."""
    for code in codes:
        for node in ast.walk(code.tree):
            if isinstance(node, ast.Call):
                name = _name(node.func)
                for call in (name, f"{name}({_text(node.args[0]) if node.args else ''!r})"):
                    if call in _HIDES:
                        yield code.where, f"{call} {_HIDES[call]}; show it"
            elif isinstance(node, ast.ExceptHandler):
                if not any(map(_does_something, node.body)):
                    yield code.where, "an exception is caught and nothing said; print what it is"
                elif _catches_all(node) and not _tells(node):
                    yield code.where, "every exception is caught and not shown; name the one meant"


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _does_something(node: ast.stmt) -> bool:
    empty = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return not empty and not isinstance(node, ast.Pass | ast.Continue | ast.Break)


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or _name(kind) in _CATCH_ALL for kind in kinds)


def _tells(handler: ast.ExceptHandler) -> bool:
    nodes = [node for statement in handler.body for node in ast.walk(statement)]
    return any(
        isinstance(node, ast.Raise) or (handler.name and getattr(node, "id", "") == handler.name)
        for node in nodes
    )


def dead(codes: Sequence[Code]) -> Problems:
    """Branches that never run, conditions that cannot turn out otherwise."""
    fixed = _fixed(codes)
    for code in codes:
        for node in ast.walk(code.tree):
            if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
                known = _truth(node.test, fixed)
                endless = isinstance(node, ast.While) and known is True  # it ends by `break`
                if known is not None and not endless:
                    test = ast.unparse(node.test)
                    yield code.where, f"the condition {test} never changes; remove what is dead"
            elif isinstance(node, ast.For) and ast.unparse(node.iter) in ("[]", "()", "range(0)"):
                yield code.where, f"the loop over {ast.unparse(node.iter)} never runs; remove it"
            for block in ("body", "orelse", "finalbody"):
                statements = getattr(node, block, [])
                for statement in statements[:-1] if isinstance(statements, list) else ():
                    if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
                        yield code.where, "code follows what leaves the block; remove it"


def _fixed(codes: Sequence[Code]) -> dict[str, Any]:
    """Names that are bound once in the notebook, to a literal number, truth value or None."""
    bound: Counter[str] = Counter()
    values = {}
    for code in codes:
        for node in ast.walk(code.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound[node.id] += 1
            elif isinstance(node, ast.arg):
                bound[node.arg] += 1
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                literal = _literal(node.value)
                if literal is not _UNKNOWN and not isinstance(literal, str):
                    values[node.targets[0].id] = literal
    return {name: value for name, value in values.items() if bound[name] == 1}


_UNKNOWN = object()


def _literal(node: ast.expr) -> Any:
    """The value of an expression without names, or ``_UNKNOWN``."""
    if any(isinstance(part, ast.Name | ast.Call | ast.Lambda) for part in ast.walk(node)):
        return _UNKNOWN
    try:
        return eval(compile(ast.Expression(node), "cell", "eval"), {"__builtins__": {}})
    except Exception:  # 1 / 0, say, is no constant
        return _UNKNOWN


def _truth(node: ast.expr, fixed: dict[str, Any]) -> bool | None:
    """True or False where a condition always is, None where it depends on something."""
    if isinstance(node, ast.Name):
        return bool(fixed[node.id]) if node.id in fixed else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        known = _truth(node.operand, fixed)
        return None if known is None else not known
    if isinstance(node, ast.BoolOp):
        decisive = isinstance(node.op, ast.Or)
        parts = [_truth(part, fixed) for part in node.values]
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    literal = _literal(node)
    return None if literal is _UNKNOWN else bool(literal)


def typed(codes: Sequence[Code]) -> Problems:
    """Numbers that are shown and were typed, not computed."""
    fixed = _fixed(codes)
    shown: Counter[str] = Counter()  # loads of a name in what is shown, and anywhere
    used: Counter[str] = Counter()
    places: dict[str, str] = {}
    for code in codes:
        pieces = list(_shown(code.tree))
        inside = {id(node) for piece in pieces for node in ast.walk(piece)}
        numbers = {
            float(node.value)
            for node in ast.walk(code.tree)
            if id(node) not in inside and isinstance(node, ast.Constant) and _is_number(node.value)
        }
        for piece in pieces:
            for number in _typed_numbers(piece):
                if float(number.replace(",", "")) not in numbers:
                    yield code.where, f"{number} is shown but not computed; print what was measured"
        for node in ast.walk(code.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in fixed:
                used[node.id] += 1
                shown[node.id] += id(node) in inside
                places.setdefault(node.id, code.where)
    for name, times in used.items():
        if times == shown[name] and _is_number(fixed[name]):
            yield places[name], f"{name} = {fixed[name]} is only shown; print what was measured"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(tree: ast.Module) -> Iterator[ast.expr]:
    """The expressions whose values a reader sees."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _SHOWS:
            yield from node.args
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call):
        yield last.value


def _typed_numbers(node: ast.expr) -> Iterator[str]:
    """Numbers in a shown expression: all of a literal's, the results in a text with gaps."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    values = [part.value if isinstance(part, ast.FormattedValue) else part for part in parts]
    computed = any(_literal(value) is _UNKNOWN for value in values)
    for value in values:
        if _literal(value) is not _UNKNOWN:
            text = value is not node and isinstance(value, ast.Constant) and computed
            for constant in ast.walk(value):
                if isinstance(constant, ast.Constant):
                    yield from (_RESULT if text else _NUMBER).findall(str(constant.value))
        elif isinstance(value, ast.List | ast.Tuple | ast.Set | ast.Dict):
            for part in value.values if isinstance(value, ast.Dict) else value.elts:
                yield from _typed_numbers(part)
        elif isinstance(value, ast.BinOp) and isinstance(value.left, ast.Constant):
            yield from _RESULT.findall(str(value.left.value))  # "… 95.2 %% of %s" % name


def decided_by_hand(codes: Sequence[Code]) -> Problems:
    """Code that writes a verdict instead of asking the ledger."""
    for code in codes:
        for node in ast.walk(code.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if _VERDICT.search(node.value):
                    yield code.where, "a verdict is written by hand; let claims.trial print it"
            elif isinstance(node, ast.Call) and _name(node.func) == "Finding":
                yield code.where, "a finding is made by hand; let claims.trial print it"
            elif isinstance(node, ast.Call) and _name(node.func) == "reveal":
                for keyword in node.keywords:
                    if keyword.arg == "choice" and isinstance(keyword.value, ast.Constant):
                        yield code.where, "the choice is typed; let predict.pick find it"

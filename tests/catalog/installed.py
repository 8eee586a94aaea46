"""What the installed libraries offer: their public names, and what an object takes.

Asked of whichever versions are running; only the frameworks are imported.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from typing import Any

from actlab import catalog
from actlab.catalog import REQUIRED

# Not part of a record's arguments: the input, the device and type of the weights, the layer's name.
LEFT_OUT = {"self", "dtype", "device", "name"}
INPUTS = {"input", "x", "query", "logits"}


def placed(module: str) -> set[str]:
    """The names of a module that some record says it lives at, now."""
    paths = (p.path for r in catalog.records() for p in r.places if p.when == "now")
    return {path.rsplit(".", 1)[1] for path in paths if path.rsplit(".", 1)[0] == module}


def public(module: str) -> set[str]:
    """The public callables of a module."""
    home = importlib.import_module(module)
    return {n for n in dir(home) if not n.startswith("_") and callable(getattr(home, n))}


def real(path: str) -> Any:
    home, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(home), name)


def documented(function: Any) -> dict[str, Any]:
    """The signature of a built-in, which only its documentation states."""
    text = " ".join(function.__doc__.split())
    head = re.match(r"\w+\((.*?)\) -> Tensor", text)
    assert head, f"the documentation of {function} does not begin with its signature"
    arguments = ast.parse(f"def f({head[1]}): pass").body[0].args
    names = [a.arg for a in arguments.args]
    values = [eval(ast.unparse(d), {}) for d in arguments.defaults]  # 1./8 is no literal
    return dict(zip(names, [REQUIRED] * (len(names) - len(values)) + values, strict=True))


def actual_arguments(path: str) -> dict[str, Any]:
    """What the installed object takes, in order, less what records leave out."""
    thing = real(path)
    target = thing.__init__ if inspect.isclass(thing) else thing
    try:
        parameters = inspect.signature(target).parameters.values()
        found = {
            p.name: REQUIRED if p.default is p.empty else p.default
            for p in parameters
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        }
    except ValueError:
        found = documented(thing)
    if not inspect.isclass(thing):
        assert next(iter(found)) in INPUTS
        del found[next(iter(found))]
    return {k: v for k, v in found.items() if k not in LEFT_OUT and not k.startswith("_")}

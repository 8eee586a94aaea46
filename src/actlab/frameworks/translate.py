"""One line of code, old or of the other framework, in today's PyTorch and in today's Keras."""

from __future__ import annotations

import ast
import functools
import importlib
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actlab import catalog, inputs
from actlab.catalog import REQUIRED, Activation, ParameterError, Place
from actlab.frameworks.binding import TITLES, arguments

THEN = {"torch": "PyTorch 1.7", "keras": "Keras 2.4"}
# Arguments of an object that say nothing about its function.
ASIDE = ("inplace", "dim", "axis")
# What every layer takes, and what is for its weights alone.
ANY_LAYER = ("name", "dtype", "device", "trainable", "input_shape", "batch_input_shape")
WEIGHTS_ONLY = ("_regularizer", "_constraint", "shared_axes", "num_parameters", "eps")
FIXED_STARTS = {"zeros": 0.0, "zero": 0.0, "ones": 1.0, "one": 1.0}
# Keras writes the name of a function as a string, and wraps it in these.
WRAPPERS = ("Activation", "get")
SUMS: dict[type, Callable[..., Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
NUMBERS = {"inf": math.inf, "pi": math.pi, "e": math.e}
# Written out, because no record and nothing in PyTorch has all three of Keras's arguments.
BENT = "torch.where(x < {threshold}, {negative_slope} * (x - {threshold}), {top})"
# Where a framework has the function but not its parameters: the same by its own means.
BY_HAND = {
    ("softplus", "keras"): "keras.activations.softplus({beta} * x) / {beta}",
    ("hard_tanh", "keras"): "keras.ops.clip(x, {min_val}, {max_val})",
    ("hard_sigmoid", "keras"): "keras.ops.clip(x / {limit} / 2 + 0.5, 0, 1)",
    ("hard_sigmoid", "torch"): "torch.clamp(x / {limit} / 2 + 0.5, 0, 1)",
    ("softmax2d", "keras"): "keras.activations.softmax(x, axis=-3)",
}


class TranslationError(ValueError):
    """The line can not be read as an activation; the message says what was expected."""


@dataclass(frozen=True)
class Translation:
    """What a line computes, and how it is written today.

    ``lines``: "PyTorch" and "Keras" → one line, or "" where the framework has no such thing, and
    then a note says what to do. ``x`` stands for the input. ``record`` is ``None`` where no record
    of the catalog has all the arguments at once. ``notes``: what changes with the move.
    """

    source: str
    record: Activation | None
    parameters: Mapping[str, Any]
    lines: Mapping[str, str]
    notes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        title = self.record.title if self.record else self.source
        with_ = ", ".join(f"{name} = {value!r}" for name, value in self.parameters.items())
        width = max(map(len, self.lines))
        rows = [f"{title}{' with ' + with_ if with_ else ''}"]
        rows += [f"{name:{width}}  {line or '—'}" for name, line in self.lines.items()]
        return "\n".join([*rows, *(f"- {note}" for note in self.notes)])


def translate(line: str, when: str | None = None) -> Translation:
    """What ``line`` computes, written for today's PyTorch and for today's Keras.

    ``line``: the code of one activation, of either framework, of today or of Keras 2.4 and
    PyTorch 1.7: ``"keras.layers.LeakyReLU(alpha=0.3)"``, ``"F.gelu(x, approximate='tanh')"``,
    ``'activation="swish"'``, ``"nn.Softmax()"``. Arguments are numbers, strings or ``None``
    written out; nothing is run. ``when``: "then" or "now", where the same line meant something
    else then; without it, ``tf.keras`` lines are read as old, all others as today's.

    Raises :class:`TranslationError` for what is no such line,
    :class:`~actlab.catalog.UnknownActivationError` for a name that nobody has, and
    :class:`~actlab.catalog.ParameterError` for arguments that the object does not take.
    """
    if not isinstance(line, str):
        raise TypeError(f"expected a line of code as a string, got {type(line).__name__}.")
    if when is not None:
        inputs.choice(when, "when", ("now", "then"))
    call = _read(line)
    places = _places(call.name)
    if not places:
        return _of_a_name(line, call)
    order = when or ("then" if call.name.startswith(("tf.", "tensorflow.")) else "now")
    meanings = [m for record, place in places if (m := _meaning(record, place, call))]
    if not meanings:
        return _bent(line, call, places)
    meanings.sort(key=lambda m: m.place.when != order)
    chosen = meanings[0]
    if chosen.record.kind == "layer":
        return _layer(line, chosen, call)
    return _written(line, chosen, meanings, call)


# --- Reading --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Call:
    """A dotted name and its arguments; ``input`` that the first one was the tensor."""

    name: str
    given: Sequence[Any] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Name:
    """A value that the line does not spell out."""

    text: str


def _read(line: str) -> _Call:
    text = line.strip().rstrip(",;")
    for attempt in (text, f"f({text})"):
        try:
            body = ast.parse(attempt).body
        except (SyntaxError, ValueError):
            continue
        if text and len(body) == 1 and isinstance(body[0], ast.Expr | ast.Assign):
            return _call(body[0].value)  # activation = "relu" says the same as "relu"
    if text.replace(" ", "").replace("-", "").isidentifier():  # leaky relu
        return _Call(text)
    raise TranslationError(
        f"{line!r} is not one line of Python; expected an activation such as "
        "keras.layers.LeakyReLU(alpha=0.3), F.relu(x) or activation='swish'."
    )


def _call(node: ast.expr) -> _Call:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _Call(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        return _Call(ast.unparse(node))
    if not isinstance(node, ast.Call):
        raise TranslationError(
            f"{ast.unparse(node)!r} calls nothing; expected the name of an activation or a call "
            "of one."
        )
    if isinstance(node.func, ast.Call):  # nn.ReLU()(x)
        return _call(node.func)
    name = ast.unparse(node.func)
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    if None in named:
        raise TranslationError(f"**{ast.unparse(named[None])} can not be read: write it out.")
    last = name.rpartition(".")[2]
    if last in WRAPPERS and (inner := [*node.args[:1], *named.values()][:1]):
        return _call(inner[0])
    if "activation" in named and not _places(name):
        found = _call(named["activation"])
        rest = () if name == "f" else (f"Of {name} only the activation is translated.",)
        return _Call(found.name, found.given, found.named, (*found.notes, *rest))
    return _Call(
        name,
        [_value(argument) for argument in node.args],
        {str(key): _value(value) for key, value in named.items()},
    )


def _value(node: ast.expr) -> Any:
    """What an argument is; a :class:`_Name` where the line does not spell it out."""
    unknown = _Name(ast.unparse(node))
    try:
        return ast.literal_eval(node)
    except (ValueError, SyntaxError):
        pass
    if isinstance(node, ast.Attribute):  # math.inf, np.pi
        return NUMBERS.get(node.attr, unknown)
    if isinstance(node, ast.Call):
        made = _made(node)
        return unknown if made is None else made
    terms: list[Any] = []
    if isinstance(node, ast.UnaryOp):
        terms = [_value(node.operand)]
    elif isinstance(node, ast.BinOp):
        terms = [_value(node.left), _value(node.right)]
    try:
        return SUMS[type(node.op)](*terms) if all(map(inputs.is_real, terms)) else unknown  # type: ignore[attr-defined]
    except (ArithmeticError, AttributeError, KeyError):
        return unknown


def _made(node: ast.Call) -> Any:
    """The number in float("inf"), torch.tensor([0.25]), initializers.Constant(0.25), Zeros()."""
    last = ast.unparse(node.func).rpartition(".")[2].lower()
    inner = [_value(argument) for argument in [*node.args, *(k.value for k in node.keywords)]]
    if last in FIXED_STARTS and not inner:
        return FIXED_STARTS[last]
    one = inner[0] if inner else None
    if last == "float" and isinstance(one, str):
        return float(one)
    if last == "tensor" and isinstance(one, list) and len(one) == 1:
        one = one[0]
    return one if last in ("constant", "tensor", "float") and inputs.is_real(one) else None


# --- Understanding --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Meaning:
    """A line understood: this record at this place with these parameters."""

    record: Activation
    place: Place
    parameters: Mapping[str, Any]
    aside: Mapping[str, Any]
    left_out: tuple[str, ...]
    given: frozenset[str]  # the parameters that the line itself sets


def _places(name: str) -> list[tuple[Activation, Place]]:
    found = catalog.places(name)
    base, dot, last = name.rpartition(".")
    if not found and dot and base.isidentifier():  # x.relu(): a method of some tensor
        found = [(r, p) for r, p in catalog.places(f"torch.Tensor.{last}") if not p.is_class]
    return found


def _names(record: Activation, parameter: str) -> set[str]:
    """Whatever any place of the record calls the parameter."""
    return {parameter} | {p.names.get(parameter, parameter) for p in record.places}


def _bound(record: Activation, place: Place, call: _Call) -> dict[str, Any] | None:
    """Argument of the place → value, or ``None`` where the place can not be called so."""
    given = list(call.given)
    if not place.is_class and given and (isinstance(given[0], _Name) or len(given) > 1):
        given = given[1:]  # the tensor
    named = {k: v for k, v in call.named.items() if k not in ("input", "x", "features", "logits")}
    if len(given) > len(place.arguments):
        return None
    bound = dict(zip(place.arguments, given, strict=False))
    for name, value in named.items():
        target = name
        if name not in place.arguments and name not in ANY_LAYER:
            known = [p.name for p in record.parameters if name in _names(record, p.name)]
            target = place.names.get(known[0], known[0]) if known else name
            if target not in place.arguments or not _of_tensorflow(call, place):
                return None
        if target in bound:
            return None
        bound[target] = value
    return bound


def _of_tensorflow(call: _Call, place: Place) -> bool:
    """Whether the line names the object by a path of which the place is only a relative.

    TensorFlow's own functions (``tf.nn.leaky_relu(x, alpha=0.2)``) take other names than Keras's.
    """
    return call.name.startswith(("tf.nn.", "tf.math.", "tensorflow.nn.")) and not place.is_class


def _meaning(record: Activation, place: Place, call: _Call) -> _Meaning | None:
    bound = _bound(record, place, call)
    if bound is None:
        return None
    of = {place.names.get(p.name, p.name): p.name for p in record.parameters}
    parameters: dict[str, Any] = dict(place.settings)
    aside: dict[str, Any] = {}
    left_out = [name for name in bound if name in ANY_LAYER]
    kept = {name for p in record.places for name in p.keeps}
    for name, default in place.arguments.items():
        value = bound.get(name, default)
        if isinstance(value, _Name):
            raise ParameterError(
                f"{name}={value.text} is not written out in the line: put its value there, as in "
                f"{call.name}({name}={1.0 if default is REQUIRED else default!r})."
            )
        if name in place.fixed:
            if value != place.fixed[name]:
                return None
        elif name in of and record.kind != "layer":
            if value is REQUIRED:
                return None
            if name in bound or of[name] not in kept:
                parameters[of[name]] = _start(value) if name.endswith("_initializer") else value
        elif name in ASIDE:
            aside[name] = value
        elif name in bound and value != default:
            if record.kind != "layer" and not name.endswith(WEIGHTS_ONLY):
                return None  # it bends the curve, and this record does not know it
            left_out.append(name)
    if record.kind != "layer":
        record.resolve(parameters)  # raises for a value outside the domain
    given = frozenset(of[name] for name in bound if name in of)
    return _Meaning(record, place, parameters, aside, tuple(left_out), given)


def _start(value: Any) -> Any:
    return FIXED_STARTS.get(value.lower(), value) if isinstance(value, str) else value


# --- Writing --------------------------------------------------------------------------------------


def _written(line: str, chosen: _Meaning, meanings: Sequence[_Meaning], call: _Call) -> Translation:
    record, parameters = chosen.record, chosen.parameters
    notes = [*call.notes, *_changes(chosen, meanings)]
    lines = {}
    for framework, title in TITLES.items():
        place, why = _target(record, framework, parameters, chosen)
        if place is None:
            lines[title], note = _recipe(record, framework, parameters, chosen, why)
        else:
            passed = arguments(record, place, parameters)
            lines[title] = _line(place, passed, chosen)
            note = _defaults(record, place, chosen)
        notes += [note] if note else []
        if place and place.note and place.path != chosen.place.path.removeprefix("tf."):
            notes.append(f"{place.path}: {place.note}")
    if chosen.left_out:
        notes.append(f"Not translated: {', '.join(chosen.left_out)}.")
    shown = {k: v for k, v in parameters.items() if v is not None}
    return Translation(line, record, shown, lines, (*dict.fromkeys(notes), *_apart(record)))


def _target(
    record: Activation, framework: str, parameters: Mapping[str, Any], like: _Meaning
) -> tuple[Place | None, str]:
    """Where today's framework has it: a layer for a layer, a function for a function, if it can."""
    places = [place for place in record.where(framework) if not place.in_place]
    places.sort(key=lambda place: place.is_class != like.place.is_class)
    places.sort(key=lambda place: place.path != like.place.path.removeprefix("tf."))
    why = ""
    for place in places:
        try:
            arguments(record, place, parameters)
        except ParameterError as error:
            why = why or str(error)
        else:
            return place, ""
    return None, why


def _line(place: Place, passed: Mapping[str, Any], of: _Meaning) -> str:
    passed = dict(passed)
    for axis in {"dim", "axis"} & place.arguments.keys():
        wanted = [v for k, v in of.aside.items() if k in ("dim", "axis") and v is not None]
        passed[axis] = wanted[0] if wanted else passed[axis]
    if of.aside.get("inplace") and "inplace" in place.arguments:
        passed["inplace"] = True
    said = {place.names.get(name, name) for name in of.given}  # is said again
    options = [
        f"{name}={_literal(name, value)}"
        for name, value in passed.items()
        if name in said or _start(place.arguments[name]) != value
    ]
    return f"{place.path}({', '.join(options if place.is_class else ['x', *options])})"


def _literal(name: str, value: Any) -> str:
    if name == "weight":
        return f"torch.tensor([{value!r}])"
    if isinstance(value, float) and math.isinf(value):
        return f"float({str(value)!r})"
    if name.endswith("_initializer") and inputs.is_real(value):
        return f"keras.initializers.Constant({value!r})"
    return repr(value)


def _recipe(
    record: Activation, framework: str, parameters: Mapping[str, Any], of: _Meaning, why: str
) -> tuple[str, str]:
    """Our own layer or module where the framework has none; else what is lacking."""
    title = TITLES[framework]
    if (record.name, framework) in BY_HAND:
        by_hand = BY_HAND[record.name, framework].format(**record.resolve(parameters))
        return by_hand, f"{title} has no {_in_words(of)}: by its formula."
    try:
        recipes = importlib.import_module(f"actlab.recipes.{framework}").RECIPES
    except ImportError:
        return "", f"{title} has no {record.title}, and is not installed here."
    if record.name not in recipes:
        return "", why or f"{title} has no {record.title}; its formula: {record.formula}"
    own = recipes[record.name]
    options = [f"{k}={v!r}" for k, v in parameters.items() if v != record.defaults[k]]
    made = f"actlab.recipes.{framework}.{own.__name__}({', '.join(options)})"
    return (
        made if of.place.is_class else f"{made}(x)",
        f"{title} has no {record.title}: the line uses this course's recipe.",
    )


# --- What changes ---------------------------------------------------------------------------------


def _changes(chosen: _Meaning, meanings: Sequence[_Meaning]) -> Iterator[str]:
    record, place = chosen.record, chosen.place
    path = place.path.removeprefix("tf.")
    now = [p for p in record.where(place.framework) if p.path == path]
    if place.when == "then":
        if not now:
            yield f"{path} is gone from today's {TITLES[place.framework]}."
        for parameter in record.parameters:
            old = place.names.get(parameter.name, parameter.name)
            new = now[0].names.get(parameter.name, parameter.name) if now else old
            if old != new and old in place.arguments and new in now[0].arguments:
                yield f"The argument {old} is called {new} today."
    others = [m for m in meanings if m.place.when != place.when]
    if others and not any(_same(chosen, other) for other in others):
        then, today = (chosen, others[0]) if place.when == "then" else (others[0], chosen)
        yield (
            f"The same line computed {_in_words(then)} in {THEN[place.framework]} and computes "
            f"{_in_words(today)} today; this is the translation of the one "
            f"{'then' if place.when == 'then' else 'of today'}."
        )
    if chosen.aside.get("dim", 0) is None:
        yield (
            f"Without dim, PyTorch guesses the axis (0 for 0, 1 or 3 dimensions, otherwise 1): "
            f"here it is {record.axis}, the last one; check that it is the one you mean."
        )


def _same(one: _Meaning, other: _Meaning) -> bool:
    return one.record is other.record and all(
        one.parameters.get(name, default) == other.parameters.get(name, default)
        for name, default in one.record.defaults.items()
    )


def _in_words(meaning: _Meaning) -> str:
    odd = [
        f"{name} = {value}"
        for name, value in meaning.parameters.items()
        if value != meaning.record.defaults[name]
    ]
    return meaning.record.title + (f" with {', '.join(odd)}" if odd else "")


def _defaults(record: Activation, place: Place, of: _Meaning) -> str:
    """A default of the target that is another one than the line relied upon."""
    for name, value in of.parameters.items():
        target = place.names.get(name, name)
        own = _start(place.arguments.get(target, REQUIRED))
        if name not in of.given and own is not REQUIRED and own != value:
            return f"{name} is {value!r} by default there; {place.path} would take {own!r}."
    return ""


@functools.cache
def _recorded() -> Sequence[Any]:
    from actlab.frameworks import differences

    return differences.load()


def _apart(record: Activation) -> Iterator[str]:
    """What the two frameworks are known to disagree about, in 32 bits, for ordinary numbers."""
    told = set()
    for one in _recorded():
        kinds = ("kink", "wrong", "refused")
        if one.record == record.name and one.category in kinds and one.title not in told:
            told.add(one.title)
            if one.dtype == "float32" and not one.setting:
                yield f"The frameworks differ: {one.title} ({', '.join(one.places)})."


# --- What no single record covers -----------------------------------------------------------------


def _of_a_name(line: str, call: _Call) -> Translation:
    """A name of the catalog that is no framework's: translated at the record's own defaults."""
    record = catalog.get(call.name)
    if call.given or call.named:
        raise ParameterError(
            f"no framework has an object called {call.name}; the nearest thing is {record.title}: "
            f"{', '.join(p.path for p in record.places if p.when == 'now') or 'in neither'}."
        )
    lines, notes = {}, []
    blank = _Meaning(record, Place("torch.nn.X"), {}, {}, (), frozenset())
    for framework, title in TITLES.items():
        place, why = _target(record, framework, {}, blank)
        if place:
            lines[title] = _line(place, arguments(record, place, {}), blank)
        else:
            lines[title], note = _recipe(record, framework, {}, blank, why)
            notes.append(note)
    return Translation(line, record, {}, lines, (*notes, *_apart(record)))


def _layer(line: str, chosen: _Meaning, call: _Call) -> Translation:
    """A layer with weights: where its kin live; only the two multi-head layers map one to one."""
    record, place = chosen.record, chosen.place
    lines = dict.fromkeys(TITLES.values(), "")
    bound = _bound(record, place, call) or {}
    notes = [*call.notes]
    if record.name == "multi_head_attention" and place.is_class:
        heads, per_head = bound.get("num_heads"), bound.get("key_dim")
        size = bound.get("embed_dim") or (heads or 0) * (per_head or 0)
        if not (heads and size and size % heads == 0):
            raise ParameterError(
                f"{place.path} needs num_heads and "
                f"{'embed_dim' if 'embed_dim' in place.arguments else 'key_dim'}, the features a "
                f"multiple of the heads; got {bound or 'nothing'}."
            )
        same = [f"dropout={bound['dropout']!r}"] if bound.get("dropout") else []
        bias = bound.get("bias", bound.get("use_bias", True))
        torch = [f"embed_dim={size}", f"num_heads={heads}", *same, "batch_first=True"]
        keras = [f"num_heads={heads}", f"key_dim={size // heads}", *same]
        lines = {
            "PyTorch": _written_call(torch, "torch.nn.MultiheadAttention", "bias", bias),
            "Keras": _written_call(keras, "keras.layers.MultiHeadAttention", "use_bias", bias),
        }
        left = bound.keys() - {"num_heads", "embed_dim", "key_dim", "dropout", "bias"}
        left -= {"use_bias", "batch_first"}
        notes += [f"Not translated: {', '.join(sorted(left))}."] if left else []
        notes.append("Call PyTorch's with (query, key, value), Keras's with (query, value, key).")
        if "batch_first" in place.arguments and not bound.get("batch_first", False):
            notes.append("The line has the batch second; both translations have it first.")
    else:
        homes = [p.path for p in record.places if p.when == "now"]
        notes.append(f"It has weights or further inputs; today it is {', '.join(homes)}.")
    notes += [
        f"{p.path}: {p.note}" for p in record.places if p.when == "now" and p.note and p.is_class
    ]
    return Translation(line, record, {}, lines, tuple(dict.fromkeys(notes)))


def _written_call(options: list[str], path: str, switch: str, bias: bool) -> str:
    return f"{path}({', '.join([*options, *([] if bias else [f'{switch}=False'])])})"


def _bent(line: str, call: _Call, places: Sequence[tuple[Activation, Place]]) -> Translation:
    """Keras's ReLU with several arguments at once; for all else the arguments are wrong."""
    alike = [p for _, p in places if {"max_value", "threshold"} <= p.arguments.keys()]
    for place in alike:
        bound = _bound(catalog.get("leaky_relu"), place, call)
        if bound is None or any(isinstance(value, _Name) for value in bound.values()):
            continue
        slope = bound.get("alpha", bound.get("negative_slope", 0.0)) or 0.0
        top, bottom = bound.get("max_value"), bound.get("threshold", 0.0) or 0.0
        options = {"negative_slope": slope, "max_value": top, "threshold": bottom}
        options = {name: value for name, value in options.items() if value}
        written = [f"{name}={value!r}" for name, value in options.items()]
        path = place.path.removeprefix("tf.")
        notes = [*call.notes, "No single function of PyTorch has all of these arguments."]
        if "alpha" in bound:
            notes.append("The argument alpha is called negative_slope today.")
        x = [] if place.is_class else ["x"]
        bent = BENT.format(
            threshold=bottom,
            negative_slope=slope,
            top="x" if top is None else f"x.clamp(max={top!r})",
        )
        if not slope and not bottom and top is not None:
            bent = f"x.clamp(0, {top!r})"
        lines = {"PyTorch": bent, "Keras": f"{path}({', '.join([*x, *written])})"}
        return Translation(line, None, options, lines, tuple(notes))
    takes = {
        f"{p.path} ({'today' if p.when == 'now' else THEN[p.framework]}) takes "
        f"{', '.join(p.arguments) or 'no arguments'}"
        for _, p in places
    }
    raise ParameterError(f"{call.name} does not take these arguments: {'; '.join(sorted(takes))}.")

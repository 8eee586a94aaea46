"""The page "Where Keras and PyTorch disagree", made from the recorded differences."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actlab import catalog
from actlab.frameworks import compiled, lines
from actlab.frameworks.binding import DTYPES, TITLES, places_of
from actlab.frameworks.cases import CATEGORIES, ULPS, compared
from actlab.frameworks.differences import Difference, load, recorded_versions
from actlab.frameworks.specials import SPECIALS

HEADINGS = {
    "default": (
        "The same call, another function",
        "Nobody warns you: the same name, called without further arguments, computes something "
        "else.",
    ),
    "not finite": (
        "NaN or infinity from an ordinary number",
        "The input is finite, the exact result is finite, and an intermediate result is not.",
    ),
    "wrong": (
        "An ordinary number, and wrong",
        "The result is off by more than 1 % (of itself, or of 1 if it is smaller than 1).",
    ),
    "kink": (
        "At a kink",
        "Where a function bends, any slope between the two sides is a defensible gradient, and "
        "where it jumps, so is either value; the frameworks do not always choose the same. One "
        "number beside the kink there is nothing to choose, only to get right.",
    ),
    "refused": ("An error instead of a result", "One of the two will not do it."),
    "shared": ("A trap in both", "The two agree, without a word, on what nobody can want."),
    "special": (
        "Infinity and NaN",
        "What happens to a NaN decides whether you ever see it: a function that turns NaN into 0 "
        "hides a mistake, a gradient of 1 or 0 at NaN passes on or stops what came from behind.",
    ),
    "length": (
        "Alone and in company",
        "The same number in the same place, alone and in an array of 64, where the processor takes "
        "several numbers at a time by another routine.",
    ),
    "lost": (
        "Small results without a correct digit",
        "Mostly because something near 1 was subtracted from something near 1 on the way; where "
        "the results are the smallest, because an intermediate result was taken for zero.",
    ),
    "digits": (
        "Digits lost",
        "The result is right, but in fewer digits than its format holds.",
    ),
    "subnormal input": (
        "Subnormal numbers in",
        "The smallest numbers of a format (below about 1e-38 in float32) have fewer digits, and "
        "processors are slow with them. TensorFlow takes them for zero. A gradient that depends on "
        "the sign of x then comes out as if x were 0.",
    ),
    "subnormal result": (
        "Subnormal numbers out",
        "The same for results: zero instead of a number too small for all the digits of its "
        "format.",
    ),
}
"""Title and explanation of each category, in the order of the page: most surprising first."""

NOTES = {
    ("leaky_relu", "default"): "PyTorch takes the slope of the paper, 0.01; Keras took its own, "
    "and not the same for the function and the layer.",
    ("prelu", "default"): "PyTorch starts the learned slope at 0.25, Keras at 0: until it has "
    "learned something, Keras's PReLU is a ReLU.",
    ("gelu_tanh", "not finite"): "The derivative contains $x^2$, which overflows float16 from 256 "
    "on, times something that is 0 there; infinity times zero is NaN.",
    ("hard_silu", "not finite"): "PyTorch multiplies $x$ by 6 before it divides by 6.",
    ("selu", "wrong"): "TensorFlow computes $e^x - 1$ as it stands, which is 0 for small negative "
    "$x$, and takes the slope from the sign of the *result*: 0 counts as the right-hand side.",
    ("selu", "kink"): "At 0 PyTorch takes the slope of the left side, Keras of the right.",
    ("celu", "kink"): "Keras adds a part for $x > 0$ and a part for $x < 0$; at 0 both report a "
    "slope of 1, and the gradient is 2: more than on either side.",
    ("prelu", "kink"): "Keras writes it as a difference of two ReLUs; at 0 both report a slope of "
    "0. Units that are exactly 0 get no gradient at all.",
    ("hard_tanh", "kink"): "PyTorch gives 0 at the corners, Keras 1.",
    ("hard_sigmoid", "kink"): "Just below 3, $x + 3$ rounds to 6, and Keras takes it for the flat "
    "part.",
    ("relu", "special"): "Both pass a NaN on. Backwards, PyTorch's ReLU has a slope of 1 there, "
    "Keras's of 0, and so have most functions with a flat part.",
    ("elu", "lost"): "TensorFlow computes $e^x - 1$ as it stands: close to 0 nothing is left of "
    "it. PyTorch uses expm1, which is made for this.",
    ("selu", "lost"): "TensorFlow computes $e^x - 1$ as it stands: close to 0 nothing is left of "
    "it. PyTorch uses expm1, which is made for this.",
    ("sparsemax", "wrong"): "The threshold of this version adds up the running sums instead of the "
    "numbers: with more than one number in the support, the results no longer sum to 1, and may "
    "all be 0.",
    ("squareplus", "not finite"): "$x^2$ overflows float16 from 256 on.",
    ("squareplus", "wrong"): "Where $x^2$ overflows, the square root's slope $x / \\sqrt{x^2 + b}$ "
    "is 0; and for negative $x$ the root cancels with $x$.",
}
"""Why, where we know: by record and category."""

COMPACT = ("special", "lost", "digits", "subnormal input", "subnormal result")
"""Categories that get one table for all functions."""

DIGITS = {"float16": 5, "bfloat16": 4, "float32": 9, "float64": 17}
PREFERRED = ("", "float32", "float16", "bfloat16", "float64")

Group = list[Difference]


@dataclass(frozen=True)
class Bite:
    """One of the differences that cost people days: which, in plain words, and what to write.

    ``record``, ``category``, ``side`` and ``quantity`` find it; ``fix`` is a line that gives one
    framework the result of the other's, ``like``.
    """

    title: str
    record: str
    category: str
    why: str
    advice: str
    fix: str
    like: str
    side: str = ""
    quantity: str = ""


FIVE = (
    Bite(
        "The mask means the opposite",
        "multi_head_attention",
        "default",
        "In a boolean mask *True* says *do not look here* to PyTorch's MultiheadAttention, and "
        "*look here* to Keras and to PyTorch's own scaled_dot_product_attention. Shown is what a "
        "query finds on two tokens, 1 and 3, under the mask (True, False).",
        "Negate the mask when you port: `attn_mask=~mask`.",
        "torch_attention([False, True])",
        "keras",
        side="mask",
    ),
    Bite(
        "Batch or position first?",
        "multi_head_attention",
        "default",
        "Both take the other's order without a word, and attend across the batch. Shown is the "
        "shape of the attention weights for an input of shape (2, 3, 4): to PyTorch these are two "
        "positions in a batch of three.",
        "Say `batch_first=True` (and, for the same shape, that the heads shall not be averaged).",
        "torch.nn.MultiheadAttention(4, 1, batch_first=True)(*[torch.ones(2, 3, 4)] * 3, "
        "average_attn_weights=False)[1].shape",
        "keras",
        side="batch",
    ),
    Bite(
        "One name, three slopes",
        "leaky_relu",
        "default",
        "PyTorch takes the slope of the paper, 0.01. Keras took its own, and not the same for the "
        "function and the layer.",
        "Write the slope out, always: `negative_slope=0.01`.",
        'keras.layers.LeakyReLU(negative_slope=0.01)(tf.constant([-2.0], "float32"))',
        "torch",
    ),
    Bite(
        "A softmax over the batch",
        "softmax",
        "default",
        "Without an axis PyTorch guesses, with a warning: axis 0 for tensors of 1 or 3 "
        "dimensions, otherwise 1. On a batch of sequences it normalises over the batch. Keras "
        "takes the last axis.",
        "Name the axis: `dim=-1`.",
        "torch.nn.Softmax(dim=-1)(torch.zeros(2, 3, 4))[0, 0]",
        "keras",
        side="axis",
    ),
    Bite(
        "NaN in half precision",
        "gelu_tanh",
        "not finite",
        "The derivative of the approximation contains $x^2$, which overflows float16 from 256 on, "
        "times something that is 0 there. Infinity times zero is NaN, and one NaN in a gradient "
        "is the end of a training run.",
        "Take the exact GELU, or compute this layer in float32.",
        "keras_gradient(lambda x: keras.activations.gelu(x, approximate=False), "
        'tf.constant([-256.0], "float16"))',
        "torch",
        quantity="gradient",
    ),
)
"""What is met most often by those who port a network, and costs most. Chosen by hand."""


def disagreements() -> str:
    """The whole page, in MyST Markdown."""
    recorded = [difference for difference in load() if difference.witness is not None]
    apart, alike, alone = sorted_out(recorded)
    names = {**TITLES, "tensorflow": "TensorFlow"}
    versions = ", ".join(f"{names[key]} {number}" for key, number in recorded_versions().items())
    records = [record for record in catalog.records() if places_of(record) and compared(record)]
    places = sum(len(places_of(record)) for record in records)
    blocks = [
        "# Where Keras and PyTorch disagree",
        opening(recorded),
        *folded(
            "<span>All lines of code on this page presuppose these</span>",
            f"```python\n{lines.PREAMBLE}```",
        ),
        "## Five that will bite you",
        *(block for bite in FIVE for block in told(bite, apart)),
        "## All of them",
        *folded(
            "<span>How it was measured, and in what order they stand</span>",
            f"Every place where {versions} compute a function of this course ({places} places, "
            f"{len(records)} functions) was called in {len(DTYPES)} formats, forwards and "
            "backwards: at all numbers of float16 and bfloat16, on a dense grid of float32 and "
            "float64, and at the edges. (Layers with weights were compared with equal weights.) "
            "All of it eagerly, on a CPU, in inference; where another path makes a difference, the "
            "entry says how it was called and shows the others, and [what a compiler changes]"
            "(#what-a-compiler-changes) has a section of its own. Each result was held against the "
            f"exact one. What is listed here is off by more than {ULPS} times what rounding the "
            "input and the output must cost, *and* differs between the frameworks. The tables are "
            "the measurement, and a test runs every line of code on this page.",
            "The order is by surprise: "
            + "; ".join(f"{i}. {name}" for i, name in enumerate(CATEGORIES.values(), 1))
            + ". Within a section, what happens in float32 and at numbers of everyday size comes "
            "first.",
        ),
        raw(controls(apart, alone)),
    ]
    for category, groups in apart.items():
        blocks += listed(category, *HEADINGS[category], groups, brief="subnormal" in category)
    blocks += listed(
        "alone",
        "Only one of them has it",
        "What a framework makes of functions that the other lacks (the course has a recipe for "
        "each).",
        alone,
    )
    blocks += compilers()
    blocks += [
        "## Where they agree",
        "Not a disagreement, but good to know: here both are off, and (nearly) alike.",
        *folded(
            f"<span>{len(alike)} of them, in a table</span>", table(alike, named=True, brief=True)
        ),
    ]
    return "\n\n".join(blocks) + "\n"


def raw(text: str) -> str:
    """HTML between Markdown."""
    return f"```{{raw}} html\n{text}\n```"


def folded(summary: str, *blocks: str, data: str = "") -> list[str]:
    """Blocks that a reader opens; ``data``: further attributes."""
    opening = f'<details class="entry"{data}><summary>{summary}</summary><div class="body">'
    return [raw(opening), *blocks, raw("</div></details>")]


def told(bite: Bite, apart: dict[str, list[Group]]) -> list[str]:
    """One of the five: what happens, the two lines, the line that mends it."""
    group = next(group for group in apart[bite.category] if _is(bite, group))
    written = code([group], named=False).splitlines()[1:-1]
    shown = [*written[: max(2, len(chosen(group).places))], f"# {bite.advice.replace('`', '')}"]
    shown.append(f"{bite.fix}  # {result_in(group, bite.like)}")
    return [
        f"### {bite.title}",
        f"{bite.why} {bite.advice} "
        f'<a href="#{anchor(group)}" aria-label="{bite.title}: the whole entry">More</a>',
        "```python\n" + "\n".join(shown) + "\n```",
    ]


def result_in(group: Group, framework: str) -> str:
    """What the first line of a framework returns, as the page writes it."""
    written = code([group], named=False).splitlines()[1:-1]
    line = next(line for line in written if line.startswith(framework))
    return line.rpartition("  # ")[2]


def _is(bite: Bite, group: Group) -> bool:
    first = group[0]
    return (
        first.record == bite.record
        and first.side == (bite.side or first.side)
        and bool(first.places) != bool(bite.side)
        and first.quantity == (bite.quantity or first.quantity)
    )


def controls(apart: dict[str, list[Group]], alone: Sequence[Group]) -> str:
    """Search, kind, function: what the site's ``lists.js`` filters by."""
    kinds = [(category, HEADINGS[category][0]) for category in apart]
    kinds.append(("alone", "Only one of them has it"))
    every = [group[0].record for groups in [*apart.values(), alone] for group in groups]
    named = [(name, catalog.get(name).title) for name in dict.fromkeys(every)]
    offered = {
        "kind": ("Every kind", [(slug(kind), words) for kind, words in kinds]),
        "function": ("Every function", sorted(named, key=lambda pair: pair[1].lower())),
    }
    return search_form(
        "where-keras-and-pytorch-disagree",
        "the differences",
        "entries",
        offered,
        hint="gelu, nan, float16 …",
    )


def search_form(
    of: str,
    what: str,
    items: str,
    menus: Mapping[str, tuple[str, Sequence[tuple[str, str]]]] | None = None,
    box: tuple[str, str] | None = None,
    *,
    hint: str = "",
    count: int | None = None,
) -> str:
    """The controls with which the site's ``lists.js`` filters a list.

    ``of``: the list's id; ``what``: it in words; ``items``: what it has, of which there are
    ``count``. ``menus``: name → what is said for all, and the values with their words; ``box``: the
    name of a tick and its words.
    """
    selects = "".join(
        f'<select name="{name}" aria-label="{name.capitalize()}"><option value="">{every}</option>'
        + "".join(f'<option value="{v}">{html.escape(words)}</option>' for v, words in options)
        + "</select>"
        for name, (every, options) in (menus or {}).items()
    )
    tick = (
        f'<label><input type="checkbox" name="{box[0]}" value="1"> {box[1]}</label>' if box else ""
    )
    said = "" if count is None else f"{count} {items}"
    return (
        f'<form class="filters" data-filters="{of}" role="search" '
        f'aria-label="{what[0].upper()}{what[1:]}"><input type="search" name="find" '
        f'aria-label="Search {what}" placeholder="{hint or f"Search {what}"}">{selects}{tick}'
        f'<p role="status" data-of="{items}">{said}</p></form>'
    )


def listed(
    category: str, heading: str, explanation: str, groups: Sequence[Group], *, brief: bool = False
) -> list[str]:
    """A kind: an entry for each group; those that need a line each share the last one."""
    functions = ", ".join(dict.fromkeys(title(group) for group in groups))
    opened = (
        f'<details class="kind" id="kind-{slug(category)}" data-group><summary><b>{heading}</b>'
        f'<small>{html.escape(functions)}</small></summary><div class="body">'
    )
    blocks = [raw(opened), explanation]
    for group in groups:
        if not compact(group):
            blocks += folded(summary(group), *section(group), data=_data(category, [group]))
    if rest := [group for group in groups if compact(group)]:
        count = len({group[0].record for group in rest})
        blocks += folded(
            f"<span>{count} functions, in a table</span>",
            *notes(rest),
            table(rest, named=True, brief=brief),
            code(rest, named=True),
            data=_data(category, rest),
        )
    return [*blocks, raw("</div></details>")]


def _data(category: str, groups: Sequence[Group]) -> str:
    functions = " ".join(dict.fromkeys(group[0].record for group in groups))
    name = f"{slug(category)}-table" if compact(groups[0]) else anchor(groups[0])
    return f' id="{name}" data-item data-kind="{slug(category)}" data-function="{functions}"'


def summary(group: Group) -> str:
    """A group's name and what the two give, on one line."""
    first = chosen(group)
    text = f"<span>{html.escape(heading(group))}</span>"
    if first.category == "length" or first.witness is None or len(first.witness.results) < 2:
        return text
    shown = pair(first) if first.places else tuple(map(_plain, first.witness.results[:2]))
    said = [
        f"<small>{name} <b>{html.escape(value.strip('`'))}</b></small>"
        for name, value in zip(TITLES.values(), shown, strict=True)
    ]
    return text + "".join(said) if max(map(len, shown)) < 24 else text


def _plain(result: Any) -> str:
    return result if isinstance(result, str) else number(result, "", plain=True)


def anchor(group: Group) -> str:
    """Where a group's entry stands on the page: what it is about, and so as stable as that."""
    first = group[0]
    use = first.side if not first.places else ""
    alone = "alone" if first.witness is not None and len(first.witness.results) == 1 else ""
    parts = (first.category, alone, first.record, first.quantity, use)
    return slug("-".join(filter(None, parts)))


def slug(text: str) -> str:
    """Lower-case words joined by hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def opening(recorded: Sequence[Difference]) -> str:
    """What the page is about, with the plainest of the differences as its example."""
    leaky = next(d for d in recorded if d.record == "leaky_relu" and d.category == "default")
    shown = leaky.witness
    assert shown is not None
    said = " and ".join(
        f"`{path}` turns {shown.x:g} into {result:.3g}"
        for path, result in zip(leaky.places, shown.results, strict=True)
        if "layers" in path or "nn." in path
    )
    return (
        "The same network can give other numbers in Keras than in PyTorch, because functions of "
        f"the same name are not always the same function. For example, {said} when each is called "
        "without arguments. This page lists all such differences that we found, the most "
        "surprising first, each with lines of code to see it for yourself."
    )


def compilers() -> list[str]:
    """The section on what compiling changes."""
    changes = compiled.load()
    said = []
    notes = {
        "tf.function": "a graph of Keras without XLA",
        "XLA": "Keras with jit_compile=True",
        "torch.compile": "PyTorch",
    }
    for route, (_, dtypes) in compiled.ROUTES.items():
        names = compiled.tried(route)
        here = [change for change in changes if change.route == route]
        better = {change.record for change in here if change.better}
        worse = {change.record for change in here if not change.better}
        how = f"{notes[route]}, {' and '.join(dtypes)}"
        said.append(
            f"- **{route}** ({how}): of {len(names)} functions {len(names) - len(better | worse)} "
            f"stay as they were, {len(better)} become right somewhere, {len(worse)} wrong."
        )
    rows: dict[tuple[str, ...], list[str]] = {}
    order = list(CATEGORIES)
    for change in sorted(changes, key=lambda c: order.index(c.after or c.before)):
        key = (change.route, catalog.get(change.record).title, change.quantity)
        verdict = "right, was: " if change.better else ""
        verdict += CATEGORIES[change.after or change.before]
        numbers = ["–"] * 4
        if change.x is not None:
            eager, now = (number(result, change.dtype) for result in change.results)
            exact = number(change.exact, change.dtype, exact=True)
            numbers = [number(change.x, change.dtype), exact, eager, now]
        rows.setdefault((*key, verdict), [change.dtype, *numbers])
    head = ("compiler", "function", "of", "compiled", "format", "x", "exact", "eager", "compiled")
    elu = ("XLA", "elu", "value", "float32")
    example = next(c for c in changes if (c.route, c.record, c.quantity, c.dtype) == elu)
    fed = f"(tf.constant([{lines.shortest(example.x, 'float32')}]))"
    calls = [
        f"keras.activations.elu{fed}",
        f"tf.function(keras.activations.elu, jit_compile=True){fed}",
    ]
    shown = [
        f"{call}  # {number([result], 'float32', plain=True)}"
        for call, result in zip(calls, example.results, strict=True)
    ]
    return [
        "## What a compiler changes",
        "A compiler fuses operations and brings routines of its own, so the last digits may "
        "change. Is more lost? All functions were called eagerly and compiled, forwards and "
        "backwards, at the same inputs, on a processor with AVX-512 and as on one with AVX2; "
        "listed is what both show. Counted as right is every result that is off by less than half "
        "of itself and by less than 1 % (of 1, if it is smaller). **You may compile**: only what "
        "is listed here changes. But what is said above of an eager call need not be true of a "
        "compiled one.",
        *folded(
            f"<span>{len(rows)} changes, in a table</span>",
            "\n".join(said),
            _markdown(head, sorted([*key, *row] for key, row in rows.items())),
            "```python\n" + "\n".join(shown) + "\n```",
        ),
    ]


def compact(group: Group) -> bool:
    """Whether a group gets lines in a table with others, not a section of its own."""
    return group[0].category in COMPACT and bool(group[0].places)


def section(group: Group) -> list[str]:
    """What there is to say and to show of one group."""
    blocks = [sentence(group)]
    if group[0].places and group[0].category != "default":
        blocks.append(table([group], named=False))
    return [*blocks, code([group], named=False)]


def sorted_out(
    recorded: Iterable[Difference],
) -> tuple[dict[str, list[Group]], list[Group], list[Group]]:
    """Groups of differences by record and quantity.

    First those in which the frameworks differ from one another, by category; then those in which
    they differ from the exact result alike; then those that only one of them can have.
    """
    apart: dict[tuple[str, ...], Group] = {}
    alike: dict[tuple[str, ...], Group] = {}
    alone: dict[tuple[str, ...], Group] = {}
    for difference in recorded:
        shown = difference.witness
        if shown is None:
            continue
        kind = apart if len(shown.results) > 1 and not shown.agree else alike
        kind = alone if len(shown.results) == 1 else kind
        use = difference.side if not difference.places else ""
        key = (difference.category, difference.record, difference.quantity, use)
        kind.setdefault(key, []).append(difference)
    order = list(CATEGORIES)

    def in_order(groups: Iterable[Group]) -> list[Group]:
        return sorted(groups, key=lambda g: (order.index(g[0].category), plainness(g)))

    ranked: dict[str, list[Group]] = {}
    for group in in_order(apart.values()):
        ranked.setdefault(group[0].category, []).append(group)
    return ranked, in_order(alike.values()), in_order(alone.values())


def plainness(group: Group) -> tuple[Any, ...]:
    """Smaller for what is more likely to be met: everywhere, in float32, near 1."""
    sizes = [_magnitude(d.witness.x) for d in group if d.witness is not None]
    everyday = any(d.dtype in ("", "float32") for d in group)
    return not any(d.everywhere for d in group), not everyday, min(sizes)


def _magnitude(x: Any) -> float:
    numbers = x if isinstance(x, list) else [x]
    finite = [abs(n) for n in numbers if n is not None and math.isfinite(n) and n != 0]
    return max((abs(math.log10(n)) for n in finite), default=0.0)


def notes(groups: Iterable[Group]) -> list[str]:
    """What is known about the reasons, a paragraph for each function."""
    known = dict.fromkeys((g[0].record, g[0].category) for g in groups)
    return [f"**{catalog.get(key[0]).title}**: {NOTES[key]}" for key in known if key in NOTES]


def title(group: Group) -> str:
    """The function's name."""
    return catalog.get(group[0].record).title


def heading(group: Group) -> str:
    """What a section on one function is called."""
    first = group[0]
    if not first.places:
        return f"{title(group)}: {first.side}"
    gradient = "gradient of " if first.quantity == "gradient" else ""
    text = f"{gradient}{title(group)}"
    return text[0].upper() + text[1:]


def sentence(group: Group) -> str:
    """What the two lines show, in words."""
    first = chosen(group)
    shown = first.witness
    assert shown is not None
    if not first.places:
        special = SPECIALS[first.record, first.side]
        return f"{special.sentence} *How called:* {special.path}{_of_a_processor(group)}"
    note = NOTES.get((first.record, first.category), "")
    at = f"At x = {number(shown.x, first.dtype)} in {first.dtype}"
    if isinstance(shown.x, list):
        at = f"For the row {number(shown.x, first.dtype)} in {first.dtype}"
    results = [number(result, first.dtype) for result in shown.results]
    if first.category == "default":
        pairs = zip(first.places, results, strict=True)
        said = f"{at}: " + ", ".join(f"`{path}` gives {result}" for path, result in pairs) + "."
    elif first.category == "length":
        said = (
            f"{at}, `{first.places[0]}` gives {results[0]} for the number alone and {results[1]} "
            f"for each of {shown.copies}."
        )
    else:
        given = [
            f"{result} in {name}"
            for result, name in zip(pair(first), TITLES.values(), strict=True)
            if result != "–"
        ]
        exact = number(shown.exact, first.dtype, exact=True)
        said = f"{at}, the {first.quantity} is {' and '.join(given)}; exact is {exact}."
    return f"{said}{_of_a_processor(group)} {note}".strip()


def _of_a_processor(group: Group) -> str:
    if any(difference.everywhere for difference in group):
        return ""
    return " This depends on the processor."


def chosen(group: Group) -> Difference:
    """The difference of a group that its lines of code show."""
    return min(group, key=lambda d: (not d.everywhere, len(d.setting), PREFERRED.index(d.dtype)))


def pair(difference: Difference) -> tuple[str, str]:
    """The results of PyTorch and Keras, in this order ("–" where one has none)."""
    shown = difference.witness
    assert shown is not None
    results = [number(result, difference.dtype) for result in shown.results] + ["–"]
    first, second = results[:2]
    return (first, second) if difference.framework != "keras" else (second, first)


def table(groups: Sequence[Group], *, named: bool, brief: bool = False) -> str:
    """A row for every distinct pair of results; formats with the same row share it.

    ``named`` groups are told apart by a column, and each format has one row. ``brief`` is a single
    row for each group.
    """
    rows: dict[tuple[str, ...], list[str]] = {}
    for group in groups:
        rows_of = [chosen(group)] if brief else worst_of_each_format(group) if named else group
        for difference in rows_of:
            shown = difference.witness
            assert shown is not None
            results = [number(result, difference.dtype) for result in shown.results]
            if difference.category != "length":
                results = [number(shown.exact, difference.dtype, exact=True), *pair(difference)]
            cells = (
                title(group) + ("" if difference.everywhere else " (not on every processor)"),
                ", ".join(f"{name} = {value}" for name, value in difference.setting.items()),
                difference.quantity,
                where(difference),
                number(shown.x, difference.dtype),
                *results,
            )
            formats = rows.setdefault(cells, [])
            alike = group if brief else [difference]
            formats += dict.fromkeys(d.dtype for d in alike if d.dtype not in formats)
    category = groups[0][0].category
    ends = ("alone", "in 64") if category == "length" else ("exact", "PyTorch", "Keras")
    head = ("function", "with", "of", "format", "inputs", "x", *ends)
    body = [(*row[:3], ", ".join(formats), *row[3:]) for row, formats in rows.items()]
    return _markdown(*_without_empty(head, body, drop=() if named else ("function", "of")))


def worst_of_each_format(group: Group) -> Group:
    """For each format the worst difference of those that are seen everywhere, if there are any."""
    kept: dict[str, Difference] = {}
    for difference in sorted(group, key=lambda d: (not d.everywhere, -d.error)):
        kept.setdefault(difference.dtype, difference)
    return sorted(kept.values(), key=lambda d: PREFERRED.index(d.dtype))


def where(difference: Difference) -> str:
    """The inputs that a difference spans, if they are more than one."""
    if not difference.span or difference.category == "default":
        return ""
    if isinstance(difference.span[0], str):
        return "; ".join(difference.span)
    low, high = (number(end, difference.dtype) for end in difference.span)
    return "" if low == high else f"{low} … {high}"


def code(groups: Sequence[Group], *, named: bool) -> str:
    """The lines that show the groups, each with what it returned."""
    written = []
    for group in groups:
        difference = chosen(group)
        shown = difference.witness
        assert shown is not None
        if named:
            of = "gradient of " if difference.quantity == "gradient" else ""
            written.append(f"# {of}{title(group)}, {difference.dtype}")
        calls = list(zip(difference.calls, shown.results, strict=True))
        if difference.framework == "keras" and len(calls) > 1 and difference.category != "length":
            calls.reverse()  # PyTorch first
        for call, result in calls:
            text = (
                result if isinstance(result, str) else number(result, difference.dtype, plain=True)
            )
            written.append(f"{call}  # {text}")
    return "```python\n" + "\n".join(written) + "\n```"


def number(value: Any, dtype: str, *, exact: bool = False, plain: bool = False) -> str:
    """A result for people: the shortest text that is this number in its format.

    ``exact`` numbers have a digit more than the format; ``plain`` is without code marks.
    """
    if value is None:
        return "–"
    if isinstance(value, list):
        text = "[" + ", ".join(number(v, dtype, exact=exact, plain=True) for v in value) + "]"
    elif isinstance(value, str):
        text = value
    elif exact:
        text = f"{value:.{DIGITS[dtype]}g}"
    elif not dtype:
        text = f"{value:.9g}"
    else:
        text = lines.shortest(value, dtype)
    return text if plain else f"`{text}`"


def _without_empty(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, drop: Sequence[str]
) -> tuple[Sequence[str], list[Sequence[str]]]:
    keep = [i for i, name in enumerate(head) if name not in drop and any(row[i] for row in rows)]
    return [head[i] for i in keep], [[row[i] for i in keep] for row in rows]


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    ruled = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in ruled)

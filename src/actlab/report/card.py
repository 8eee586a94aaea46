"""The report card: everything found about one activation, as an object, JSON, and a page.

Nothing here needs a framework: a card that was saved is read and shown without.
"""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actlab import machine
from actlab.catalog.record import Interval as Range
from actlab.catalog.record import Properties
from actlab.stats import Interval

TITLES = {"relu": "ReLU", "gelu": "GELU", "silu": "SiLU"}
TOLD = (-4, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 4)  # x whose numbers stand in a table
DATA = {"digits": "digits", "mnist1d": "MNIST-1D"}
SMOOTH = {
    -1: "it jumps",
    0: "continuous, with a kink",
    1: "its slope is continuous and its curvature jumps",
    math.inf: "no kink found, in the curve, its slope or its curvature",
}


@dataclass(frozen=True)
class Fault:
    """Something that is wrong: a word for its kind, and a sentence that says where and how much."""

    kind: str
    text: str


@dataclass(frozen=True)
class Start:
    """How to begin, by the theory of wide layers (:mod:`actlab.theory`).

    - ``gain``: the factor on LeCun's weights, and ``why`` this one.
    - ``decades``: start → decades that the gradient's size changes by per layer, going back.
    - ``dead``: start → share of units in layer 10 that are 0 for each of 256 independent inputs.
    """

    gain: float
    why: str
    decades: Mapping[str, float]
    dead: Mapping[str, float]


@dataclass(frozen=True)
class Cost:
    """How often the time of ReLU in the same framework: median and quartiles over rounds."""

    task: str
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Duel:
    """One data set: how far it is ahead of a rival in test accuracy, in percentage points.

    - ``lead``: over splits and seeds, at a confidence of 95 % for all rivals of a data set.
    - ``floor``: the smallest difference that so many networks let one see.
    """

    data: str
    rival: str
    lead: Interval
    floor: float

    @property
    def outcome(self) -> str:
        """``ahead``, ``behind``, or ``no difference seen``."""
        if self.lead.low > 0:
            return "ahead"
        return "behind" if self.lead.high < 0 else "no difference seen"


@dataclass(frozen=True)
class Trial:
    """A fair trial against ReLU, GELU and SiLU: every arm tuned alike, trained to the plateau.

    - ``accuracy``: data set → arm → mean test accuracy in per cent.
    - ``rates``: data set → arm → learning rate.
    - ``stopped``: data set → share of units, after training, whose slope is below 1 % of its
      largest for every one of 200 examples; missing where no such threshold exists.
    - ``diverged``: how many of the subject's networks did.
    - ``method``: how it was done, in a sentence.
    """

    accuracy: Mapping[str, Mapping[str, float]]
    rates: Mapping[str, Mapping[str, float]]
    duels: Sequence[Duel]
    stopped: Mapping[str, float]
    diverged: int
    networks: int
    method: str


@dataclass(frozen=True)
class Card:
    """What :func:`actlab.report` found.

    ``faults`` first: with one of those, look no further. ``threshold``: outside of these two
    inputs the slope stays below 1 % of its largest. ``start`` is missing where values are not
    finite, ``trial`` where none was asked for or the function cannot be trained with.
    """

    name: str
    framework: str
    remarks: tuple[str, ...]
    faults: tuple[Fault, ...]
    properties: Properties
    threshold: tuple[float, float]
    curve: Mapping[str, Sequence[float]]
    start: Start | None
    cost: tuple[Cost, ...]
    trial: Trial | None
    machine: dict[str, Any]

    # --- In words ---------------------------------------------------------------------------------

    def sentences(self) -> list[str]:
        """The card in a few sentences, the most important first."""
        found = [f"{fault.kind}: {fault.text}" for fault in self.faults]
        if not found:
            found.append(
                "No fault found in values and slopes, in float64, float32, float16 and bfloat16."
            )
        if self.trial:
            found += list(_outcomes(self.name, self.trial))
        if self.start:
            found.append(
                f"Start with LeCun's weights times {self.start.gain:.4g}: {self.start.why}."
            )
        for cost in self.cost[-1:]:
            found.append(
                f"Forward and backward take {cost.median:.3g} times as long as ReLU's "
                f"(quartiles {cost.low:.3g} to {cost.high:.3g}) where it was measured."
            )
        return [*found, *self.remarks]

    def __str__(self) -> str:
        return "\n".join([f"Report card: {self.name}", *(f"- {s}" for s in self.sentences())])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.sentences())
        return f"<p><b>Report card: {html.escape(self.name)}</b></p><ul>{items}</ul>"

    # --- As files ---------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All of it in what JSON has; what is not finite as ``"inf"``, ``"-inf"``, ``"nan"``."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        found: dict[str, Any] = _plain(fields)
        return found

    def to_json(self) -> str:
        """The card as JSON."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Card:
        """The card that :meth:`to_dict` wrote. Raises ``ValueError`` for what is none."""
        try:
            return _read(found)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no report card: {type(error).__name__}: {error}") from error

    def save(self, folder: str | Path = ".", stem: str | None = None) -> Path:
        """Write ``stem.html`` and ``stem.json``; returns the page's path.

        Raises ``FileExistsError`` where one is there already: nothing is overwritten.
        """
        stem = stem or "".join(c if c.isalnum() else "_" for c in self.name).strip("_") or "card"
        paths = [Path(folder) / f"{stem}.{kind}" for kind in ("html", "json")]
        for path in paths:
            if path.exists():
                raise FileExistsError(f"{path} is there already: choose another folder or stem.")
        Path(folder).mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, (self.page(), self.to_json()), strict=True):
            path.write_text(text, "utf-8")
        return paths[0]

    def page(self) -> str:
        """One HTML page that needs nothing else."""
        return PAGE.format(
            title=html.escape(self.name),
            body=self.body(),
            machine=html.escape(machine.sentence(self.machine)),
        )

    def body(self) -> str:
        """The page without its frame and title."""
        import matplotlib as mpl

        from actlab import plots

        with mpl.rc_context():
            plots.use_style()
            return "\n".join(_sections(self))


def _outcomes(name: str, trial: Trial) -> Iterator[str]:
    """The trial in words: where it is ahead, where behind, and what could not be seen."""
    for outcome, words in (
        ("ahead", "ahead of {}"),
        ("behind", "behind {}"),
        ("no difference seen", "not told apart from {}"),
    ):
        told = [
            f"{TITLES[duel.rival]} on {DATA.get(duel.data, duel.data)} "
            + (
                f"({duel.lead.mean:+.1f} points)"
                if outcome != "no difference seen"
                else f"(smallest visible difference {duel.floor:.1f} points)"
            )
            for duel in trial.duels
            if duel.outcome == outcome
        ]
        if told:
            yield f"Trained to the plateau it is {words.format(', '.join(told))}."
    if trial.diverged:
        yield f"{trial.diverged} of its {trial.networks} networks diverged; they count as chance."
    for place, share in trial.stopped.items():
        if share >= 0.005:
            yield (
                f"After training on {DATA.get(place, place)}, {100 * share:.0f} % of its units "
                "have stopped learning on all of 200 examples."
            )


def _plain(value: Any) -> Any:
    """What JSON has, for what a card holds."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {**fields, "outcome": value.outcome} if hasattr(value, "outcome") else fields
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, np.integer):
        return int(value)
    return value


def _read(found: Mapping[str, Any]) -> Card:
    def numbers(these: Mapping[str, Any]) -> dict[str, float]:
        return {name: float(value) for name, value in these.items()}

    p, trial, start = found["properties"], found["trial"], found["start"]
    low, high = map(float, p["limits"])
    ends = p["range"]
    return Card(
        name=str(found["name"]),
        framework=str(found["framework"]),
        remarks=tuple(found["remarks"]),
        faults=tuple(Fault(**fault) for fault in found["faults"]),
        properties=Properties(
            range=Range(float(ends["lower"]), float(ends["upper"]), tuple(ends["closed"])),
            smoothness=float(p["smoothness"]),
            zero_centred=p["zero_centred"],
            monotonic=p["monotonic"],
            kinks=tuple(p["kinks"]),
            saturation=tuple(p["saturation"]),
            limits=(low, high),
        ),
        threshold=(float(found["threshold"][0]), float(found["threshold"][1])),
        curve={name: [float(one) for one in values] for name, values in found["curve"].items()},
        start=start
        and Start(start["gain"], start["why"], numbers(start["decades"]), numbers(start["dead"])),
        cost=tuple(Cost(**cost) for cost in found["cost"]),
        trial=trial
        and Trial(
            trial["accuracy"],
            trial["rates"],
            [
                Duel(
                    duel["data"],
                    duel["rival"],
                    Interval(**{**duel["lead"], **numbers(_ends(duel["lead"]))}),
                    float(duel["floor"]),
                )
                for duel in trial["duels"]
            ],
            trial["stopped"],
            trial["diverged"],
            trial["networks"],
            trial["method"],
        ),
        machine=dict(found["machine"]),
    )


def _ends(lead: Mapping[str, Any]) -> dict[str, Any]:
    return {name: lead[name] for name in ("mean", "low", "high")}


# --- The page -------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Report card: {title}</title>
<style>
:root {{color-scheme: light dark; --ink: #1f2328; --line: #c9ced6; --ground: #fff; --bad: #a40e26}}
@media (prefers-color-scheme: dark) {{
  :root {{--ink: #e6e8eb; --line: #4a515b; --ground: #14181d; --bad: #ff9aa5}}
  img {{background: #fff; filter: invert(0.93) hue-rotate(180deg)}}
}}
body {{font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 46rem; margin: 0 auto; padding: 1rem}}
h1 {{font-size: 1.7rem}} h2 {{font-size: 1.2rem; margin-top: 2rem}}
img {{max-width: 100%; height: auto; border-radius: 6px}}
table {{border-collapse: collapse; display: block; overflow-x: auto}}
th, td {{padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left}}
.fault {{color: var(--bad); font-weight: 600}}
footer {{margin-top: 2rem; font-size: .85rem}}
</style></head><body><main>
<h1>Report card: {title}</h1>
{body}
</main><footer><p>Measured on: {machine} Made with <code>actlab.report</code>.</p></footer>
</body></html>
"""


def _sections(card: Card) -> Iterator[str]:
    yield "<ul>"
    for fault in card.faults:
        said = html.escape(f"{fault.kind}: {fault.text}")
        yield f'<li class="fault">{said}</li>'
    for sentence in card.sentences()[len(card.faults) :]:
        yield f"<li>{html.escape(sentence)}</li>"
    yield "</ul>"
    yield "<h2>The curve and its slope</h2>"
    yield _picture(curve_figure(card))
    points = zip(*(card.curve[k] for k in ("x", "value", "slope")), strict=True)
    told = [[_signed(cell) for cell in point] for point in points if point[0] in TOLD]
    yield _table(("x", "f(x)", "f′(x)"), told)
    yield "<h2>Properties, found numerically</h2>"
    yield _table(("property", "found"), property_rows(card))
    if card.start:
        yield "<h2>How to start, by theory</h2>"
        rows = [
            [name, _signed(decades, "+.3f"), f"{100 * card.start.dead[name]:.1f} %"]
            for name, decades in card.start.decades.items()
        ]
        yield _table(
            ("start", "decades per layer of the gradient", "units 0 throughout in layer 10"), rows
        )
    if card.cost:
        yield "<h2>What it costs, in times of ReLU</h2>"
        yield _table(
            ("task", "median", "quartiles"),
            [[c.task, f"{c.median:.3g}", f"{c.low:.3g} to {c.high:.3g}"] for c in card.cost],
        )
    if card.trial:
        yield "<h2>A fair small trial</h2>"
        yield f"<p>{html.escape(card.trial.method)}</p>"
        yield _picture(trial_figure(card))
        arms = [card.name, *TITLES]
        yield _table(
            ("mean test accuracy", *(TITLES.get(arm, arm) for arm in arms)),
            [
                [DATA.get(place, place), *(f"{scores[arm]:.1f} %" for arm in arms)]
                for place, scores in card.trial.accuracy.items()
            ],
        )


def property_rows(card: Card) -> list[list[str]]:
    """Property → what was found, in words."""
    p = card.properties
    low, high = card.threshold
    ends = [f"{x:.3g}" for x in (low, high)]
    rows = [
        ["range", str(p.range)],
        ["monotonic", "yes" if p.monotonic else "no"],
        ["mean 0 for normal input", "yes" if p.zero_centred else "no"],
        ["smoothness", SMOOTH[p.smoothness]],
    ]
    if p.kinks:
        rows.append(["where", ", ".join(f"{kink:.4g}" for kink in p.kinks)])
    left, right = p.saturation or (None, None)
    names = {None: "does not vanish", "soft": "tends to 0", "hard": "is exactly 0"}
    rows.append(["slope at −∞ and +∞", f"{names[left]}; {names[right]}"])
    if math.isfinite(low) or math.isfinite(high):
        rows.append(["slope below 1 % of its largest", f"outside ({ends[0]}, {ends[1]})"])
    return [[cell.replace("-", "−") if i else cell for i, cell in enumerate(row)] for row in rows]


def _signed(value: float, spec: str = ".4g") -> str:
    return f"{value:{spec}}".replace("-", "−")


def curve_figure(card: Card) -> Any:
    """Curve and slope side by side: a :class:`actlab.plots.style.Plot`."""
    from actlab import plots
    from actlab.plots.style import label, line_style, panels

    _, axes = plots.figure(2, height=2.8, layout="constrained")
    both = []
    for ax, what, y in zip(axes, ("value", "slope"), ("output f(x)", "slope f′(x)"), strict=True):
        values = np.array(card.curve[what])
        ax.plot(card.curve["x"], values, **line_style(card.name))
        finite = values[np.isfinite(values)]
        ends = (finite.min(), finite.max()) if len(finite) else (math.nan, math.nan)
        label(ax, title=f"The {what}", x="input x", y=y)
        told = f"from {ends[0]:.3g} to {ends[1]:.3g}"
        both.append(plots.Plot(ax, f"The {what} of {card.name} for inputs from −4 to 4, {told}."))
    return plots.Plot(axes[0], panels(both))


def trial_figure(card: Card) -> Any:
    """The leads over the rivals with their intervals and noise floors."""
    from actlab import plots

    assert card.trial is not None
    leads = {
        f"{DATA.get(duel.data, duel.data)}: over {TITLES[duel.rival]}": duel
        for duel in card.trial.duels
    }
    return plots.rows(
        {name: duel.lead for name, duel in leads.items()},
        floors={name: duel.floor for name, duel in leads.items()},
        label="lead in test accuracy (percentage points)",
        title=f"{card.name}: {_counted(card.trial)}",
    )


def _counted(trial: Trial) -> str:
    """``ahead in 1, behind in 3, not told apart in 2 of 6``."""
    outcomes = [duel.outcome for duel in trial.duels]
    words = {"ahead": "ahead", "behind": "behind", "no difference seen": "not told apart"}
    told = [f"{word} in {outcomes.count(o)}" for o, word in words.items() if o in outcomes]
    return f"{', '.join(told)} of {len(outcomes)} duels"


def _picture(plot: Any) -> str:
    import matplotlib.pyplot as plt

    from actlab.plots.style import png

    picture = png(plot.ax.figure)
    plt.close(plot.ax.figure)
    size = [round(int.from_bytes(picture[at : at + 4], "big") * 0.7) for at in (16, 20)]
    data, alt = base64.b64encode(picture).decode(), html.escape(plot.alt, quote=True)
    return (
        f'<p><img class="figure" alt="{alt}" width="{size[0]}" height="{size[1]}" '
        f'src="data:image/png;base64,{data}"></p>'
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"

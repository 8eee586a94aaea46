"""The page "Which one should I use?": advice that follows from the verdicts, and output layers.

Each advice names the claims that it stands on *and* the verdicts it needs them to have: a test
fails when one of them is decided otherwise, so that no advice outlives its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from actlab.frameworks.outputs import PAIRS, Pair
from actlab_site import ledger
from actlab_site.tables import table

HOLDS, WHEN, REFUTED, UNSHOWN = "holds", "holds when …", "refuted", "not shown"


@dataclass(frozen=True)
class Advice:
    """One answer.

    - ``case``: when it is yours; ``answer``: what to do; ``because``: why, and how far it goes.
    - ``stands_on``: claim → the verdict that it must have.
    - ``literature``: where our networks are too small: (citation, address), none where they do.
    """

    case: str
    answer: str
    because: str
    stands_on: Mapping[str, str]
    literature: tuple[tuple[str, str], ...] = ()


INTRODUCTION = """\
# Which one should I use?

The honest answer first: between the usual functions, each with a start that suits it and a learning
rate of its own, the differences we could measure are mostly small, and change with the data. What
does make a difference is below, in the order in which to ask. Every advice links to the verdicts it
stands on; they were measured on small fully connected networks, and where those are too small to
tell, the advice says so and names the papers. How to compare on your own data, fairly, is the
chapter [Choosing](../../notebooks/18_choosing.ipynb)."""

ADVICE = (
    Advice(
        "A hidden layer, and no reason to do otherwise",
        '**ReLU, with He\'s start** (`nn.init.kaiming_normal_(w, nonlinearity="relu")`, '
        '`kernel_initializer="he_normal"`) and a learning rate tuned for it.',
        "PyTorch's default start, not the function, is what leaves many deep units dead from "
        "birth. That a leaky slope, SELU or any other function is better in general, our "
        "trials do not show; on some data some of them are, clearly.",
        {
            "relu-half-born-dead": WHEN,
            "relu-kills-itself": REFUTED,
            "leaky-beats-relu": WHEN,
            "selu-unfair": UNSHOWN,
        },
    ),
    Advice(
        "There is time to try more than one",
        "**Try three or four**: ReLU, a leaky ReLU with a steep slope, ELU, GELU. Tune "
        "the learning rate of each: untuned, the order turns round.",
        "Whether it pays depends on the data, and a ranking made with one learning rate says more "
        "about the rate than about the functions. No ranking spares you the trial, least of all "
        "the most copied one. With few examples ELU led the leaky ones on some data sets, and "
        "those ReLU, mostly where its start did not suit the network.",
        {
            "ranking-whole": REFUTED,
            "ranking-elu-leaky": WHEN,
            "ranking-leaky-relu": WHEN,
            "choice-experiment-pays": WHEN,
            "choice-order-stable": WHEN,
            "leaky-steeper-better": WHEN,
        },
    ),
    Advice(
        "Few steps to train with",
        "**ELU** needs fewer steps than ReLU to the same loss, and each costs about as much.",
        "The function alone is slower; in a training step little is left of that.",
        {"elu-faster": HOLDS, "elu-costs-more": WHEN},
    ),
    Advice(
        "Ten layers and more, without normalisation or shortcuts",
        "**Mind the start before the function.** The gradient changes per layer by a factor that "
        "can be computed beforehand ([the signal explorer](../signals.md) does): choose the gain "
        "at which it is 1. SELU with `lecun_normal` brings a start that keeps its scale.",
        "A sigmoid loses decades with every start but a large one; SELU keeps the size of its "
        "signal, and that it also classifies better is not shown.",
        {
            "gradient-slope-predicted": HOLDS,
            "sigmoid-vanishing": WHEN,
            "selu-attracting": HOLDS,
            "selu-deep": UNSHOWN,
        },
    ),
    Advice(
        "Deep, with batch or layer normalisation, or residual",
        "**Take what the architecture's authors took**: ReLU in convolutional networks, GELU or "
        "SiLU in transformers, a gated unit (SwiGLU, GEGLU) in their feed-forward part, or ReLU².",
        "Normalisation sets the scale that the start and the function would otherwise decide. "
        "Residual without it, divide the first weights of the blocks by their number, or the "
        "signal grows from block to block. Our networks are too small to rank these; the papers "
        "compare them at size, mostly with few seeds.",
        {},
        (
            ("Hendrycks & Gimpel, 2016", "https://arxiv.org/abs/1606.08415"),
            ("Shazeer, 2020", "https://arxiv.org/abs/2002.05202"),
            ("So et al., 2021", "https://arxiv.org/abs/2109.08668"),
            ("Zhang et al., 2019", "https://arxiv.org/abs/1901.09321"),
        ),
    ),
    Advice(
        "A gate, or something between 0 and 1 inside a network",
        "**Sigmoid**, in its place: as a gate, not as the activation of hidden layers.",
        "Its outputs are never centred on zero, which costs steps; a deep stack of sigmoids trains "
        "only with a start or an optimiser that makes up for its small slopes.",
        {
            "sigmoid-not-zero-centred": HOLDS,
            "tanh-centring-speeds-up": WHEN,
            "sigmoid-deep-does-not-train": WHEN,
        },
    ),
    Advice(
        "Units die while it trains",
        "**Lower the learning rate or change the start first**; then a leaky slope, which cannot "
        "be 0 on all inputs.",
        "Dead units come back more often than is said, and a network can do without many of them.",
        {
            "leaky-never-dead": HOLDS,
            "relu-revive": WHEN,
            "relu-dead-stops-learning": REFUTED,
            "relu-dead-hurts": UNSHOWN,
            "relu-half-die-large-lr": WHEN,
        },
    ),
    Advice(
        "A phone, a microcontroller, 8 bits",
        "**ReLU or ReLU6**, or a hard twin (hard swish, hard sigmoid) of the function you trained "
        "with.",
        "Eight bits cost our small networks next to nothing, with an end at 6 or without. On a CPU "
        "the function is a small part of a step; on small devices and in integers it is not, and "
        "that we have not measured yet.",
        {
            "hard-int8": HOLDS,
            "relu6-low-precision": UNSHOWN,
            "smooth-beats-hard": UNSHOWN,
            "relu-fastest": UNSHOWN,
            "leaky-latency": WHEN,
        },
        (("Howard et al., 2019", "https://arxiv.org/abs/1905.02244"),),
    ),
)


def page(get: Callable[[str], Any]) -> str:
    """The page's Markdown. ``get``: from a claim's id to the claim."""
    blocks = [INTRODUCTION]
    for advice in ADVICE:
        blocks += [f"## {advice.case}", advice.answer, advice.because]
        stands = [
            f"{ledger.link(get(name))} {ledger.tag(verdict)}"
            for name, verdict in advice.stands_on.items()
        ]
        papers = [f"[{citation}]({address})" for citation, address in advice.literature]
        if stands:
            blocks.append("Evidence:\n\n" + "\n".join(f"- {one}" for one in stands))
        if papers:
            blocks.append(f"Literature: {', '.join(papers)}.")
    return "\n\n".join([*blocks, *outputs(PAIRS, get)]) + "\n"


def outputs(pairs: Iterable[Pair], get: Callable[[str], Any]) -> Iterator[str]:
    """The section about the last layer: right pairs, and those that are silently wrong."""
    yield "## The last layer, and the loss that belongs to it"
    yield (
        "What the last layer gives is `z` (`z1` if it is one unit); `y` is the truth. Each line "
        "was run, the right ones of both frameworks against the formula, and the wrong ones to "
        "see that they run all the same."
    )
    for pair in pairs:
        yield f"### {pair.task[0].upper()}{pair.task[1:]}"
        yield table(
            ("", "PyTorch", "Keras"),
            [
                ("units", pair.units, pair.units),
                ("activation", pair.layer["torch"], pair.layer["keras"]),
                ("loss", f"`{pair.torch}`", f"`{pair.keras}`"),
            ],
        )
        yield "Runs, and is wrong:"
        yield "\n".join(f"- `{wrong.line}`: {wrong.why}." for wrong in pair.wrong)
        if pair.claims:
            links = [ledger.link(get(name)) for name in pair.claims]
            yield f"Tried: {' '.join(links)}"


def outlived(get: Callable[[str], Any]) -> list[str]:
    """The advice whose claims have another verdict by now than the one that it needs."""
    return [
        f"{advice.case}: {name} is {get(name).recorded().verdict!r}, not {verdict!r}"
        for advice in ADVICE
        for name, verdict in advice.stands_on.items()
        if get(name).recorded().verdict != verdict
    ]

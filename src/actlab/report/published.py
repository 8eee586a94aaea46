"""Published functions that neither library has: the gallery of report cards.

    python -m actlab.report.published [name ...]    # makes the cards that are missing
    python -m actlab.report.published --time        # measures their cost again; on a quiet machine

Each definition is the paper's, in plain PyTorch, written for what the formula says and not for
its limits: whether it overflows is one of the questions.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from actlab import machine
from actlab.catalog.record import Origin
from actlab.report.card import Card

if TYPE_CHECKING:
    from torch import Tensor

CARDS = Path(str(resources.files("actlab.results").joinpath("cards.json")))


@dataclass(frozen=True)
class Published:
    """A function, where it comes from, and its formula."""

    name: str
    function: Callable[[Tensor], Tensor]
    formula: str
    origin: Origin
    broken: bool = False  # a fault was put into it, to see whether it is named


def penalised_tanh(x: Tensor) -> Tensor:
    """tanh, a quarter as steep below zero."""
    import torch

    return torch.where(x > 0, torch.tanh(x), 0.25 * torch.tanh(x))


def isru(x: Tensor) -> Tensor:
    """The inverse square root unit, α = 1."""
    import torch

    return x / torch.sqrt(1 + x**2)


def isrlu(x: Tensor) -> Tensor:
    """The identity above zero, the inverse square root unit below."""
    import torch

    return torch.where(x > 0, x, isru(x))


def smelu(x: Tensor) -> Tensor:
    """A ReLU whose corner is a parabola from −β to β, β = 1."""
    import torch

    return torch.where(x.abs() <= 1, (x + 1) ** 2 / 4, x.relu())


def snake(x: Tensor) -> Tensor:
    """The identity with a ripple, a = 1."""
    import torch

    return x + torch.sin(x) ** 2


def star_relu(x: Tensor) -> Tensor:
    """The square of a ReLU, moved and scaled to mean 0 and variance 1 for normal input."""
    s, b = 0.8944, -0.4472
    return s * x.relu() ** 2 + b


def lisht(x: Tensor) -> Tensor:
    """X tanh x."""
    import torch

    return x * torch.tanh(x)


def tanh_exp(x: Tensor) -> Tensor:
    """X tanh eˣ."""
    import torch

    return x * torch.tanh(torch.exp(x))


def serf(x: Tensor) -> Tensor:
    """X erf(ln(1 + eˣ))."""
    import torch
    from torch.nn import functional

    return x * torch.erf(functional.softplus(x))


def elish(x: Tensor) -> Tensor:
    """SiLU above zero, (eˣ − 1) times the sigmoid below."""
    import torch

    return torch.sigmoid(x) * torch.where(x >= 0, x, torch.expm1(x))


def plu(x: Tensor) -> Tensor:
    """Three straight pieces: slope 1 within ±1, slope 0.1 outside."""
    import torch

    return torch.maximum(0.1 * (x + 1) - 1, torch.minimum(0.1 * (x - 1) + 1, x))


def sine(x: Tensor) -> Tensor:
    """The sine."""
    import torch

    return torch.sin(x)


def growing_cosine(x: Tensor) -> Tensor:
    """X cos x."""
    import torch

    return x * torch.cos(x)


def softplus_as_written(x: Tensor) -> Tensor:
    """ln(1 + eˣ), computed as it is written."""
    import torch

    return torch.log(1 + torch.exp(x))


def silu_without_a_term(x: Tensor) -> Tensor:
    """SiLU whose hand-written gradient forgets the product rule."""
    import torch

    class Silu(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)  # type: ignore[attr-defined]
            return x * torch.sigmoid(x)

        @staticmethod
        def backward(ctx: object, *grads: Tensor) -> Tensor:
            (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
            return grads[0] * torch.sigmoid(x)

    out: Tensor = Silu.apply(x)  # type: ignore[no-untyped-call]
    return out


def relu_in_place(x: Tensor) -> Tensor:
    """A ReLU that overwrites what it is given."""
    return x.relu_()


def _paper(citation: str, title: str, arxiv: str) -> Origin:
    return Origin(citation, title, f"https://arxiv.org/abs/{arxiv}")


_OURS = Origin("this course", "a fault put in on purpose", "")

PUBLISHED = (
    Published(
        "Penalised tanh",
        penalised_tanh,
        r"\tanh x \text{ for } x > 0,\ \tfrac14 \tanh x \text{ otherwise}",
        _paper("Xu et al., 2016", "Revise Saturated Activation Functions", "1602.05980"),
    ),
    Published(
        "ISRU",
        isru,
        r"x / \sqrt{1 + x^2}",
        _paper(
            "Carlile et al., 2017",
            "Improving Deep Learning by Inverse Square Root Linear Units (ISRLUs)",
            "1710.09967",
        ),
    ),
    Published(
        "ISRLU",
        isrlu,
        r"x \text{ for } x > 0,\ x / \sqrt{1 + x^2} \text{ otherwise}",
        _paper(
            "Carlile et al., 2017",
            "Improving Deep Learning by Inverse Square Root Linear Units (ISRLUs)",
            "1710.09967",
        ),
    ),
    Published(
        "SmeLU",
        smelu,
        r"\tfrac14 (x + 1)^2 \text{ for } |x| \le 1,\ \max(0, x) \text{ otherwise}",
        _paper(
            "Shamir et al., 2020",
            "Smooth activations and reproducibility in deep networks",
            "2010.09931",
        ),
    ),
    Published(
        "Snake",
        snake,
        r"x + \sin^2 x",
        _paper(
            "Ziyin et al., 2020",
            "Neural Networks Fail to Learn Periodic Functions and How to Fix It",
            "2006.08195",
        ),
    ),
    Published(
        "StarReLU",
        star_relu,
        r"0.8944 \max(0, x)^2 - 0.4472",
        _paper("Yu et al., 2022", "MetaFormer Baselines for Vision", "2210.13452"),
    ),
    Published(
        "LiSHT",
        lisht,
        r"x \tanh x",
        _paper(
            "Roy et al., 2019",
            "LiSHT: Non-Parametric Linearly Scaled Hyperbolic Tangent Activation Function for "
            "Neural Networks",
            "1901.05894",
        ),
    ),
    Published(
        "TanhExp",
        tanh_exp,
        r"x \tanh(e^x)",
        _paper(
            "Liu & Di, 2020",
            "TanhExp: A Smooth Activation Function with High Convergence Speed for Lightweight "
            "Neural Networks",
            "2003.09855",
        ),
    ),
    Published(
        "Serf",
        serf,
        r"x \operatorname{erf}(\ln(1 + e^x))",
        _paper(
            "Nag & Bhattacharyya, 2021",
            "SERF: Towards better training of deep neural networks using log-Softplus ERror "
            "activation Function",
            "2108.09598",
        ),
    ),
    Published(
        "ELiSH",
        elish,
        r"x \sigma(x) \text{ for } x \ge 0,\ (e^x - 1) \sigma(x) \text{ otherwise}",
        _paper(
            "Basirat & Roth, 2018",
            "The Quest for the Golden Activation Function",
            "1808.00783",
        ),
    ),
    Published(
        "PLU",
        plu,
        r"\max(0.1 (x + 1) - 1,\ \min(0.1 (x - 1) + 1,\ x))",
        _paper("Nicolae, 2018", "PLU: The Piecewise Linear Unit Activation Function", "1809.09534"),
    ),
    Published(
        "Sine",
        sine,
        r"\sin x",
        _paper(
            "Sitzmann et al., 2020",
            "Implicit Neural Representations with Periodic Activation Functions",
            "2006.09661",
        ),
    ),
    Published(
        "Growing cosine",
        growing_cosine,
        r"x \cos x",
        _paper(
            "Noel et al., 2021",
            "Growing Cosine Unit: A Novel Oscillatory Activation Function That Can Speedup "
            "Training and Reduce Parameters in Convolutional Neural Networks",
            "2108.12943",
        ),
    ),
    Published("Softplus as written", softplus_as_written, r"\ln(1 + e^x)", _OURS, broken=True),
    Published("SiLU without a term", silu_without_a_term, r"x \sigma(x)", _OURS, broken=True),
    Published("ReLU in place", relu_in_place, r"\max(0, x)", _OURS, broken=True),
)


def cards(path: Path = CARDS) -> dict[str, Card]:
    """Name → the committed card, in the order of the list; what has none is left out."""
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {one.name: Card.from_dict(found[one.name]) for one in PUBLISHED if one.name in found}


def main(names: Sequence[str]) -> int:
    """Make the cards that are asked for, or those that are missing; each is kept as it comes."""
    machine.prepare()
    from actlab.report.make import report

    known = {one.name: one for one in PUBLISHED}
    if list(names) == ["--time"]:
        return _time_again(known)
    if strange := [name for name in names if name not in known]:
        print(f"no published function {strange[0]!r}: there are {', '.join(known)}")
        return 2
    memory: dict[object, object] = {}
    for name in names or [name for name in known if name not in cards()]:
        card = report(
            known[name].function, name, trial=not known[name].broken, progress=True, memory=memory
        )
        found = json.loads(CARDS.read_text("utf-8")) if CARDS.exists() else {}
        found[name] = _short(card.to_dict())
        CARDS.write_text(json.dumps(found, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    return 0


def _time_again(known: Mapping[str, Published]) -> int:
    from actlab.report.measured import cost
    from actlab.report.subject import subject

    found = json.loads(CARDS.read_text("utf-8"))
    for name in found:
        times = [asdict(one) for one in cost(subject(known[name].function, name))]
        found[name] |= {"cost": _short(times), "machine": machine.describe()}
    CARDS.write_text(json.dumps(found, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    return 0


def _short(value: object) -> object:
    """Numbers to eight digits: what a card shows, and a file half the size."""
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.8g}")
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_short(one) for one in value]
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

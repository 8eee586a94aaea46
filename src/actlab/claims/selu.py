"""Chapter "SELU": the claims on trial."""

from __future__ import annotations

from functools import partial

from actlab.experiments import fading, normalised, selu
from actlab.experiments.contest import BEATS
from actlab.trial import Claim, Row, Rule, below, within

said = partial(Claim, source="starting document, section SELU")
needs = partial(said, by=selu.NEEDS)
PAPER = "[Klambauer et al., 2017](https://arxiv.org/abs/1706.02515)"

HOME = ("selu",)

CLAIMS = (
    Claim(
        id="selu-attracting",
        statement=(
            "Mean 0 and variance 1 are a stable, attracting fixed point of a SELU layer: the "
            "signal returns to them from elsewhere."
        ),
        source=PAPER,
        asks=normalised.attracted,
        by=Rule({"standard deviation": within(0.9, 1.1), "mean": within(-0.1, 0.1)}, of="input"),
    ),
    Claim(
        id="selu-gain",
        statement="The gain that suits SELU is the one that calculate_gain('selu') returns.",
        source=(
            "[torch.nn.init.calculate_gain]"
            "(https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain)"
        ),
        asks=normalised.gain,
        by=normalised.KEPT,
        remarks="The gain is a compromise for the sake of gradients, says PyTorch's discussion.",
    ),
    said(
        id="selu-vanishing",
        statement="Self-normalisation solves the problem of vanishing gradients.",
        asks=fading.selu_loses,
        by=Rule({"loss of the gradient": below(1, "powers of ten")}, together=True, of="start"),
    ),
    needs(
        id="selu-needs-lecun",
        statement="Self-normalisation needs every weight to be drawn by lecun_normal.",
        asks=selu.costs(
            *("Glorot uniform", "orthogonal", "He normal", "PyTorch default"),
            what="Glorot's uniform weights, orthogonal ones, He's normal ones, PyTorch's default",
        ),
    ),
    needs(
        id="selu-needs-standardised",
        statement="Self-normalisation needs standardised inputs.",
        asks=selu.costs(
            *("input: mean 5, sd 5", "input: sd 0.1"),
            what="inputs of mean 5 and sd 5 (like raw digits), inputs of sd 0.1",
        ),
    ),
    needs(
        id="selu-needs-sequential",
        statement="Self-normalisation needs a purely sequential architecture.",
        asks=selu.costs("skip connections", what="a skip connection around every layer"),
    ),
    needs(
        id="selu-needs-alpha-dropout",
        statement="If a self-normalising network uses dropout, it has to be alpha dropout.",
        asks=selu.costs(
            "plain dropout 10 %",
            what="plain dropout of 10 %, beside alpha dropout at that rate",
            beside="alpha dropout 10 %",
        ),
    ),
    said(
        id="selu-deep",
        statement="In deep networks SELU clearly outperforms other activation functions.",
        asks=selu.DEEP_LEAD,
        by=BEATS,
    ),
    Claim(
        id="selu-unfair",
        statement="In its authors' own side-by-side SELU beats ReLU, so it is the better function.",
        source="[SNN tutorial, MLP on MNIST](https://github.com/bioinf-jku/SNNs)",
        asks=selu.REPLAYED,
        by=BEATS,
        remarks=(
            "Published was dropout of 5 %, of another kind for each, and PyTorch's start for ReLU, "
            "which has He's here."
        ),
    ),
    Claim(
        id="selu-tabular",
        statement="On tabular data self-normalising networks beat other feed-forward networks.",
        source=PAPER,
        asks=selu.ON_TABLES,
        by=BEATS,
    ),
    said(
        id="selu-preserves",
        statement="While it learns, a SELU network keeps mean 0 and sd 1 in every layer.",
        asks=normalised.while_learning,
        by=normalised.PRESERVED,
    ),
    said(
        id="elu-when-broken",
        statement="Where a network cannot normalise itself, ELU does better than SELU.",
        asks=selu.ELU_LEAD,
        by=BEATS,
    ),
    said(
        id="selu-kink",
        statement="That is because SELU is not smooth at 0.",
        asks=selu.smooth,
        by=selu.KINK,
        remarks="The curve without the kink is also flatter, which may help by itself.",
    ),
    said(
        id="selu-cnn",
        statement="SELU improves convolutional networks.",
        asks=selu.CONVOLUTIONAL_LEAD,
        by=BEATS,
    ),
)

CHEAT = (
    Row(
        activation="selu",
        use="A deep dense stack without normalisation. That it ends ahead was not shown.",
        start="LeCun: weights of variance 1/n, biases 0",
        trap="calculate_gain('selu') is no start for it. Alpha dropout drowns a deep signal.",
        evidence=(
            *("selu-attracting", "selu-deep", "selu-needs-lecun"),
            *("selu-gain", "selu-needs-alpha-dropout"),
        ),
    ),
)

"""The words of the course: what each means here, what else it is called, where it is explained.

The page "Glossary" is made from these, and so is half of what the search knows (:mod:`.words`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A word: its meaning, other words for it, and the pages that explain it, the best first.

    ``also``: what people and frameworks call it; ``pages``: documents of the book, without suffix.
    """

    name: str
    meaning: str
    also: tuple[str, ...]
    pages: tuple[str, ...]


CHAPTERS = "notebooks/"
RELU, SATURATION, LEAKY, ELU, SELU, TWINS = (
    f"{CHAPTERS}{name}"
    for name in ("02_relu", "03_sigmoid_tanh", "04_leaky", "05_elu", "06_selu", "20_twins")
)

GLOSSARY = (
    Term(
        "activation function",
        "What a unit does to its weighted sum before it passes it on.",
        ("activation", "non-linearity", "nonlinearity", "transfer function"),
        ("notebooks/01_why_nonlinear", "book/reference/index"),
    ),
    Term(
        "alpha dropout",
        "Dropout that puts SELU's lower end in the place of 0, and so keeps mean and variance.",
        ("AlphaDropout", "alpha_dropout"),
        (SELU,),
    ),
    Term(
        "axis",
        "The direction in an array along which softmax normalises; PyTorch calls it dim.",
        ("dim", "dimension"),
        ("book/reference/disagreements", "book/reference/family-softmax"),
    ),
    Term(
        "batch normalisation",
        "A layer that gives every unit mean 0 and variance 1 over the batch, and then a scale and "
        "a shift that are learned.",
        (
            "batch normalization",
            "batch norm",
            "batchnorm",
            "BatchNormalization",
            "BatchNorm1d",
            "BatchNorm2d",
        ),
        (TWINS, SATURATION),
    ),
    Term(
        "claim",
        "A sentence on trial: with its source, an experiment, a rule and a verdict.",
        ("myth", "folklore", "trial", "ledger"),
        ("book/reference/claims", "book/evidence"),
    ),
    Term(
        "dead unit",
        "A unit that gives zero for every input, so that no gradient reaches its weights.",
        ("dead neuron", "dead ReLU", "dying ReLU", "dying neuron"),
        (RELU, "book/lab"),
    ),
    Term(
        "dormant unit",
        "A unit that gives hardly anything, compared with the others of its layer.",
        ("sleeping unit", "sleeper", "dormant neuron"),
        (LEAKY, "book/lab"),
    ),
    Term(
        "gain",
        "The number that the weights of a start are multiplied by, to suit an activation.",
        ("calculate_gain",),
        (SATURATION, SELU),
    ),
    Term(
        "Glorot initialisation",
        "Weights whose variance is 2 over the sum of a layer's inputs and outputs. Named after "
        "Xavier Glorot.",
        ("Xavier", "Xavier initialization", "glorot_uniform", "xavier_uniform_", "xavier_normal_"),
        (SATURATION,),
    ),
    Term(
        "He initialisation",
        "Weights of variance 2 over the number of inputs, made for ReLU. Named after Kaiming He.",
        ("Kaiming", "Kaiming initialization", "he_normal", "kaiming_normal_", "kaiming_uniform_"),
        (RELU,),
    ),
    Term(
        "interval",
        "Where a number lies, as far as the seeds and the splits can tell.",
        ("confidence interval", "error bar", "significance", "bootstrap"),
        ("book/evidence",),
    ),
    Term(
        "kink",
        "A place where the slope of a curve jumps; between its two sides a gradient can be chosen.",
        ("subgradient", "non-differentiable", "derivative at 0"),
        ("book/reference/disagreements", "book/explore"),
    ),
    Term(
        "LeCun initialisation",
        "Weights of variance 1 over the number of inputs, as SELU wants them.",
        ("lecun_normal", "LeCun normal"),
        (SELU,),
    ),
    Term(
        "logits",
        "The scores that go into a softmax or a sigmoid.",
        ("from_logits", "raw scores", "BCEWithLogitsLoss", "CrossEntropyLoss"),
        (TWINS, "book/reference/family-softmax"),
    ),
    Term(
        "noise floor",
        "What the difference between an arm and itself, under other seeds, can come to.",
        ("noise", "chance level"),
        ("book/evidence",),
    ),
    Term(
        "offline",
        "Without internet: all data of the chapters come with the packages.",
        ("no internet", "without internet", "air-gapped", "classroom"),
        ("book/how-to-run",),
    ),
    Term(
        "orthogonal initialisation",
        "Weights that turn a signal and do not stretch it.",
        ("orthogonal_", "OrthogonalInitializer"),
        (SATURATION,),
    ),
    Term(
        "port",
        "The same network, with the same weights, in the other framework.",
        ("conversion", "convert", "state_dict", "get_weights", "set_weights", "translate"),
        (TWINS,),
    ),
    Term(
        "probe",
        "What looks into a network while it runs: in PyTorch by hooks, in Keras by a model of the "
        "inner outputs.",
        ("hook", "forward hook", "register_forward_hook", "callback", "inspect activations"),
        (RELU, "book/lab"),
    ),
    Term(
        "recipe",
        "A layer that a framework lacks, as the course writes it. Keras's are registered, so "
        "that a model with one can be saved, and loaded once actlab.recipes.keras is imported.",
        ("load_model", "save model", "custom layer", "custom_objects", "serialization"),
        ("book/reference/index", "book/contributing"),
    ),
    Term(
        "saturation",
        "Where a curve is so flat that hardly any gradient passes.",
        ("saturated unit", "saturating", "flat"),
        (SATURATION, "book/lab"),
    ),
    Term(
        "seed",
        "The number from which all chance of a run is drawn.",
        ("random seed", "manual_seed", "set_random_seed", "reproducibility"),
        ("book/evidence",),
    ),
    Term(
        "self-normalisation",
        "That signals come to mean 0 and variance 1 by themselves, layer after layer.",
        ("self-normalizing", "SNN", "fixed point"),
        (SELU,),
    ),
    Term(
        "slope",
        "The derivative of a curve; of a leaky ReLU, that of its left side.",
        ("derivative", "negative_slope", "leak", "alpha"),
        (LEAKY, "book/reference/then-and-now"),
    ),
    Term(
        "vanishing gradient",
        "A gradient that gets smaller with every layer on its way down, until nothing is learned.",
        ("exploding gradient", "gradient flow", "vanish"),
        (SATURATION, "book/signals"),
    ),
    Term(
        "verdict",
        "What the rule made of the numbers: holds, holds when …, refuted or not shown.",
        ("holds", "refuted", "not shown"),
        ("book/evidence", "book/reference/claims"),
    ),
    Term(
        "weight decay",
        "Pulling all weights towards zero a little at every step.",
        ("L2", "regularization", "AdamW", "weight_decay"),
        (LEAKY,),
    ),
)

INTRODUCTION = """\
# Glossary

What the words of the course mean here, what else they are called, and where they are explained. The
search knows all of these names."""


def page(terms: Iterable[Term] = GLOSSARY) -> str:
    """The page's Markdown."""
    blocks = [INTRODUCTION, "```{glossary}"]
    for term in terms:
        also = ", ".join(f"`{name}`" if _code(name) else name for name in term.also)
        links = ", ".join(f"{{doc}}`/{name}`" for name in term.pages)
        blocks.append(f"{term.name}\n: {term.meaning}\n\n  Also: {also}.\n\n  See {links}.\n")
    return "\n".join([blocks[0], "", blocks[1], "\n".join(blocks[2:]).rstrip(), "```"]) + "\n"


def _code(name: str) -> bool:
    return "_" in name or (
        name[:1].isupper() and any(c.isupper() for c in name[2:]) and " " not in name
    )

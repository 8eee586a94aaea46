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
RELU, SATURATION, LEAKY, ELU, SELU, SMOOTH, HARD, SHRINKAGE, COST, CHOOSING, TWINS = (
    f"{CHAPTERS}{name}"
    for name in (
        *("02_relu", "03_sigmoid_tanh", "04_leaky", "05_elu", "06_selu"),
        *("12_smooth", "13_hard", "14_shrinkage", "15_cost", "18_choosing", "20_twins"),
    )
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
        "compiled",
        "Written anew as one loop for one function, by inductor (torch.compile) or XLA "
        "(jit_compile), instead of one operation after another.",
        ("torch.compile", "jit_compile", "XLA"),
        (COST,),
    ),
    Term(
        "critical-difference diagram",
        "Mean ranks on a line; a bar joins what could not be told apart.",
        ("Demšar", "Friedman", "Nemenyi", "mean rank", "ranking"),
        (CHOOSING,),
    ),
    Term(
        "dead unit",
        "A unit that gives zero for every input, so that no gradient reaches its weights.",
        ("dead neuron", "dead ReLU", "dying ReLU", "dying neuron"),
        (RELU, "book/lab"),
    ),
    Term(
        "deviance",
        "Twice how far the logarithm of a likelihood falls short of the best possible.",
        ("PoissonNLLLoss", "likelihood"),
        (SMOOTH,),
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
        "Holm's correction",
        "Asks for the stronger evidence the more comparisons are made, so that chance wins none.",
        ("Bonferroni", "multiple comparisons", "family-wise error", "p-hacking"),
        (CHOOSING, "book/evidence"),
    ),
    Term(
        "in place",
        "Writing the answer over the input instead of into new memory.",
        ("inplace",),
        (COST,),
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
        ("subgradient", "non-differentiable", "derivative at 0", "corner"),
        (HARD, "book/reference/disagreements", "book/explore"),
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
        "noise",
        "What chance adds: to every pixel of an image, or to a mean over a few seeds.",
        ("denoising", "Gaussian noise", "white noise"),
        (SHRINKAGE, "book/evidence"),
    ),
    Term(
        "noise floor",
        "What the difference between an arm and itself, under other seeds, can come to.",
        ("chance level",),
        (CHOOSING, "book/evidence"),
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
        "overflow",
        "What happens to a number larger than its format can hold: it becomes infinity.",
        ("inf", "infinity", "numerically stable", "log-sum-exp"),
        (SMOOTH, f"{CHAPTERS}08_softmax"),
    ),
    Term(
        "performance profile",
        "In how many races one was there in at most so many times the time of the fastest.",
        ("Dolan", "AlgoPerf", "time to target"),
        (CHOOSING,),
    ),
    Term(
        "Poisson regression",
        "A model of counts: the logarithm of their rate is a weighted sum.",
        ("count data", "log link", "generalised linear model"),
        (SMOOTH,),
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
        "proximal operator",
        "A function that gives the cheapest answer: near the input, and low in price.",
        ("prox", "proximity operator", "proximal"),
        (SHRINKAGE,),
    ),
    Term(
        "quantisation",
        "Writing the numbers of a network in few bits: each becomes the nearest of a few levels.",
        ("quantization", "int8", "low precision", "zero point", "torchao", "post-training"),
        (HARD,),
    ),
    Term(
        "recipe",
        "A layer that a framework lacks, as the course writes it. Keras's are registered, so "
        "that a model with one can be saved, and loaded once actlab.recipes.keras is imported.",
        ("load_model", "save model", "custom layer", "custom_objects", "serialization"),
        ("book/reference/index", "book/contributing"),
    ),
    Term(
        "roofline",
        "The speed that memory allows: that of a copy of the same array. A function at half of it "
        "spends as much time on something else as on carrying numbers.",
        ("roof",),
        (COST,),
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
        "straight-through",
        "A step on the way up; on the way down the slope of another function, such as hard tanh's.",
        ("straight-through estimator", "STE", "binarised", "stop_gradient", "detach"),
        (HARD, f"{CHAPTERS}01_why_nonlinear"),
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

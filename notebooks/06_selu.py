# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # SELU: a network that normalises itself
#
# **35 minutes to read, exercises apart · runs in about 40 s and 1.1 GB on 2 cores · needs: ELU**
#
# 1.0507009873554805 and 1.6732632423543772: these two numbers stand in the sources of PyTorch and
# of Keras, digit by digit. Nobody tuned them. They follow from two wishes, and in five minutes
# you will have found them yourself, in two lines.
#
# With them comes the boldest promise in this course: stack this function as deep as you like, start
# it right, and the signal keeps mean 0 and variance 1 *by itself*, without batch norm. We stack a
# hundred layers, look, and then break it.
#
# **Questions**
#
# - Where do the two numbers come from, and what does LeCun's start do?
# - Does a signal survive a hundred layers?
# - Which of SELU's requirements are needed, and for what?
# - What does alpha dropout keep, and what does it cost?
# - Does the network stay normalised while it learns?
# - Is it better than ReLU, once both are given a fair start?

# %% tags=["setup"]
# On Colab this installs the course's helpers; elsewhere it only
# looks whether they are there. Then it loads the frameworks as the
# text uses them: on the CPU, and without their log.
import sys
from importlib.util import find_spec
from subprocess import run

course = "https://github.com/actlab-course/activation-functions"
helpers = f"actlab @ git+{course}"
if "google.colab" in sys.modules:
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    run([*pip, helpers], check=True)
assert find_spec("actlab"), f'Missing; pip install "{helpers}"'

from actlab import machine

machine.prepare()

# %%
import keras
import numpy as np
import torch
from torch import nn

from actlab import claims, data, ensemble
from actlab import plots, predict, theory
from actlab.exercises import selu as check

plots.use_style()

# %% [markdown]
# ## Two wishes, two numbers
#
# A unit adds up its inputs, each times a weight. Say there are $n = 128$ inputs of mean 0 and
# variance 1, and every weight is drawn with variance $1/128$. Then each of the 128 products has
# variance $1/128$, and their sum has variance 1. That is *LeCun's start*: $\mathrm{Var}(w) = 1/n$.
# And because a sum of many independent terms follows the bell curve, what arrives at the activation
# function is, before training, a standard normal number. Call it $z$.
#
# SELU is ELU with α, times a scale λ. We have two wishes. What comes out shall have mean 0, and
# mean square 1, so that the next layer finds what this one found. A wish for each number:

# %%
z = np.random.default_rng(0).standard_normal(200_000)
right = np.maximum(z, 0)
left = np.expm1(np.minimum(z, 0))  # negative, as ELU's left side is

alpha = -right.mean() / left.mean()
scale = 1 / np.sqrt(np.mean((right + alpha * left) ** 2))

print(f"found: scale {scale:.2f} and alpha {alpha:.2f}")
ready = nn.functional.selu(torch.tensor([1.0, -100.0]))
assert np.isclose(scale, ready[0], atol=0.01)
assert np.isclose(-scale * alpha, ready[1], atol=0.02)

# %% [markdown]
# The first line balances the two sides, the second scales both. More numbers give more digits.
#
# <details>
# <summary>For the curious: all the digits</summary>
#
# With $\varphi$ and $\Phi$ the density and the distribution of the standard normal, the mean of the
# right side is $\varphi(0) = 1/\sqrt{2\pi}$ and that of the left side is
# $\sqrt{e}\,\Phi(-1) - 1/2$. So $\alpha = \varphi(0) / (1/2 - \sqrt{e}\,\Phi(-1))$, which is
# 1.6732632423543772. The scale follows in the same way, with $e^2\,\Phi(-2)$ in the mean square.
# The idea and the proof that the point attracts are by Klambauer and colleagues
# ([2017](https://arxiv.org/abs/1706.02515)).
#
# </details>
#
# ## A fixed point, and what leads to it
#
# In goes mean 0 and variance 1, out comes the same: a *fixed point*. But a pencil on its tip is
# at a fixed point, too. What does a layer do to a signal that is too small, or too large?


# %%
def selu(x):
    return scale * np.where(
        x > 0, x, alpha * np.expm1(np.minimum(x, 0))
    )


for size in (0.5, 1.0, 2.0):
    out = np.sqrt(np.mean(selu(size * z) ** 2))
    print(f"size {size} goes in, {out:.2f} comes out")

# %% [markdown]
# What is too small comes up, because near 0 the left side is steep: its slope is $\lambda\alpha$,
# 1.76. What is too large comes down, because much of it lies on the flat left end and is cut
# short. The fixed point *attracts*. (*Size* is the root of the mean square: as the weights have
# mean 0, it is all that the next layer's $z$ depends on. *sd*, below, is the standard deviation.)

# %% [markdown]
# ## A hundred layers
#
# Now for a real stack, where not all is average: digits go through a hundred layers of 128 units.


# %%
digits = data.load("digits")
x = digits.x_train[:60].astype(float)


def relu(x):
    return np.maximum(x, 0)


# %%
def stack(function, variance, seed=0, change=None, x=x, depth=100):
    rng = np.random.default_rng(seed)
    h, sds = x, []
    for _ in range(depth):
        n = h.shape[1]
        w = rng.normal(0, np.sqrt(variance / n), (n, 128))
        out = function(h @ w)
        h = change(out, h) if change else out
        sds.append(h.std())
    return h, np.array(sds)


# %% [markdown]
# (What `change` is for comes later.) Twenty such networks with SELU and LeCun's start; and, for
# comparison, twenty with ReLU and *its* right start, He's, with variance $2/n$: on average it keeps
# the mean square, too.
#
# > **Predict.** The same recipe, twenty seeds. Behind layer 100 of the ReLU networks: how many
# > times as large is the largest of the twenty sds as the smallest?
# >
# > - less than twice
# > - two to five
# > - over five

# %% tags=["reveal"]
sds = {
    "selu": [stack(selu, 1, seed)[1] for seed in range(20)],
    "relu": [stack(relu, 2, seed)[1] for seed in range(20)],
}
starts = {"selu": theory.STARTS["LeCun"], "relu": theory.STARTS["He"]}
axes = dict(zip(sds, plots.figure(2, sharey=True)[1], strict=True))
panels = []
for name, found in sds.items():
    known = theory.layers(name, starts[name], depth=100).sd
    look = {"color": plots.colour(name), "ax": axes[name], "y": "sd"}
    shown = plots.ways(
        np.array(found), known, name=name, ratio=True, **look
    )
    panels.append(shown)
plots.show(axes["selu"].figure, plots.panels(panels))

# %% tags=["reveal"]
ends = {name: [run[-1] for run in found] for name, found in sds.items()}
apart = {name: max(end) / min(end) for name, end in ends.items()}
limits = {"less than twice": 2, "two to five": 5, "over five": np.inf}
choice = predict.pick(apart["relu"], limits)
words = f"{apart['relu']:.0f} times; with SELU {apart['selu']:.1f}"
predict.reveal(words, choice=choice)

# %% [markdown] tags=["reveal"]
# Both keep to their theory (dashed) on average. Chance pushes the SELU networks about in every
# layer, and the next layer pulls them back. Nothing pulls a ReLU network back: what has gone wrong
# stays, and more is added.

# %% [markdown]
# ## The same hundred layers in both frameworks
#
# Keras knows LeCun's start by name. PyTorch does not; Kaiming's with `nonlinearity="linear"` is the
# same, $1/n$. And PyTorch draws biases unless you set them to 0.

# %%
torch.manual_seed(0)
layers = []
for n in (64, *[128] * 99):
    linear = nn.Linear(n, 128)
    nn.init.kaiming_normal_(linear.weight, nonlinearity="linear")
    nn.init.zeros_(linear.bias)
    layers += [linear, nn.SELU()]
deep = nn.Sequential(*layers)
sixty = torch.tensor(x, dtype=torch.float32)
ours = deep(sixty).detach().numpy()

# %%
lecun = {"activation": "selu", "kernel_initializer": "lecun_normal"}
hidden = [keras.layers.Dense(128, **lecun) for _ in range(100)]
twin = keras.Sequential([keras.Input((64,)), *hidden])

# %% [markdown]
# That is the same network, from another draw. With the same *weights* it is the same function. To
# port a layer, transpose: a PyTorch weight is (out, in), a Keras kernel (in, out).

# %%
for dense, linear in zip(hidden, deep[::2], strict=True):
    weight, bias = linear.weight.detach(), linear.bias.detach()
    dense.set_weights([weight.numpy().T, bias.numpy()])
theirs = np.asarray(twin(sixty.numpy()))
assert np.allclose(theirs, ours, atol=1e-3)
print(f"{ours.size:,} outputs, equal; their sd is {ours.std():.1f}")

# %% [markdown]
# A trap on the way: `torch.nn.init.calculate_gain("selu")` sounds like the factor that SELU's
# weights need. It is 3/4, a compromise for the sake of gradients; the fixed point needs 1, and
# PyTorch's own documentation says so ([the
# discussion](https://github.com/pytorch/pytorch/issues/24991)).
#
# ## Break it
#
# The paper asks for four things: LeCun's weights, standardised inputs, a plain stack of layers,
# and if there is dropout, alpha dropout. We take them away one by one. (A *skip connection* adds
# to a layer's output what went into it. Dropout sets a share of the units to 0 and lifts the
# others.)


# %%
chance = np.random.default_rng(1)


def skip(out, h):
    return out + h if out.shape == h.shape else out


def dropout(out, h, rate=0.05):
    return out * (chance.random(out.shape) >= rate) / (1 - rate)


# %%
breaks = {
    "as the paper asks": {},
    "He's weights": {"variance": 2},
    "PyTorch's weights": {"variance": 1 / 3},
    "calculate_gain": {"variance": 9 / 16},
    "skip connections": {"change": skip},
    "raw inputs": {"x": 5 + 5 * x},
    "plain dropout": {"change": dropout},
}

# %% [markdown]
# *Raw inputs* are what somebody gets who forgets to standardise: mean 5 and sd 5, like the pixels
# of our digits.
#
# > **Predict.** Which break takes the sd behind layer 30 furthest from 1, up or down?
# >
# > - He's weights
# > - PyTorch's weights
# > - skip connections
# > - raw inputs

# %% tags=["reveal"]
usual = {"function": selu, "variance": 1, "depth": 30}
ends = {name: stack(**{**usual, **b})[1] for name, b in breaks.items()}
rows = np.array(list(ends.values()))
table = {f"sd, layer {n}": rows[:, n - 1] for n in (1, 5, 10, 30)}
plots.table({"network": list(ends), **table}, 2)

# %% tags=["reveal"]
furthest = max(ends, key=lambda name: abs(np.log(ends[name][-1])))
predict.reveal(f"an sd of {ends[furthest][-1]:,.0f}", choice=furthest)

# %% [markdown] tags=["reveal"]
# With *skip connections* every layer adds its own variance to what it was given, so the signal
# multiplies. (Residual networks live well, but on other means than this one.) *He's* weights are
# too large for SELU, and the signal grows for as long as there are layers. With the 3/4 of
# *calculate_gain* it sinks to a lower level. With *PyTorch's weights* it fades until only the
# random biases, which we left out, would be heard. *Raw inputs* come back: forgotten
# standardisation costs the first layers, not the network. *Plain dropout* raises the sd a little,
# and there it stays.

# %% [markdown]
# A network whose signal is not normal need not be a bad one. So the trial asks for both: does the
# break move the signal out of its band, *and* does it cost accuracy, when every network has the
# learning rate that suits it?

# %%
claims.trial("selu-needs-lecun")

# %% [markdown]
# After a dozen epochs networks from PyTorch's start lie far behind on the digits, too. At the
# plateau nothing is left of that: they only start slowly.
#
# ## What alpha dropout keeps
#
# *Alpha dropout* sets units to SELU's floor, $-\lambda\alpha = -1.76$, instead of 0. Then it moves
# and scales everything so that mean 0 and variance 1 are restored.


# %%
def alpha_dropout(out, h, rate=0.05):
    floor = -scale * alpha
    out = np.where(chance.random(out.shape) >= rate, out, floor)
    variance = (1 - rate) * (1 + rate * floor**2)
    return (out - rate * floor) / np.sqrt(variance)


for drop in (dropout, alpha_dropout):
    sd = stack(selu, 1, change=drop, depth=30)[1][-1]
    print(f"{drop.__name__}: sd {sd:.2f} behind layer 30")

# %% [markdown]
# It does exactly what it promises. But the variance of *what*? Send the same digits through the
# same weights twice, with other units dropped, and see how much the two answers have in common:
# their cosine is 1 if they are the same, and near 0 if they have nothing to do with each other.
#
# > **Predict.** 5 % of the units dropped behind each of 30 layers, alpha dropout. The cosine
# > between the two answers:
# >
# > - nearly 1
# > - about a half
# > - nearly 0

# %% tags=["reveal"]
alike = {}
for drop in (dropout, alpha_dropout):
    pair = [stack(selu, 1, change=drop, depth=30)[0] for _ in range(2)]
    a, b = (h / np.linalg.norm(h) for h in pair)
    alike[drop.__name__] = np.sum(a * b)
print({name: f"{cosine:.2f}" for name, cosine in alike.items()})

share = alike["alpha_dropout"]
limits = {"nearly 0": 0.25, "about a half": 0.75, "nearly 1": 1}
choice = predict.pick(share, limits)
predict.reveal(f"a cosine of {share:.2f}", choice=choice)

# %% [markdown] tags=["reveal"]
# To be thrown to $-1.76$ is a much harder blow than to be set to 0: at the same rate alpha
# dropout puts in $1 + 1.76^2$, about 4 times as much noise. It keeps the variance at 1 by
# *replacing* signal with noise, layer after layer. Mean and variance are in perfect order, and
# the digit is gone. **Normalised is not the same as informed.** If you use it in a deep network,
# use very little, or in the last layers alone.

# %% [markdown]
# What does that mean for accuracy? On the card, "accuracy lost" is what *plain* dropout loses
# against alpha dropout at the same rate, so numbers below 0 speak for plain dropout.

# %%
claims.trial("selu-needs-alpha-dropout")

# %% [markdown]
# ## While it learns
#
# All of the theory is about random weights. Training makes them anything but random. Eight SELU
# layers from LeCun's start, and a training loop in which you can change any line.

# %%
torch.manual_seed(0)
layers = []
for n in [64] * 8:
    linear = nn.Linear(n, 64, dtype=torch.float64)
    nn.init.kaiming_normal_(linear.weight, nonlinearity="linear")
    nn.init.zeros_(linear.bias)
    layers += [linear, nn.SELU()]
# Double precision: then every processor prints the same.
network = nn.Sequential(*layers, nn.Linear(64, 10, dtype=torch.float64))
train_x = torch.tensor(digits.x_train, dtype=torch.float64)
train_y = torch.tensor(digits.y_train)

# %% [markdown]
# > **Predict.** Ten epochs later the sd behind the last hidden layer is
# >
# > - smaller than 0.8
# > - still about 1
# > - larger than 1.25

# %% tags=["reveal"]
optimiser = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
for _ in range(10):
    for rows in torch.randperm(len(train_x)).split(128):
        logits = network(train_x[rows])
        loss = nn.functional.cross_entropy(logits, train_y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

sd = network[:-1](train_x).std().item()
limits = {"smaller than 0.8": 0.8, "still about 1": 1.25}
choice = predict.pick(sd, {**limits, "larger than 1.25": np.inf})
predict.reveal(f"{sd:.2f}", choice=choice, folklore="still about 1")

# %% [markdown] tags=["reveal"]
# The fixed point belongs to *random* weights. Learning makes weights and signals agree with each
# other, and their sums are then no longer sums of independent terms. Nothing pulls them back. The
# network learns well all the same: self-normalisation is a good place to start from, not a state
# that is kept.

# %%
claims.trial("selu-preserves")

# %% [markdown]
# The same in Keras, with `fit`, and a little alpha dropout in front of the last layer. (The first
# Keras 3 had no `AlphaDropout`. It is back.)

# %%
keras.utils.set_random_seed(0)
double = {"dtype": "float64"}
model = keras.Sequential(
    [keras.Input((64,))]
    + [keras.layers.Dense(64, **lecun, **double) for _ in range(8)]
    + [keras.layers.AlphaDropout(0.05, **double)]
    + [keras.layers.Dense(10, **double)]
)
model.compile(
    optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
model.fit(digits.x_train, digits.y_train, 128, epochs=10, verbose=0)
right = np.argmax(model(digits.x_valid), 1) == digits.y_valid
print(f"Keras: {right.mean():.0%} of new digits are right")

# %% [markdown]
# ## Is it better than ReLU?
#
# The tutorial that SELU's authors publish ([SNNs](https://github.com/bioinf-jku/SNNs)) sets it
# beside ReLU: two hidden layers, plain gradient descent, one learning rate. SELU gets LeCun's
# start and 5 % of alpha dropout; ReLU gets what the library gives and 5 % of plain dropout. So
# *three* things differ: the curve, the start, and the dropout. We replay it on the digits at half
# its width, and add a third arm that differs in the start alone.

# %%
plain = {"activation": "relu", "dropout": 0.05}
own = {"activation": "selu", "init": "lecun_normal", "dropout": 0.05}
arms = {
    "ReLU as published": {**plain, "init": "torch"},
    "ReLU, He's start": {**plain, "init": "he_normal"},
    "SELU as published": {**own, "alpha_dropout": True},
}
setting = {"hidden": (256, 128), "momentum": 0.0, "dtype": "float64"}

# %% [markdown]
# > **Predict.** As published SELU is ahead. How much of its lead is left when ReLU gets He's
# > start, and nothing else is changed?
# >
# > - nearly all
# > - about half
# > - next to nothing

# %% tags=["reveal"]
run = ensemble.train(
    digits, arms=arms, seeds=20, epochs=20, lr=0.043, **setting
)
means = {n: 100 * run.test_accuracy[run.index(n)].mean() for n in arms}
print({name: f"{mean:.1f} %" for name, mean in means.items()})

lead = means["SELU as published"] - means["ReLU as published"]
fair = means["SELU as published"] - means["ReLU, He's start"]
limits = {"next to nothing": 0.25, "about half": 0.75, "nearly all": 9}
choice = predict.pick(fair / lead, limits)
predict.reveal(f"{fair:.1f} of {lead:.1f} points", choice=choice)

# %% [markdown] tags=["reveal"]
# How large SELU's lead is depends on how its *rival* was started. Two confounds are left: the
# dropout, of which the two have different kinds, and the learning rate, the tutorial's for
# everybody. On the first card both are taken apart. The second asks the larger question: deep
# stacks, several rivals.

# %%
claims.trial("selu-unfair", "selu-deep")

# %% [markdown]
# When you read of a lead, ask three things: how was the loser started, who tuned its learning
# rate, and did training go on until nobody improved?
#
# [The ledger](../book/reference/claims.md) has nine more claims of this chapter, among them
# vanishing gradients, tables, convolutions, and whether the kink at 0 does harm.
#
# ## Exercises
#
# > **Exercise 6.1.** Your team insists on He's start, where $z$ has variance 2. Find the scale λ
# > and the α with which a SELU keeps mean 0 and mean square 1 under *that* start, to three
# > digits. (`theory.normal_mean(f, variance)` gives $\mathrm{E}[f(z)]$ by an integral.)

# %%
constants = ...  # (scale, alpha)
check.check_he_constants(constants)

# %% [markdown]
# <details>
# <summary>Solution (NumPy and SciPy, whichever framework you use)</summary>
#
# ```python
# import numpy as np
# from scipy.optimize import fsolve
# from actlab import theory
# from actlab.exercises import selu as check
#
# def off(pair):
#     scale, alpha = pair
#     f = lambda z: (
#         scale
#         * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))
#     )
#     return theory.normal_mean(f, 2.0), theory.normal_mean(
#         lambda z: f(z) ** 2, 2.0
#     ) - 1
#
# constants = fsolve(off, (1.0, 1.5))
# check.check_he_constants(constants)
# ```
#
# </details>
#
# > **Exercise 6.2.** Build a self-normalising network, in PyTorch or in Keras: 64 inputs, eight
# > hidden layers of 128 units with the right start and 5 % of the right dropout behind each, 10
# > logits.

# %%
my_network = ...
check.check_self_normalising(my_network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from torch import nn
# from actlab.exercises import selu as check
#
# layers = []
# for n_in in (64, *[128] * 7):
#     layers += [
#         nn.Linear(n_in, 128),
#         nn.SELU(),
#         nn.AlphaDropout(0.05),
#     ]
# network = nn.Sequential(*layers, nn.Linear(128, 10))
# for module in network:
#     if isinstance(module, nn.Linear):
#         nn.init.kaiming_normal_(
#             module.weight, nonlinearity="linear"
#         )
#         nn.init.zeros_(module.bias)
#
# check.check_self_normalising(network)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from keras.layers import AlphaDropout, Dense
# from actlab.exercises import selu as check
#
# layers = []
# for _ in range(8):
#     layers += [
#         Dense(128, "selu", kernel_initializer="lecun_normal"),
#         AlphaDropout(0.05),
#     ]
# network = keras.Sequential([keras.Input((64,)), *layers, Dense(10)])
#
# check.check_self_normalising(network)
# ```
#
# </details>
#
# > **Exercise 6.3.** Train a network with eight hidden layers of SELU on the digits, without
# > batch norm, until it is right about 93 % of digits that it has never seen. Hand in the trained
# > network. (How deep can you go?)

# %%
trained_network = ...
check.check_trained_selu(trained_network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import selu as check
#
# torch.manual_seed(0)
# digits = data.load("digits")
# x = torch.tensor(digits.x_train, dtype=torch.float32)
# y = torch.tensor(digits.y_train)
# layers = []
# for n in [64] * 8:
#     linear = nn.Linear(n, 64)
#     nn.init.kaiming_normal_(linear.weight, nonlinearity="linear")
#     nn.init.zeros_(linear.bias)
#     layers += [linear, nn.SELU()]
# trained_network = nn.Sequential(*layers, nn.Linear(64, 10))
# optimiser = torch.optim.SGD(
#     trained_network.parameters(), lr=0.01, momentum=0.9
# )
# for epoch in range(15):
#     for rows in torch.randperm(len(x)).split(64):
#         loss = nn.functional.cross_entropy(
#             trained_network(x[rows]), y[rows]
#         )
#         optimiser.zero_grad()
#         loss.backward()
#         optimiser.step()
#
# check.check_trained_selu(trained_network)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab import data
# from actlab.exercises import selu as check
#
# keras.utils.set_random_seed(0)
# digits = data.load("digits")
# lecun = {"activation": "selu", "kernel_initializer": "lecun_normal"}
# trained_network = keras.Sequential(
#     [keras.Input((64,))]
#     + [keras.layers.Dense(64, **lecun) for _ in range(8)]
#     + [keras.layers.Dense(10)]
# )
# trained_network.compile(
#     optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
#     loss=keras.losses.SparseCategoricalCrossentropy(
#         from_logits=True
#     ),
# )
# trained_network.fit(
#     digits.x_train,
#     digits.y_train,
#     batch_size=64,
#     epochs=15,
#     verbose=0,
# )
#
# check.check_trained_selu(trained_network)
# ```
#
# </details>
#
# > **Exercise 6.4.** Break a SELU network in a way of your own: uniform weights, random biases,
# > half of the weights 0, only 8 units a layer, an input that is never negative. *Before* you
# > train, write a rule: a function of the accuracies of intact and broken networks (an array of
# > one number for each seed) that says "holds" (what you broke was needed), "refuted" (the broken
# > ones are better) or "not shown". The checker tries your rule on invented numbers first: it
# > must be able to lose.

# %%
answer = ...  # (rule, intact, broken)
check.check_break_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch import nn
# from actlab import data, stats
# from actlab.exercises import selu as check
#
# def rule(intact, broken):
#     lost = stats.mean_interval(
#         intact - broken
#     )  # 95 %, paired by seed
#     if lost.low > 0:
#         return "holds"
#     return "refuted" if lost.high < 0 else "not shown"
#
# digits = data.load("digits")
# x, valid = (
#     torch.tensor(part, dtype=torch.float32)
#     for part in (digits.x_train, digits.x_valid)
# )
# y = torch.tensor(digits.y_train)
#
# def accuracy(seed, width):
#     """Broken: the width. Theory has infinitely many, here are 8."""
#     torch.manual_seed(seed)
#     layers = []
#     for n in (64, *[width] * 7):
#         linear = nn.Linear(n, width)
#         nn.init.kaiming_normal_(
#             linear.weight, nonlinearity="linear"
#         )
#         nn.init.zeros_(linear.bias)
#         layers += [linear, nn.SELU()]
#     network = nn.Sequential(*layers, nn.Linear(width, 10))
#     optimiser = torch.optim.SGD(
#         network.parameters(), lr=0.01, momentum=0.9
#     )
#     for epoch in range(5):
#         for rows in torch.randperm(len(x)).split(64):
#             loss = nn.functional.cross_entropy(
#                 network(x[rows]), y[rows]
#             )
#             optimiser.zero_grad()
#             loss.backward()
#             optimiser.step()
#     return np.mean(
#         network(valid).argmax(1).numpy() == digits.y_valid
#     )
#
# intact, broken = (
#     np.array([accuracy(seed, width) for seed in range(10)])
#     for width in (64, 8)
# )
#
# answer = (rule, intact, broken)
# check.check_break_rule(answer)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# import numpy as np
# from actlab import data, stats
# from actlab.exercises import selu as check
#
# def rule(intact, broken):
#     lost = stats.mean_interval(
#         intact - broken
#     )  # 95 %, paired by seed
#     if lost.low > 0:
#         return "holds"
#     return "refuted" if lost.high < 0 else "not shown"
#
# digits = data.load("digits")
#
# def accuracy(seed, initializer):
#     """Broken: weights drawn uniformly, not normally."""
#     keras.utils.set_random_seed(seed)
#     network = keras.Sequential(
#         [keras.Input((64,))]
#         + [
#             keras.layers.Dense(
#                 64, "selu", kernel_initializer=initializer
#             )
#             for _ in range(4)
#         ]
#         + [keras.layers.Dense(10)]
#     )
#     network.compile(
#         optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
#         loss=keras.losses.SparseCategoricalCrossentropy(
#             from_logits=True
#         ),
#     )
#     network.fit(
#         digits.x_train,
#         digits.y_train,
#         batch_size=128,
#         epochs=3,
#         verbose=0,
#     )
#     return np.mean(
#         np.argmax(network(digits.x_valid), 1) == digits.y_valid
#     )
#
# intact, broken = (
#     np.array([accuracy(seed, name) for seed in range(10)])
#     for name in ("lecun_normal", "lecun_uniform")
# )
#
# answer = (rule, intact, broken)
# check.check_break_rule(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Two wishes make two numbers: with weights of variance $1/n$, SELU keeps mean 0 and variance
# >   1, and pulls back what is off.
# > - That start is `lecun_normal` in Keras. In PyTorch it is Kaiming's with
# >   `nonlinearity="linear"` and biases of 0, *not* `calculate_gain("selu")`.
# > - Forgotten standardisation heals by itself; larger or smaller weights and skip connections
# >   take the signal elsewhere.
# > - Alpha dropout keeps mean and variance by replacing signal with noise.
# > - The fixed point belongs to random weights: learning leaves it.
# > - A lead is as large as its rival was badly started: look at the loser's start and rate first.

# %%
claims.cheat("selu")

# %% [markdown]
# **What next.** SELU keeps a signal normal by the shape of one curve. The functions of today's
# large networks, GELU and SiLU, do not try: they leave that to layer norm, and instead let every
# number decide for itself how much of it passes. That is the [next chapter](07_self_gated.ipynb).

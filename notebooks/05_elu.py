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
# # ELU: an exponential on the left
#
# **35 minutes to read, exercises apart · runs in about 60 s and 1.1 GB on 2 cores · needs: ReLU**
#
# Here is ELU in one line, as it stands in many a notebook:
#
# ```python
# torch.where(x > 0, x, torch.exp(x) - 1)
# ```
#
# Every value that it returns is right. And yet a network built on it can learn well for a thousand
# steps and be in ruins after the next. In ten minutes you will know why, and will have written one
# that is safe. Then we ask what ELU is *for*. Its authors had a fine reason, about the direction of
# gradients, and reasons can be measured like anything else.
#
# **Questions**
#
# - How is ELU written so that nothing overflows, and where do PyTorch and Keras disagree about it?
# - What does α do, and what does CELU mend?
# - Why should the mean activations be near 0, and does ELU bring them there?
# - Does it learn in fewer epochs? Can its units die?
# - What does the exponential cost?

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
import tensorflow as tf
import torch
from torch import nn

from actlab import catalog, claims, data
from actlab import ensemble, plots, predict, stats
from actlab.exercises import elu as check

plots.use_style()


# %% [markdown]
# ## ELU by hand
#
# To the right of 0 ELU returns $x$ itself, like ReLU. To the left it returns $e^x - 1$: at
# $x = -1$ that is $0.37 - 1 = -0.63$, and as $x$ falls it levels off at $-1$. Its slope on the left
# is $e^x$, so at $-1$ it is 0.37. In NumPy:


# %%
def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def elu_slope(x):
    return np.where(x > 0, 1.0, np.exp(np.minimum(x, 0)))


x = np.array([-30, -5, -1, -0.001, 0.5, 100])
tiny = 1e-6
difference = (elu(x + tiny) - elu(x - tiny)) / (2 * tiny)
assert np.allclose(elu_slope(x), difference, atol=1e-6)
print("values", elu(x).round(3).tolist())
print("slopes", elu_slope(x).round(3).tolist())

# %% [markdown]
# `expm1(t)` is $e^t - 1$ without the rounding, which for $x = -0.001$ takes nearly half of a
# float32's digits. And `minimum` keeps positive numbers out of the exponential, although `where`
# takes the other branch there anyway. Is that needed?
#
# > **Predict.** The line from the top of this page does without. At $x = 100$ its value is right.
# > Which slope does PyTorch return there?
# >
# > - 1, which is right
# > - 0
# > - NaN

# %% tags=["reveal"]
x = torch.tensor([1.0, 100.0], requires_grad=True)
y = torch.where(x > 0, x, torch.exp(x) - 1)
y.sum().backward()
print("values", y.tolist(), " slopes", x.grad.tolist())

slope = x.grad[1].item()
choice = {1.0: "1, which is right", 0.0: "0"}.get(slope, "NaN")
predict.reveal(f"the slope is {slope:g}", choice=choice)

# %% [markdown] tags=["reveal"]
# `where` does not decide which branch is computed. Both are, for every $x$, and then one is taken.
# $e^{100}$ is more than a float32 can hold, so the branch that was *not* taken holds infinity. On
# the way forward nobody sees it. On the way back that branch gets the gradient 0, multiplies it by
# its own infinite slope, and $0 \cdot \infty$ is NaN. One unit above 88 or so is enough: the next
# step carries the NaN into every weight.
#
# The remedy works for every function that is put together from pieces: make the *input* of each
# branch harmless, as `minimum` does.

# %% [markdown]
# ## What the two libraries return


# %%
def torch_slope(x):
    x = torch.tensor(x, requires_grad=True)
    nn.functional.elu(x).sum().backward()
    return x.grad.numpy()


def keras_slope(x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = keras.ops.elu(x)
    return tape.gradient(y, x).numpy()


grid = np.linspace(-15, 15, 10_000, dtype=np.float32)
for theirs in (torch_slope(grid), keras_slope(grid)):
    assert np.allclose(elu_slope(grid), theirs, atol=1e-6)
print(f"{len(grid):,} slopes: both libraries agree with ours.")

# %% [markdown]
# That was the middle of the curve. Far to the left the slope is very small, but not 0: at $-30$
# it is $e^{-30}$, or $10^{-13}$, which a float32 can hold.

# %%
far = np.array([-30, -15], np.float32)
for name, slope in (("PyTorch", torch_slope), ("Keras", keras_slope)):
    print(name, [f"{value:.1e}" for value in slope(far)])

# %% [markdown]
# TensorFlow, which computes for Keras here, keeps only ELU's *output*, and takes the slope from it:
# output + 1. At $-30$ the output has been rounded to exactly $-1$, so the slope comes out as 0.
# PyTorch keeps the input, unless you ask for `inplace=True`: then it does the same. A slope of
# $10^{-13}$ teaches a network nothing, so neither is wrong in practice. But a test that compares
# the two digit by digit will stumble here.

# %% [markdown]
# ## α, and the kink that CELU mends
#
# Both libraries offer a number α that stretches the left side. With $\alpha = 2$ ELU is
# $2(e^x - 1)$ there: its floor lies at $-2$. But α multiplies the slope as well. The left side now
# arrives at 0 with slope 2, the right side leaves with slope 1, and the curve has a kink. CELU
# divides $x$ by the same α:
#
# $$\mathrm{elu}(x) = \alpha\,(e^{x} - 1)$$
#
# $$\mathrm{celu}(x) = \alpha\,(e^{x/\alpha} - 1)$$
#
# The same floor, and at 0 the slope 1 whatever α is. So CELU is an ELU that was stretched in both
# directions, which is a line of code:


# %%
def celu(x, alpha):
    return alpha * elu(x / alpha)


ready = nn.functional.celu(torch.tensor(grid), alpha=2.0).numpy()
assert np.allclose(celu(grid, 2.0), ready, atol=1e-5)

# %%
kinds = [catalog.get(name) for name in ("elu", "celu")]
two = {"elu": {"alpha": 2.0}, "celu": {"alpha": 2.0}}
left, right = plots.figure(2)[1]
values = plots.curves(kinds, ax=left, params=two, title="α = 2: values")
slopes = plots.curves(
    kinds, ax=right, params=two, derivative=True, title="α = 2: slopes"
)
plots.show(left.figure, plots.panels([values, slopes]))

# %% [markdown]
# So *"CELU is another name for ELU"* is true for $\alpha = 1$ and for nothing else.
#
# ## Why means near zero?
#
# What has the mean of a signal to do with learning? Take the smallest network there is: a straight
# line $y = wx + b$, fitted by gradient descent to a hundred points. Then move all the inputs three
# to the right. The same line fits as well as before, with another $b$.


# %%
def steps_to_fit(x, y, enough=0.001):
    w, b, steps, error = 0.0, 0.0, 0, -y
    rate = 1 / (1 + np.mean(x**2))  # larger ones may blow up
    while np.mean(error**2) > enough:
        w -= rate * np.mean(error * x)
        b -= rate * np.mean(error)
        error = w * x + b - y
        steps += 1
    return steps


inputs = np.random.default_rng(0).standard_normal(100)
targets = 2 * inputs + 1

# %% [markdown]
# > **Predict.** How many times as many steps does the fit to the moved inputs take?
# >
# > - as many
# > - three times
# > - over ten times

# %% tags=["reveal"]
steps = {
    move: steps_to_fit(inputs + move, targets) for move in (0, 1, 3)
}
print("steps, by how far the inputs were moved:", steps)

ratio = steps[3] / steps[0]
limits = {"as many": 1.5, "three times": 10, "over ten times": np.inf}
choice = predict.pick(ratio, limits)
predict.reveal(f"{ratio:.0f} times as many", choice=choice)

# %% [markdown] tags=["reveal"]
# With inputs around 0, $w$ tilts the line and $b$ lifts it: two separate jobs. With inputs around
# 3 a larger $w$ lifts the line as well. Both numbers push at the same thing and overshoot together,
# so the rate has to be small, and the difference between them, which is what is still to be
# learned, comes in tiny steps. The gradient points across the valley instead of along it.
#
# Every unit of a network is such a fit to the units below it. So their means should be near 0. That
# is the argument for ELU: a function with a negative side can bring them there.

# %% [markdown]
# ## A training loop, and the means it ends with
#
# A network of three hidden layers, from He's start, and its training, written so that you can
# change any line of it. (In double precision, so that every processor prints the same.)


# %%
def build(activation, depth=3, width=64):
    torch.manual_seed(0)
    layers = []
    for n in (64, *[width] * (depth - 1)):
        linear = nn.Linear(n, width, dtype=torch.float64)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        layers += [linear, activation()]
    last = nn.Linear(width, 10, dtype=torch.float64)
    return nn.Sequential(*layers, last)


# %%
def train(network, x, y, epochs=10, rate=0.01):
    optimiser = torch.optim.SGD(
        network.parameters(), rate, momentum=0.9
    )
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(128):
            loss = nn.functional.cross_entropy(
                network(x[rows]), y[rows]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


# %%
digits = data.load("digits")
x = torch.tensor(digits.x_train, dtype=torch.float64)
y = torch.tensor(digits.y_train)
networks = {"ReLU": build(nn.ReLU), "ELU": build(nn.ELU)}
for name, network in networks.items():
    train(network, x, y)
    unseen = network(torch.tensor(digits.x_valid).double())
    right = unseen.argmax(1).numpy() == digits.y_valid
    print(f"{name}: {right.mean():.1%} of new digits are right")

# %% [markdown]
# Now look at the last hidden layer. A unit's *mean* is its average over all digits. To compare
# units that are loud with units that are quiet, we divide by the unit's size, the root of its mean
# square: a unit that is always 0.8 has a mean of 100 %, one that is as often $-1$ as 1 has 0 %.
#
# > **Predict.** The average size of these means in the ELU network, beside that in the ReLU
# > network:
# >
# > - a quarter or less
# > - about half
# > - more

# %% tags=["reveal"]
sizes, below = {}, {}
ax = plots.figure(height=2.8)[1]
for name, network in networks.items():
    hidden = network[:-1](x).detach()  # all but the last layer
    size = hidden.square().mean(0).sqrt()
    means = np.sort(100 * (hidden.mean(0) / size)[size > 0])
    hue = plots.colour(name.lower())
    ax.plot(means, ".", color=hue, label=name)
    sizes[name], below[name] = np.abs(means).mean(), (means < 0).mean()
ax.axhline(0, color=plots.INK, linewidth=1)
ax.legend()
title = ", ".join(f"{n}: {b:.0%} below 0" for n, b in below.items())
plots.label(ax, title=title, x="unit, in order", y="mean (% of size)")
plots.show(ax.figure, f"The mean of every unit, in order. {title}.")

# %% tags=["reveal"]
share = sizes["ELU"] / sizes["ReLU"]
limits = {"a quarter or less": 0.3, "about half": 0.7, "more": np.inf}
choice = predict.pick(share, limits)
predict.reveal(f"{share:.0%} of ReLU's", choice=choice)

# %% [markdown] tags=["reveal"]
# ReLU's units can only be on one side of 0. ELU's can be on both, and some are: the story is not
# wrong. But most of them stay on the right, and those furthest to the left sit near their floor for
# nearly every digit, which is as far from 0 as the units of either network get. Unit by unit, which
# is what counts for the next layer, the gain is modest.

# %% [markdown]
# ## How many epochs?
#
# Eight hidden layers, He's start, one learning rate, twenty seeds. ReLU trains for fifteen epochs;
# its mean loss half-way, after seven, is the target.
#
# > **Predict.** After how many epochs is ELU there?
# >
# > - as many, or more
# > - about three quarters
# > - about half, or less

# %% tags=["reveal"]
arms = {
    n: {"activation": n, "init": "he_normal"} for n in ("relu", "elu")
}
setting = {"hidden": (64,) * 8, "lr": 0.01, "dtype": "float64"}
run = ensemble.train(digits, arms=arms, seeds=20, epochs=15, **setting)
losses = {name: run.train_loss[run.index(name)] for name in arms}
target = losses["relu"][:, 6].mean()
there = {
    name: 1 + (found > target).sum(1) for name, found in losses.items()
}
slow, fast = (epochs.mean() for epochs in there.values())

# %% tags=["reveal"]
groups = {
    name: {
        1 + e: stats.mean_interval(loss)
        for e, loss in enumerate(found.T)
    }
    for name, found in losses.items()
}
look = {
    "styles": {name: plots.line_style(name) for name in arms},
    "marks": {"target": target},
}
look["title"] = (
    f"ELU is there after {fast:.1f} epochs, ReLU after {slow:.1f}"
)
plots.lines(groups, x="epoch", y="training loss", **look).show()

# %% tags=["reveal"]
share = fast / slow
choice = predict.pick(
    share,
    {
        "about half, or less": 0.6,
        "about three quarters": 0.9,
        "as many, or more": np.inf,
    },
)
predict.reveal(f"{share:.0%} of ReLU's epochs", choice=choice)

# %% [markdown] tags=["reveal"]
# One learning rate for both is not yet fair. The trial behind the card gives each its own.

# %%
claims.trial("elu-faster")

# %% [markdown]
# ## Does the gradient point better?
#
# It learns faster; why? Its authors ([Clevert and colleagues,
# 2015](https://arxiv.org/abs/1511.07289)) said beforehand: means near 0 bring the gradient closer
# to the *natural gradient*. In words: the ordinary gradient asks which way is down *for a small
# step of the parameters*, so it depends on how you wrote the network down. (Moving the inputs by
# three was just another way to write a line.) The natural gradient asks which way is down *for a
# small change of what the network predicts*. It does not care how the network is written, and in
# the fit above it needs a step or two, moved or not.
#
# <details>
# <summary>For the curious: how the two gradients are compared</summary>
#
# How much the predictions change with a small step $d$ of the parameters is $d^\top F d$, where
# $F$ is the Fisher matrix: with as many rows and columns as the network has parameters. The natural
# gradient is $F^{-1} g$, with $g$ the gradient. For the line that we fitted, $F$ holds the mean of
# $x^2$, the mean of $x$ twice, and 1; a mean of 3 gives it one large and one tiny eigenvalue, and
# the larger their ratio, the more steps.
#
# $F$ can hardly be inverted as it stands: some directions of the parameters change nothing. So a
# little is added to its diagonal, the *damping*: a tenth, a hundredth and a thousandth of the mean
# eigenvalue, and of the three results the worst for the claim counts. We did this for networks of
# 3 × 12 units, whose $F$ can be computed in full. To take the means away without touching anything
# else, each unit's mean was subtracted, and given back through the next layer's biases: the same
# function, written down differently.
#
# </details>
#
# Two sentences are on trial: that means nearer to 0 help, and that ELU's gradient is the closer
# one. How close two directions are, the cards say by their *cosine*: it is 1 for the same direction
# and 0 for a right angle. (There is more than one way to compute a natural gradient. We took three,
# and the smallest gain counts.) We look before training, after equally many steps, and when both
# networks have the same loss.

# %%
claims.trial("elu-mean-zero", "elu-natural-gradient")

# %% [markdown]
# The second card is the instructive one. After equally many steps ELU looks better. But it learns
# faster, so it is further down by then. Compare the two *at the same loss*, and the sign
# turns. What looked like a better direction was a later stage of the same walk. Whenever one of
# two networks is ahead, ask at which moment to compare them.
#
# And the means, once they are taken away? In the line they were everything. In a network that is
# being trained, taking them away does not bring the gradient nearer, and mostly takes it further
# off.

# %% [markdown]
# ## Two more promises
#
# ELU's slope is nowhere 0, so its units cannot die. And it has a price: an exponential takes longer
# than a comparison.

# %%
claims.trial("elu-no-dead", "elu-costs-more")

# %% [markdown]
# A ReLU unit that is negative for every input gets a gradient of exactly 0, and stays as it is
# (chapter 2). An ELU unit gets $e^z$: at $z = -2$ a seventh, at $z = -20$ two billionths. "Cannot
# die" is a promise about the formula. At a learning rate that is far too large, units are thrown
# so far to the left that nothing wakes them.
#
# The exponential is clearly slower, measured alone. But the activation is the smallest part of a
# layer's work, beside the matrix products: inside a whole training step hardly anything of that is
# left, and what is left may be nothing.
#
# These are five of the chapter's seven claims. [The ledger](../book/reference/claims.md) has two
# more: that ELU levels off at −α, and that it weakens the vanishing of gradients.
#
# ## The same step in both frameworks
#
# The ELU network from above, and its twin in Keras. (A PyTorch weight is a Keras kernel,
# transposed.) Both then take one step of gradient descent on the same digits.

# %%
network = build(nn.ELU)
dense = {"units": 64, "activation": "elu", "dtype": "float64"}
twin = keras.Sequential(
    [keras.Input((64,), dtype="float64")]
    + [keras.layers.Dense(**dense) for _ in range(3)]
    + [keras.layers.Dense(10, dtype="float64")]
)
# Of a bias the transposed is the same.
twin.set_weights([p.detach().numpy().T for p in network.parameters()])
first, labels = x[:128], y[:128]

# %%
optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
loss = nn.functional.cross_entropy(network(first), labels)
loss.backward()
optimiser.step()
after = nn.functional.cross_entropy(network(first), labels).item()
print(f"PyTorch: loss {loss.item():.6f}, after the step {after:.6f}")

# %%
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimiser = keras.optimizers.SGD(0.1)
with tf.GradientTape() as tape:
    loss = entropy(labels.numpy(), twin(first.numpy()))
gradients = tape.gradient(loss, twin.trainable_weights)
optimiser.apply(gradients, twin.trainable_weights)
then = float(entropy(labels.numpy(), twin(first.numpy())))
print(f"Keras:   loss {float(loss):.6f}, after the step {then:.6f}")
assert np.isclose(after, then, rtol=1e-5)

# %% [markdown]
# ## Exercises
#
# > **Exercise 5.1.** Write ELU ($\alpha = 1$) by hand, in PyTorch or with `keras.ops`, so that its
# > gradient is never NaN and its small values keep their digits.

# %%
elu_by_hand = ...
check.check_safe_elu(elu_by_hand)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import elu as check
#
# def elu_by_hand(x):
#     # exp never sees a positive number: it cannot overflow.
#     return torch.where(x > 0, x, torch.expm1(x.clamp(max=0)))
#
# check.check_safe_elu(elu_by_hand)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import elu as check
#
# def elu_by_hand(x):
#     return ops.where(x > 0, x, ops.expm1(ops.minimum(x, 0.0)))
#
# check.check_safe_elu(elu_by_hand)
# ```
#
# </details>
#
# > **Exercise 5.2.** A model with CELU ($\alpha = 0.5$) has to move to a device that knows ELU with
# > $\alpha = 1$ and nothing else. Write that CELU with `torch.nn.functional.elu` or
# > `keras.ops.elu`.

# %%
celu_from_elu = ...
check.check_celu_from_elu(celu_from_elu)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from torch.nn import functional as F
# from actlab.exercises import elu as check
#
# def celu_from_elu(x):
#     return 0.5 * F.elu(x / 0.5)
#
# check.check_celu_from_elu(celu_from_elu)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import elu as check
#
# def celu_from_elu(x):
#     return 0.5 * ops.elu(x / 0.5)
#
# check.check_celu_from_elu(celu_from_elu)
# ```
#
# </details>
#
# > **Exercise 5.3.** Train a network with five hidden layers of ELU on the digits, with a loop of
# > your own or with `fit`, until it is right about 93 % of digits that it has never seen. Hand in
# > the trained network.

# %%
trained_network = ...
check.check_trained_elu(trained_network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import elu as check
#
# torch.manual_seed(0)
# digits = data.load("digits")
# x = torch.tensor(digits.x_train, dtype=torch.float32)
# y = torch.tensor(digits.y_train)
# layers = []
# for n in (64, 64, 64, 64, 64):
#     layers += [nn.Linear(n, 64), nn.ELU()]
# trained_network = nn.Sequential(*layers, nn.Linear(64, 10))
# optimiser = torch.optim.Adam(trained_network.parameters(), lr=0.002)
# for epoch in range(15):
#     for rows in torch.randperm(len(x)).split(64):
#         loss = nn.functional.cross_entropy(
#             trained_network(x[rows]), y[rows]
#         )
#         optimiser.zero_grad()
#         loss.backward()
#         optimiser.step()
#
# check.check_trained_elu(trained_network)
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
# from actlab.exercises import elu as check
#
# keras.utils.set_random_seed(0)
# digits = data.load("digits")
# trained_network = keras.Sequential(
#     [keras.Input((64,))]
#     + [keras.layers.Dense(64, "elu") for _ in range(5)]
#     + [keras.layers.Dense(10)]
# )
# trained_network.compile(
#     optimizer=keras.optimizers.Adam(0.002),
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
# check.check_trained_elu(trained_network)
# ```
#
# </details>
#
# > **Exercise 5.4.** Change one thing in *How many epochs?*: the learning rate, the start, the
# > depth, or give ReLU a rate of its own. *Before* you run it, write a rule: a function of the
# > epochs that ReLU and ELU need (an array of one number for each seed) that says "holds" (ELU
# > needs fewer), "refuted" (it needs more) or "not shown". The checker tries your rule on invented
# > numbers first: it must be able to lose.

# %%
answer = ...  # (rule, relu, elu)
check.check_elu_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (the engine trains in PyTorch)</summary>
#
# ```python
# import numpy as np
# from actlab import data, ensemble, stats
# from actlab.exercises import elu as check
#
# def rule(relu, elu):
#     saved = stats.mean_interval(relu - elu)  # 95 %, paired by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# # Changed: ReLU gets three times the learning rate.
# arms = {
#     "relu": {"activation": "relu", "init": "he_normal", "lr": 0.03},
#     "elu": {"activation": "elu", "init": "he_normal", "lr": 0.01},
# }
# result = ensemble.train(
#     data.load("digits"),
#     arms=arms,
#     seeds=10,
#     epochs=10,
#     hidden=(64,) * 8,
#     progress=False,
# )
# losses = {
#     name: result.train_loss[result.index(name)] for name in arms
# }
# target = np.nanmean(losses["relu"][:, 6])
# relu, elu = (1.0 + (losses[name] > target).sum(1) for name in arms)
#
# answer = (rule, relu, elu)
# check.check_elu_rule(answer)
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
# from actlab.exercises import elu as check
#
# def rule(relu, elu):
#     saved = stats.mean_interval(relu - elu)  # 95 %, paired by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# def epochs_to(activation, seed, target=1.0):
#     """Three layers instead of eight; the target is a loss of 1."""
#     keras.utils.set_random_seed(seed)
#     network = keras.Sequential(
#         [keras.Input((64,))]
#         + [
#             keras.layers.Dense(
#                 64, activation, kernel_initializer="he_normal"
#             )
#             for _ in range(3)
#         ]
#         + [keras.layers.Dense(10)]
#     )
#     network.compile(
#         optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
#         loss=keras.losses.SparseCategoricalCrossentropy(
#             from_logits=True
#         ),
#     )
#     digits = data.load("digits")
#     history = network.fit(
#         digits.x_train,
#         digits.y_train,
#         batch_size=128,
#         epochs=6,
#         verbose=0,
#     )
#     return 1.0 + np.sum(np.array(history.history["loss"]) > target)
#
# relu, elu = (
#     np.array([epochs_to(name, seed) for seed in range(10)])
#     for name in ("relu", "elu")
# )
#
# answer = (rule, relu, elu)
# check.check_elu_rule(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Whatever is put together with `where`: keep the input of *each* branch harmless, or the
# >   gradient becomes NaN where the value is right.
# > - α lowers ELU's floor and gives it a kink; CELU has the floor without the kink. They are the
# >   same for $\alpha = 1$ alone.
# > - Inputs far from 0 make learning slow. ELU's units may lie on both sides of 0; taken one by one
# >   they are not much nearer to it than ReLU's.
# > - It learns in fewer epochs, but not because its gradient points better: at the same loss it
# >   does not.
# > - Its units do not die at a sensible learning rate, and its exponential hardly shows in a
# >   training step.

# %%
claims.cheat("elu")

# %% [markdown]
# **What next.** With ELU neither the mean nor the variance of a signal stays what it was. Scale it
# by one number, choose α by another, and both stay put, layer after layer, without batch norm. The
# [next chapter](06_selu.ipynb) finds these two numbers in two lines, stacks a hundred layers of it,
# and then breaks it.

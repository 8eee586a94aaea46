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
# # Shrinkage
#
# **35 minutes to read, exercises apart · runs in about 25 s and 1.1 GB on 2 cores · needs: ReLU**
#
# Most activations were drawn: somebody tried a curve, and it worked. The three of this chapter were
# *derived*. Each is the best answer to a question about one noisy number.
#
# Ask it again and again, and you have an algorithm that finds the few strokes of which a digit is
# made. Written down, it is a network, whose weights you know before anybody has trained it. Then
# train it all the same.
#
# **Questions**
#
# - Which question does each of the three answer?
# - Why can PyTorch's `Softshrink` not learn its threshold, and what can?
# - How many steps of an algorithm does a trained layer replace?
# - Who denoises better, soft or hard, and with which threshold?
# - Why are they hardly ever hidden activations?

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
from torch.nn import functional

from actlab import claims, data, plots, predict, study
from actlab.exercises import shrinkage as check
from actlab.experiments import shrinkage

plots.use_style()

# %% [markdown]
# ## An answer to a question
#
# You measure $x = 1.2$. The true number $u$ should be near it; but you also know that true numbers
# are mostly 0. So let an answer $u$ cost two things: half its squared distance from $x$, and a
# price for its size,
#
# $$\frac{1}{2} (u - x)^2 + \lambda |u|.$$
#
# With $\lambda = 0.5$ the answer 1.2 costs $0.5 \cdot 1.2 = 0.6$, and the answer 0 costs
# $1.2^2 / 2 = 0.72$. What is cheapest? Try them all:

# %%
answers = np.arange(-30_000, 30_001) / 10_000


def cheapest(x, price):
    return answers[np.argmin((answers - x) ** 2 / 2 + price(answers))]


def by_size(u):
    return 0.5 * abs(u)


print(cheapest(1.2, by_size))

# %% [markdown]
# It is $x$, moved towards 0 by $\lambda$. And where $|x|$ is no larger than $\lambda$, the cheapest
# answer is 0. That is **soft shrink**, as both libraries have it, with $\lambda = 0.5$:

# %%
x = np.linspace(-2.5, 2.5, 501)
found = [cheapest(at, by_size) for at in x]

assert np.allclose(found, functional.softshrink(torch.tensor(x)))
assert np.allclose(found, keras.activations.soft_shrink(x))

# %% [markdown]
# A function that gives the cheapest answer is called the **proximal operator** of its price
# ([Moreau, 1965](https://doi.org/10.24033/bsmf.1625)). Another price gives another
# function. Take a *fee*, the same for every answer but 0, which is free. With a fee of 0.5, to keep
# 0.9 costs 0.5 and to give it up costs $0.9^2 / 2 = 0.405$, which is less. A number is worth a fee
# $c$ from $\sqrt{2c}$ on, here from 1 on; then it is kept as it is: **hard shrink** (tried out in
# [the ledger](../book/reference/claims.md)). So mind what λ is: soft shrink's threshold *is* its
# price, hard shrink's threshold $t$ is a fee of $t^2 / 2$. `Hardshrink(0.5)` charges 0.125.
#
# The third, $x - \tanh x$, looks like a joke. But soft shrink is a remainder, too: $x$ less $x$ cut
# off at $\pm \lambda$. What a squashing function takes, its shrinkage function leaves; and Moreau
# showed that what answers one price leaves what answers another. Tanh shrink's price has no short
# formula, but it can be drawn point by point. Is $x - \tanh x$ cheapest?

# %%
t = np.linspace(-5, 5, 40_001)
curve_u = t - np.tanh(t)
curve_price = np.log(np.cosh(t)) - np.tanh(t) ** 2 / 2

costs = ((curve_u - at) ** 2 / 2 + curve_price for at in x)
best = [curve_u[np.argmin(cost)] for cost in costs]
assert np.allclose(best, x - np.tanh(x), atol=1e-3)

# %%
gap = np.max(abs(shrinkage.soft(x, 1) - (x - np.tanh(x))))
plots.curves(
    ["soft_shrink", "tanh_shrink"],
    params={"soft_shrink": {"threshold": 1}},
    title=f"Tanh shrink stays within {gap:.2f} of soft shrink",
).show()

# %% [markdown]
# The price of a large $u$ is nearly $|u|$. So tanh shrink is a soft shrink with $\lambda = 1$ whose
# corners are rounded, and as softplus is never 0, it is 0 at 0 only.
#
# ## Two ReLUs, and a threshold that learns
#
# How large should the threshold be? Let it be learned, one would say; but PyTorch's `softshrink`
# refuses a `Parameter`. (With `threshold.item()`, which everybody tries next, it
# runs, and the gradient is cut off without a word.) Keras' `soft_shrink` takes a variable and sends
# a gradient back to it. And in both frameworks soft shrink is two ReLUs, one for each side:
#
# $$\text{softshrink}(x) = \text{relu}(x - \lambda) - \text{relu}(-x - \lambda).$$
#
# Its threshold is a *bias*, and a bias can be learned. One for each unit:


# %%
class Shrink(nn.Module):
    def __init__(self, start):  # one number for each unit
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(start))

    def forward(self, z):
        right = torch.relu(z - self.threshold)
        return right - torch.relu(-z - self.threshold)


# %%
class KerasShrink(keras.layers.Layer):
    def __init__(self, start):
        super().__init__(dtype=start.dtype.name)
        self.threshold = self.add_weight(shape=start.shape)
        self.threshold.assign(start)

    def call(self, z):
        right = keras.ops.relu(z - self.threshold)
        return right - keras.ops.relu(-z - self.threshold)


# %% [markdown]
# Hard shrink's threshold cannot be learned so, in any framework: move it a little, and either
# nothing changes or something jumps. No slope tells which way is better.
#
# ## A loop that is a network
#
# Sixty-four small pictures, the *atoms*, are given as the rows $d_j$ of a matrix $D$. A digit $x$
# is to be put together from few of them: $x \approx z_1 d_1 + z_2 d_2 + \dots$, with most of the
# numbers $z_j$ equal to 0. That is a **sparse code**, and again it is the cheapest answer:
#
# $$\frac{1}{2} \Vert x - z D \Vert^2 + \lambda \sum_j |z_j|.$$

# %%
train, valid, test = shrinkage.unit_digits(0)
atoms = shrinkage.dictionary(train, seed=0)  # learned from digits
price = shrinkage.PRICE  # λ

# %% [markdown]
# The answers hang together, so no formula gives them. But one can go step by step: downhill a
# little for the first term, then shrink for the second. The step that is always safe is $1/L$,
# where $L$ is the largest eigenvalue of $D D^\top$ (one atom of length 1: $L = 1$; two equal ones:
# $L = 2$). This is ISTA, the iterative shrinkage-thresholding algorithm ([Daubechies, Defrise and
# De Mol, 2004](https://doi.org/10.1002/cpa.20042)):

# %%
eigenvalue = np.linalg.norm(atoms, 2) ** 2


def ista(x, steps):
    z = np.zeros((len(x), len(atoms)))
    for _ in range(steps):
        z = z + (x - z @ atoms) @ atoms.T / eigenvalue
        z = np.sign(z) * np.maximum(abs(z) - price / eigenvalue, 0)
    return z


exact = ista(test, 1000)
used = (exact != 0).sum(1).mean()
left = ((test - exact @ atoms) ** 2).sum() / (test**2).sum()
print(f"{used:.0f} atoms a digit, which lack {left:.0%} of it")

# %% [markdown]
# Sorted, a step is $z \leftarrow \text{softshrink}(x W + z S)$ with
# $W = D^\top / L$ and $S = I - D D^\top / L$. That is a *layer*, with soft shrink as its
# activation, and three steps are three layers that share their weights. Gregor and LeCun
# ([2010](https://icml.cc/Conferences/2010/papers/449.pdf)) saw that, and asked: why not train it?


# %%
class Lista(nn.Module):
    def __init__(self, layers):
        super().__init__()
        w = torch.tensor(atoms.T / eigenvalue)
        s = torch.eye(64) - torch.tensor(atoms) @ w
        self.w, self.s = nn.Parameter(w), nn.Parameter(s)
        self.shrink = Shrink(np.full(64, price / eigenvalue))
        self.layers = layers

    def forward(self, x):
        z = self.shrink(x @ self.w)
        for _ in range(self.layers - 1):
            z = self.shrink(x @ self.w + z @ self.s)
        return z


untrained = Lista(3)(torch.tensor(test)).detach()
assert np.allclose(untrained, ista(test, 3))  # a network, an algorithm

# %% [markdown]
# Now train it: digits in, their exact codes out.


# %%
def trained(layers, epochs=40):
    torch.manual_seed(0)
    network, digits_in = Lista(layers), torch.tensor(train)
    wanted = torch.tensor(shrinkage.codes(train, atoms, 400)[-1])
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(digits_in)).split(64):
            gap = network(digits_in[rows]) - wanted[rows]
            optimiser.zero_grad()
            gap.square().sum(1).mean().backward()
            optimiser.step()
    return network


# %% [markdown]
# A rival is FISTA ([Beck and Teboulle, 2009](https://doi.org/10.1137/080716542)): the same steps,
# with a run-up.
#
# > **Predict.** On new digits: how many steps of FISTA come as near to the exact code as three
# > trained layers?
# >
# > - about 3 to 5
# > - about 10
# > - about 20, or more

# %% tags=["reveal"]
three = trained(3)(torch.tensor(test)).detach().numpy()
error = shrinkage.missed(three, exact)
missed = shrinkage.ways(test, atoms, exact, steps=100)
needed = 1 + sum(np.array(missed["FISTA"]) > error)
at = (1, 2, 5, 10, 20, 50, 100)
plots.lines(
    {
        name: shrinkage.points({n: way[n - 1] for n in at})
        for name, way in missed.items()
    },
    marks={"three trained layers": error},
    title=f"3 layers do what takes FISTA {needed} steps",
    x="steps",
    y="squared error of the code (its size is 1)",
    log="xy",
).show()

# %% tags=["reveal"]
limits = {"about 3 to 5": 6, "about 10": 15, "about 20, or more": 1e9}
choice = predict.pick(needed, limits)
predict.reveal(f"{needed} steps", choice=choice)

# %% [markdown] tags=["reveal"]
# ISTA must be safe for *every* picture, and creeps. The layers need to be good for digits only, and
# stride. (They stop at their error; an algorithm can be asked for the next decimal.)

# %% [markdown]
# Do the thresholds stay where they started, at ISTA's $\lambda / L$?

# %%
claims.trial("lista-ten-times", "lista-threshold")

# %% [markdown]
# Nine in ten it is against ISTA; FISTA loses that clearly to a single layer only. (Five layers come
# hardly nearer than three: from a thousand digits they learn no more.) The thresholds end at 7
# times ISTA's with five layers, at 34 times with one. The way to the code is as long for all of
# them, and fewer layers take larger steps.
#
# The same in Keras, with a single layer: the same start, the same twenty steps, the same network.

# %%
here, rate = Lista(1), 5.0
dense = keras.layers.Dense(64, use_bias=False, dtype="float64")
shrink_in_keras = KerasShrink(here.shrink.threshold.detach().numpy())
there = keras.Sequential([dense, shrink_in_keras])
there.build((None, 64))
dense.set_weights([here.w.detach().numpy()])

there.compile(keras.optimizers.SGD(rate), "mse")
there.fit(test, exact, batch_size=len(test), epochs=20, verbose=0)

descent = torch.optim.SGD(here.parameters(), rate)
inputs, wanted = torch.tensor(test), torch.tensor(exact)
for _ in range(20):
    descent.zero_grad()
    nn.functional.mse_loss(here(inputs), wanted).backward()
    descent.step()
assert np.allclose(there(test), here(inputs).detach())

# %% [markdown]
# ## Denoising
#
# Write a digit as the mean digit plus its 64 *principal components*: directions at right angles,
# found in training digits, of which the first say most. A few of the 64 numbers are large. Add
# noise of size $\sigma$ to the pixels, and *all* of them get noise of size $\sigma$. So: shrink
# them, and go back. (The error is the same on both sides, as the directions are at right angles.)

# %%
digits = data.load("digits")
middle = digits.x_train.mean(0)
away = digits.x_train - middle
directions = np.linalg.svd(away, full_matrices=False)[2]

sigma = 0.5
rng = np.random.default_rng(0)
clean = (digits.x_valid - middle) @ directions.T
noisy = clean + sigma * rng.normal(size=clean.shape)


def leftover(guess):
    return np.mean((guess - clean) ** 2) / sigma**2


# %% [markdown]
# Which threshold? Of 64 draws of noise the largest is mostly below $\sigma \sqrt{2 \log 64}$, or
# $2.9\, \sigma$. That is the **universal threshold** ([Donoho and Johnstone,
# 1994](https://doi.org/10.1093/biomet/81.3.425)): hardly any noise survives it.
#
# > **Predict.** Soft shrink with the universal threshold: how much larger is the error than with
# > the best of all thresholds?
# >
# > - less than a tenth
# > - up to half
# > - more than that

# %% tags=["reveal"]
universal = np.sqrt(2 * np.log(64))
shrinks = {"soft": shrinkage.soft, "hard": shrinkage.hard}
places = (*np.arange(0, 4.1, 0.2), universal)
falls = {
    name: {s: leftover(f(noisy, s * sigma)) for s in places}
    for name, f in shrinks.items()
}
best_at = {name: min(way, key=way.get) for name, way in falls.items()}
plots.lines(
    {name: shrinkage.points(way) for name, way in falls.items()},
    rings=("best of those tried", best_at),
    title=f"Best at {best_at['soft']:.1f} σ (soft), "
    f"{best_at['hard']:.1f} σ (hard)",
    x="threshold (times the noise σ)",
    y="squared error (times σ²)",
).show()

# %% tags=["reveal"]
more = falls["soft"][universal] / falls["soft"][best_at["soft"]] - 1
limits = {"less than a tenth": 0.1, "up to half": 0.5}
choice = predict.pick(more, limits | {"more than that": 99})
predict.reveal(f"{more:.0%} more", choice=choice)

# %% [markdown] tags=["reveal"]
# Soft shrink moves *every* large number by the threshold, also those that are all signal. With
# $\lambda = 2.9\, \sigma$ such a number has a squared error of
# $\sigma^2 + \lambda^2 = 9.3\, \sigma^2$; hard shrink leaves it at $\sigma^2$. That is soft
# shrink's *bias*, and it prefers a small threshold. Hard shrink's trouble is *variance*: near the
# threshold a breath of noise decides between all and nothing ([Bruce and Gao,
# 1996](https://doi.org/10.1093/biomet/83.4.727)).

# %% [markdown]
# And which is better, each with its best threshold? A well-known library says, soft.

# %%
claims.trial("soft-denoises-best")

# %% [markdown]
# The library is right: soft shrink saves between a tenth and a third of hard shrink's error. The
# universal threshold suits hard shrink under strong noise. Soft shrink it costs a third more at
# least, and up to four times the error ([the ledger](../book/reference/claims.md) has all cases).
#
# And who knows more? Training digits tell how much each component varies. Then no bend is needed,
# but a factor for each: $v / (v + \sigma^2)$ where the variance is $v$ (Wiener's filter).

# %%
variance = (away @ directions.T).var(0)
wiener = noisy * variance / (variance + sigma**2)
lowest = min(falls["soft"].values())
print(f"{leftover(wiener):.2f} σ², the best soft {lowest:.2f} σ²")

# %% [markdown]
# Thresholds are for those who know that *few* numbers are large, and not which.
#
# ## Thirty layers
#
# So why not in hidden layers? Let a signal pass thirty of them, before training. Each multiplies it
# with random weights of variance $g^2 / n$ and shrinks it. Small weights make it fade, large ones
# make it grow. With the gain $g = 1.365$ soft shrink keeps a signal of size 1 (root mean square).


# %%
def passes(size, gain, depth=30, n=512):
    rng = np.random.default_rng(0)
    h = size * rng.choice([-1, 1], n)
    for _ in range(depth):
        weights = rng.normal(0, gain / np.sqrt(n), (n, n))
        h = shrinkage.soft(h @ weights, 0.5)
    return np.sqrt(np.mean(h**2))


# %% [markdown]
# > **Predict.** One signal comes in a little smaller than 1, with 0.8, another a little larger,
# > with 1.25. What is their size after thirty layers of soft shrink?
# >
# > - both near 1
# > - both near 0
# > - one 0, the other beyond 100

# %% tags=["reveal"]
small, large = passes(0.8, gain=1.365), passes(1.25, gain=1.365)
limits = {"both near 0": 0.1, "both near 1": 100}
limits["one 0, the other beyond 100"] = np.inf
choice = predict.pick(large, limits)
predict.reveal(f"{small:.2g} and {large:.0f}", choice=choice)

# %% [markdown] tags=["reveal"]
# Soft shrink takes the same toll from all. To a small signal that is everything, to a large one
# next to nothing, and the weights multiply both alike: what is a little too small becomes smaller,
# what is a little too large larger. Size 1 is a point on a ridge. A squashing function takes from
# the *large*: its point lies in a valley, and every signal comes to it. There *is* a start for
# thirty layers of soft shrink. You cannot stand on it.

# %%
claims.trial("shrink-keeps-size")

# %% [markdown]
# Hard shrink takes nothing from the large: with weights 4 % above theory's it stands. In a network
# of three layers this has only begun. So train some, with start and rate of their own, to
# the plateau.
#
# > **Predict.** On 500 noisy signals of MNIST-1D: how does the *best* of the three shrinkage
# > functions compare with ReLU, in test accuracy?
# >
# > - more than a point behind
# > - within a point
# > - more than a point ahead

# %% tags=["reveal"]
contest = study.load("contest_shrinkage").query("data == 'mnist1d'")
means = 100 * contest.groupby("arm").accuracy.mean()
lead = means[list(shrinkage.GAINS)].max() - means["ReLU"]
limits = {"more than a point behind": -1, "within a point": 1}
choice = predict.pick(lead, limits | {"more than a point ahead": 99})
predict.reveal(f"a lead of {lead:+.1f} points", choice=choice)

# %%
claims.trial("relu-beats-shrink")

# %% [markdown]
# Against tanh they are [behind on the digits](../book/reference/claims.md), and two of them ahead
# on MNIST-1D. So it is not that they could not be trained. What rules soft and tanh shrink out is
# *depth*: there, no gain suits them.
#
# ## Exercises
#
# > **Exercise 14.1.** Rates cannot be negative. The answer $u$ must be at least 0, and costs
# > $\frac{1}{2} (u - x)^2 + 0.5\, u$. Write the function that gives the cheapest. You know it under
# > another name.

# %%
rates = ...
check.check_rates(rates)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import shrinkage as check
#
# def rates(x):
#     return torch.relu(x - 0.5)
#
# check.check_rates(rates)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import shrinkage as check
#
# def rates(x):
#     return keras.activations.relu(x - 0.5)
#
# check.check_rates(rates)
# ```
#
# </details>
#
# > **Exercise 14.2.** Write `shrink(x, threshold)`, soft shrink with a threshold for each column
# > that can be learned, without a ReLU.

# %%
shrink = ...
check.check_threshold(shrink)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import shrinkage as check
#
# def shrink(x, threshold):  # x, less x cut off
#     return x - torch.clamp(x, -threshold, threshold)
#
# check.check_threshold(shrink)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import shrinkage as check
#
# def shrink(x, threshold):
#     return x - ops.clip(x, -threshold, threshold)
#
# check.check_threshold(shrink)
# ```
#
# </details>
#
# > **Exercise 14.3.** Train a denoiser for digits as `data.load("digits")` gives them, with noise
# > of 0.5. Hand in what makes clean pixels of noisy ones. A mean squared error below 0.12 is
# > wanted; the best soft threshold comes to 0.136. (Idea: let the directions, the thresholds and
# > the way back be learned.)

# %%
denoise = ...
check.check_denoised(denoise)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import shrinkage as check
#
# class Shrink(nn.Module):
#     def __init__(self, units):
#         super().__init__()
#         self.threshold = nn.Parameter(torch.full((units,), 0.3))
#
#     def forward(self, z):
#         right = torch.relu(z - self.threshold)
#         return right - torch.relu(-z - self.threshold)
#
# torch.manual_seed(0)
# x = torch.tensor(data.load("digits").x_train, dtype=torch.float32)
# denoise = nn.Sequential(
#     nn.Linear(64, 128), Shrink(128), nn.Linear(128, 64)
# )
# optimiser = torch.optim.Adam(denoise.parameters(), lr=0.003)
# for epoch in range(40):
#     for rows in torch.randperm(len(x)).split(64):
#         noisy = x[rows] + 0.5 * torch.randn(len(rows), 64)
#         loss = nn.functional.mse_loss(denoise(noisy), x[rows])
#         optimiser.zero_grad()
#         loss.backward()
#         optimiser.step()
#
# check.check_denoised(denoise)
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
# from actlab.exercises import shrinkage as check
#
# class Shrink(keras.layers.Layer):
#     def build(self, shape):
#         self.threshold = self.add_weight(
#             shape=shape[-1:], initializer=keras.initializers.Constant(0.3)
#         )
#
#     def call(self, z):
#         right = keras.ops.relu(z - self.threshold)
#         return right - keras.ops.relu(-z - self.threshold)
#
# keras.utils.set_random_seed(0)
# x = data.load("digits").x_train
# denoise = keras.Sequential(
#     [
#         keras.Input((64,)),
#         keras.layers.GaussianNoise(0.5),  # in training only
#         keras.layers.Dense(128),
#         Shrink(),
#         keras.layers.Dense(64),
#     ]
# )
# denoise.compile(keras.optimizers.Adam(0.003), "mse")
# denoise.fit(x, x, batch_size=64, epochs=40, verbose=0)
#
# check.check_denoised(denoise)
# ```
#
# </details>
#
# > **Exercise 14.4.** ReLU against soft shrink again, as judge, and with $\lambda = 0.1$, which
# > takes less. Train at least ten networks of each kind. *Before* you train, write a rule: a
# > function of the test errors with ReLU and with soft shrink (an array each, one number for each
# > seed) that says "holds" (soft shrink makes the error smaller), "refuted" or "not shown".

# %%
verdict = ...  # (rule, relu, shrink)
check.check_shrink_rule(verdict)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch import nn
# from actlab import data, stats
# from actlab.exercises import shrinkage as check
#
# def rule(relu, shrink):
#     saved = stats.mean_interval(relu - shrink)  # 95 %, paired by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# digits = data.load("digits")
# x, unseen = (
#     torch.tensor(part, dtype=torch.float32)
#     for part in (digits.x_train, digits.x_test)
# )
# y = torch.tensor(digits.y_train)
#
# def error(activation, gain, seed):
#     torch.manual_seed(seed)
#     layers = []
#     for n in [64] * 3:
#         linear = nn.Linear(n, 64)
#         nn.init.normal_(linear.weight, std=gain / n**0.5)
#         nn.init.zeros_(linear.bias)
#         layers += [linear, activation]
#     network = nn.Sequential(*layers, nn.Linear(64, 10))
#     optimiser = torch.optim.SGD(
#         network.parameters(), lr=0.03, momentum=0.9
#     )
#     for epoch in range(10):
#         for rows in torch.randperm(len(x)).split(64):
#             loss = nn.functional.cross_entropy(
#                 network(x[rows]), y[rows]
#             )
#             optimiser.zero_grad()
#             loss.backward()
#             optimiser.step()
#     said = network(unseen).argmax(1).numpy()
#     return 100 * np.mean(said != digits.y_test)
#
# relu, shrink = (
#     np.array([error(kind, gain, seed) for seed in range(10)])
#     for kind, gain in ((nn.ReLU(), 2**0.5), (nn.Softshrink(0.1), 1.08))
# )
#
# verdict = (rule, relu, shrink)
# check.check_shrink_rule(verdict)
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
# from actlab.exercises import shrinkage as check
#
# def rule(relu, shrink):
#     saved = stats.mean_interval(relu - shrink)  # 95 %, paired by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# def less(z):
#     return keras.activations.soft_shrink(z, threshold=0.1)
#
# digits = data.load("digits")
#
# def error(activation, gain, seed):
#     keras.utils.set_random_seed(seed)
#     start = keras.initializers.VarianceScaling(gain**2)
#     dense = [
#         keras.layers.Dense(64, activation, kernel_initializer=start)
#         for _ in range(3)
#     ]
#     network = keras.Sequential(
#         [keras.Input((64,)), *dense, keras.layers.Dense(10)]
#     )
#     network.compile(
#         optimizer=keras.optimizers.SGD(0.03, momentum=0.9),
#         loss=keras.losses.SparseCategoricalCrossentropy(
#             from_logits=True
#         ),
#     )
#     network.fit(
#         digits.x_train,
#         digits.y_train,
#         batch_size=128,
#         epochs=5,
#         verbose=0,
#     )
#     said = np.argmax(network(digits.x_test), 1)
#     return 100 * np.mean(said != digits.y_test)
#
# relu, shrink = (
#     np.array([error(kind, gain, seed) for seed in range(10)])
#     for kind, gain in (("relu", 2**0.5), (less, 1.08))
# )
#
# verdict = (rule, relu, shrink)
# check.check_shrink_rule(verdict)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Soft shrink is the cheapest answer when size has a price, hard shrink when there is a fee.
# >   What tanh takes, tanh shrink leaves: a soft shrink without corners.
# > - Soft shrink is two ReLUs, so its threshold can be learned; PyTorch's own takes a plain number.
# > - ISTA is a network: W, S and soft shrink. Trained on what it is for, one layer does what takes
# >   the algorithm fifty steps.
# > - The universal threshold removes all of the noise, and too much of the signal. Choose on
# >   validation data.
# > - Soft shrink takes from the small, squashing from the large: thirty layers deep, only one of
# >   the two keeps a signal's size. Three layers of shrinkage train like others.

# %%
claims.cheat("shrinkage")

# %% [markdown]
# **What next.** [What all this costs](15_cost.ipynb): time, memory, and what of it is left in a
# training step.

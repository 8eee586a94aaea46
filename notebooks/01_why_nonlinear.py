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
# # Start here: why non-linear at all
#
# **35 minutes to read, exercises apart · runs in about 60 s and 1.2 GB on 2 cores · needs: you have
# trained one network before**
#
# The lamp on a staircase hangs on two switches, one below and one above. Flip either of them, and
# the lamp changes:
#
# | switch below | switch above | lamp |
# |---|---|---|
# | 0 | 0 | 0 |
# | 0 | 1 | 1 |
# | 1 | 0 | 1 |
# | 1 | 1 | 0 |
#
# Two networks apply for the post of saying whether the lamp is lit. The first has a hundred layers
# and a million weights, and no activation function between its layers. The second has nine weights
# and biases in all, and two bends. One of them cannot do it, whoever trains it and for how long.
# Which one, and why? And how much is a bend worth when it is not about lamps?
#
# **Questions**
#
# - What does a deep network without activation functions compute, and does it train?
# - Why do we not simply use a switch, on or off?
# - How much is the choice of the activation worth, next to learning rate, initialisation and depth?

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

from actlab import claims, data, ensemble, plots, predict, stats
from actlab.exercises import why_nonlinear as check
from actlab.experiments import choice  # this chapter's large study

plots.use_style()
# Twice the usual digits: then every processor prints the same.
torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## A network by hand
#
# Here is a small network for the staircase, with four units between the switches and the lamp:

# %%
units = {"switches": ["x₁", "x₂"], "hidden": ["f"] * 4, "lamp": ["y"]}
plots.network(units).show()

# %% [markdown]
# Every line is a *weight*, a number that multiplies what passes. Every circle adds up what arrives,
# and a *bias*, a number of its own: with weights 1 and 1 and a bias of −0.5, a unit makes 0.5 of
# the switches 0 and 1. The four in the middle then apply one more function to their sum $z$: $f$,
# the **activation**. In NumPy, for all four positions of the switches at once:

# %%
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([[0.0], [1.0], [1.0], [0.0]])


def forward(weights, f):
    W1, b1, W2, b2 = weights
    z = X @ W1 + b1  # the sums: 4 examples, 4 units
    h = f(z)  # the activation
    return z, h, h @ W2 + b2  # the last are the 4 answers


# %% [markdown]
# How wrong the answers are is the *loss*, here their mean squared distance from the lamp. To learn
# is to make it smaller in small steps: ask how fast the loss rises when a weight does (its
# *gradient*), and move the weight a little the other way. The answer travels from the back to the
# front, and each thing that it passes multiplies it by its slope:


# %%
def step(weights, f, slope, rate=0.1):
    """One step of gradient descent; returns the loss before it."""
    W1, b1, W2, b2 = weights
    z, h, out = forward(weights, f)
    d_out = 2 * (out - y) / len(y)  # the slope of the loss
    d_z = d_out @ W2.T * slope(z)  # back through the activation
    W2 -= rate * h.T @ d_out
    b2 -= rate * d_out.sum(0)
    W1 -= rate * X.T @ d_z
    b1 -= rate * d_z.sum(0)
    return np.mean((out - y) ** 2)


# %% [markdown]
# The activation occurs twice: as $f$ on the way up, and as its slope $f'$ on the way down. With
# tanh, an S-shaped curve of slope $1 - \tanh^2$, a thousand steps look like this:


# %%
def fresh(seed=0):
    """Random weights, biases of zero."""
    rng = np.random.default_rng(seed)
    W1, W2 = rng.normal(size=(2, 4)), rng.normal(size=(4, 1))
    return [W1, np.zeros(4), W2, np.zeros(1)]


def tanh_slope(z):
    return 1 - np.tanh(z) ** 2


weights = fresh()
losses = [step(weights, np.tanh, tanh_slope) for _ in range(1000)]
answers = forward(weights, np.tanh)[2]
print(f"loss: {losses[0]:.3f}, in the end {losses[-1]:.3f}")
print("answers:", *np.abs(answers.round(2)).ravel())

# %% [markdown]
# PyTorch does the way down by itself, in `backward`:

# %%
model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
with torch.no_grad():
    for ours, start in zip(model.parameters(), fresh(), strict=True):
        ours.copy_(torch.from_numpy(start.T))  # (out, in) in PyTorch
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
switches, lamp = torch.tensor(X * 1.0), torch.tensor(y)
for _ in range(1000):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(switches), lamp)
    loss.backward()
    optimizer.step()

# %% [markdown]
# Keras takes the loop, too. Its `fit` makes one step for every batch, so it gets the four examples
# a thousand times over:

# %%
layers = keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)
twin = keras.Sequential([keras.Input((2,)), *layers])
twin.set_weights(fresh())
twin.compile(keras.optimizers.SGD(0.1), "mse")
often = np.tile(X, (1000, 1)), np.tile(y, (1000, 1))
twin.fit(*often, batch_size=4, shuffle=False, verbose=0)

assert np.allclose(model(switches).detach().numpy(), answers, atol=1e-4)
assert np.allclose(np.array(twin(X)), answers, atol=1e-4)
print("Three times the same network, three times the same answers.")

# %% [markdown]
# ## A line: nothing new on the way up
#
# Without an activation, $f(z) = z$: a straight line, with slope 1 everywhere. Train the very same
# network once more, with the line in tanh's place.
#
# > **Predict.** After the same thousand steps from the same start, what does the network answer at
# > the four positions of the switches?
# >
# > - one half, four times
# > - three of the four right
# > - 0, 1, 1, 0, as with tanh

# %% tags=["reveal"]
weights = fresh()
for _ in range(1000):
    step(weights, lambda z: z, np.ones_like)
flat = forward(weights, lambda z: z)[2]

W1, b1, W2, b2 = weights
matrix, bias = W1 @ W2, b1 @ W2 + b2
assert np.allclose(X @ matrix + bias, flat)
print("one matrix:", *np.abs(matrix.round(3)).ravel())
print("one bias:  ", *bias.round(3))

# %% tags=["reveal"]
limits = {
    "one half, four times": 0.05,
    "three of the four right": 0.45,
    "0, 1, 1, 0, as with tanh": 1,
}
predict.reveal(
    "The answers are " + ", ".join(f"{v:.2f}" for v in flat.ravel()),
    choice=predict.pick(np.abs(flat - 0.5).max(), limits),
)

# %% [markdown] tags=["reveal"]
# It learned something: how often the lamp burns. More it cannot say. The two layers compute
# $(x W_1 + b_1) W_2 + b_2$, and if you multiply that out it is
# $x\,(W_1 W_2) + (b_1 W_2 + b_2)$: one matrix and one bias. The cell above multiplied them, and
# prints what is left.

# %% [markdown]
# No other weights would help. Whatever is made of a matrix and a bias gives the same sum at both
# pairs of opposite corners: $f(0,0) + f(1,1) = f(0,1) + f(1,0)$. The lamp wants $0 + 0$ on the left
# and $1 + 1$ on the right. Nor does depth help: a hundred layers collapse like two, one after the
# other. So the first applicant is out. Here is that sentence on trial, as this course does it with
# every sentence about activations:

# %%
claims.trial("why-linear-collapses")

# %% [markdown]
# A card has five parts:
#
# 1. **Claim**: a sentence in circulation, with its source. Many come from one summary of 2020, the
#    [starting document](../book/reference/starting-document.md) of this course.
# 2. **Rule**: what will decide it, written down *before* the run (fold the card open).
# 3. **Run**: where chance plays a part, at least twenty networks that differ in their *seed*: their
#    first weights and the order of their data.
# 4. **Interval**: where the true value lies with 95 % confidence, drawn against the rule's bound.
# 5. **Verdict**: *holds*, *holds when …*, *refuted* or *not shown*, whatever comes out.
#
# ## How bad is it, on real data?
#
# Handwritten digits, 8 × 8 pixels, ten classes. Twenty networks have two hidden layers of 32 units
# with ReLU (zero for negative numbers, unchanged for positive ones), twenty have nothing between
# their layers. `ensemble.tune` finds the learning rate that suits each kind best, on other seeds
# and on validation data; `ensemble.train` then trains all forty, in pairs from the same first
# weights.
#
# > **Predict.** How much test accuracy does it cost to leave the activation out?
# >
# > - less than 3 points
# > - about 10 points
# > - more than 30 points

# %% tags=["reveal"]
setting = {"init": "glorot_uniform", "dtype": "float64"}
setting |= {"hidden": (32, 32), "epochs": 20, "progress": False}
rates = (0.01, 0.03, 0.1, 0.3, 1.0)


def compare(dataset):
    """Points of test accuracy with and without ReLU; the gain."""
    kinds = {"arms": ["linear", "relu"], "seeds": range(500, 510)}
    tuned = ensemble.tune(dataset, lrs=rates, **kinds, **setting)
    result = ensemble.train(dataset, arms=tuned.arms, **setting)
    points = {arm: 100 * v for arm, v in result.by_arm().items()}
    for arm, found in points.items():
        print(f"{arm:6}", stats.mean_interval(found).format(1))
    gain = stats.paired_difference(points["relu"], points["linear"])
    print("gain  ", gain.format(1))
    return gain.mean


# %% tags=["reveal"]
digits = data.load("digits")
gain = compare(digits)
limits = {"less than 3 points": 3, "about 10 points": 20}
limits["more than 30 points"] = 100
predict.reveal(f"{gain:.1f} points", choice=predict.pick(gain, limits))

# %% [markdown] tags=["reveal"]
# The first two lines are means with their 95 % intervals in brackets. The third is the gain, taken
# network by network: a network and its partner share their first weights and the order of their
# data, so much of what is chance falls out of the difference. That is why a gain can be sure
# although it is hardly larger than the spread of one mean.
#
# Did you expect networks *without* any activation to read digits? These lie so far apart that flat
# cuts between them are nearly enough. On such data anybody could "prove" that activations hardly
# matter.

# %% [markdown]
# The same on MNIST-1D, signals of forty numbers in the shape of a digit, shifted, stretched and
# noisy:

# %%
gain = compare(data.load("mnist1d", size=1_000))

# %% [markdown]
# Same depth, same care; what differs is what the data ask for. Notice that the linear networks did
# train, though it is often said that they cannot, their derivative being constant. The gradient of
# a weight is the error that comes down times the signal that comes up, and those are not constant.
# ([The ledger](../book/reference/claims.md) has the verdicts on this and on more sentences.)
#
# One more verdict on linear networks, and a strange one:

# %%
claims.trial("why-linear-xor")

# %% [markdown]
# It was proved above; how can there be exceptions? **Rounding is a non-linearity.** "Linear
# networks collapse" is a theorem about numbers, and networks are made of floats.
#
# <details>
# <summary>For the curious: a linear network that should not exist</summary>
#
# Here are six matrices, set by hand. Multiplied they give zeros; run one after the other, in
# PyTorch and in `float32`, the usual format, they answer 0, 1, 1, 0:
#
# ```python
# tiny, large = 2.0**-75, 2.0**75
# h = torch.tensor(X, dtype=torch.float32)
# for weight in (
#     [[1, 1]],
#     [[1], [tiny]],
#     [[1, 0], [0, tiny]],
#     [[1, 0], [0, large]],
#     [[1, 0], [0, large / 2]],
#     [[1, -2]],
# ):
#     h = h @ torch.tensor(weight, dtype=torch.float32).T
# ```
#
# The second unit of layer 2 makes the sum $x_1 + x_2$ so small that in layer 3 it becomes 0,
# $2^{-150}$ or $2^{-149}$. The last of these is the smallest `float32` there is; half of it has no
# place of its own and is rounded, to zero. Layers 4 and 5 make what is left large again, and out
# comes "$x_1$ *and* $x_2$": 0 for sums of 0 and 1, something for 2. That is a kink, and the last
# layer takes it twice from the sum.
#
# TensorFlow, under Keras, rounds otherwise: everything below $2^{-126}$ becomes zero. So Keras
# gives another answer, and needs other weights; the card below tried both.
#
# Nobody should build networks like that, though it has been done, trained and all
# ([Foerster, 2017](https://openai.com/index/nonlinear-computation-in-deep-linear-networks/)). But
# the same rounding is why gradients in half precision are multiplied by a large number before they
# travel back.
#
# </details>
#
# ## A step: nothing comes back on the way down
#
# So a network needs a bend. Why not the simplest, the switch itself: 1 where $z \ge 0$, else 0? It
# is how artificial neurons began. But its slope is 0, everywhere but at the jump, and in the
# function `step` above `slope(z)` multiplies what reaches `W1`:

# %%
weights = fresh()
for _ in range(1000):
    step(weights, lambda z: (z >= 0) * 1.0, np.zeros_like)
still = np.array_equal(weights[0], fresh()[0])
moved = np.abs(weights[2] - fresh()[2]).max()
assert still
print("First weights: not one bit has changed.")
print(f"Last weights: changed by up to {moved:.2f}.")

# %% [markdown]
# By hand you see why. PyTorch does not tell:

# %%
below, above = nn.Linear(2, 4), nn.Linear(4, 1)
above((below(switches) >= 0).double()).sum().backward()
print("gradient above the step:", above.weight.grad.shape)
print("gradient below the step:", below.weight.grad)

# %% [markdown]
# No error, no warning, an empty gradient, and optimisers skip what is empty. So a network with
# steps *seems* to train, because its last layer does. What can that do alone? Here is a whole
# training, on the digits, that you can change:

# %%
pixels, labels = map(torch.tensor, (digits.x_train, digits.y_train))
pixels = pixels.double()


def train(f, units=256, epochs=10, rate=0.1):
    torch.manual_seed(0)
    below, above = nn.Linear(64, units), nn.Linear(units, 10)
    both = [*below.parameters(), *above.parameters()]
    optimizer = torch.optim.SGD(both, lr=rate, momentum=0.9)
    for _ in range(epochs):
        for batch in torch.randperm(len(labels)).split(128):
            optimizer.zero_grad()
            logits = above(f(below(pixels[batch])))
            loss = nn.functional.cross_entropy(logits, labels[batch])
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        seen = above(f(below(torch.tensor(digits.x_test).double())))
    return np.mean(seen.argmax(1).numpy() == digits.y_test)


# %% [markdown]
# > **Predict.** With `(h >= 0).double()` for `f`, the 256 hidden units are a random code that never
# > changes. How many digits does the network read, where guessing gives one in ten?
# >
# > - hardly more than by guessing
# > - about half
# > - more than 85 %


# %% tags=["reveal"]
plain = train(lambda h: (h >= 0).double())
limits = {"hardly more than by guessing": 0.2, "about half": 0.85}
limits["more than 85 %"] = 1
right = predict.pick(plain, limits)
predict.reveal(f"{plain:.0%} of the test digits", choice=right)

# %% [markdown] tags=["reveal"]
# Random steps carry a long way on easy data; they are a method of their own, known as *random
# features*. And this is the trap: the loss falls, the accuracy is fine, and everything below the
# step stands still.

# %% [markdown]
# Keras trains it too, and warns that gradients do not exist for two of the variables. On trial:

# %%
claims.trial("why-step-stuck")

# %% [markdown]
# One can do better, with a little theft. What training needs is a direction, and nobody checks
# where it comes from: keep the step on the way up, and on the way down pretend that it was a ramp,
# with slope 1 between −1 and 1. `detach` passes a value on, and no gradient:


# %%
def borrowed(h):
    ramp = h.clamp(-1, 1)
    return ramp + ((h >= 0).double() - ramp).detach()


steps = {"plain": lambda h: (h >= 0).double(), "borrowed": borrowed}
for units in (32, 256):
    for name, f in steps.items():
        print(f"{units:3} steps, {name:8} {train(f, units):.0%}")

# %% [markdown]
# Each line is one network, so small differences say little. Look where units are few: random steps
# are a poor code there, and learned ones need not be. The card shows it over twenty seeds, in
# networks with *two* layers of steps; a random code of a random code loses more, so plain steps do
# worse there.

# %%
claims.trial("why-step-borrowed")

# %% [markdown]
# The trick is called *straight-through*
# ([Bengio and colleagues, 2013](https://arxiv.org/abs/1308.3432); the ramp is
# [Hubara and colleagues'](https://arxiv.org/abs/1602.02830)), and trains networks with one-bit
# activations.
#
# ## How much is the choice worth?
#
# We need a bend and a slope, then, real or borrowed. There are dozens to choose from, and the
# starting document calls the choice *crucial*. Compared with what? A study trained every
# combination of seven activations, five learning rates, three initialisations (how the first
# weights are drawn) and three depths, twenty times each. What a choice is *worth* is the test
# accuracy that you gain by making it well, on validation data, instead of blindly.
#
# > **Predict.** On the digits, somebody takes all four as they come, from the last tutorial read,
# > and may choose one of them with care. Which one is worth most?
# >
# > - the activation
# > - the learning rate
# > - the initialisation
# > - the depth

# %% tags=["reveal"]
worth = choice.worth_by_view("digits")
label = "gain over a blind choice (points of test accuracy)"
plots.rows(worth, label=label, title="Digits").show()

# %% tags=["reveal"]
blind = {name: v.mean for name, v in next(iter(worth.values())).items()}
best = max(blind, key=blind.get)
said = f"The {best} is worth {blind[best]:.1f} points"
predict.reveal(said, choice=f"the {best}", folklore="the activation")
others = next(iter(choice.worths("digits", without="sigmoid").values()))
top = max(others, key=lambda name: others[name].mean())
print(f"Without the sigmoid among the seven it is the {top}.")

# %% [markdown] tags=["reveal"]
# The three colours are three views of the very same networks. In the first, all else is left to
# chance; what then counts most depends on the company (the last line leaves one candidate out). In
# the second, every combination gets its own learning rate. In the third, all else is tuned. "It is
# crucial" and "it hardly matters" can both be read off one study.

# %% [markdown]
# How can the worth of a choice depend so much on the others? Here is a slice of the study, three
# hidden layers on MNIST-1D:

# %%
plots.grid(
    choice.by_rate("mnist1d", init="keras", depth=3),
    what="mean test accuracy (%)",
    x="learning rate (SGD, momentum 0.9)",
    where="MNIST-1D",
).show()

# %% [markdown]
# Row by row: an activation decides at *which learning rates* a network trains. Column by column:
# each is a benchmark with "all else equal", of which there are thousands, and it depends on the
# column who wins. **All else equal is not a fair comparison.**

# %%
claims.trial("choice-crucial")

# %% [markdown]
# What this does not show: these networks are small and trained for ten epochs, and a grid of
# learning rates has ends. The larger a model, the less anybody can afford to tune it. That is why
# the following chapters look so closely at what each activation *tolerates*.
#
# ## Exercises
#
# > **Exercise 1.1.** Write `collapse(layers)`. It gets a list of pairs `(W, b)`, first layer
# > first, where a layer computes $W h + b$ with `W` of shape (units out, units in). It returns the
# > one pair `(W, b)` that replaces them all.

# %%
collapse = ...
check.check_collapse(collapse)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import why_nonlinear as check
#
# def collapse(layers):
#     weight, bias = (torch.as_tensor(part) for part in layers[0])
#     for w, b in layers[1:]:
#         w, b = torch.as_tensor(w), torch.as_tensor(b)
#         weight, bias = w @ weight, w @ bias + b
#     return weight, bias
#
# check.check_collapse(collapse)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import why_nonlinear as check
#
# def collapse(layers):
#     weight, bias = (
#         ops.convert_to_tensor(part) for part in layers[0]
#     )
#     for w, b in layers[1:]:
#         weight = ops.matmul(w, weight)
#         bias = ops.matmul(w, bias) + b
#     return weight, bias
#
# check.check_collapse(collapse)
# ```
#
# </details>
#
# > **Exercise 1.2.** The second applicant of the beginning: set by hand the weights of a network
# > with two ReLU units so that it says when the lamp burns, exactly 0, 1, 1, 0 at (0, 0), (0, 1),
# > (1, 0), (1, 1). An `nn.Sequential` or a Keras model. Pencil and paper help more than a keyboard.

# %%
xor = ...
check.check_xor(xor)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# One unit counts the ones, the other fires for two of them: relu(x₁ + x₂) − 2 relu(x₁ + x₂ − 1).
#
# ```python
# import torch
# from torch import nn
# from actlab.exercises import why_nonlinear as check
#
# xor = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
# with torch.no_grad():
#     xor[0].weight.fill_(1)
#     xor[0].bias.copy_(torch.tensor([0.0, -1.0]))
#     xor[2].weight.copy_(torch.tensor([[1.0, -2.0]]))
#     xor[2].bias.zero_()
#
# check.check_xor(xor)
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
# from actlab.exercises import why_nonlinear as check
#
# hidden, output = (
#     keras.layers.Dense(2, "relu"),
#     keras.layers.Dense(1),
# )
# xor = keras.Sequential([keras.Input((2,)), hidden, output])
# hidden.set_weights([np.ones((2, 2)), np.array([0, -1])])
# output.set_weights([np.array([[1], [-2]]), np.zeros(1)])
#
# check.check_xor(xor)
# ```
#
# </details>
#
# > **Exercise 1.3.** Write `theft(x)` yourself, and not as the chapter does: forward the step (1
# > where x ≥ 0, else 0), backward the slope of a ramp, 1 between −1 and 1 and 0 outside. In PyTorch
# > with a `torch.autograd.Function`, or in Keras, where `detach` is called
# > `keras.ops.stop_gradient`.

# %%
theft = ...
check.check_borrowed_slope(theft)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import why_nonlinear as check
#
# class Theft(torch.autograd.Function):
#     @staticmethod
#     def forward(ctx, x):
#         ctx.save_for_backward(x)
#         return (x >= 0).to(x.dtype)
#
#     @staticmethod
#     def backward(ctx, gradient):
#         (x,) = ctx.saved_tensors
#         return gradient * (x.abs() <= 1)
#
# theft = Theft.apply
# check.check_borrowed_slope(theft)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import why_nonlinear as check
#
# def theft(x):
#     ramp = ops.clip(x, -1.0, 1.0)
#     step = ops.cast(x >= 0, x.dtype)
#     return ramp + ops.stop_gradient(step - ramp)
#
# check.check_borrowed_slope(theft)
# ```
#
# </details>
#
# > **Exercise 1.4.** Train a network of at most 32 step units, and a last layer above them, that
# > reads at least 88 % of the test digits. Hand over the trained network: an `nn.Module`, a Keras
# > model or a function, from 64 pixels to ten scores. (What do 32 *random* steps reach? See
# > above.)

# %%
network = ...
check.check_step_network(network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import why_nonlinear as check
#
# class Step(nn.Module):
#     def forward(self, h):
#         ramp = h.clamp(-1, 1)
#         return ramp + ((h >= 0).to(h.dtype) - ramp).detach()
#
# torch.manual_seed(0)
# digits = data.load("digits")
# network = nn.Sequential(
#     nn.Linear(64, 32), Step(), nn.Linear(32, 10)
# )
# network.float()
# optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
# x, y = torch.tensor(digits.x_train), torch.tensor(digits.y_train)
# for _ in range(30):
#     for batch in torch.randperm(len(x)).split(128):
#         optimizer.zero_grad()
#         loss = nn.functional.cross_entropy(
#             network(x[batch]), y[batch]
#         )
#         loss.backward()
#         optimizer.step()
#
# check.check_step_network(network)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from keras import ops
# from actlab import data
# from actlab.exercises import why_nonlinear as check
#
# def step(h):
#     ramp = ops.clip(h, -1.0, 1.0)
#     return ramp + ops.stop_gradient(
#         ops.cast(h >= 0, h.dtype) - ramp
#     )
#
# keras.utils.set_random_seed(0)
# digits = data.load("digits")
# network = keras.Sequential(
#     [
#         keras.Input((64,)),
#         keras.layers.Dense(32, activation=step),
#         keras.layers.Dense(10),
#     ]
# )
# loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
# network.compile(keras.optimizers.Adam(0.01), loss)
# network.fit(
#     digits.x_train,
#     digits.y_train,
#     batch_size=128,
#     epochs=30,
#     verbose=0,
# )
#
# check.check_step_network(network)
# ```
#
# </details>
#
# > **Exercise 1.5.** *"Leave the activation out, and you lose accuracy."* On the digits and on
# > MNIST-1D you have seen how much. Now decide it yourself, on other data. First write a rule: a
# > function that gets an interval (`gain.low`, `gain.mean`, `gain.high`, in points) and returns
# > `"holds"`, `"refuted"` or `"not shown"`; choose your own bound, from how many points on a loss
# > would matter to you. Then measure: `data.load("wine")` or `"breast_cancer"`, twenty networks of
# > each kind, as in `compare` above. Hand over both, `(rule, gain)`.

# %%
decision = ...
check.check_decision(decision)

# %% [markdown]
# <details>
# <summary>Solution (either framework: the engine trains PyTorch's networks)</summary>
#
# ```python
# from actlab import data, ensemble, stats
# from actlab.exercises import why_nonlinear as check
#
# def rule(gain, bound=1):
#     if gain.low > bound:
#         return "holds"
#     if gain.high <= bound:
#         return "refuted"
#     return "not shown"
#
# wine = data.load("wine")
# setting = dict(hidden=(16, 16), epochs=30, batch_size=16)
# tuned = ensemble.tune(wine, arms=["linear", "relu"],
#                       lrs=(0.01, 0.03, 0.1, 0.3),
#                       seeds=range(500, 510), **setting)
# found = ensemble.train(wine, arms=tuned.arms, seeds=20, **setting)
# accuracy = found.by_arm()
# gain = stats.paired_difference(100 * accuracy["relu"],
#                                100 * accuracy["linear"])
# decision = rule, gain
# check.check_decision(decision)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - The activation acts twice: as a function on the way up, by its slope on the way down.
# > - Linear layers in a row are one matrix. They do train, and have nothing more to offer. How bad
# >   that is depends on the data.
# > - A step bends, and has no slope: everything below it stands still, without an error in PyTorch.
# >   A borrowed slope repairs that.
# > - "Linear" is a statement about exact arithmetic; floats are rounded, and rounding bends.
# > - What an activation is worth depends on what was tuned beside it. Compare only what has been
# >   tuned, each for itself.
#
# To take along:

# %%
claims.cheat("why_nonlinear")

# %% [markdown]
# **What next.** Most networks take ReLU, the simplest function with a slope and a kink, and half of
# what is said about it is that it dies. The next chapter looks for the culprit.

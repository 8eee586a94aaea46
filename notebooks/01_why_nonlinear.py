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
# **35 minutes to read · runs in about 25 s and 1.2 GB on 2 cores · needs: you have
# trained one network before**
#
# Between two layers of almost every network stands a small function, one line of code, mostly
# chosen by habit. What happens without it? What happens if it is the simplest of all, a switch?
# And how much does it matter which one you take? This chapter answers with runs, and shows on the
# way how the whole course works.
#
# **Questions**
#
# - What does a deep network without activation functions compute, and does it train?
# - Why do we not simply use a switch, on or off?
# - Is there really no way for a linear network to do something non-linear?
# - How much is the choice of the activation worth, next to learning rate, initialisation and depth?

# %% tags=["setup"]
# On Colab this installs the course's helpers; elsewhere it only looks whether they are there.
# Then it loads the frameworks as the text uses them: on the CPU, and without their log.
import sys
from importlib.util import find_spec
from subprocess import run

helpers = "actlab @ git+https://github.com/actlab-course/activation-functions"
if "google.colab" in sys.modules:
    run([sys.executable, "-m", "pip", "install", "--quiet", helpers], check=True)
assert find_spec("actlab"), f'The helpers of this course are missing; pip install "{helpers}"'

from actlab import machine

machine.prepare()

# %%
import warnings

import keras
import numpy as np
import torch
from torch import nn

from actlab import catalog, claims, data, ensemble, machine, plots, stats, study
from actlab.exercises import why_nonlinear as check
from actlab.experiments import choice, linear, stepping  # this chapter's experiments

plots.use_style()

# %% [markdown]
# ## Three kinds, or two?
#
# The document that started this course sorts activation functions into three kinds: *binary
# steps*, *linear* ones and *non-linear* ones. Here is one of each. In this course every function
# is a record in a catalog, with its formula, its exact values and slopes, its origin, and the
# real thing from both frameworks.

# %%
kinds = ["binary_step", "linear", "tanh"]
plots.curves(kinds, limits=(-3, 3), title="A step, a line, a curve").show()

# %%
step, line = catalog.get("binary_step"), catalog.get("linear")
x = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
plots.table(
    {
        "x": x,
        "step": step.reference(x),
        "slope of the step": step.derivative(x),
        "line": line.reference(x),
        "slope of the line": line.derivative(x),
    }
)

# %% [markdown]
# A function is *linear* if $f(a + b) = f(a) + f(b)$: it does not matter whether you add before or
# after. For the step, $f(1 + 1) = 1$, but $f(1) + f(1) = 2$. So the step is on the non-linear side
# already, and its trouble is in the table's third column.
#
# > **Predict.** Write down one sentence each: what goes wrong in a network whose activation is the
# > line? And in one whose activation is the step? Then read on.
#
# ## How this course works
#
# Much of what is written about activation functions is copied from text to text. Here every such
# sentence goes on trial, always in the same five steps. Take this one:

# %%
claims.get("why-output-range")

# %% [markdown]
# 1. **Claim**: a sentence in circulation, with its source.
# 2. **Rule**: what will decide it, written down *before* the run.
# 3. **Run**: on the real thing. Where chance plays a part, in at least 20 networks that differ in
#    their *seed*: their initial weights and the order of their data.
# 4. **Interval**: what the runs say, and how far chance alone could have moved it.
# 5. **Verdict**: *holds*, *holds when …*, *refuted* or *not shown*. It is printed whatever it is.
#
# > **Predict.** Of the catalog's functions that act on single numbers, how many stay between −1
# > and 1: nearly all, about half, or a quarter?

# %%
claims.get("why-output-range").evaluate()

# %% [markdown]
# That sentence describes the functions of the 1990s.
#
# For the third step there are two functions to know. `ensemble.train` trains many small networks
# at once; an *arm* is one way of building them. `ensemble.tune` first gives every arm the learning
# rate that suits it best, by validation data and on other seeds. Here, on handwritten digits, are
# twenty networks without any activation and twenty with ReLU (zero for negative numbers, unchanged
# for positive ones). Numbers have twice the usual digits (`float64`): training magnifies the last
# one, in which processors differ, and so you get the accuracies that the text speaks of.

# %%
digits = data.load("digits")
setting = {"hidden": (64, 64), "init": "glorot_uniform", "epochs": 10}
setting |= {"dtype": "float64", "progress": False}
trials = {"lrs": (0.01, 0.03, 0.1, 0.3, 1.0), "seeds": range(500, 503)}
tuning = ensemble.tune(digits, arms=["linear", "relu"], **trials, **setting)
result = ensemble.train(digits, arms=tuning.arms, seeds=20, **setting)
print(result)

# %%
for arm, values in result.by_arm("test_accuracy").items():
    print(f"{arm:6}", stats.mean_interval(values).format(percent=True))
accuracy = result.by_arm("test_accuracy")
gain = stats.paired_difference(accuracy["relu"], accuracy["linear"])
print("gain  ", gain.format(percent=True))
floor = stats.noise_floor(accuracy["relu"])
print(f"noise floor: {100 * floor:.1f} points")

# %% [markdown]
# The first two lines are means with their 95 % intervals in brackets; the third is the gain,
# network by network, from the same weights and the same data in the same order. The noise floor is
# how far the means of two *equal* arms would drift apart by other seeds alone. Surprised how well
# networks *without* any activation read digits? These digits happen to lie so far apart that flat
# cuts between them are nearly enough, and on such data anybody could "prove" that activations
# hardly matter. So here is a second data set, on which flat cuts are not enough. MNIST-1D: signals
# of forty numbers in the shape of a digit, shifted, stretched and noisy.
#
# > **Predict.** The same networks on MNIST-1D, ten classes again: what do they reach, with and
# > without ReLU?

# %%
signals = data.load("mnist1d")
tuning = ensemble.tune(signals, arms=["linear", "relu"], **trials, **setting)
result = ensemble.train(signals, arms=tuning.arms, seeds=20, **setting)
for arm, accuracy in result.by_arm("test_accuracy").items():
    print(f"{arm:6}", stats.mean_interval(accuracy).format(percent=True))

# %% [markdown]
# Same depth, same number of weights, same care. Now why?
#
# ## A stack of lines is a line
#
# A layer without an activation computes $W h + b$. Two of them compute
# $W_2 (W_1 h + b_1) + b_2 = (W_2 W_1)\, h + (W_2 b_1 + b_2)$: a matrix and a bias again. Whatever
# the depth, one layer would have done. Do not believe it, compute it: four layers in Keras, the
# same weights in PyTorch, and the one matrix.

# %%
keras.utils.set_random_seed(0)
deep = keras.Sequential([keras.Input((64,)), *(keras.layers.Dense(64) for _ in range(4))])
twin = nn.Sequential(*(nn.Linear(64, 64) for _ in range(4)))
with torch.no_grad():
    for ours, theirs in zip(twin, deep.layers, strict=True):
        kernel, bias = (torch.from_numpy(np.array(w)) for w in theirs.get_weights())
        ours.weight.copy_(kernel.T)  # Keras stores (in, out), PyTorch (out, in)
        ours.bias.copy_(bias)
one_matrix = torch.linalg.multi_dot([layer.weight for layer in reversed(twin)])

# %%
x = digits.x_test[:100]
in_keras = np.array(deep(x))
in_torch = twin(torch.from_numpy(x)).detach().numpy()
collapsed = (torch.from_numpy(x) @ one_matrix.T).detach().numpy()
for name, other in {"PyTorch, four layers": in_torch, "one matrix": collapsed}.items():
    gap = np.abs(other - in_keras).max() / np.abs(in_keras).max()
    assert gap < 2e-6, name
    print(f"{name}: less than two millionths away from Keras, four layers.")

# %% [markdown]
# (Keras starts its biases at zero, so here the matrix is everything.) What differs is rounding:
# a float32 has 24 binary digits, and the order of the additions decides over the last one. The
# first record below compares 2, 5 and 20 layers with what rounding is allowed to do:

# %%
claims.trial("why-linear-collapses", "why-linear-no-backprop")

# %% [markdown]
# Look at the second verdict. It is often said that a linear network cannot even be trained,
# because the derivative of a line is a constant. It trains well. The gradient of a weight is the
# error that comes down times the signal that comes up, and those two are not constant. A linear
# network has a gradient; what it lacks are functions to choose from.
#
# Is depth without activations then *nothing*, in training too? Here are digits once more, with
# three linear hidden layers and with none: the same data, the same order, the same learning rate.

# %%
setting = {"lr": 0.01, "dtype": "float64", "progress": False}
result = ensemble.train(digits, arms=stepping.DEPTHS, seeds=20, **setting)
history = result.history()


def loss_by_epoch(history, arm):
    """Epoch → training loss: mean and 95 % interval over the networks."""
    epochs = history[history.arm == arm].groupby("epoch").train_loss
    return {int(epoch): stats.mean_interval(values) for epoch, values in epochs}


plots.lines(
    {arm: loss_by_epoch(history, arm) for arm in stepping.DEPTHS},
    x="epoch",
    y="training loss (nats)",
    title="No function is gained, and yet it learns differently",
).show()

# %% [markdown]
# The layers that "do nothing" speed it up: every weight is multiplied by the others, so one step
# changes the product by more. Before you conclude that deep linear networks are better, give the
# other arm its fair chance, its own learning rate:

# %%
claims.trial("why-linear-depth")

# %% [markdown]
# Now twenty seeds show no difference any more, and the interval says how large one may still be.
# Look at the learning rates that the two chose. A clear difference at one shared learning rate,
# gone when each side has its own: you will meet this again and again, and in this chapter's last
# section on a grand scale.
#
# ## XOR, and a linear network that should not exist
#
# The smallest thing a line cannot do: say whether two inputs *differ*. For anything linear the
# outputs at opposite corners of the square add up to the same, $f(0,0) + f(1,1) = f(0,1) + f(1,0)$
# (the biases of the layers change nothing about that). XOR wants $0 + 0$ on one side and $1 + 1$
# on the other. Twenty networks each, with two hidden layers of eight units:

# %%
corners = linear.train_xor(range(20), dtype="float64")
plots.table(
    {
        "20 networks": list(corners),
        "best: corners": [int(right.max()) for right in corners.values()],
        "with all four": [int(np.sum(right == 4)) for right in corners.values()],
    }
)

# %% [markdown]
# As the theory says. (If a ReLU network misses a corner, it could have computed XOR and did not
# find the way: what a network can do and what it learns are two things.) And now six linear layers
# with weights set by hand, and not one activation anywhere:

# %%
trick = linear.xor_layers(-149)
for number, weight in enumerate(trick, 1):
    print(f"W{number} =", [[float(f"{w:.3g}") for w in unit] for unit in weight])
one_matrix = np.linalg.multi_dot([np.array(weight) for weight in reversed(trick)])
print("their product:", one_matrix)

# %% [markdown]
# The odd numbers are powers of two: $2^{-75}$ twice, then $2^{75}$ and $2^{74}$. The product of
# the six is zero: one matrix of zeros, so the network can only answer 0.
#
# > **Predict.** Run these six matrices in PyTorch on the four corners. What comes out?

# %%
ways = {"one matrix": "one matrix", "PyTorch": "torch", "Keras": "keras"}
plots.table(
    {"corner": ["0, 0", "0, 1", "1, 0", "1, 1"]}
    | {name: linear.run_linear(trick, linear.XOR_X, how) for name, how in ways.items()}
)

# %% [markdown]
# PyTorch computes XOR, with a linear network. Here is the trick. The second unit of layer 2
# makes the sum $x_1 + x_2$ so small that in layer 3 it becomes 0, $2^{-150}$ or $2^{-149}$. The
# last of these is the smallest float32 there is. Half of it has no place of its own and is
# rounded, to zero. Layers 4 and 5 make it large again, and out comes "$x_1$ *and* $x_2$": a kink.
# **Rounding is a non-linearity.** "Linear networks collapse" is a theorem about numbers; networks
# are made of floats.
#
# Keras gives another answer from the same weights, because TensorFlow rounds otherwise: everything
# below $2^{-126}$ becomes zero. So we choose the weights for that limit:

# %%
other_trick = linear.xor_layers(-126)
plots.table(
    {"corner": ["0, 0", "0, 1", "1, 0", "1, 1"]}
    | {name: linear.run_linear(other_trick, linear.XOR_X, how) for name, how in ways.items()}
)

# %%
claims.trial("why-linear-xor")

# %% [markdown]
# Nobody should build networks like that, though it has been done, trained and all
# ([Foerster, 2017](https://openai.com/index/nonlinear-computation-in-deep-linear-networks/)). But
# the same rounding is why gradients in half precision are multiplied by a large number before
# they travel back. And it is this course's first warning that "the same network" in two
# frameworks is the same up to their arithmetic.
#
# ## The step: nothing to follow
#
# So a network needs something that is not a line. Why not the simplest, the step? It is how
# artificial neurons began, and two steps are enough for XOR: one that fires for "at least one",
# one for "both".

# %%
claims.trial("why-third-kind", "why-on-or-off")

# %% [markdown]
# The trouble starts when the weights are to be *learned*. There are several ways to write a step.
#
# > **Predict.** In PyTorch, `loss.backward()` through each of these three steps: which gradient
# > do the weights *below* it get? And does PyTorch tell you that something is wrong?

# %%
x, y = torch.from_numpy(digits.x_train[:256]), torch.from_numpy(digits.y_train[:256])
steps = {
    "(h >= 0).float()": lambda h: (h >= 0).float(),
    "torch.sign(h)": torch.sign,
    "torch.heaviside(h, …)": lambda h: torch.heaviside(h, torch.ones(())),
}
for name, step in steps.items():
    below, above = nn.Linear(64, 32), nn.Linear(32, 10)
    try:
        nn.functional.cross_entropy(above(step(below(x))), y).backward()
        gradient = below.weight.grad
        told = "none" if gradient is None else f"largest entry {gradient.abs().max():g}"
    except RuntimeError as error:
        told = f"RuntimeError, {error}"
    print(f"{name:22} gradient below: {told}")

# %% [markdown]
# Only one of the three complains. The first, the most natural one, leaves `grad` empty, and
# optimisers skip what is empty without a word: the network seems to train, because its last layer
# does. The same network now in both frameworks, from the same weights; this time listen to Keras.

# %%
inputs, labels = digits.x_train[:1024], digits.y_train[:1024]
below = keras.layers.Dense(32, activation=lambda h: keras.ops.cast(h >= 0, "float32"))
model = keras.Sequential([keras.Input((64,)), below, keras.layers.Dense(10)])
start = [np.array(w) for w in model.get_weights()]
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(0.1), entropy)
with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    history = model.fit(inputs, labels, batch_size=128, epochs=5, shuffle=False, verbose=0)
print("Keras warns:", str(heard[0].message).split(" when ")[0])

# %%
below, above = nn.Linear(64, 32), nn.Linear(32, 10)
with torch.no_grad():
    for layer, kernel, bias in ((below, *start[:2]), (above, *start[2:])):
        layer.weight.copy_(torch.from_numpy(kernel.T))
        layer.bias.copy_(torch.from_numpy(bias))
optimizer = torch.optim.SGD([*below.parameters(), *above.parameters()], lr=0.1)
x, y = torch.from_numpy(inputs), torch.from_numpy(labels)
losses = []
for _ in range(5):
    for xb, yb in zip(x.split(128), y.split(128), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(above((below(xb) >= 0).float()), yb)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

# %%
losses = np.reshape(losses, (5, 8)).mean(1)
assert np.allclose(losses, history.history["loss"], rtol=1e-4)
unmoved = np.array_equal(below.weight.detach().numpy().T, start[0])
assert unmoved
assert np.array_equal(model.get_weights()[0], start[0])
print("Loss by epoch, equal in both:", *(f"{loss:.2f}" for loss in losses))
print("Weights below the step: not one bit has changed, in either.")

# %% [markdown]
# That was one network. Now twenty, with two hidden layers of steps, next to twenty with tanh that
# start from the very same weights and see the data in the same order:

# %%
result, moved = stepping.stuck(tuple(range(20)), dtype="float64")
history = result.history()
titles = {"binary_step": "binary step", "tanh": "tanh, same start"}
plots.lines(
    {title: loss_by_epoch(history, arm) for arm, title in titles.items()},
    x="epoch",
    y="training loss (nats)",
    title="A step network learns with its last layer only",
).show()

# %% [markdown]
# The loss does fall, and that is the trap. To see what happens *inside*, `ensemble.train` takes a
# `probe`: it looks at every network while it trains and notes dead units, the size of signals or,
# here, the gradient that reaches each layer before the first step.

# %%
inside = {arm: result.probe("gradient_norm", arm)[:, 0].mean(0) for arm in titles}
layers = {"layer": ["first hidden", "second hidden", "output"]}
plots.table(layers | {f"gradient norm, {arm}": norms for arm, norms in inside.items()}, digits=2)

# %% [markdown]
# The hidden layers of a step network are a random code that never changes, and the last layer
# makes the best of it.
#
# > **Predict.** How well can a last layer do on top of 256 random steps, on ten digits: close to
# > guessing, halfway, or nearly as well as a trained network?

# %%
claims.trial("why-step-stuck", "why-step-classes")

# %% [markdown]
# Random steps carry a long way on easy data; they are a method of their own, known as *random
# features*. But one can do better, with a little theft. What training needs is a direction, and
# nobody checks where it comes from: keep the step on the way forward, and on the way back pretend
# that it was a ramp, with slope 1 between −1 and 1. This is called *straight-through*
# ([Bengio and colleagues, 2013](https://arxiv.org/abs/1308.3432)), who let the gradient pass
# everywhere; the ramp is [Hubara and colleagues'](https://arxiv.org/abs/1602.02830).


# %%
def straight_through(h):
    """The step; going back, the slope of a ramp from −1 to 1."""
    step, ramp = (h >= 0).to(h.dtype), h.clamp(-1, 1)
    return step + (ramp - ramp.detach())  # adds 0, and the ramp's slope


# %%
arm = {"borrowed": {"activation": straight_through, **stepping.SETTINGS}}
run = {"seeds": 20, "dtype": "float64", "progress": False}
borrowed = ensemble.train(digits, arms=arm, **run).by_arm()["borrowed"]
for name, accuracy in {
    "plain steps": result.by_arm()["binary_step"],
    "borrowed slope": borrowed,
    "tanh": result.by_arm()["tanh"],
}.items():
    print(f"{name:14}", stats.mean_interval(accuracy).format(percent=True))

# %%
claims.trial("why-step-borrowed")

# %% [markdown]
# This is how networks with one-bit activations are trained. You write it yourself in exercise 1.3.
#
# ## How much is the choice worth?
#
# We need something non-linear with a slope, then, real or borrowed. The catalog has plenty. The
# starting document calls the choice among them *crucial*. Compared with what?
#
# > **Predict.** Four choices: activation (seven common ones), learning rate (five), initialisation
# > (three), depth (three). Order them by what it costs to choose blindly.
#
# The study trains every combination, twenty times each, on both data sets. What a choice is
# *worth* is the test accuracy that one gains by choosing well, on validation data, instead of
# blindly. That depends on what happens to the other three, so there are three views: they are left
# to chance; the learning rate alone is tuned; all of them are tuned.

# %%
about = study.load("choice_mnist1d").attrs
print(f"{about['command']}\n{machine.sentence(about['machine'])}")
label = "gain over a blind choice (points of test accuracy)"
plots.rows(choice.worth_by_view("digits"), label=label, title="Digits").show()

# %%
plots.rows(choice.worth_by_view("mnist1d"), label=label, title="MNIST-1D").show()

# %% [markdown]
# Look at the digits first. **Blue dots**: if you take the other three as they come, from the
# last tutorial you read, say, more hangs on the activation than on anything else (as long as the
# sigmoid is among the seven: without it, more hangs on the depth). **Green triangles**: if you tune
# the rest for each activation, next to nothing is left to choose. Both are true, on the same data
# and the same networks. **Orange squares** lie between: at some depths and initialisations some of
# the seven do not get going at any of the learning rates.
#
# On MNIST-1D it is not so simple. There the activation is worth several points in every view, even
# when all else is tuned, and the learning rate is worth more. Before we believe in a lasting
# difference, one look at the tuning itself:

# %%
for data_set in choice.DATA:
    print(f"{data_set}: best at the largest learning rate tried:", *choice.at_upper_end(data_set))

# %% [markdown]
# On MNIST-1D most of them would have liked a still larger rate, or more time: ten epochs are short
# there. So part of what the activation is worth is *speed*, and a longer run may shrink it. A grid
# always has a say in the result, and the honest thing is to say where it ends.
#
# What else does an activation change? Here is a slice of the grid, three hidden layers with
# Keras's initialisation:

# %%
plots.grid(
    choice.by_rate("mnist1d", init="keras", depth=3),
    what="mean test accuracy (%)",
    x="learning rate (SGD, momentum 0.9)",
    where="MNIST-1D",
).show()

# %% [markdown]
# Read it row by row: an activation decides at *which learning rates* a network trains, and those
# ranges are shifted against each other. Now read it column by column. Each column is a benchmark
# with "all else equal", as there are thousands, and it depends on the column who wins. **All else
# equal is not a fair comparison.**
#
# The same in one table: of all the differences between the settings, how much is due to each
# choice alone, and how much to what they do only together?

# %%
shares = {data_set: choice.variance_shares(data_set) for data_set in choice.DATA}
plots.table(
    {"variance (%)": list(shares["digits"])}
    | {
        data_set: [f"{100 * m:.0f} [{100 * a:.0f}, {100 * b:.0f}]" for m, a, b in found.values()]
        for data_set, found in shares.items()
    }
)

# %% [markdown]
# The largest share belongs to no single choice. Nobody can say what an activation is worth without
# saying what it was combined with.

# %%
claims.trial("choice-crucial", "choice-experiment-pays", "choice-order-stable")

# %% [markdown]
# What this does not show: these networks are small, trained for ten epochs, on two data sets. The
# larger a model, the less anybody can afford to tune it, and the nearer it is to the blue dots.
# That is why the following chapters look so closely at what each activation *tolerates*.
#
# ## Misconceptions
#
# > **Misconception.** "The more layers, the more a network can compute, with or without
# > activations." Without them any number of layers is one matrix. Depth pays through the kinks
# > between the layers.
#
# > **Misconception.** "A linear network cannot be trained, its derivative is constant." It trains,
# > by ordinary backpropagation, to the best that one matrix can do.
#
# > **Misconception.** "An activation normalises the outputs." Some functions are bounded; most,
# > and nearly all that are used in hidden layers today, are not. Keeping signals in range is the
# > work of initialisation and normalisation layers.
#
# > **Misconception.** "The loss falls, so the network learns." In a step network it falls while
# > every hidden weight stands still. Look at the gradients of the first layer before you trust a
# > new activation; a `grad` of `None` is no error in PyTorch.
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
#     weight, bias = (ops.convert_to_tensor(part) for part in layers[0])
#     for w, b in layers[1:]:
#         weight, bias = ops.matmul(w, weight), ops.matmul(w, bias) + b
#     return weight, bias
#
# check.check_collapse(collapse)
# ```
#
# </details>
#
# > **Exercise 1.2.** Set by hand the weights of a network with two ReLU units so that it computes
# > XOR: exactly 0, 1, 1, 0 at the corners (0, 0), (0, 1), (1, 0), (1, 1). An `nn.Sequential` or a
# > Keras model. Pencil and paper help more than a keyboard.

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
# hidden, output = keras.layers.Dense(2, "relu"), keras.layers.Dense(1)
# xor = keras.Sequential([keras.Input((2,)), hidden, output])
# hidden.set_weights([np.ones((2, 2)), np.array([0, -1])])
# output.set_weights([np.array([[1], [-2]]), np.zeros(1)])
#
# check.check_xor(xor)
# ```
#
# </details>
#
# > **Exercise 1.3.** Write `borrowed(x)`: forward the step (1 where x ≥ 0, else 0), backward the
# > slope of a ramp, 1 between −1 and 1 and 0 outside. A hint: what is the value of
# > `ramp + stop(step − ramp)`, if `stop` passes a value on but no gradient? PyTorch calls it
# > `.detach()`, Keras `keras.ops.stop_gradient`.

# %%
borrowed = ...
check.check_borrowed_slope(borrowed)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from actlab.exercises import why_nonlinear as check
#
# def borrowed(x):
#     ramp = x.clamp(-1, 1)
#     return ramp + ((x >= 0).to(x.dtype) - ramp).detach()
#
# check.check_borrowed_slope(borrowed)
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
# def borrowed(x):
#     ramp = ops.clip(x, -1.0, 1.0)
#     return ramp + ops.stop_gradient(ops.cast(x >= 0, x.dtype) - ramp)
#
# check.check_borrowed_slope(borrowed)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Linear layers in a row are one matrix. They do train, by ordinary backpropagation; they only
# >   have nothing more to offer. How bad that is depends on the data: on digits you hardly see it.
# > - The step is non-linear. What it lacks is a slope, so everything below it stands still, without
# >   an error in PyTorch. A borrowed slope repairs that.
# > - "Linear" is a statement about exact arithmetic. In float32 a linear network can compute XOR,
# >   by rounding, and with the same weights not the same in both frameworks.
# > - What an activation is worth depends on what was tuned beside it: on digits more than anything
# >   else, or next to nothing. It shifts the learning rates, initialisations and depths at which a
# >   network trains. Compare only what has been tuned, each for itself.
# > - Claim, rule, run, interval, verdict: that is how the course works from here on.
#
# **What next.** Most networks take ReLU, the simplest function with a slope and a kink, and half of
# what is said about it is that it dies. The next chapter looks for the culprit.

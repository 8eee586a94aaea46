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
# # Leaky, parametric, randomised, thresholded
#
# **35 minutes to read · runs in about 25 s and 1.2 GB on 2 cores · needs: the ReLU chapter**
#
# Give ReLU a small slope on its negative side and no gradient is ever exactly zero again. That is
# the whole idea, and three functions were made of it: the slope is fixed (Leaky ReLU), learned
# (PReLU) or random (RReLU). A fourth, Thresholded ReLU, moves the kink instead. This chapter looks
# at what the slope is by default, what it saves, and what becomes of it when a network may choose.
#
# **Questions**
#
# - Which slope do you get when you name none, and what happens if you port the wrong one?
# - How many slopes does a PReLU layer have?
# - A leaky unit is never dead. Can it still be useless?
# - Is any of the four better than ReLU, with how much data, and what does it cost?
# - What does weight decay do to a slope that is learned?

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

from actlab import catalog, claims, data, machine, plots, study
from actlab.exercises import leaky as check
from actlab.experiments import cost, decay, first_contest, libraries, sleeping, slopes
from actlab.frameworks import keras as in_keras
from actlab.frameworks import torch as in_torch
from actlab.recipes.keras import RReLU, ThresholdedReLU

plots.use_style()

# %% [markdown]
# ## One name, three slopes
#
# $\mathrm{leaky}(x) = \max(0, x) + a \min(0, x)$. The paper of 2013 took $a = 0.01$.
#
# > **Predict.** You write `LeakyReLU()` in PyTorch, `LeakyReLU()` in Keras, and
# > `activation="leaky_relu"` in Keras. How many different functions have you got?

# %%
plots.table(libraries.default_slopes())

# %% [markdown]
# ("Then" is Keras 2.4 and PyTorch 1.7.) Three. PyTorch's default is 0.01, Keras's layer has 0.3 and
# Keras's function 0.2, and the string `"leaky_relu"` means the function. (Keras also keeps
# `keras.activations.relu` with a `negative_slope`, whose default is 0.) All of them are called the
# same and none of them warns. So name the slope, always. The old argument `alpha` still works in
# one place and not in the others:

# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    old = keras.layers.LeakyReLU(alpha=0.1)
print("layer:", old.negative_slope, "|", caught[0].message)
for function in (keras.activations.leaky_relu, keras.activations.relu):
    try:
        function(np.float32([-1]), alpha=0.1)
    except TypeError as error:
        print("function:", error)
try:
    keras.activations.get("LeakyReLU")
except ValueError as error:
    print("string:", error)

# %% [markdown]
# The string with capitals is the one that forums ask about: functions have lower-case names,
# layers do not have strings. Does the slope matter that much? Let us port: train with Keras's
# 0.3, then run the very same weights with the other defaults.
#
# > **Predict.** A network of ten layers has 95 % of the test digits right. With the same weights
# > and the slope 0.01, how many: about the same, a few points less, or far less?

# %%
digits = data.load("digits")
print(digits.describe())
others, depths = (0.3, 0.2, 0.01), (1, 5, 10)
ported = libraries.ported_with(digits, 0.3, others, depths, dtype="float64")
columns = {
    f"{depth} hidden (%)": [shares[:, i].mean() for shares in ported.values()]
    for i, depth in enumerate(depths)
}
plots.table({"run with slope": list(ported), **columns}, digits=3)

# %% [markdown]
# Twenty networks at each depth. A shallow one forgives the wrong slope, a deep one does not, and
# no error is raised at any depth. That is the nastiest kind of porting bug: the model still works,
# only worse.

# %%
claims.trial("leaky-typical-slope", run=True)

# %% [markdown]
# ## The same function in both frameworks
#
# With the slope named, the two agree to the last bit, and so do PReLU, RReLU (in inference) and
# Thresholded ReLU. Keras has no RReLU and no Thresholded ReLU; the course brings layers for them,
# and those are what is compared here.
#
# > **Predict.** Values and gradients, one hundred thousand inputs, four functions. At a single
# > input the frameworks disagree on a gradient. Which input, and whose gradient?

# %%
grid = np.linspace(-6, 6, 100_001, dtype=np.float32)
settings = {
    "leaky_relu": {"negative_slope": 0.2},
    "prelu": {"negative_slope": 0.2},
    "rrelu": {},
    "thresholded_relu": {"theta": 0.5},
}
for name, params in settings.items():
    given = (catalog.get(name), grid, "float32")
    assert np.array_equal(in_torch.values(*given, **params), in_keras.values(*given, **params))
    ours, theirs = (f.gradients(*given, **params) for f in (in_torch, in_keras))
    odd = np.flatnonzero(ours != theirs)
    where = [f"at {grid[i]:g}: {ours[i]:g} in PyTorch, {theirs[i]:g} in Keras" for i in odd]
    print(f"{name}: values equal; gradients {'; '.join(where) or 'equal'}")
    assert set(grid[odd]) <= {0}

# %% [markdown]
# At 0 a PReLU has two slopes to choose from. PyTorch returns the left one. Keras writes the
# function as a difference of two ReLUs, whose gradients at 0 are both 0.
#
# ## How many slopes has a PReLU?
#
# > **Predict.** A convolution gives 32 channels of 28 × 28 pixels. How many slopes does
# > `PReLU()` learn behind it, in PyTorch and in Keras?

# %%
image = np.random.default_rng(0).standard_normal((1, 28, 28, 32)).astype(np.float32)
makers = {
    "PyTorch, PReLU()": nn.PReLU(),
    "PyTorch, PReLU(32)": nn.PReLU(32),
    "Keras, PReLU()": keras.layers.PReLU(),
    "Keras, PReLU(shared_axes=[1, 2])": keras.layers.PReLU(shared_axes=[1, 2]),
}
for layer in makers.values():
    if isinstance(layer, keras.Layer):
        layer(image)  # Keras makes the slopes when it sees the first input
counts = [
    layer.count_params() if isinstance(layer, keras.Layer) else layer.weight.numel()
    for layer in makers.values()
]
plots.table({"layer": list(makers), "slopes": [f"{count:,}" for count in counts]})

# %% [markdown]
# PyTorch's default is one slope for the whole layer, starting at 0.25. Keras's default is one for
# *every pixel of every channel*, starting at 0, which is ReLU. That ties the layer to one image
# size, too. The paper had one slope per channel: `num_parameters` in PyTorch, `shared_axes` in
# Keras. Written so, the two are one function again:

# %%
values = np.linspace(-0.1, 0.5, 32, dtype=np.float32)
torch_unit = nn.PReLU(32)
torch_unit.load_state_dict({"weight": torch.from_numpy(values)})
keras_unit = makers["Keras, PReLU(shared_axes=[1, 2])"]
keras_unit.set_weights([values.reshape(1, 1, 32)])
channels_first = torch.from_numpy(image.transpose(0, 3, 1, 2).copy())
from_torch = torch_unit(channels_first).detach().numpy().transpose(0, 2, 3, 1)
assert np.array_equal(from_torch, np.asarray(keras_unit(image)))
larger = np.zeros((1, 32, 32, 32), np.float32)
for name in ("Keras, PReLU(shared_axes=[1, 2])", "Keras, PReLU()"):
    try:
        print(f"{name} on an image of 32 × 32: {makers[name](larger).shape}")
    except Exception as error:
        print(f"{name} on an image of 32 × 32: {type(error).__name__}")

# %% [markdown]
# ## A slope that is drawn, and a kink that is moved
#
# RReLU draws a new slope for every number at every step while it trains, uniformly from 1/8 to
# 1/3, and uses their mean afterwards. So a module left in the wrong mode gives other results at
# every call.

# %%
unit, layer = nn.RReLU(), RReLU(seed=0)
torch.manual_seed(0)
minus = np.full(100_000, -1, np.float32)
drawn = {
    "PyTorch": -unit.train()(torch.from_numpy(minus)).double().numpy(),
    "Keras recipe": -np.asarray(layer(minus, training=True), np.float64),
}
settled = [unit.eval()(torch.from_numpy(minus[:1])).item(), float(layer(minus[:1])[0])]
plots.table(
    {
        "RReLU": list(drawn),
        "smallest slope drawn": [found.min() for found in drawn.values()],
        "largest": [found.max() for found in drawn.values()],
        "mean": [found.mean() for found in drawn.values()],
        "in inference": [-value for value in settled],
    },
    digits=3,
)

# %% [markdown]
# Thresholded ReLU lets a number pass unchanged if it exceeds θ and gives 0 otherwise. Keras 3 has
# dropped the layer. There are three replacements in Keras, counting the course's layer that takes
# the old argument, and one in PyTorch:

# %%
theta = 0.5
replacements = {
    "keras.layers.ReLU(threshold=0.5)": keras.layers.ReLU(threshold=theta),
    "keras.activations.threshold(x, 0.5, 0)": lambda x: keras.activations.threshold(x, theta, 0.0),
    "actlab's ThresholdedReLU(theta=0.5)": ThresholdedReLU(theta=theta),
}
expected = nn.Threshold(threshold=theta, value=0.0)(torch.from_numpy(grid)).numpy()
print("keras.layers.ThresholdedReLU exists:", hasattr(keras.layers, "ThresholdedReLU"))
for name, function in replacements.items():
    assert np.array_equal(np.asarray(function(grid)), expected)
    print(f"{name} equals nn.Threshold(0.5, 0)")
claims.trial("rrelu-not-in-keras", run=True)

# %% [markdown]
# ## Never dead, but asleep
#
# In the ReLU chapter a unit was *dead* if its output is 0 for every input. A leaky unit cannot be
# that. But the reason for a ReLU's death is that its input is negative for every example, and
# this can happen to a leaky unit as well. We call a unit **asleep** if its input is at most 0 for
# every training example: for all the data there is, it is a straight line of slope $a$.
#
# > **Predict.** At the learning rates at which ReLUs fall asleep, how many leaky units do? None,
# > half as many, as many?

# %%
about = study.load("leaky_asleep").attrs
print(f"{about['command']}\n{machine.sentence(about['machine'])}")
axes = plots.figure(rows=2, height=6.2)[1]
panels = [
    plots.lines(
        sleeping.shares(name),
        ax=ax,
        title=f"{title}, {{}}",
        x="learning rate",
        y="units asleep (%)",
        log="x",
    )
    for ax, (name, title) in zip(
        axes, {"digits": "Digits", "mnist1d": "MNIST-1D"}.items(), strict=True
    )
]
plots.show(axes[0].figure, plots.panels(panels))

# %%
claims.trial("leaky-never-dead", "leaky-cures-sleep")

# %% [markdown]
# At the rates at which one would train (the lower two), slope 0.01 leaves as many units asleep as
# ReLU does. Only 0.3 keeps them awake. (A line ends where most networks diverge. On digits that
# comes earlier with the steeper slope, a price worth knowing.) But a leaky sleeper still gets a
# gradient, so surely it wakes up again more often?
#
# > **Predict.** Of the units that were asleep at some check, which share is awake at the end: with
# > ReLU, and with slope 0.01?

# %%
plots.table(sleeping.woken(), digits=2)

# %% [markdown]
# In per cent; NaN where hardly a unit slept. At the lower rates the two columns can hardly be told
# apart. A ReLU wakes because the layers *below* it move, and a gradient of one hundredth adds
# little to that. (Only at the largest rate, where nobody would train, the leak wakes more.)
#
# How bad is it to sleep? A sleeping unit passes $a$ times the gradient. That is not nothing. But
# a gradient goes through *all* the layers above, and what is passed on multiplies.
#
# > **Predict.** Five layers, every unit asleep, slope 0.01. How large is the gradient of the first
# > layer, compared with the same network awake?

# %%
asleep = sleeping.gradients_asleep((0.01, 0.1, 0.3))
smallest = asleep["slope 0.01"][:, 0]
left = f"$10^{{{np.log10(smallest).mean():.0f}}}$"
plots.by_layer(
    asleep,
    title=f"Slope 0.01: {left} of the gradient is left in layer 1",
    y="gradient asleep / gradient awake",
    log=True,
).show()

# %% [markdown]
# Every layer above costs a factor $a$ on the way back. Mathematically the gradient is not zero;
# practically it is. So we put whole networks to sleep, with biases of −8, and let them train, at
# six learning rates of which the best counts:

# %%
plots.lines(
    sleeping.after_coma(),
    title="All asleep at first, {} %",
    x="slope on the negative side (0 is ReLU)",
    y="test accuracy (%)",
).show()

# %%
claims.trial("leaky-backprop")

# %% [markdown]
# **A leak is a promise for one layer.** With a slope of 0.01 one sleeping layer does learn, as the
# linear layer it has become; three do not. So much for "enables backpropagation": a leak of 0.01
# is a ReLU with a clear conscience. It is the slope that matters, and not that it isn't zero.
#
# ## Is it better?
#
# Six settings: three data sets, five and ten hidden layers, 40 seeds. Every arm has its own
# learning rate (tuned twice, for 20 seeds each), and He's start for its own slope: weights of
# variance $2 / ((1 + a^2) n)$.
#
# > **Predict.** In how many of the six settings does slope 0.01 beat ReLU beyond doubt? And 0.3?

# %%
about = study.load("leaky_contest").attrs
print(f"{about['command']} leaky_contest_fashion")
print(machine.sentence(about["machine"]))
edge = first_contest.table(root=0).groupby(["root", "data", "depth", "arm"]).edge.first()
print(f"{edge.sum()} of {len(edge)} chosen learning rates lie at an end of {slopes.RATES}")
arms = ("leaky 0.01", "leaky 0.18", "leaky 0.3", "PReLU", "RReLU")
ahead, floors = first_contest.leads(arms)
plots.rows(
    ahead,
    label="test accuracy minus that of ReLU (points)",
    zone=(0, np.inf),
    floors=floors,
).show()

# %%
claims.trial(
    "leaky-beats-relu",
    "leaky-steeper-better",
    "prelu-beats-relu",
    "rrelu-beats-relu",
    "prelu-depends-on-problem",
)

# %% [markdown]
# Slope 0.01, the one that the document recommends, can't be told from ReLU anywhere. The steeper
# ones are another function, and where they help they help in the deeper network more. Learned and
# random slopes do what fixed ones of their size do. What this does not show: convolutions, networks
# with batch norm, large data. And on Fashion-MNIST with ten layers several arms chose the lowest
# rate of the grid, so a still lower one might have served them better.
#
# What does it cost? The document recommends Leaky ReLU where latency counts, so we time inference
# of one example and of a batch, and a whole training step, relative to ReLU:

# %%
table = study.load("leaky_cost")
print(f"{table.attrs['command']}\n{machine.sentence(table.attrs['machine'])}")
rows = []
for framework, task in table.groupby(["framework", "what"]).groups:
    times = cost.relative(table, framework, task)
    extra = {name: cost.middle(found).mean for name, found in times.items()}
    name = cost.FRAMEWORKS[framework]
    rows.append({"framework": name, "task": cost.TASKS[task], **extra})
plots.table(rows, digits=3)

# %%
claims.trial("leaky-latency")

# %% [markdown]
# A fixed slope costs a few per cent in PyTorch; in Keras five per cent is not excluded. The
# other two make training slower: PReLU has to add up a gradient for its slope, and RReLU draws a
# random number for every unit.
#
# ## What does a network choose?
#
# PReLU lets gradient descent decide. He and colleagues found a steep first layer and flatter ones
# above it, in a convolutional network on photographs.
#
# > **Predict.** All slopes start at 0.25. Where do they go, and may one become negative or larger
# > than 1?

# %%
plot = plots.by_layer(first_contest.by_layer(depth=10), y="learned slope")
plot.ax.axhline(0.25, color=plots.INK, linewidth=1, linestyle=":")
plot.ax.annotate("start", (10, 0.25), ha="right", va="bottom")
plot.show()

# %%
claims.trial("prelu-first-layer")

# %% [markdown]
# In our fully connected networks the slopes rise towards the output, if they do anything. Do not
# make a law of either picture; look at your own slopes, it is one line: `layer.weight` in PyTorch,
# `layer.alpha` in Keras.
#
# Now the one warning that comes with PReLU: do not let weight decay touch the slopes, because it
# pulls them to zero, and then you have ReLU. The paper says so, and PyTorch's documentation warns
# of it.
#
# > **Predict.** Decay on everything, slopes included. Do the learned slopes become smaller, larger,
# > or stay?

# %%
decayed = decay.decayed_slopes(digits, (0, 0.001, 0.01), dtype="float64")
none, most = (decayed[f"weight decay {strength}"].mean() for strength in ("0", "0.01"))
plot = plots.by_layer(
    decayed,
    title=f"Under SGD decay moves the mean slope from {none:.2f} to {most:.2f}",
    y="learned slope",
)
plot.ax.set_ylim(0, 1.5)
plot.ax.legend(loc="upper left")
plot.show()

# %% [markdown]
# They become larger. Twenty networks at each strength, trained just now, and in the strongest case
# a "leaky" unit is close to a straight line. The study asks which part of the decay does it, with
# two optimisers and on two data sets:

# %%
about = study.load("leaky_decay").attrs
print(f"{about['command']}\n{machine.sentence(about['machine'])}")
axes = plots.figure(rows=2, height=6.4)[1]
panels = [
    plots.rows(
        decay.by_decaying(name),
        ax=ax,
        title=f"{title}, what decays. {{}}",
        label="mean learned slope",
        marks={"start": decay.START},
    )
    for ax, (name, title) in zip(
        axes, {"digits": "Digits", "mnist1d": "MNIST-1D"}.items(), strict=True
    )
]
plots.show(axes[0].figure, plots.panels(panels))

# %%
claims.trial("prelu-decay-to-relu", "prelu-decay-hurts")

# %% [markdown]
# The textbook sentence is right about the slopes alone: decay on them, and on nothing else, makes
# them smaller. But nobody does that. What decays as well are the weights, thousands of them, and
# the signal with them. A slope is the cheapest remedy: *one number* that raises the signal of a
# whole layer. SGD finds it, and most of all where the slopes are spared as advised. AdamW decays
# slopes and weights by the same factor, whatever their gradients, so there a strong decay wins.
#
# If that is the reason, we can predict: where the size of the signal does not matter, the slopes
# should obey the textbook. Batch norm before each activation makes it so in all layers but the
# last, behind which there is only the output layer.
#
# > **Predict.** The same decay, with batch norm: what do the slopes of layers 1 to 4 do, and what
# > does that of layer 5?

# %%
normalised = decay.decayed_slopes(digits, (0, 0.01), normalization="batch", dtype="float64")
change = normalised["weight decay 0.01"] - normalised["weight decay 0"]
title = f"Decay moves layers 1 to 4 by {change[:, :-1].mean():+.2f}, "
title += f"layer 5 by {change[:, -1].mean():+.2f}"
plot = plots.by_layer(
    {"with batch norm": change},
    title=title.replace("-", "−"),
    y="change of the slope by decay",
)
plot.ax.axhline(0, color=plots.INK, linewidth=1)
plot.show()

# %%
claims.trial("prelu-decay-scale")

# %% [markdown]
# ## Fixed, learned or random?
#
# The document's advice is to try RReLU if the network overfits and PReLU if the training set is
# large. For a clean answer all three kinds get the same mean slope: fixed at it, learned from it,
# or drawn around it. And all training sets get the same number of updates, so that the small ones
# are learned by heart.
#
# > **Predict.** On the smallest set, what does a random slope gain over a fixed one? And a learned
# > slope on the largest?

# %%
table = study.load("leaky_sizes")
print(f"{table.attrs['command']}\n{machine.sentence(table.attrs['machine'])}")
axes = plots.figure(rows=2, height=6.2)[1]
panels = []
for ax, name in zip(axes, slopes.SIZES, strict=True):
    leads, floors = slopes.advantages(name)
    panels.append(
        plots.lines(
            leads,
            ax=ax,
            title=f"{slopes.TITLES[name]}, {{}}",
            x="different training examples",
            y="ahead of a fixed slope (points)",
            floors=floors,
            log="x",
        )
    )
plots.show(axes[0].figure, plots.panels(panels))
middle = table[(table.root == 0) & (table.data == "mnist1d") & (table["size"] == 600)]
print("learning rates chosen on 600 examples:", middle.groupby("arm").lr.first().to_dict())

# %%
claims.trial("prelu-large-data", "rrelu-overfitting")

# %% [markdown]
# The advice does not survive: what helped in the contest was a slope of this *size*, and drawing it
# at random adds nothing on the smallest sets, where the gap between test and training loss is as
# wide as can be. Learning it costs something on MNIST-1D, most of all on the middle set (where
# tuning also gave it a smaller learning rate, printed above), and next to nothing on Fashion-MNIST.
# What this does not show: PReLU with one slope per channel, in a convolutional network on a
# million photographs, which is where its paper tried it.

# %% [markdown]
# ## Misconceptions
#
# **"`nn.Linear` is initialised for leaky ReLU."** PyTorch's default calls
# `kaiming_uniform_(weight, a=sqrt(5))`, and `a` is the slope of a leaky ReLU. Nobody has a leaky
# ReLU of slope 2.24. The number is there because it makes the old formula, $\pm 1/\sqrt{n}$:

# %%
gain = nn.init.calculate_gain("leaky_relu", 5**0.5)
bound = gain * (3 / 64) ** 0.5  # kaiming_uniform_ draws from ± gain · √(3 / n)
torch.manual_seed(0)
linear = nn.Linear(64, 10_000)
print(f"{bound:.4f} = 1/√64 = {64**-0.5:.4f}; largest weight {linear.weight.abs().max():.4f}")
assert np.isclose(bound, 64**-0.5)

# %% [markdown]
# **"Kaiming initialisation takes care of the slope."** Only if you tell it:
# `kaiming_normal_(w, a=0.3)` with `nonlinearity="leaky_relu"`, which is the function's default
# nonlinearity, with a default `a` of 0. Keras's `he_normal` has no such argument; divide its
# variance by $1 + a^2$ yourself: `keras.initializers.VarianceScaling(2 / (1 + a**2))`.
#
# **"PReLU is PReLU."** One slope in PyTorch is one slope per pixel in Keras, starting at another
# value.

# %%
slope = 0.3
asked = nn.init.calculate_gain("leaky_relu", slope) ** 2
ours = keras.initializers.VarianceScaling(2 / (1 + slope**2)).scale
print(f"variance times n: PyTorch {asked:.4f}, Keras {ours:.4f}, He without the slope 2")
assert np.isclose(asked, ours)

# %% [markdown]
# ## Exercises
#
# > **Exercise 4.1.** An old model has the line `tf.keras.layers.LeakyReLU()`, no arguments. Write
# > the layer that belongs to its weights today, in PyTorch or in Keras, so that it stays right
# > even if a default changes.

# %%
ported_layer = ...
check.check_ported_layer(ported_layer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from torch import nn
# from actlab.exercises import leaky as check
#
# ported_layer = nn.LeakyReLU(negative_slope=0.3)
#
# check.check_ported_layer(ported_layer)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import leaky as check
#
# ported_layer = keras.layers.LeakyReLU(negative_slope=0.3)
#
# check.check_ported_layer(ported_layer)
# ```
#
# </details>
#
# > **Exercise 4.2.** Build two convolutions, of 16 and of 32 channels, for images of 28 × 28 with
# > one colour, and a PReLU behind each. They shall learn 48 slopes in all, one per channel.

# %%
network = ...
check.check_slope_per_channel(network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from torch import nn
# from actlab.exercises import leaky as check
#
# network = nn.Sequential(
#     nn.Conv2d(1, 16, 3),
#     nn.PReLU(num_parameters=16),
#     nn.Conv2d(16, 32, 3),
#     nn.PReLU(num_parameters=32),
# )
#
# check.check_slope_per_channel(network)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import leaky as check
#
# network = keras.Sequential(
#     [
#         keras.Input((28, 28, 1)),
#         keras.layers.Conv2D(16, 3),
#         keras.layers.PReLU(shared_axes=[1, 2]),
#         keras.layers.Conv2D(32, 3),
#         keras.layers.PReLU(shared_axes=[1, 2]),
#     ]
# )
#
# check.check_slope_per_channel(network)
# ```
#
# </details>
#
# > **Exercise 4.3.** Write `make(model)`: it returns an optimiser with weight decay for everything
# > but the slopes, which shall still be learned. (The model has linear layers and PReLUs.)

# %%
make = ...
check.check_slopes_spared(make)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab.exercises import leaky as check
#
# def make(model):
#     units = [module for module in model.modules() if isinstance(module, nn.PReLU)]
#     slopes = [slope for unit in units for slope in unit.parameters()]
#     spared = {id(slope) for slope in slopes}
#     others = [p for p in model.parameters() if id(p) not in spared]
#     groups = [{"params": others, "weight_decay": 0.01}, {"params": slopes, "weight_decay": 0.0}]
#     return torch.optim.AdamW(groups, lr=0.001)
#
# check.check_slopes_spared(make)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import leaky as check
#
# def make(model):
#     optimiser = keras.optimizers.AdamW(0.001, weight_decay=0.01)
#     units = [layer for layer in model.layers if isinstance(layer, keras.layers.PReLU)]
#     optimiser.exclude_from_weight_decay(var_list=[unit.alpha for unit in units])
#     return optimiser
#
# check.check_slopes_spared(make)
# ```
#
# </details>
#
# > **Exercise 4.4.** Another old line: `tf.keras.layers.ThresholdedReLU(theta=0.5)`. Write it for
# > today's Keras or for PyTorch, without the course's recipe.

# %%
ported_threshold = ...
check.check_ported_threshold(ported_threshold)

# %% [markdown]
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import leaky as check
#
# ported_threshold = keras.layers.ReLU(threshold=0.5)
#
# check.check_ported_threshold(ported_threshold)
# ```
#
# </details>
#
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from torch import nn
# from actlab.exercises import leaky as check
#
# ported_threshold = nn.Threshold(threshold=0.5, value=0.0)
#
# check.check_ported_threshold(ported_threshold)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - `LeakyReLU()` is three functions: slope 0.01 in PyTorch, 0.3 in Keras's layer, 0.2 in Keras's
# >   function. Name the slope.
# > - `PReLU()` is two: one slope for the layer in PyTorch, one for every pixel in Keras. Ask for
# >   one per channel.
# > - A leaky unit is never dead, but it can be asleep, and through a stack of sleeping layers a
# >   slope of 0.01 passes no gradient worth the name.
# > - Slope 0.01 could not be told from ReLU in any setting. Steeper slopes were ahead in most of
# >   the deeper networks, whether fixed, learned or random.
# > - Weight decay on the weights makes learned slopes *larger*; how large they end depends on the
# >   optimiser more than on sparing them.
#
# **What next.** The next chapter replaces the straight leak by a curve that saturates: ELU and
# SELU.

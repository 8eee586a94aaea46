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
# # ReLU, and who killed it
#
# **30 minutes to read · runs in about 20 s and 1.4 GB on 2 cores · needs: you have trained one
# network before**
#
# ReLU is the simplest function in this course and the one with the worst reputation for dying.
# A much-read tutorial finds half of the units in a deep ReLU network dead before the first
# training step, and advises another function. In this chapter we find those bodies too, unit for
# unit, and then look for the culprit.
#
# **Questions**
#
# - What exactly do PyTorch and Keras compute today: at zero, at infinity, for NaN?
# - When is a unit *dead*, when *dormant*, and when was it *born dead*?
# - Who killed the units of the ten-layer network, and what would have saved them?
# - How many die during training, at which learning rate, and do they come back?

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
from itertools import pairwise

import keras
import numpy as np
import torch
from torch import nn

from actlab import catalog, claims, data, machine, plots, study
from actlab.callbacks import DeadUnits
from actlab.exercises import relu as check
from actlab.experiments import dying  # this chapter's experiments
from actlab.frameworks import keras as in_keras
from actlab.frameworks import torch as in_torch

plots.use_style()

# %% [markdown]
# The experiments run on real photographs of clothes. Without them the chapter still runs, on
# small handwritten digits, and says so here:

# %%
try:
    images = data.load("fashion_mnist", scale="symmetric")
except data.DataError as reason:
    images = data.load("digits", scale="symmetric")
    print("This run uses digits, so its numbers differ from the text.", reason)
print(images.describe())

# %% [markdown]
# ## One kink
#
# $\mathrm{relu}(x) = \max(0, x)$: what is positive passes, the rest becomes zero. The slope is 1
# on the right and 0 on the left. At exactly 0 there is no slope, so each library has to choose.
#
# > **Predict.** Which gradient do PyTorch and Keras return at 0, and at −0? What becomes of
# > infinity and of NaN? Write it down before you look.

# %%
relu = catalog.get("relu")
x = np.array([-np.inf, -2.0, -0.0, 0.0, 1e-38, 3.0, np.inf, np.nan], np.float32)
plots.table(
    {
        "x": x,
        "PyTorch output": in_torch.values(relu, x, "float32"),
        "Keras output": in_keras.values(relu, x, "float32"),
        "PyTorch gradient": in_torch.gradients(relu, x, "float32"),
        "Keras gradient": in_keras.gradients(relu, x, "float32"),
    }
)

# %% [markdown]
# On ordinary numbers the two agree to the last bit, and both give the kink the gradient 0. That
# is a fact you can rely on when porting, so we assert it on a hundred thousand points:

# %%
grid = np.linspace(-6, 6, 100_001, dtype=np.float32)
assert np.array_equal(
    in_torch.values(relu, grid, "float32"), in_keras.values(relu, grid, "float32")
)
assert np.array_equal(
    in_torch.gradients(relu, grid, "float32"), in_keras.gradients(relu, grid, "float32")
)
print(f"{grid.size:,} outputs and gradients: bit for bit the same in both frameworks.")

# %% [markdown]
# Three ways to write it in Keras, two in PyTorch; they are the same function. What has changed
# since the starting document is an argument: Keras's old `alpha` is now `negative_slope`, in the
# function and in the layer.

# %%
batch = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
print(torch.equal(nn.ReLU()(batch), nn.functional.relu(batch)))
layer = keras.layers.ReLU(max_value=None, negative_slope=0.0, threshold=0.0)
print(np.array_equal(layer(batch.numpy()), keras.activations.get("relu")(batch.numpy())))
try:
    keras.activations.relu(batch.numpy(), alpha=0.1)
except TypeError as error:
    print("TypeError:", error)

# %% [markdown]
# Now three sentences of the starting document, each under a rule that was written down before the
# run (`claims.get("relu-output-positive").rule`):

# %%
claims.trial("relu-gradient-zero-negative", "relu-output-positive", "relu-approach-zero", run=True)

# %% [markdown]
# The third one matters, because the document explains dying units with it. A unit does not die
# by *coming close* to zero. It dies by being on the wrong side for every input there is.
#
# ## Why it trains at all
#
# Half of the slopes are zero, so should half of the gradient be lost in every layer, and all of
# it in a deep network? He and colleagues ([2015](https://arxiv.org/abs/1502.01852)) did the
# bookkeeping: a layer halves the mean square of the signal, on the way forward and on the way
# back. Weights that are larger by $\sqrt{2}$ put it back, exactly, at any depth.
#
# > **Predict.** 30 layers of 256 units, no biases. How large is the mean square of the signal in
# > the last layer, with weights of variance $2/n$ (He), and with $1/n$ (LeCun)?


# %%
def mean_squares(x, seed, variance, depth=30, width=256):
    """Mean square of each layer's output; weights of variance `variance / n`."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(depth):
        n = x.shape[1]
        weight = torch.randn(n, width, generator=generator)
        x = (x @ weight * (variance / n) ** 0.5).relu()
        found.append(x.square().mean().item())
    return found


# %%
signal_in = torch.from_numpy(images.x_train[:500])
variances = {"He: variance 2/n": 2.0, "LeCun: variance 1/n": 1.0}
groups = {
    name: np.array([mean_squares(signal_in, seed, variance) for seed in range(20)])
    for name, variance in variances.items()
}
plots.by_layer(
    groups,
    title="The factor √2 keeps a ReLU network's signal alive",
    y="mean square of the layer's output",
    log=True,
).show()

# %% [markdown]
# With He's factor the signal neither grows nor fades through thirty layers; without it every
# layer halves it. Keep the picture: *a ReLU network lives or dies by the size of its weights.*
#
# ## Dead, dormant, born dead
#
# Three words that are often used as one:
#
# - A unit is **dead** on a data set if its output is 0 for *every* input. No gradient reaches its
#   weights, so plain gradient descent cannot move them.
# - It is **dormant** if its mean output is tiny next to its layer's mean
#   ([Sokar and colleagues, 2023](https://arxiv.org/abs/2302.12902)). It still learns, slowly.
# - It is **born dead** if it is dead before the first training step.
#
# "Every input" is a strong condition, and the count depends on how many you look at. That is why
# we pass all training images through, never a batch.
#
# ## Who killed the ReLU?
#
# The scene: ten hidden layers (five of 256 units, five of 128), Fashion-MNIST scaled to
# −1…1, PyTorch's default initialisation, no training. The
# [UvA tutorial](https://uvadlc-notebooks.readthedocs.io/en/latest/tutorial_notebooks/tutorial3/Activation_Functions.html)
# reports one seed. We use the same seed, the same split, and count.

# %%
replay = dying.published_replay(images)
plots.table(replay)

# %% [markdown]
# The published figures are right, to the unit. Now the interesting part. A unit computes
# $w \cdot h + b$: a weighted sum of what reaches it, plus a bias. PyTorch draws *both* from the
# same small range, $\pm 1/\sqrt{n}$.
#
# > **Predict.** Take the very same weights and set the biases to zero. What happens to the dead
# > units: nothing, a little, or nearly all gone?

# %%
table = study.load("born_dead")
table = table[table.root == 0]
groups = {
    init: 100 * dying.per_layer(table, "dead", activation="relu", init=init)
    for init in table[table.activation == "relu"].init.unique()
}
plots.by_layer(
    groups,
    title="Half of the units are born dead, under one initialisation only",
    y="units born dead (%)",
).show()

# %% [markdown]
# Twenty seeds each, all 50,000 images. Without biases the same weights leave a few per cent dead,
# and so do Keras's default and He's initialisation. So it is not the function. But how can a bias
# drawn from such a *small* range be so deadly?

# %%
default = table[(table.activation == "relu") & (table.init == "PyTorch default")]
sizes = {"differs from image to image": "spread", "the same for every image": "offset"}
coins = {"on for no image (dead)": "dead", "on for every image": "always_on"}
upper, lower = plots.figure(rows=2, height=6.2)[1]
panels = [
    plots.by_layer(
        {name: dying.per_layer(default, column) for name, column in sizes.items()},
        ax=upper,
        title="The signal fades …",
        y="size of the pre-activation",
        log=True,
    ),
    plots.by_layer(
        {name: 100 * dying.per_layer(default, column) for name, column in coins.items()},
        ax=lower,
        title="… and each unit tosses a coin",
        y="units (%)",
    ),
]
plots.show(upper.figure, plots.panels(panels))

# %% [markdown]
# Here is the culprit at work. PyTorch's weights have variance $1/(3n)$, a sixth of what He's
# bookkeeping asks for, so in every layer the part of the signal that *differs from image to
# image* shrinks. The biases do not shrink: they are drawn afresh in each layer. After a few
# layers a unit's input is a constant with a little noise on it. If the constant is negative the
# unit is off for every image: "dead". If it is positive the unit is on for every image, and
# there ReLU is just the identity. Heads or tails, half and half.
#
# Nobody counted the other half. The units that are *always on* are as useless as the dead ones:
# in the last layers nearly every unit ignores the picture.
#
# > **Predict.** The tutorial's advice for very deep networks is Swish, which cannot die. Put
# > Swish, or tanh, into the same network. How much of the picture reaches the last layer?

# %%
networks = {
    "ReLU, PyTorch default": ("relu", "PyTorch default"),
    "Swish, PyTorch default": ("silu", "PyTorch default"),
    "tanh, PyTorch default": ("tanh", "PyTorch default"),
    "ReLU, He": ("relu", "He"),
}
plots.by_layer(
    {label: dying.relative_spread(table, *network) for label, network in networks.items()},
    styles={label: plots.line_style(name) for label, (name, _) in networks.items()}
    | {"ReLU, He": {"color": plots.colour("relu"), "linestyle": ":"}},
    title="Under PyTorch's start the picture fades, whatever the activation",
    y="variation between images / offset",
    log=True,
).show()

# %% [markdown]
# Swish leaves no unit "dead" and passes on even less. The measure was blind: it asked whether an
# output is exactly zero, when the question was whether it still depends on the input.

# %%
claims.trial("relu-half-born-dead", "relu-kills-itself", "relu-swish-rescues")

# %% [markdown]
# **What the published text should have concluded:** not "use Swish", but "PyTorch's default
# start is made for shallow networks; scale the weights for the depth, or take out the biases".
# One line does it, `nn.init.kaiming_normal_(w, nonlinearity="relu")`, and in Keras
# `kernel_initializer="he_normal"`, whose biases are zero anyway.
#
# ## A first training run, counting the dead
#
# So much for birth. What kills during training? First one network, small enough to watch, in both
# frameworks from the same weights. In Keras the callback `DeadUnits` counts after every epoch:

# %%
x, y = images.x_train[:4096].copy(), images.y_train[:4096]
del images  # 50,000 of them: memory that nothing below needs
keras.utils.set_random_seed(0)
dense = [keras.layers.Dense(64, "relu", kernel_initializer="he_normal") for _ in range(3)]
model = keras.Sequential([keras.Input(x.shape[1:]), *dense, keras.layers.Dense(10)])
start = [torch.from_numpy(np.array(w)) for w in model.get_weights()]
model.compile(
    keras.optimizers.SGD(0.1),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
count = DeadUnits(x)
history = model.fit(x, y, batch_size=128, epochs=5, shuffle=False, verbose=0, callbacks=[count])
keras_dead = [[int(look.sum()) for look in looks] for looks in count.record.values()]

# %% [markdown]
# The same in plain PyTorch: the same start, the same order of the data, the same optimiser.

# %%
sizes = [x.shape[1], 64, 64, 64, 10]
linear = [nn.Linear(a, b) for a, b in pairwise(sizes)]
with torch.no_grad():
    for layer, kernel, bias in zip(linear, start[::2], start[1::2], strict=True):
        layer.weight.copy_(kernel.T)  # Keras stores (in, out), PyTorch (out, in)
        layer.bias.copy_(bias)
hidden = [module for layer in linear[:3] for module in (layer, nn.ReLU())]
twin = nn.Sequential(*hidden, linear[3])
optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)

# %%
inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
torch_loss, torch_dead = [], [dying.count_dead(twin, inputs)]
for _ in range(5):
    total = 0.0
    for xb, yb in zip(inputs.split(128), labels.split(128), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(twin(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb) / len(inputs)
    torch_loss.append(total)
    torch_dead.append(dying.count_dead(twin, inputs))

# %%
assert np.allclose(history.history["loss"], torch_loss, rtol=1e-3)
plots.table(
    {
        "epoch": range(6),
        "dead, Keras": [str(list(row)) for row in zip(*keras_dead, strict=True)],
        "dead, PyTorch": [str(row) for row in torch_dead],
        "loss, both": ["–", *(f"{loss:.2f}" for loss in torch_loss)],
    }
)

# %% [markdown]
# The dead units of layers 1, 2 and 3 (64 units each), epoch by epoch. The two loss curves agree
# to a tenth of a per cent (asserted above). Hardly a unit dies while the loss falls: so far the
# reputation is not deserved.
#
# ## Who dies in training, and who comes back
#
# > **Predict.** At the learning rate that gives the best validation accuracy, how many of the
# > ReLUs are dead at the end: none, a few per cent, or the "40 %" that lecture notes warn of?
#
# One network proves nothing. The study trains thousands: three data sets, three optimisers, five
# learning rates each, 20 seeds, from He's start. It takes longer than you want to wait, so it was
# run by a command and its table comes with the course.

# %%
table = study.load("relu_training")
print(f"{table.attrs['command']}\n{machine.sentence(table.attrs['machine'])}")
table = table[table.root == 0]
upper, lower = plots.figure(rows=2, height=6.2)[1]
panels = []
for ax, data_set in ((upper, "digits"), (lower, "fashion_mnist")):
    best = {name: dying.tuned(table, data_set, name) for name in dying.OPTIMISERS}
    panels.append(
        plots.lines(
            dying.dead_by_rate(table, data_set),
            ax=ax,
            x="learning rate",
            y="dead hidden units (%)",
            title=dying.TITLES[data_set],
            rings=("tuned rate", best),
            log="x",
        )
    )
    ax.set_ylim(0, 100)
plots.show(upper.figure, plots.panels(panels))

# %% [markdown]
# Look at the rings first: that is where you would train, and few die there. The folklore lives to
# the right of them.
#
# > **Predict.** At a rate that kills: do the units die one by one over the whole training, or
# > nearly all of them in the first few epochs?

# %%
upper, lower = plots.figure(rows=2, height=6.6)[1]
panels = [
    plots.lines(
        dying.dead_by_epoch(table, "digits", optimiser),
        ax=ax,
        x="epoch",
        y="dead (% of hidden units)",
        title=f"Digits, {optimiser}: the dead by learning rate",
    )
    for ax, optimiser in ((upper, "momentum"), (lower, "Adam"))
]
plots.show(upper.figure, plots.panels(panels))

# %% [markdown]
# Early, probably because the steps are longest while the loss is steep. So where exactly is the
# "40 %" reached? For each data set and optimiser, the smallest rate that does it, and what the
# networks that still stand have learned there, next to what they learn at the tuned rate:

# %%
reached = dying.where_reached(table, share=0.4)
plots.table(
    {
        "data": reached.data.map(dying.TITLES),
        "optimiser": reached.optimiser,
        "40 % dead from rate": reached.lr.map("{:g}".format).replace("nan", "never"),
        "times the tuned rate": reached.times_tuned.map("{:.0f}".format).replace("nan", "–"),
        "accuracy there (%)": (100 * reached.accuracy).map("{:.0f}".format).replace("nan", "–"),
        "accuracy, tuned (%)": (100 * reached.tuned_accuracy).map("{:.0f}".format),
    }
)

# %% [markdown]
# Two different stories hide in this table. Plain SGD never gets there; where it might, most
# networks have diverged. With momentum it takes a rate at which nothing is learned any more, and
# there the dead are a symptom. Adam is the surprise. At the largest rate it kills 40 units of 100
# and more on all three data sets, *and the networks still learn*, the one on digits hardly worse
# than at its best. A network with 40 % dead units can be a perfectly good network.
#
# > **Predict.** Change one thing about the network at a time: depth, width, start, batch norm.
# > Which change matters most to the dead share?

# %%
label = "dead after training (% of hidden units)"
plots.rows(dying.dead_by_variant(table), label=label).show()

# %% [markdown]
# Depth and width hardly matter at a tuned rate. A start that is too small (PyTorch's) or a
# network that is too narrow makes a large rate deadlier. Batch norm ends the story: it re-centres
# what enters each unit over every batch, so some example is always on the right side of zero.
#
# Here is plain SGD on digits live, twenty networks at each rate, all sixty trained together just
# now:

# %%
digits = data.load("digits")
rates = (0.03, 0.3, 1.0)
arms = {f"lr={lr:g}": {"lr": lr, "momentum": 0.0} for lr in rates}
live = dying.train(digits, range(20), (0, 1, 5, 10), arms, dtype="float64")
rows = []
for arm, accuracy in live.by_arm("test_accuracy").items():
    units = dying.follow(live, arm, (0, 1, 5, 10))
    born, last = (units[units.epoch == epoch] for epoch in (0, 10))
    after = [last.dead.mean(), last.revived.mean(), np.nanmean(accuracy)]
    diverged = np.isnan(accuracy).sum()
    few_left = diverged > len(accuracy) / 2
    told = ["–" if few_left else f"{100 * share:.3g}" for share in after]
    rows.append([arm, "most" if few_left else diverged, f"{100 * born.dead.mean():.3g}", *told])
names = ("SGD", "diverged", "born dead (%)", "dead (%)", "revived (%)", "accuracy (%)")
plots.table(dict(zip(names, zip(*rows, strict=True), strict=True)))

# %% [markdown]
# (Where most of the networks diverge, the last bit of a processor's arithmetic decides which ones
# do not, so the table does not speak of them.)
#
# A dead unit gets no gradient, so how can it come back? Its *inputs* move: they are the outputs
# of the layer below, which still learns. In the first layer the inputs are the data, which do not
# move, and there, under plain SGD, the dead stay dead.
#
# The verdicts, each decided by the rule in its record:

# %%
claims.trial(
    "relu-dead-stops-learning",
    "relu-some-die",
    "relu-half-die-large-lr",
    "relu-revive",
    "relu-dead-hurts",
    "relu-fastest",
)

# %% [markdown]
# ## Exercises
#
# > **Exercise 2.1.** Write `dead_share(h)`: from the activations `h` of one layer, an array of
# > shape (inputs, units), the share of its units that are dead.

# %%
dead_share = ...
check.check_dead_share(dead_share)

# %% [markdown]
# <details>
# <summary>Solution (NumPy, works on Keras outputs too)</summary>
#
# ```python
# from actlab.exercises import relu as check
#
# def dead_share(h):
#     return (h == 0).all(axis=0).mean()
#
# check.check_dead_share(dead_share)
# ```
#
# </details>
#
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import relu as check
#
# def dead_share(h):
#     return (torch.as_tensor(h) == 0).all(dim=0).double().mean()
#
# check.check_dead_share(dead_share)
# ```
#
# </details>
#
# > **Exercise 2.2.** Build ten hidden ReLU layers of 64 units on 64 inputs so that they are born
# > alive: few dead units in the deep half, and a last layer that still sees its input. In PyTorch
# > or in Keras.

# %%
network = ...
check.check_born_alive(network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from torch import nn
# from actlab.exercises import relu as check
#
# network = nn.Sequential(*(m for _ in range(10) for m in (nn.Linear(64, 64), nn.ReLU())))
# for layer in network:
#     if isinstance(layer, nn.Linear):
#         nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
#         nn.init.zeros_(layer.bias)
#
# check.check_born_alive(network)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import relu as check
#
# hidden = [keras.layers.Dense(64, "relu", kernel_initializer="he_normal") for _ in range(10)]
# network = keras.Sequential([keras.Input((64,)), *hidden])
#
# check.check_born_alive(network)
# ```
#
# </details>
#
# > **Exercise 2.3.** Midnight port. An old model calls
# > `tf.keras.activations.relu(x, alpha=0.1, max_value=6, threshold=1)`. Write the same function
# > for today's Keras or for PyTorch.

# %%
ported = ...
check.check_ported_relu(ported)

# %% [markdown]
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import relu as check
#
# def ported(x):
#     return keras.activations.relu(x, negative_slope=0.1, max_value=6, threshold=1)
#
# check.check_ported_relu(ported)
# ```
#
# </details>
#
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import relu as check
#
# def ported(x):
#     return torch.where(x >= 1, x.clamp(max=6), 0.1 * (x - 1))
#
# check.check_ported_relu(ported)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - ReLU is the same function in both frameworks, gradient 0 at the kink included. Keras's
# >   `alpha` is now `negative_slope`.
# > - It trains because each layer's halving is undone by weights of variance $2/n$.
# > - Dead means zero on *every* input. Count over the whole training set.
# > - The famous half that is born dead is PyTorch's random bias under a fading signal. As many
# >   units again are always on. Swish in the same place looks healthy and is just as blind.
# > - What matters is not whether a unit outputs zero but whether its layer still depends on the
# >   input.
#
# **What next.** Why a network needs a kink at all is the chapter before this one; what saturation
# does to gradients is the next.

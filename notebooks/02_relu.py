# %% [markdown]
# # ReLU, and who killed it
#
# **30 minutes to read · runs in about 60 s and 1.2 GB on 2 cores · needs: you have trained one
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
# setup

# %%
import keras
import numpy as np
import pandas as pd
import torch
from torch import nn

from actlab import catalog, claims, data, plots, stats, study
from actlab.claims import relu as lab  # this chapter's experiments
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
# Now the document's first three sentences about ReLU, each under a rule that was written down
# before the run (`claims.get(...).rule`):

# %%
for claim_id in ("relu-gradient-zero-negative", "relu-output-positive", "relu-approach-zero"):
    claim = claims.get(claim_id)
    print(f"{claim.statement}\n  {claim.evaluate()}\n")

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
signal_in = torch.from_numpy(images.x_train[:2000])
variances = {"He: variance 2/n": 2.0, "LeCun: variance 1/n": 1.0}
groups = {
    name: np.array([lab.mean_squares(signal_in, seed, variance) for seed in range(20)])
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
replay = lab.published_replay(images)
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
    init: 100 * lab.per_layer(table, "dead", activation="relu", init=init) for init in lab.INITS
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
default = {"activation": "relu", "init": "PyTorch default"}
zeroed = {"activation": "relu", "init": "same weights, zero bias"}
left, right = plots.figure(2, height=3.6)[1]
signal = plots.by_layer(
    {
        "differs from image to image": lab.per_layer(table, "spread", **default),
        "same for every image": lab.per_layer(table, "offset", **default),
    },
    ax=left,
    title="PyTorch default: the signal fades",
    y="size of the pre-activation",
    log=True,
)
coin = plots.by_layer(
    {
        "never on": 100 * lab.per_layer(table, "dead", **default),
        "always on": 100 * lab.per_layer(table, "always_on", **default),
    },
    ax=right,
    title="… and each unit tosses a coin",
    y="units (%)",
)
plots.show(left.figure, plots.panels([signal, coin]))

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
relative = {
    f"{catalog.get(name).title}, {init}": lab.per_layer(table, "spread", activation=name, init=init)
    / lab.per_layer(table, "offset", activation=name, init=init)
    for name, init in (
        ("relu", "PyTorch default"),
        ("silu", "PyTorch default"),
        ("tanh", "PyTorch default"),
        ("relu", "He"),
    )
}
plots.by_layer(
    relative,
    title="No activation saves a network whose signal has died",
    y="variation between images / offset",
    log=True,
).show()

# %% [markdown]
# Swish leaves no unit "dead" and passes on even less. The measure was blind: it asked whether an
# output is exactly zero, when the question was whether it still depends on the input.

# %%
for claim_id in ("relu-half-born-dead", "relu-kills-itself", "relu-swish-rescues"):
    claim = claims.get(claim_id)
    print(f"{claim.statement}\n  {claim.recorded()}\n")

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
# # The same network, twice
#
# **10 minutes to read · runs in about 30 s and 1.3 GB on 2 cores · needs: a network you want to
# port, or distrust of this course**
#
# Every experiment of this course runs in PyTorch's tensors, and says something about Keras too.
# May it? Here is the test: one network, built once in each library, with the same weights, the
# same batches and the same optimiser, for five activations.
#
# **Questions**
#
# - Do the two libraries compute the same training, step by step?
# - What has to be translated when a model moves from one to the other?
# - Where do they part, and does it matter?

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
import numpy as np

from actlab import catalog, data, plots
from actlab.plots import Plot
from actlab.twin import keras_twin

plots.use_style()
digits = data.load("digits")
starts = {
    "relu": "he_normal",
    "tanh": "glorot_uniform",
    "elu": "he_normal",
    "selu": "lecun_normal",
    "gelu": "he_normal",
}

# %% [markdown]
# ## What has to be translated
#
# | | PyTorch | Keras |
# |---|---|---|
# | weights of a dense layer | `weight`, shape (out, in) | `kernel`, shape (in, out) |
# | their start, if you say nothing | uniform within $\pm 1/\sqrt{n}$ | Glorot uniform |
# | biases, if you say nothing | uniform within $\pm 1/\sqrt{n}$ | zero |
# | loss on logits | `cross_entropy` | `SparseCategoricalCrossentropy`, `from_logits=True` |
# | Adam's $\epsilon$, if you say nothing | $10^{-8}$ | $10^{-7}$ |
#
# The second and third line are why a model ported with its defaults is not the same model; see
# the ReLU chapter for what they do. `keras_twin` sets all of this alike, builds what you would
# write by hand in each library, and trains both.
#
# > **Predict.** Five hidden layers of 64, 90 steps of SGD with momentum, in double precision
# > (`float64`, sixteen digits). After how many digits will the two loss curves part?

# %%
setting = {"epochs": 10, "dtype": "float64"}
sgd = {
    name: keras_twin(digits, activation=name, init=init, optimizer="sgd", lr=0.05, **setting)
    for name, init in starts.items()
}
for name, twins in sgd.items():
    assert twins.largest_difference < 1e-5, name
steps = len(twins.torch_loss)
print(f"SGD: over {steps} steps no loss differs by more than 0.00001, for", ", ".join(sgd))

# %% [markdown]
# Some sixteen digits go in, and the loss agrees in five or six: Keras keeps the learning rate and
# reports the loss in float32, whatever the precision of the network. For all practical purposes it
# is one computation. That is why the course can train in one library and speak about both, as long
# as it says which defaults each of them uses.
#
# In float32, the usual precision, it is one computation too, to begin with. But each library adds
# up in its own order, which changes the last digit, and if that is the digit that decides whether a
# ReLU is on or off, the two go different ways from there. So do two processors with one and the
# same library. A smooth curve has no such fork:

# %%
single = keras_twin(
    digits, activation="tanh", init=starts["tanh"], optimizer="sgd", lr=0.05, epochs=10
)
assert single.largest_difference < 1e-4
print(f"float32, tanh: over {steps} steps no loss differs by more than 0.0001.")

# %% [markdown]
# ## Where they part
#
# > **Predict.** Now Adam in double precision, the same $\epsilon = 10^{-8}$ in both. Closer
# > together, or further apart?

# %%
adam = {
    name: keras_twin(digits, activation=name, init=init, optimizer="adam", lr=0.001, **setting)
    for name, init in starts.items()
}
apart = {
    name: twins.largest_difference / sgd[name].largest_difference for name, twins in adam.items()
}
assert min(apart.values()) > 10
print(f"Adam: further apart by factors of {min(apart.values()):.0f} and more.")


# %%
def differences(runs, ax, title):
    """Distance between the two losses at every step, one line per activation."""
    for name, twins in runs.items():
        gap = np.maximum(np.abs(twins.torch_loss - twins.keras_loss), 1e-9)
        ax.plot(gap, label=catalog.get(name).title, **plots.line_style(name))
    ax.set_yscale("log")
    ax.set_ylim(1e-9, 1e-1)
    ax.legend(ncols=3, loc="upper left")
    plots.label(ax, title=title, x="training step", y="|loss − loss|")
    ends = ", ".join(f"{name} {run.largest_difference:.0e}" for name, run in runs.items())
    return Plot(ax, f"Distance between the two losses over 90 steps, largest: {ends}.")


upper, lower = plots.figure(rows=2, height=6.2)[1]
panels = [
    differences(sgd, upper, "SGD: the frameworks agree to rounding"),
    differences(adam, lower, "Adam: an ε in another place shows"),
]
plots.show(upper.figure, plots.panels(panels))

# %% [markdown]
# Further apart, and the arithmetic is not to blame: this is double precision. Both libraries
# divide by $\sqrt{v} + \epsilon$, but PyTorch corrects $v$ for its start at zero *before* it adds
# $\epsilon$, and Keras afterwards (the form that
# [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980) mention as the faster one). Where a
# gradient is of the order of $\epsilon$ the two take different steps, and a ReLU network has many
# such gradients. It is a choice, and not noise.
#
# Does it matter? Not for the accuracy you report. It does if you port a run and expect its curve,
# or if you train in half precision, where $\epsilon = 10^{-8}$ is simply zero.
#
# > **Key points.**
# >
# > - Given the same weights, batches and plain SGD, Keras and PyTorch train the same network, loss
# >   by loss, up to rounding.
# > - Given their defaults they do not: initial weights, biases and Adam's $\epsilon$ differ.
# > - Adam's $\epsilon$ stands in another place in Keras. When you port, compare the first step
# >   under SGD; if that agrees the model is right, and what remains is the optimiser.
#
# **What next.** Where single activation functions differ between the two is listed, with the two
# lines that show it, in the reference part of the book.

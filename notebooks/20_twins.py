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
# **33 minutes to read, exercises apart · runs in about 15 s and 1.3 GB on 2 cores · needs: a
# network you want to port, or distrust of this course**
#
# A colleague has moved a trained network from Keras to PyTorch: 64 pixels, two hidden layers of 64
# units, ten classes. The heart of the port is a loop over the layers:
#
# ```python
# kernel, bias = old.get_weights()
# new.weight.copy_(torch.from_numpy(kernel))
# new.bias.copy_(torch.from_numpy(bias))
# ```
#
# In the last layer PyTorch complained that the shapes do not fit, so there the kernel is turned
# round with `.T`. Now it runs, without a warning. But something is wrong with the answers. Do you
# see it? And what would have found it before the answers did?
#
# **Questions**
#
# - What has to be translated when a network moves from one framework to the other, and how do you
#   check that it arrived?
# - Given the same weights and batches, do the two compute the same training? To how many digits?
# - Which defaults differ, and which of them cannot be set alike?

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

from actlab import data, plots, predict
from actlab.exercises import twins as check
from actlab.plots import Plot
from actlab.twin import keras_twin

plots.use_style()

# %% [markdown]
# ## Port a layer, and look
#
# Here is the network in Keras, trained on handwritten digits for ten epochs:

# %%
digits = data.load("digits")
keras.utils.set_random_seed(0)
old = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10),
    ]
)
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
old.compile(keras.optimizers.SGD(0.05, momentum=0.9), entropy)
history = old.fit(digits.x_train, digits.y_train, epochs=10, verbose=0)

# %% [markdown]
# Keras keeps the weights of a dense layer as (in, out) and computes $x W + b$. PyTorch keeps them
# as (out, in) and computes $x W^T + b$. So a kernel is turned round on its way, always:


# %%
def port_layer(dense, turn=True):
    kernel, bias = map(torch.tensor, dense.get_weights())
    linear = nn.Linear(*kernel.shape, dtype=kernel.dtype)
    with torch.no_grad():
        linear.weight.copy_(kernel.T if turn else kernel)
        linear.bias.copy_(bias)
    return linear


first, second, last = map(port_layer, old.layers)
new = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)

# %% [markdown]
# Do not trust it, look: the same inputs through both. A difference in the sixth digit is rounding
# (`float32` has about seven digits, and each framework adds up in its own order). Anything larger
# is a mistake, and the first layer in which it shows is the one that has it.


# %%
def largest_gaps(old, new):
    """By layer, relative to the layer's largest output."""
    gaps, ours, theirs = [], digits.x_test, digits.x_test
    linears = [m for m in new if isinstance(m, nn.Linear)]
    for dense, linear in zip(old.layers, linears, strict=True):
        ours, theirs = np.array(dense(ours)), torch.tensor(theirs)
        theirs = linear(theirs).detach().numpy()
        if dense is not old.layers[-1]:
            theirs = np.maximum(theirs, 0)
        gaps.append(np.abs(ours - theirs).max() / np.abs(ours).max())
    return gaps


assert max(largest_gaps(old, new)) < 1e-5
print("Every layer agrees, up to rounding.")

# %% [markdown]
# Now the colleague's port. Only the last layer, 64 by 10, was turned round; in the square ones
# nothing complains.
#
# > **Predict.** The Keras network reads nearly all of the test digits. How many does the port read,
# > where guessing gives one in ten?
# >
# > - nearly as many
# > - about half
# > - hardly more than by guessing

# %% tags=["reveal"]
wrong = [port_layer(layer, turn=False) for layer in old.layers[:2]]
port = nn.Sequential(wrong[0], nn.ReLU(), wrong[1], nn.ReLU(), last)
x_test = torch.tensor(digits.x_test)
reads = {
    name: np.mean(scores.argmax(1) == digits.y_test)
    for name, scores in {
        "Keras": np.array(old(digits.x_test)),
        "the port": port(x_test).detach().numpy(),
    }.items()
}
assert min(largest_gaps(old, port)) > 0.1  # in every layer

# %% tags=["reveal"]
limits = {"hardly more than by guessing": 0.25, "about half": 0.8}
limits["nearly as many"] = 1
said = ", ".join(f"{name} {share:.0%}" for name, share in reads.items())
predict.reveal(said, choice=predict.pick(reads["the port"], limits))

# %% [markdown] tags=["reveal"]
# No error, no warning, no odd number, only wrong answers: a square matrix fits both ways round. The
# comparison layer by layer finds it in the first layer, with any input at all. It needs neither a
# trained network nor data.

# %% [markdown]
# ## Train both
#
# The weights have arrived; does the training? For that the two must see the same batches, so the
# order is drawn once, outside of both. Here is a whole training loop in each, for you to change.
# First PyTorch:

# %%
rng = np.random.default_rng(0)
x, y = digits.x_train.astype(np.float64), digits.y_train
order = np.concatenate([rng.permutation(len(y)) for _ in range(10)])
batches = order[: 90 * 100].reshape(90, 100)  # 90 steps


def train_torch(model, optimizer):
    losses = []
    for batch in batches:
        optimizer.zero_grad()
        logits, labels = model(torch.tensor(x[batch])), y[batch]
        loss = nn.functional.cross_entropy(logits, torch.tensor(labels))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


# %% [markdown]
# In Keras the same loop stands under `fit`. Written out, TensorFlow's `GradientTape` takes the
# place of `backward`:

# %%
exact = keras.losses.SparseCategoricalCrossentropy(
    from_logits=True, dtype="float64"
)


def train_keras(model, optimizer):
    weights = model.trainable_variables
    losses = []
    for batch in batches:
        with tf.GradientTape() as tape:
            loss = exact(y[batch], model(x[batch]))
        gradients = tape.gradient(loss, weights)
        optimizer.apply(gradients, weights)
        losses.append(float(loss))
    return np.array(losses)


# %% [markdown]
# Both networks start from the same weights, and compute in `float64`, with about sixteen digits:


# %%
def pair(seed=0):
    """A new network in both frameworks, from the same weights."""
    keras.utils.set_random_seed(seed)
    wide = {"dtype": "float64", "kernel_initializer": "he_normal"}
    theirs = keras.Sequential([keras.Input((64,), dtype="float64")])
    ours = nn.Sequential()
    for units in (64, 64, 10):
        theirs.add(keras.layers.Dense(units, **wide))
        ours.append(port_layer(theirs.layers[-1]))
        if units > 10:
            theirs.add(keras.layers.Activation("tanh", dtype="float64"))
            ours.append(nn.Tanh())
    return ours, theirs


# %%
def digits_that_agree(a, b):
    return -np.log10(np.abs(a - b).max() / np.abs(b).max())


def with_sgd(rate, momentum):
    ours, theirs = pair()
    given = {"momentum": momentum}
    sgd = torch.optim.SGD(ours.parameters(), lr=rate, **given)
    in_torch = train_torch(ours, sgd)
    sgd = keras.optimizers.SGD(rate, **given)
    return in_torch, train_keras(theirs, sgd)


# %% [markdown]
# > **Predict.** After 90 steps of SGD with a learning rate of 0.05 and momentum 0.9: in how many
# > digits do the two loss curves agree?
# >
# > - in 2 or 3
# > - in 6 to 10
# > - in 14 or more

# %% tags=["reveal"]
sgd = with_sgd(0.05, 0.9)
agree = digits_that_agree(*sgd)
limits = {"in 2 or 3": 4, "in 6 to 10": 11, "in 14 or more": 17}
predict.reveal(
    f"{int(agree)} digits are the same",
    choice=predict.pick(agree, limits),
)

# %% [markdown] tags=["reveal"]
# For all practical purposes that is one and the same training. But sixteen digits went in, and
# somebody has lost half of them. Who? Not the layers, not the loss: they are told to use `float64`.
# Look at the numbers that nobody suspects, the learning rate and the momentum.

# %%
kept = keras.optimizers.SGD(0.05).learning_rate
print("Keras keeps a learning rate in", kept.dtype)
for number in (0.05, 0.9, 0.0625, 0.875):
    print(f"{number} becomes {float(np.float32(number))!r}")

# %% [markdown]
# Keras passes both on in `float32`, whatever the precision of the network. The numbers 1/16 and 7/8
# are short in binary and survive; 0.05 and 0.9 do not. Take the survivors, and see:

# %%
better = with_sgd(0.0625, 0.875)
assert digits_that_agree(*better) > 12
print("With numbers that float32 can hold, only rounding is left.")

# %% [markdown]
# So two numbers decide between two programs that are *nearly* the same and two that are. In
# `float32`, the usual precision, they are nearly the same to begin with: each framework adds up in
# its own order, which changes the last digit, and if that digit decides whether a ReLU is on or
# off, the two go different ways from there. So do two processors with one and the same library.
#
# Does it depend on the activation? `keras_twin` does what you have just read for any of them. This
# is the licence for the rest of the course, which trains in PyTorch and speaks about both:

# %%
starts = {
    "relu": "he_normal",
    "tanh": "glorot_uniform",
    "selu": "lecun_normal",
    "gelu": "he_normal",
}
settings = {"optimizer": "sgd", "lr": 0.0625, "dtype": "float64"}
for name, init in starts.items():
    both = keras_twin(
        digits, activation=name, init=init, epochs=5, **settings
    )
    assert both.largest_difference < 1e-5, name
    print(f"{name:5} no two losses differ by more than 0.00001")

# %% [markdown]
# ## What you did not say
#
# All this held because every number was given. Leave them out, and each framework fills in its own.
# Here are some of them, asked from the objects themselves:

# %%
keras.utils.set_random_seed(0)  # seeds PyTorch, too
linear, dense = nn.Linear(1024, 1024), keras.layers.Dense(1024)
dense.build((None, 1024))
kernel, bias = dense.get_weights()
ours = torch.optim.Adam(linear.parameters()).defaults
norm = nn.BatchNorm1d(64), keras.layers.BatchNormalization()
leaky = nn.LeakyReLU(), keras.layers.LeakyReLU()
rows = {
    "weights: spread": (linear.weight.std().item(), kernel.std()),
    "biases: largest": (linear.bias.max().item(), bias.max()),
    "Adam: ε": (ours["eps"], keras.optimizers.Adam().epsilon),
    "batch norm: ε": (norm[0].eps, norm[1].epsilon),
    "batch norm: momentum": (norm[0].momentum, norm[1].momentum),
    "leaky ReLU: slope": tuple(f.negative_slope for f in leaky),
}
table = {"default": list(rows)}
for i, name in enumerate(("PyTorch", "Keras")):
    table[name] = [float(two[i]) for two in rows.values()]
plots.table(table, digits=2)

# %% [markdown]
# The first two lines are why a model that is ported with its defaults is not the same model; what
# they do to it is [the ReLU chapter's story](02_relu.ipynb), of dead units. The last one is a trap
# of its own: "leaky ReLU" is two functions. And one line is worse than different:
#
# > **Predict.** Batch normalisation keeps a running mean. PyTorch's `momentum=0.1` is the default.
# > Which momentum must Keras's layer get to keep the same running mean?
# >
# > - 0.1
# > - 0.9
# > - 0.99

# %% tags=["reveal"]
ours = nn.BatchNorm1d(64)
batch = digits.x_train[:100] + 1
ours(torch.tensor(batch))  # in training mode
gaps = {}
for momentum in (0.1, 0.9, 0.99):
    layer = keras.layers.BatchNormalization(momentum=momentum)
    layer(batch, training=True)
    theirs = keras.ops.convert_to_numpy(layer.moving_mean)
    gap = np.abs(theirs - ours.running_mean.numpy())
    gaps[str(momentum)] = gap.max()
best = min(gaps, key=gaps.get)
assert gaps[best] < 1e-6
predict.reveal(
    f"With {best} the running means are equal, up to rounding",
    choice=best,
)

# %% [markdown] tags=["reveal"]
# One name, two meanings: in PyTorch momentum is the weight of the *new* batch, in Keras that of the
# *old* average. Copy the number, and the layer forgets at once or hardly ever. (The running
# variance is not even then the same: PyTorch divides by $n - 1$, Keras by $n$.)

# %% [markdown]
# ## Where they part
#
# Adam divides each step by the size of the recent gradients, $\sqrt{v}$, and adds a small number
# $\varepsilon$ so that it never divides by 0. Give both the same $\varepsilon = 10^{-8}$, and for
# everything else numbers that `float32` can hold.

# %%
EPS, RATE, BETAS = 1e-8, 2.0**-10, (0.875, 1 - 2.0**-10)
ours, theirs = pair()
adam = keras.optimizers.Adam(RATE, *BETAS, epsilon=EPS)
in_keras = train_keras(theirs, adam)
same = {"lr": RATE, "betas": BETAS, "eps": EPS}
in_torch = train_torch(
    ours, torch.optim.Adam(ours.parameters(), **same)
)

# %% [markdown]
# > **Predict.** Everything is in `float64` again. In how many digits do the two curves agree now?
# >
# > - in 2 or 3
# > - in 4 to 8
# > - in 14 or more

# %% tags=["reveal"]
agree = digits_that_agree(in_torch, in_keras)
limits = {"in 2 or 3": 3.5, "in 4 to 8": 10, "in 14 or more": 17}
predict.reveal(
    f"{int(agree)} digits are the same",
    choice=predict.pick(agree, limits),
)

# %% [markdown] tags=["reveal"]
# Rounding is not to blame this time. The running size $v$ starts at 0, and both correct for that by
# dividing it by $1 - \beta_2^t$ at step $t$. But PyTorch corrects $v$ *before* it adds
# $\varepsilon$, and Keras multiplies the whole step *afterwards* (the form that
# [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980) mention as the faster one). So Keras's
# $\varepsilon$ counts as $\varepsilon / \sqrt{1 - \beta_2^t}$: with $\beta_2 = 1 - 2^{-10}$
# (about 0.999) that is 32 times as much in the first step, and as much as in PyTorch after some
# thousands. Where a
# gradient is of the size of $\varepsilon$, the two take different steps.

# %% [markdown]
# Where a difference is understood it can be removed. PyTorch lets you change $\varepsilon$ while it
# trains, so give it, at every step, what Keras's comes to:


# %%
class KerasAdam(torch.optim.Adam):
    """PyTorch's Adam with ε where Keras has it."""

    def step(self, closure=None):
        self.t = getattr(self, "t", 0) + 1
        for group in self.param_groups:
            beta = group["betas"][1]
            group["eps"] = EPS / np.sqrt(1 - beta**self.t)
        return super().step(closure)


ours, _ = pair()
repaired = train_torch(ours, KerasAdam(ours.parameters(), **same))
assert digits_that_agree(repaired, in_keras) > 10
print("With ε in the same place, only rounding is left.")


# %%
def picture(runs, rounding=1e-10):
    """How far the losses are apart; what is rounding lies below."""
    _, ax = plots.figure(height=3.8)
    beyond = []
    for i, (name, (a, b)) in enumerate(runs.items()):
        gap = np.abs(a - b)
        drawn = np.maximum(gap, rounding)
        ax.plot(drawn, label=name, color=plots.NEUTRAL[i])
        beyond += [name] if gap.max() > rounding else []
    ax.set_yscale("log")
    ax.legend(fontsize=9)
    said = f"More than rounding: {' and '.join(beyond)}"
    across, up = "training step", "distance of the losses (nats)"
    plots.label(ax, title=said, x=across, y=up)
    alt = f"Lines of the {up} by {across} for {', '.join(runs)}."
    return Plot(ax, f"{alt} {said}.")


# %%
pairs = {
    "SGD, 0.05 and 0.9": sgd,
    "SGD, 1/16 and 7/8": better,
    "Adam": (in_torch, in_keras),
    "Adam, ε moved": (repaired, in_keras),
}
picture(pairs).show()

# %% [markdown]
# Does it matter? For the accuracy you report, decide yourself, in exercise 20.3. It does if you
# port a run and expect its curve, or if you train in half precision, where
# $\varepsilon = 10^{-8}$ is simply zero. And it tells how to look for a mistake in a port:
# **compare the first steps under SGD. If they agree the model is right, and what remains is the
# optimiser.**
#
# | When you port | PyTorch | Keras |
# |---|---|---|
# | weights of a dense layer | `weight`, (out, in) | `kernel`, (in, out): turn it round |
# | first weights, biases | uniform within $\pm 1/\sqrt{n}$, both | Glorot uniform, zero |
# | loss on logits | `cross_entropy` | `from_logits=True` |
# | batch norm's momentum | of the new batch, $m$ | of the old average, $1 - m$ |
# | Adam's $\varepsilon$ | added after the correction | before it: counts for more |
# | activations | [where they differ](../book/reference/disagreements.md) | the same page |
#
# ## Exercises
#
# > **Exercise 20.1.** Write `port(model)`: it gets an `nn.Sequential` of `nn.Linear`, `nn.ReLU`,
# > `nn.Tanh`, `nn.GELU` and `nn.LeakyReLU`, and returns a Keras model that computes the same. Or
# > the other way round, from a Keras `Sequential` of dense layers, with these activations as layers
# > of their own, to PyTorch. Mind the defaults.

# %%
port = ...
check.check_port(port)

# %% [markdown]
# <details>
# <summary>Solution (from PyTorch to Keras)</summary>
#
# ```python
# import keras
# from torch import nn
# from actlab.exercises import twins as check
#
# def port(model):
#     new = keras.Sequential()
#     for module in model:
#         if isinstance(module, nn.Linear):
#             layer = keras.layers.Dense(module.out_features)
#             layer.build((None, module.in_features))
#             weight = module.weight.detach().numpy().T
#             layer.set_weights(
#                 [weight, module.bias.detach().numpy()]
#             )
#         elif isinstance(module, nn.LeakyReLU):
#             slope = module.negative_slope
#             layer = keras.layers.LeakyReLU(negative_slope=slope)
#         elif isinstance(module, nn.GELU):
#             layer = keras.layers.Activation(
#                 lambda x: keras.activations.gelu(
#                     x, approximate=False
#                 )
#             )
#         else:
#             name = type(module).__name__.lower()
#             layer = keras.layers.Activation(name)
#         new.add(layer)
#     return new
#
# check.check_port(port)
# ```
#
# </details>
#
# <details>
# <summary>Solution (from Keras to PyTorch)</summary>
#
# ```python
# import keras
# import torch
# from torch import nn
# from actlab.exercises import twins as check
#
# def port(model):
#     parts = []
#     for layer in model.layers:
#         if isinstance(layer, keras.layers.Dense):
#             kernel, bias = map(torch.tensor, layer.get_weights())
#             part = nn.Linear(*kernel.shape)
#             part.weight.data, part.bias.data = kernel.T, bias
#         elif isinstance(layer, keras.layers.LeakyReLU):
#             part = nn.LeakyReLU(float(layer.negative_slope))
#         else:
#             name = layer.activation.__name__
#             part = {"relu": nn.ReLU, "tanh": nn.Tanh,
#                     "gelu": nn.GELU}[name]()
#         parts.append(part)
#     return nn.Sequential(*parts)
#
# check.check_port(port)
# ```
#
# </details>
#
# > **Exercise 20.2.** Somebody trained a network in the framework that you like less, and left you
# > its first weights and its batches. Train it again in yours: write `retrace(weights, batches)`.
# > `weights` is a list of pairs `(W, b)`, `W` of shape (out, in), for two hidden layers with tanh
# > and a last one without; `batches` is a list of pairs `(x, y)`. Train by SGD with a learning rate
# > of 0.05 and momentum 0.9, one step for each batch. Return the list of losses, the mean
# > cross-entropy of each batch before its step.

# %%
retrace = ...
check.check_retrace(retrace)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab.exercises import twins as check
#
# def retrace(weights, batches):
#     parts = []
#     for w, b in weights:
#         layer = nn.Linear(w.shape[1], w.shape[0])
#         layer.weight.data = torch.tensor(w)
#         layer.bias.data = torch.tensor(b)
#         parts += [layer, nn.Tanh()]
#     model = nn.Sequential(*parts[:-1])
#     sgd = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
#     losses = []
#     for x, y in batches:
#         sgd.zero_grad()
#         logits = model(torch.tensor(x))
#         loss = nn.functional.cross_entropy(logits, torch.tensor(y))
#         loss.backward()
#         sgd.step()
#         losses.append(loss.item())
#     return losses
#
# check.check_retrace(retrace)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import twins as check
#
# def retrace(weights, batches):
#     (w1, _), (w2, _), (w3, _) = weights
#     model = keras.Sequential(
#         [
#             keras.Input((w1.shape[1],)),
#             keras.layers.Dense(w1.shape[0], activation="tanh"),
#             keras.layers.Dense(w2.shape[0], activation="tanh"),
#             keras.layers.Dense(w3.shape[0]),
#         ]
#     )
#     model.set_weights(
#         [part for w, b in weights for part in (w.T, b)]
#     )
#     loss = keras.losses.SparseCategoricalCrossentropy(
#         from_logits=True
#     )
#     model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
#     losses = []
#     for x, y in batches:
#         model.reset_metrics()  # before 3.15 Keras returns a mean
#         losses.append(float(model.train_on_batch(x, y)))
#     return losses
#
# check.check_retrace(retrace)
# ```
#
# </details>
#
# > **Exercise 20.3.** *"It makes no difference to the accuracy where Adam adds its ε."* `KerasAdam`
# > stands in for Keras, so you can decide it in one framework. First write a rule: a function that
# > gets an interval (`difference.low`, `.mean`, `.high`, in points of accuracy) and returns
# > `"holds"`, `"refuted"` or `"not shown"`; how large a difference is none, you say. Then measure,
# > with at least twenty seeds, the same weights and batches for both. Change the experiment of the
# > chapter as you like: a larger ε, fewer steps, other data. Hand over `(rule, difference)`.

# %%
decision = ...
check.check_no_difference(decision)

# %% [markdown]
# <details>
# <summary>Solution (either framework: the two differ in ε alone)</summary>
#
# ```python
# import copy
# import numpy as np
# import torch
# from torch import nn
# from actlab import data, stats
# from actlab.exercises import twins as check
#
# def rule(difference, margin=1):
#     if -margin < difference.low and difference.high < margin:
#         return "holds"
#     if difference.low >= margin or difference.high <= -margin:
#         return "refuted"
#     return "not shown"
#
# digits = data.load("digits")
# x, y = torch.tensor(digits.x_train), torch.tensor(digits.y_train)
#
# def accuracy(model, like_keras, eps=1e-8):
#     adam = torch.optim.Adam(model.parameters(), lr=0.001, eps=eps)
#     for t in range(1, 91):
#         batch = torch.arange(12 * t, 12 * t + 100) % len(x)
#         if like_keras:
#             place = eps / np.sqrt(1 - 0.999**t)
#             adam.param_groups[0]["eps"] = place
#         adam.zero_grad()
#         loss = nn.functional.cross_entropy(
#             model(x[batch]), y[batch]
#         )
#         loss.backward()
#         adam.step()
#     scores = model(torch.tensor(digits.x_test)).detach().numpy()
#     return 100 * np.mean(scores.argmax(1) == digits.y_test)
#
# results = []
# for seed in range(20):
#     torch.manual_seed(seed)
#     parts = nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
#     model = nn.Sequential(*parts).float()
#     twin = copy.deepcopy(model)
#     results.append((accuracy(model, True), accuracy(twin, False)))
# keras_like, torch_like = np.array(results).T
# difference = stats.paired_difference(keras_like, torch_like)
# decision = rule, difference
# check.check_no_difference(decision)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Turn every dense kernel round, and compare layer by layer: a square matrix fits both ways.
# > - Given the same weights, batches and SGD, Keras and PyTorch train the same network, loss by
# >   loss. What is left is rounding, and first of all that of the learning rate.
# > - Given their defaults they do not: first weights, biases, ε and slopes differ, and *momentum*
# >   in batch normalisation has two meanings.
# > - Adam's ε stands in another place in Keras. That is no noise: move it, and the curves agree.
# > - When you port, compare the first steps under SGD. If they agree the model is right.
#
# **What next.** Where single activation functions differ between the two frameworks is listed in
# [the reference part](../book/reference/disagreements.md), each with the two lines that show it.

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
# # Sigmoid and tanh: saturation and vanishing gradients
#
# **35 minutes to read, exercises apart · runs in about 20 s and 1.2 GB on 2 cores · needs: you have
# trained one network, in either framework**
#
# Two editions of a much-read tutorial train the same network, four layers of sigmoids, on the same
# pictures of clothes. The
# [PyTorch edition](https://uvadlc-notebooks.readthedocs.io/en/latest/tutorial_notebooks/tutorial3/Activation_Functions.html)
# ends where it began, guessing among ten kinds of clothes. The
# [JAX edition](https://uvadlc-notebooks.readthedocs.io/en/latest/tutorial_notebooks/JAX/tutorial3/Activation_Functions.html)
# is right more than three times in four. Which one is wrong? At the end you can also tell whether
# an untrained network's gradients reach the bottom.
#
# **Questions**
#
# - When does a saturated unit stop learning?
# - By how much does a gradient shrink from layer to layer, and can one know beforehand?
# - Where does Glorot's (or Xavier's) start come from?
# - Does it matter that the outputs of a sigmoid are all positive?
# - When does a deep network of sigmoids train after all?

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
from keras.layers import Dense
from torch import nn
from torch.nn.functional import cross_entropy

from actlab import claims, data, plots, predict, study
from actlab.exercises import sigmoid_tanh as check
from actlab.experiments import plateau, race

plots.use_style()
torch.set_default_dtype(torch.float64)  # the same on every processor
keras.config.set_floatx("float64")

# %% [markdown]
# ## Two flat ends

# %%
plots.curves(["sigmoid", "tanh"], limits=(-8, 8)).show()


# %% [markdown]
# The sigmoid, $\sigma(x) = 1 / (1 + e^{-x})$, squeezes every number into the interval from 0 to 1,
# tanh into the one from −1 to 1. How steep is the sigmoid? Move its input by a thousandth:


# %%
def sigmoid(x):
    return 1 / (1 + np.exp(-x))


for x in (0, 2, 8):
    h = sigmoid(x)
    slope = (sigmoid(x + 0.001) - h) / 0.001
    print(f"σ({x}) = {h:.4f}, slope {slope:.4f} = {h * (1 - h):.4f}")

# %% [markdown]
# The slope can be read off the output, $h\,(1 - h)$, and is **never more than a quarter**. (Tanh
# has a slope of 1 in its middle.) At 8 next to nothing is left: the unit is *saturated*.
#
# A unit shall say 0, and its input $z$ stands at 2, so it says 0.88. It moves $z$ by gradient
# descent on the squared error $h^2$, a hundred steps of rate 1:


# %%
def descend(z, gradient):
    for _ in range(100):
        z = z - gradient(sigmoid(z))
    return sigmoid(z)


def of_square(h):
    return 2 * h * h * (1 - h)  # twice the error, times the slope


print(f"From 2: it says {descend(2, of_square):.2f}")

# %% [markdown]
# > **Predict.** Another unit starts at $z = 8$, so it says 0.9997. And after the hundred steps?
# >
# > - nearly 0
# > - about one half
# > - still nearly 1

# %% tags=["reveal"]
end = descend(8, of_square)
ends = {"nearly 0": 0.2, "about one half": 0.8, "still nearly 1": 1}
predict.reveal(f"{end:.4f}", choice=predict.pick(end, ends))

# %% [markdown] tags=["reveal"]
# The unit that is most wrong learns least: its error is large, but it is multiplied with a slope
# that is next to nothing.

# %% [markdown]
# At the *output* of a network there is a cure, a loss that divides the slope out again. By
# cross-entropy the gradient is just $h$ less what was wanted, here 0:

# %%
print(f"From 8, by cross-entropy: {descend(8, lambda h: h):.2f}")

# %% [markdown]
# Such a loss has to be given $z$, the *logit*, and not $h$ (`binary_cross_entropy_with_logits`; in
# Keras `from_logits=True`); exercise 3.1 shows why. Hidden layers have no such cure.
#
# ## Up: the size of a signal
#
# A deep network is a chain. Layer after layer multiplies by weights, $W$, and bends, $\sigma$. The
# gradient comes back the same way, through the weights and the slopes, $\sigma'$:
#
# ```text
# up    x → W → σ → W → σ → … → loss
# down      W ← σ'← W ← σ'← … ← loss
# ```
#
# First the way up. A unit adds up, say, 64 inputs of about ±1, each times a weight of about ±1/8.
# The sum is not 8: the signs are like thrown coins, most of the products cancel, and what is left
# is about $\sqrt{64} \cdot 1/8 = 1$. The signal goes on as large as it came. Weights of twice the
# size would double it, in every layer: a thousandfold after ten.
#
# So 64 inputs want weights whose mean square, their *variance*, is 1/64. On the way back a unit
# that feeds 256 others gets 256 errors, and by the same count wants 1/256. A layer with 64 inputs
# and 256 outputs cannot have both, and
# [Glorot and Bengio (2010)](https://proceedings.mlr.press/v9/glorot10a.html) met in the middle: two
# divided by 64 + 256. With $n$ inputs and $m$ outputs,
#
# $$ \mathrm{Var}(w) = \frac{2}{n + m} $$
#
# This is Glorot's start, or Xavier's, by his first name; Keras takes it unless told otherwise.
# (PyTorch's own has variance $1/(3n)$.) No activation occurs in it. Let us put one in: ten layers
# of 64 units, on handwritten digits. How far does a unit of each layer move from digit to digit?

# %%
digits = data.load("digits")
pixels = digits.x_train.astype(float)  # of mean square 1
rng = np.random.default_rng(0)


def spread(curve, n=64, depth=10):
    h, found = pixels, []
    for _ in range(depth):
        W = rng.normal(0, (2 / (n + n)) ** 0.5, (n, n))
        h = curve(h @ W)
        found.append(h.std(axis=0).mean())
    return found


print("tanh:", *(f"{move:.2f}" for move in spread(np.tanh)))

# %% [markdown]
# > **Predict.** How far do the units of the tenth layer move if the curve is a sigmoid?
# >
# > - about 0.1
# > - about 0.001
# > - under 0.000001

# %% tags=["reveal"]
moves = spread(sigmoid)
print("sigmoid:", *(f"{move:.0e}" for move in moves))
sizes = {"under 0.000001": 1e-6, "about 0.001": 0.02, "about 0.1": 1}
choice = predict.pick(moves[-1], sizes)
said = "the sigmoid normalises what a layer puts out"
predict.reveal(f"{moves[-1]:.0e}", choice=choice, folklore=said)

# %% [markdown] tags=["reveal"]
# Every layer lets about a quarter of the differences through, for that is the curve's slope. Ten
# quarters, multiplied, are a millionth. All outputs lie neatly between 0 and 1, and all digits look
# the same.

# %% [markdown]
# ## Down: the size of a gradient
#
# In PyTorch the gradients are there after `backward()`, one for every matrix of weights. The size
# of one, its *norm*, is the root of the sum of its squares.

# %%
x, y = torch.from_numpy(pixels), torch.from_numpy(digits.y_train)


def deep(curve, depth=10):
    net = nn.Sequential()
    for _ in range(depth):
        net.extend([nn.Linear(64, 64), curve()])
    return net.append(nn.Linear(64, 10))


def gradient_norms(net):
    net.zero_grad()
    cross_entropy(net(x), y).backward()
    return [layer.weight.grad.norm().item() for layer in net[::2]]


# %% [markdown]
# > **Predict.** Ten layers of sigmoids, as PyTorch starts them. How large is the first layer's
# > gradient, compared with the tenth's?
# >
# > - a tenth
# > - a thousandth
# > - under a millionth

# %% tags=["reveal"]
torch.manual_seed(0)
net = deep(nn.Sigmoid)
norms = gradient_norms(net)
ratio = norms[0] / norms[9]
sizes = {"under a millionth": 1e-6, "a thousandth": 0.02, "a tenth": 1}
predict.reveal(f"{ratio:.0e}", choice=predict.pick(ratio, sizes))

# %% [markdown]
# The same network in Keras, with the same weights. There a `GradientTape` notes what is computed,
# and plays it backwards:

# %%
twin = keras.Sequential([keras.Input((64,))])
for layer in net[::2]:
    curve = None if layer is net[-1] else "sigmoid"
    twin.add(Dense(layer.out_features, curve))
    W, b = (p.detach().numpy() for p in layer.parameters())
    twin.layers[-1].set_weights([W.T, b])  # Keras: inputs first

# %%
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
with tf.GradientTape() as tape:
    loss = loss_of(digits.y_train, twin(pixels))
kernels = [layer.kernel for layer in twin.layers]
in_keras = [float(tf.norm(g)) for g in tape.gradient(loss, kernels)]
assert np.allclose(in_keras, norms, rtol=1e-6)
per_layer = (norms[8] / norms[2]) ** (1 / 6)
print(
    f"The same in Keras. A layer divides it by about {per_layer:.1f}."
)

# %% [markdown]
# Could we have known? Count in squares once more. On its way down through one of these
# layers the gradient meets
#
# - the weights, 64 of variance 1/(3 · 64): they multiply its mean square by **1/3**;
# - the slope, hardly less than a quarter: it multiplies the mean square by **1/16**.
#
# Together 1/48, and $\sqrt{48} = 6.9$: nearly so. Such a number goes by the name of $\chi$, chi
# ([Schoenholz and colleagues, 2017](https://arxiv.org/abs/1611.01232)):
#
# $$ \chi = n \cdot \mathrm{Var}(w) \cdot \text{mean square slope} $$
#
# Below 1 gradients vanish on their way down, above 1 they explode, and nothing has to be trained to
# know it. The cards count in *decades*, powers of ten: a thousandth is three decades down. The
# second one looks at networks of twice our depth.

# %%
claims.trial("gradient-slope-predicted", "sigmoid-vanishing")

# %% [markdown]
# ## What a half can do
#
# The sigmoid is four times flatter than tanh. So draw the weights four times as large: 16 from the
# weights, 1/16 from the slope, $\chi = 1$. We take *orthogonal* weights, which keep the length of
# every signal exactly, and compare three starts: as they are (× 1); four times as large (× 4); and
# × 4 with one change, that from the weights of each unit their mean is taken away, so that they
# **sum to zero**.


# %%
def start(net, size, sum_to_zero=False):
    for layer in net[::2]:  # every other part bends
        W = nn.init.orthogonal_(layer.weight, size).data
        nn.init.zeros_(layer.bias)
        if sum_to_zero:
            W -= W.mean(dim=1, keepdim=True)
    return net


# %% [markdown]
# > **Predict.** Sigmoids with weights × 4, as they are drawn. How large is the first layer's
# > gradient now, compared with the tenth's?
# >
# > - as large
# > - a hundredth
# > - under a thousandth

# %% tags=["reveal"]
torch.manual_seed(0)
found = {}
for size, zero in ((1, False), (4, False), (4, True)):
    nets = [start(deep(nn.Sigmoid), size, zero) for _ in range(20)]
    logs = np.log10([gradient_norms(net)[:10] for net in nets])
    name = f"× {size}" + ", sum to zero" * zero
    found[name] = logs - logs[:, 9:]  # compared with the tenth's
off = {name: -logs[:, 0].mean() for name, logs in found.items()}
title = f"Nearest to level: {min(off, key=off.get)}"
label = "log10 of gradient / tenth layer's"
plots.by_layer(found, y=label, title=title).show()

# %% tags=["reveal"]
ratio = 10 ** found["× 4"][:, 0].mean()
sizes = {"under a thousandth": 1e-3, "a hundredth": 0.1, "as large": 3}
predict.reveal(f"{ratio:.3f}", choice=predict.pick(ratio, sizes))

# %% [markdown] tags=["reveal"]
# The culprit is the half that every sigmoid sends up, whatever the digit. A unit adds up 64 halves,
# each times a weight of about ±1/2: in size $\sqrt{64} \cdot 1/2 \cdot 1/2 = 2$. For all digits
# alike it is pushed to about +2 or −2, where it is flatter than a quarter. If its weights sum to
# zero, a half times their sum is nothing, and it stays in the middle. (A bias of minus half their
# sum does the same.) Large weights make up for a small slope, not for positive outputs.

# %% [markdown]
# <details>
# <summary>For the curious: tanh in disguise, and a start that needs no zero sum</summary>
#
# Tanh is a sigmoid, stretched and centred: $\tanh u = 2\,\sigma(2u) - 1$. So every tanh network
# *is* a sigmoid network with other weights: double what goes into each curve; on the way out
# stretch by two (weights × 2) and take away one (bias minus the sum of the weights). What the one
# can compute the other can. They differ in where they start and how they move from there.
#
# There is also a size at which plain orthogonal weights keep the gradient, offset and all. It is
# about ten (`actlab.theory.critical_gain("sigmoid")`). But then most units are saturated, and
# nearly all of the gradient passes through the few that happen to be steep.
#
# </details>
#
# ## In step
#
# Positive outputs do a second thing. The gradient of a weight is the error above it times the
# output below it. If all outputs below are positive, then for one digit the 64 weights of a unit
# must all go up, or all down. And for a batch of 64 digits? How many go with the majority, in a
# middle layer:

# %%
for curve in (nn.Tanh, nn.Sigmoid):
    torch.manual_seed(0)
    stack = deep(curve)
    cross_entropy(stack(x[:64]), y[:64]).backward()
    up = (stack[8].weight.grad > 0).double().mean(dim=1)
    print(f"{curve.__name__}: {torch.maximum(up, 1 - up).mean():.0%}")

# %% [markdown]
# With tanh they go nearly as thrown coins would. With sigmoids a unit cannot raise one weight and
# lower another in the same step, and has to zigzag. Does that cost anything? Take two curves that
# differ by a constant, $\tanh x$ and $\tanh x + 1$: five layers, the same weights at the start,
# each at its best rate, twenty networks.

# %% [markdown]
# > **Predict.** How many times the steps does $\tanh x + 1$ need, until 95 % of the digits are
# > right?
# >
# > - as many
# > - about twice
# > - over four times

# %% tags=["reveal"]
table = study.load("race_same_start")
times = race.times_as_many(table, "digits", 0.95, ("tanh", "tanh + 1"))
sizes = {"as many": 1.4, "about twice": 4, "over four times": np.inf}
choice = predict.pick(times.mean, sizes)
predict.reveal(f"{times.mean:.1f} times", choice=choice)

pair = ("tanh", "tanh + 1, undone")
again = race.times_as_many(table, "digits", 0.95, pair).mean
print(f"from the same function: {again:.1f} times")

# %% [markdown] tags=["reveal"]
# Not all of this is the offset's fault: a lifted curve also starts as another *function*. The
# second number is what is left when biases undo the lift at first.

# %% [markdown]
# ## Train it
#
# In PyTorch, by SGD with momentum, in batches of 64 (change what you like):

# %%
x_valid = torch.from_numpy(digits.x_valid.astype(float))


def train(net, rate=0.1, epochs=10):
    sgd = torch.optim.SGD(net.parameters(), rate, momentum=0.9)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            sgd.zero_grad()
            cross_entropy(net(x[rows]), y[rows]).backward()
            sgd.step()
    return (net(x_valid).argmax(1).numpy() == digits.y_valid).mean()


torch.manual_seed(0)
usual = train(deep(nn.Sigmoid))
mended = train(start(deep(nn.Sigmoid), 4, sum_to_zero=True))
print(f"PyTorch's start {usual:.0%}; × 4, sum to zero {mended:.0%}")

# %% [markdown]
# And in Keras, with an initialiser of our own:


# %%
def sum_to_zero(shape, dtype=None):
    W = 4 * keras.initializers.Orthogonal()(shape, dtype)
    return W - keras.ops.mean(W, axis=0)  # inputs come first


def fit(init, rate=0.1, epochs=10):
    net = keras.Sequential([keras.Input((64,))])
    for _ in range(10):
        net.add(Dense(64, "sigmoid", kernel_initializer=init))
    net.add(Dense(10))
    sgd = keras.optimizers.SGD(rate, momentum=0.9)
    net.compile(sgd, loss_of, metrics=["accuracy"])
    net.fit(pixels, digits.y_train, 64, epochs, verbose=0)
    return net.evaluate(digits.x_valid, digits.y_valid, verbose=0)[1]


# %%
keras.utils.set_random_seed(0)
usual, mended = fit("glorot_uniform"), fit(sum_to_zero)
print(f"Keras's start {usual:.0%}; × 4, sum to zero {mended:.0%}")

# %% [markdown]
# Twenty of each:

# %%
claims.trial("tanh-centring-speeds-up", "sigmoid-deep-does-not-train")

# %% [markdown]
# ## The case of the ten per cent
#
# Back to the two editions. We replay the tutorial's run at a quarter of its width, with twenty
# seeds, for 25 epochs. The tutorial ends a run that has not improved for seven epochs. We let it go
# on, and mark that epoch.

# %% [markdown]
# > **Predict.** How many of the twenty networks ever leave chance?
# >
# > - none
# > - about half
# > - nearly all

# %% tags=["reveal"]
table = study.load("sigmoid_failure")
table = table[table.root == 0]
paths = plateau.accuracy_paths(table, "as published")
stops = [plateau.published_stop(path)[0] for path in paths]
level = plateau.OFF_THE_PLATEAU
label = "validation accuracy (%)"
plots.paths(100 * paths, stops, line=100 * level, y=label).show()

# %% tags=["reveal"]
table = study.load("sigmoid_failure_full")
for path in plateau.accuracy_paths(table, "full size"):
    kept = path[plateau.published_stop(path)[1] - 1]
    print(f"full width: {kept:.0%} if stopped, {path[-1]:.0%} if not")
left = (paths > level).any(1)
shares = {"none": 0, "about half": 0.75, "nearly all": 1}
choice = predict.pick(left.mean(), shares)
said = "none, for their gradients are too small"
count = f"{left.sum()} of {len(left)}"
predict.reveal(count, choice=choice, folklore=said)

# %% [markdown] tags=["reveal"]
# The network is not broken, it is slow. For many epochs next to nothing arrives in the lower
# layers; then accuracy rises. Early stopping waits for an improvement, and at chance there is only
# noise to improve on: most are stopped there, and a few are carried over by luck. So both editions
# are right: one seed is a ticket in a lottery. The card adds twenty networks from other seeds:

# %%
claims.trial("sigmoid-stuck-at-chance")

# %% [markdown]
# More: [the ledger](../book/reference/claims.md).

# %% [markdown]
# ## Exercises
#
# > **Exercise 3.1.** What a loss does with a logit: write `log_sigmoid(x)`, the logarithm of the
# > sigmoid, right for every float32 from −1000 to 1000. Try `log(sigmoid(x))` first. (No ready-made
# > log-sigmoid or softplus.)

# %%
log_sigmoid = ...
check.check_log_sigmoid(log_sigmoid)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# The exponential only sees $-|x|$, so it cannot overflow, and `log1p` keeps what it adds:
#
# ```python
# import torch
# from actlab.exercises import sigmoid_tanh as check
#
# def log_sigmoid(x):
#     return x.clamp(max=0) - torch.log1p(torch.exp(-x.abs()))
#
# check.check_log_sigmoid(log_sigmoid)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import sigmoid_tanh as check
#
# def log_sigmoid(x):
#     return ops.minimum(x, 0) - ops.log1p(ops.exp(-ops.abs(x)))
#
# check.check_log_sigmoid(log_sigmoid)
# ```
#
# </details>
#
# > **Exercise 3.2.** Know it beforehand. Write `decades(name, variance, q)`: by how many powers of
# > ten does a gradient's norm change per layer on its way down? (The logarithm, to base 10, of the
# > root of $\chi$.) `name` is `"sigmoid"`, `"tanh"` or `"relu"`, `variance` is
# > $n \cdot \mathrm{Var}(w)$; what goes into the curve is random, of mean 0 and variance `q`. A
# > sample of it is exact enough.

# %%
decades = ...
check.check_decades(decades)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import sigmoid_tanh as check
#
# def decades(name, variance, q):
#     torch.manual_seed(0)
#     z = (torch.randn(200_000) * q**0.5).requires_grad_()
#     (slope,) = torch.autograd.grad(getattr(torch, name)(z).sum(), z)
#     return (
#         0.5 * torch.log10(variance * slope.square().mean()).item()
#     )
#
# check.check_decades(decades)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# import tensorflow as tf
# from actlab.exercises import sigmoid_tanh as check
#
# def decades(name, variance, q):
#     z = tf.random.stateless_normal((200_000,), seed=(0, 0)) * q**0.5
#     with tf.GradientTape() as tape:
#         tape.watch(z)
#         y = keras.activations.get(name)(z)
#     slope = tape.gradient(y, z)
#     chi = variance * keras.ops.mean(slope**2)
#     return 0.5 * float(keras.ops.log10(chi))
#
# check.check_decades(decades)
# ```
#
# </details>
#
# > **Exercise 3.3.** Repair it in another way. Build ten sigmoid layers of 64 units, on 64 inputs,
# > and an output layer of 10 logits, such that the first layer's gradient is not much smaller than
# > the tenth's, without weights that sum to zero. The sigmoids stay.

# %%
network = ...
check.check_deep_sigmoid(network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# Weights four times as large, and a bias that takes the half times their sum away.
#
# ```python
# import torch
# from torch import nn
# from actlab.exercises import sigmoid_tanh as check
#
# torch.manual_seed(0)
# network = nn.Sequential()
# for _ in range(10):
#     network.extend([nn.Linear(64, 64), nn.Sigmoid()])
# network.append(nn.Linear(64, 10))
# with torch.no_grad():
#     for layer in network[::2]:
#         nn.init.orthogonal_(layer.weight, gain=4)
#         nn.init.zeros_(layer.bias)
#         if layer is not network[0]:  # pixels have no half
#             layer.bias -= layer.weight.sum(1) / 2
#
# check.check_deep_sigmoid(network)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# The same, layer by layer. (Batch norm between the matrices and the sigmoids, with orthogonal
# weights × 4, passes as well.)
#
# ```python
# import keras
# from actlab.exercises import sigmoid_tanh as check
#
# network = keras.Sequential([keras.Input((64,))])
# for i in range(11):
#     units, curve = (64, "sigmoid") if i < 10 else (10, None)
#     init = keras.initializers.Orthogonal(gain=4, seed=i)
#     layer = keras.layers.Dense(
#         units, curve, kernel_initializer=init
#     )
#     network.add(layer)
#     if i:
#         kernel, bias = layer.get_weights()
#         layer.set_weights([kernel, -kernel.sum(0) / 2])
#
# check.check_deep_sigmoid(network)
# ```
#
# </details>
#
# > **Exercise 3.4.** Train one: ten sigmoid layers of 64 units, until they are right about more
# > than 85 % of `digits.x_test`, by a remedy that was not trained above, such as a bias, batch norm
# > or residual connections.

# %%
trained = ...
check.check_trained(trained)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# Batch norm takes the half away, from every unit over every batch.
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import sigmoid_tanh as check
#
# torch.manual_seed(0)
# layers = []
# for _ in range(10):
#     layers += [nn.Linear(64, 64), nn.BatchNorm1d(64), nn.Sigmoid()]
# trained = nn.Sequential(*layers, nn.Linear(64, 10)).float()
# digits = data.load("digits")
# x = torch.from_numpy(digits.x_train)
# y = torch.from_numpy(digits.y_train)
# sgd = torch.optim.SGD(trained.parameters(), 0.1, momentum=0.9)
# for _ in range(15):
#     for rows in torch.randperm(len(x)).split(64):
#         sgd.zero_grad()
#         loss = nn.functional.cross_entropy(
#             trained(x[rows]), y[rows]
#         )
#         loss.backward()
#         sgd.step()
#
# check.check_trained(trained)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# Residual connections: what a layer makes of its input is added to it, so that the gradient has a
# way down on which no slope lies.
#
# ```python
# import keras
# from actlab import data
# from actlab.exercises import sigmoid_tanh as check
#
# keras.utils.set_random_seed(0)
# inputs = h = keras.Input((64,))
# for _ in range(10):
#     bent = keras.layers.Dense(64, "sigmoid")(h)
#     h = keras.layers.Add()([h, bent])
# trained = keras.Model(inputs, keras.layers.Dense(10)(h))
# trained.compile(
#     keras.optimizers.Adam(0.003),
#     keras.losses.SparseCategoricalCrossentropy(from_logits=True),
# )
# digits = data.load("digits")
# trained.fit(
#     digits.x_train, digits.y_train, 64, epochs=15, verbose=0
# )
#
# check.check_trained(trained)
# ```
#
# </details>
#
# > **Exercise 3.5.** Decide it yourself: does being centred speed up training? First write your own
# > rule, `rule(centred, lifted)`. It gets a number for each seed (smaller is better, such as steps
# > to a target, or a loss) and says `"holds"`, `"refuted"` (the lifted curve is faster) or
# > `"not shown"`. Then change one thing
# > about the race above (Adam, the depth, the curves) and measure, with at least five seeds.

# %%
own = ...  # rule, centred, lifted
check.check_own_rule(own)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# Adam in the place of SGD, the loss after three epochs, and an interval for the ratio.
#
# ```python
# import numpy as np
# import torch
# from scipy import stats
# from torch import nn
# from actlab import data
# from actlab.exercises import sigmoid_tanh as check
#
# digits = data.load("digits")
# x = torch.from_numpy(digits.x_train)
# y = torch.from_numpy(digits.y_train)
#
# class Tanh(nn.Module):
#     def __init__(self, lift):
#         super().__init__()
#         self.lift = lift
#
#     def forward(self, z):
#         return torch.tanh(z) + self.lift
#
# def loss_after(lift, seed, epochs=3):
#     torch.manual_seed(seed)
#     parts = []
#     for _ in range(3):
#         parts += [nn.Linear(64, 64), Tanh(lift)]
#     net = nn.Sequential(*parts, nn.Linear(64, 10)).float()
#     adam = torch.optim.Adam(net.parameters(), 0.003)
#     for _ in range(epochs):
#         for rows in torch.randperm(len(x)).split(64):
#             adam.zero_grad()
#             loss = nn.functional.cross_entropy(
#                 net(x[rows]), y[rows]
#             )
#             loss.backward()
#             adam.step()
#     return nn.functional.cross_entropy(net(x), y).item()
#
# def rule(centred, lifted):
#     ratio = np.log(lifted / centred)
#     middle, error = ratio.mean(), stats.sem(ratio)
#     reach = error * stats.t.ppf(0.975, len(ratio) - 1)
#     if abs(middle) <= reach:
#         return "not shown"
#     return "holds" if middle > 0 else "refuted"
#
# centred, lifted = (
#     [loss_after(lift, seed) for seed in range(8)] for lift in (0, 1)
# )
#
# check.check_own_rule((rule, centred, lifted))
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# A rule that counts: how often would thrown coins put one curve ahead in as many pairs?
#
# ```python
# import keras
# import numpy as np
# from scipy.stats import binomtest
# from actlab import data
# from actlab.exercises import sigmoid_tanh as check
#
# digits = data.load("digits")
#
# def loss_after(lift, seed, epochs=3):
#     def curve(z):
#         return keras.ops.tanh(z) + lift
#
#     keras.utils.set_random_seed(seed)
#     net = keras.Sequential([keras.Input((64,))])
#     for _ in range(2):
#         net.add(keras.layers.Dense(64, curve))
#     net.add(keras.layers.Dense(10))
#     net.compile(
#         keras.optimizers.Adam(0.003),
#         keras.losses.SparseCategoricalCrossentropy(
#             from_logits=True
#         ),
#     )
#     net.fit(digits.x_train, digits.y_train, 64, epochs, verbose=0)
#     return net.evaluate(digits.x_train, digits.y_train, verbose=0)
#
# def rule(centred, lifted):
#     behind = int(np.sum(lifted > centred))
#     pairs = behind + int(np.sum(lifted < centred))
#     if pairs == 0 or binomtest(behind, pairs).pvalue > 0.05:
#         return "not shown"
#     return "holds" if 2 * behind > pairs else "refuted"
#
# centred, lifted = (
#     [loss_after(lift, seed) for seed in range(6)] for lift in (0, 1)
# )
#
# check.check_own_rule((rule, centred, lifted))
# ```
#
# </details>

# %% [markdown]
# > **Key points.**
# >
# > - A saturated unit learns nothing, however wrong it is. At the output, a loss that is given the
# >   logit cures that.
# > - With $n$ inputs and $m$ outputs, variance $1/n$ keeps a signal and $1/m$ a gradient; Glorot's
# >   start stands in the middle.
# > - Per layer a gradient changes by $\sqrt{\chi}$, and you can know that before you train:
# >   $\chi = n \cdot \mathrm{Var}(w) \cdot$ mean square of the slope.
# > - A sigmoid's slope is at most 1/4. It wants weights four times as large, *and* the half that it
# >   sends up taken away.
# > - "Stuck at chance" may be a plateau, cut short, and seen with one seed.

# %%
claims.cheat("sigmoid_tanh")

# %% [markdown]
# **What next.** The leaky family: what a small slope on the left is worth.

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
# **35 minutes to read, exercises apart · runs in about 25 s and 1.2 GB on 2 cores · needs: the
# ReLU chapter**
#
# Somebody trains a network in Keras and moves it to PyTorch. Every weight is copied, to the last
# bit. Every activation is called `LeakyReLU()` before the move and after it. There is no error, no
# warning, and the network is broken. Whoever understands this bug knows what a leaky ReLU is.
#
# **Questions**
#
# - Which slope do you get when you name none?
# - How is a slope learned, and what does weight decay do to it?
# - A leaky unit is never dead. Can it still be useless?
# - Is a leak better than none: at first, and at the end? What does it cost?

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

from actlab import claims, data, plots, predict, study
from actlab.exercises import leaky as check
from actlab.experiments import contest, decay

plots.use_style()
# Double precision, so that every processor prints the same numbers.
keras.config.set_floatx("float64")
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)  # quickest for networks this small

# %%
digits = data.load("digits")
print(digits.describe())
x, y = (
    torch.tensor(digits.x_train).double(),
    torch.tensor(digits.y_train),
)
x_test = torch.tensor(digits.x_test).double()
y_test = torch.tensor(digits.y_test)

# %% [markdown]
# ## A port that works, only worse
#
# This is the network:
#
# ```
# 64 pixels → [ 64 units → LeakyReLU() ] × 10 → 10 classes
# ```
#
# And here in Keras, untrained to trained.

# %%
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((64,))])
for _ in range(10):
    model.add(keras.layers.Dense(64, kernel_initializer="he_normal"))
    model.add(keras.layers.LeakyReLU())
model.add(keras.layers.Dense(10))
sgd = keras.optimizers.SGD(0.03, momentum=0.9)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(sgd, loss, metrics=["accuracy"])
model.fit(digits.x_train, digits.y_train, 64, epochs=10, verbose=0)
_, before = model.evaluate(digits.x_test, digits.y_test, verbose=0)
print(f"in Keras: {before:.0%} of the test digits are right")

# %% [markdown]
# Now the move. Keras keeps a layer's weights as (inputs, units), PyTorch as (units,
# inputs), so each kernel is transposed. Nothing else changes.


# %%
def port(model, activation):
    layers = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):
            kernel, bias = map(torch.tensor, layer.get_weights())
            linear = nn.Linear(*kernel.shape)
            linear.weight.data, linear.bias.data = kernel.T, bias
            layers.append(linear)
        else:
            layers.append(activation())
    return nn.Sequential(*layers)


def accuracy(network):
    return (network(x_test).argmax(1) == y_test).double().mean().item()


# %% [markdown]
# > **Predict.** All weights are equal, and so are the names of all layers. How many of the test
# > digits does `port(model, nn.LeakyReLU)` have right?
# >
# > - as many
# > - a few fewer
# > - far fewer

# %% tags=["reveal"]
after = accuracy(port(model, nn.LeakyReLU))
limits = {"as many": 0.005, "a few fewer": 0.1, "far fewer": 1}
choice = predict.pick(before - after, limits)
predict.reveal(f"{after:.0%} are right in PyTorch", choice=choice)

# %% [markdown] tags=["reveal"]
# A leaky ReLU lets a part $a$ of a negative input pass: with $a = 0.3$, an input of $-2$ becomes
# $-0.6$. That part is its **slope** on the negative side. Keras's layer takes 0.3 unless it is told
# otherwise, PyTorch's takes 0.01, and Keras's *function* `leaky_relu` (also the string) takes 0.2.
# Each layer of the copy is a little wrong, and ten of them multiply. A shallow network forgives it:
# try `range(2)` instead of `range(10)`.

# %% [markdown]
# Name what was left unnamed, and the copy computes what the original does:

# %%
mended = port(model, lambda: nn.LeakyReLU(0.3))
theirs = model.predict(digits.x_test, verbose=0)
# TensorFlow keeps a slope in single precision, as 0.30000001.
assert np.allclose(mended(x_test).detach(), theirs, atol=1e-4)
print(f"mended: {accuracy(mended):.0%}")

# %% [markdown]
# ## Three of them by hand
#
# The slope is fixed (**leaky ReLU**), learned (**PReLU**), or drawn at random while training and
# replaced by its mean afterwards (**RReLU**).


# %%
def leaky(x, a):
    return torch.where(x > 0, x, a * x)


class PReLU(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(0.25))

    def forward(self, x):
        return leaky(x, self.a)


class RReLU(nn.Module):
    def forward(self, x):
        if self.training:
            return leaky(x, torch.empty_like(x).uniform_(1 / 8, 1 / 3))
        return leaky(x, (1 / 8 + 1 / 3) / 2)


# %% [markdown]
# In Keras, `build` makes what is learned, and `call` is told whether the network is training.


# %%
class KerasPReLU(keras.Layer):
    def build(self, shape):
        start = keras.initializers.Constant(0.25)
        self.a = self.add_weight(shape=(), initializer=start)

    def call(self, x):
        return keras.ops.where(x > 0, x, self.a * x)


class KerasRReLU(keras.Layer):
    def call(self, x, training=False):
        a = (1 / 8 + 1 / 3) / 2
        if training:
            shape = keras.ops.shape(x)
            a = keras.random.uniform(shape, 1 / 8, 1 / 3)
        return keras.ops.where(x > 0, x, a * x)


# %% [markdown]
# Do they compute what the frameworks do? To the last bit:

# %%
grid = torch.linspace(-6, 6, 100_001)
assert torch.equal(leaky(grid, 0.3), nn.LeakyReLU(0.3)(grid))
assert torch.equal(PReLU()(grid), nn.PReLU()(grid))
assert torch.equal(RReLU().eval()(grid), nn.RReLU().eval()(grid))
assert np.array_equal(KerasPReLU()(grid), PReLU()(grid).detach())
assert np.array_equal(KerasRReLU()(grid), RReLU().eval()(grid))
print(f"{len(grid):,} inputs: the same, five times")

# %% [markdown]
# ## Watch a slope being learned
#
# Five layers, each with a slope of its own. The loop is a whole one, and yours to change. It prints
# the slopes every five epochs.


# %%
def build(activation, a, bias=0.0):
    """Five layers, with He's start for slope ``a``."""
    layers = []
    for _ in range(5):
        linear = nn.Linear(64, 64)
        nn.init.kaiming_normal_(linear.weight, a=a)
        nn.init.constant_(linear.bias, bias)
        layers += [linear, activation()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


# %%
def train(network, decay=0.0, epochs=20):
    sgd = torch.optim.SGD(
        network.parameters(), 0.03, momentum=0.9, weight_decay=decay
    )
    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(len(x)).split(64):
            sgd.zero_grad()
            logits = network(x[batch])
            nn.functional.cross_entropy(logits, y[batch]).backward()
            sgd.step()
        slopes = [u.a.item() for u in network if isinstance(u, PReLU)]
        if epoch % 5 == 0 and slopes:
            print(f"epoch {epoch:2}", np.round(slopes, 2))
    return np.mean(slopes or np.nan)


# %% [markdown]
# > **Predict.** Gradient descent may now choose. Where does the mean of the five slopes go?
# >
# > - towards 0, to ReLU
# > - it stays near 0.25
# > - it grows

# %% tags=["reveal"]
torch.manual_seed(0)
learned = train(build(PReLU, 0.25))
limits = {"towards 0, to ReLU": 0.2, "it stays near 0.25": 0.3}
found = predict.pick(learned, limits | {"it grows": np.inf})
predict.reveal(f"a mean slope of {learned:.2f}", choice=found)

# %% [markdown] tags=["reveal"]
# Nobody asked for that, and it is no law: on MNIST-1D the slopes fall. Look at your own. It is one
# line: `unit.weight` of an `nn.PReLU`, `layer.alpha` of a Keras `PReLU`.

# %% [markdown]
# And how many are there, behind 32 channels of 28 × 28 pixels?

# %%
unit = keras.layers.PReLU()
unit(np.zeros((1, 28, 28, 32)))  # Keras makes slopes at the first input
keras_has, torch_has = unit.count_params(), nn.PReLU().weight.numel()
print(f"slopes: {keras_has:,} in Keras, {torch_has} in PyTorch")

# %% [markdown]
# PyTorch's default is one slope for the whole layer, starting at 0.25. Keras's is one for *every
# pixel of every channel*, starting at 0, and ties the layer to one size of image. The paper ([He et
# al., 2015](https://arxiv.org/abs/1502.01852)) had one for each channel. Ask for it:
# `nn.PReLU(32)`, or `PReLU(shared_axes=[1, 2])` in Keras.

# %% [markdown]
# ## A slope that is drawn
#
# RReLU adds noise while it trains. `network.eval()` turns it off, and everybody forgets it once. So
# we train a network of RReLUs and test it twenty times in training mode.

# %%
torch.manual_seed(0)
noisy = build(RReLU, 11 / 48)  # the mean of 1/8 and 1/3
train(noisy)
calls = torch.stack([noisy(x_test).argmax(1) for _ in range(20)])
right = (calls == y_test).double().mean()
waver = (calls != calls[0]).any(0).double().mean()
print(f"forgotten: {right:.1%} right, {waver:.1%} waver between calls")
print(f"in inference mode: {accuracy(noisy.eval()):.1%} right")

# %% [markdown]
# It has learned with this noise and can live with it. So the mistake is hard to find, not harmless:
# some digits get another answer.

# %% [markdown]
# ## Weight decay, and the slopes
#
# He and colleagues warn, and PyTorch's documentation repeats: no weight decay on the slopes of
# PReLU, because it pulls them to zero, and then you have ReLU.
#
# > **Predict.** The same network, the same seed, a decay of 0.01 on everything. What becomes of the
# > slopes, compared with no decay?
# >
# > - smaller
# > - about the same
# > - larger

# %% tags=["reveal"]
torch.manual_seed(0)
ratio = train(build(PReLU, 0.25), decay=0.01) / learned
limits = {"smaller": 0.9, "about the same": 1.1, "larger": np.inf}
said = f"{ratio:.1f} times the mean slope without decay"
choice = predict.pick(ratio, limits)
predict.reveal(said, choice=choice, folklore="smaller")

# %% [markdown] tags=["reveal"]
# Why would decay do that? What decays are not the five slopes alone but thousands of
# weights, and with them the signal. The slope is the cheapest remedy: *one number* that raises the
# signal of a whole layer. If that is so, the slopes must fall when nothing else decays, and rise
# most where they are spared.

# %% [markdown]
# Twenty networks for each case, with decay on everything or on a part:

# %%
plots.rows(
    decay.by_decaying("digits"),
    title="What decays. {}",
    label="mean learned slope",
    marks={"start": decay.START},
).show()

# %%
claims.trial("prelu-decay-to-relu")

# %% [markdown]
# The textbook is right about the slopes alone, and nobody decays those alone. AdamW divides the
# gradient by its own size, so there a strong decay wins over the remedy. How to spare the slopes is
# Exercise 4.3; whether it pays, and what batch norm does to all this, is in
# [the ledger](../book/reference/claims.md), with a dozen more claims of this chapter.
#
# ## Never dead, but asleep
#
# A ReLU is *dead* if its output is 0 for every example. A leaky unit cannot be that. But what kills
# ReLUs, an input that is negative for every example, happens to leaky units too. Such a unit is
# **asleep**: for all the data there is, it is a straight line. This counts them:


# %%
def asleep(network, h):
    """Share of the leaky units whose input is never above 0."""
    sleepers = []
    for layer in network:
        if isinstance(layer, nn.LeakyReLU):
            sleepers.append((h <= 0).all(0))
        h = layer(h)
    return torch.cat(sleepers).double().mean().item()


# %% [markdown]
# Biases of −8 put a whole network to sleep. Each unit still passes on a part 0.01 of the gradient.
#
# > **Predict.** Five layers, all asleep, slope 0.01. How large is the gradient of the first layer's
# > weights, compared with the same network awake?
# >
# > - a hundredth
# > - a ten-thousandth
# > - less than a millionth

# %% tags=["reveal"]
norms = []
for bias in (0.0, -8.0):
    torch.manual_seed(0)
    stack = build(lambda: nn.LeakyReLU(0.01), 0.01, bias)
    nn.functional.cross_entropy(stack(x), y).backward()
    norms.append(stack[0].weight.grad.norm())
    print(f"biases {bias:g}: {asleep(stack, x):.0%} asleep")
left = norms[1] / norms[0]
limits = {"less than a millionth": 1e-6, "a ten-thousandth": 1e-3}
found = predict.pick(left, limits | {"a hundredth": 0.1})
predict.reveal(f"{left:.0e} of it is left", choice=found)

# %% [markdown] tags=["reveal"]
# On its way back the gradient passes five sleeping layers. Each leaves a hundredth of it, times
# $\sqrt{2}$, by which He's weights are larger so that a layer half awake loses nothing:
# $(0.01 \sqrt{2})^5 \approx 6 \cdot 10^{-10}$, give or take chance. That is not zero, as it is for
# dead ReLUs. It only might as well be.

# %% [markdown]
# So is a leak a cure? Whole networks, put to sleep and trained at six learning rates:

# %%
claims.trial("leaky-backprop")

# %% [markdown]
# **A leak is a promise for one layer.** It is the size of the slope that matters, and not that it
# isn't zero.
#
# ## Is it better?
#
# Six settings: three data sets, five and ten layers. Every slope has a learning rate and a start of
# its own, and is trained on five splits of the data, four seeds each, until the validation loss
# stops improving. It was noted what it had come to after a short training (1 ×), after one four
# times as long (4 ×), and at that plateau.

# %%
stops = {"1 ×": "once", "4 ×": "four times", "plateau": "plateau"}


def leads(arm, when):
    """Setting → lead over ReLU in points; all six at 95 % together."""
    ask = contest.Ahead(contest.LEAKY, arm, "ReLU", stops[when])
    cases = ask(0, lambda n: 1 - 0.05 / n)[ask.quantity].cases
    return {f"{d}, {n} layers": cases[d, n] for d, n in cases}


# %% [markdown]
# > **Predict.** At the plateau: in how many of the six settings is slope 0.01 ahead of ReLU, beyond
# > doubt?
# >
# > - in none or one
# > - in two to four
# > - in five or six

# %% tags=["reveal"]
end = leads("leaky 0.01", "plateau").values()
won = sum(found.low > 0 for found in end)
limits = {"in none or one": 1, "in two to four": 4, "in five or six": 6}
found = predict.pick(won, limits)
said = f"in {won} of {len(end)}"
predict.reveal(said, choice=found, folklore="in five or six")

# %% [markdown] tags=["reveal"]
# So the slope that the starting document calls typical is hardly another function than ReLU.

# %% [markdown]
# What of a steeper one? Xu and colleagues ([2015](https://arxiv.org/abs/1505.00853)) tried 1/5.5,
# which is 0.18:

# %%
plots.rows(
    {when: leads("leaky 0.18", when) for when in stops},
    title="Slope 0.18, three times. {}",
    label="test accuracy minus ReLU's (points)",
    zone=(0, np.inf),
).show()

# %%
claims.trial("leaky-beats-relu", "leaky-steeper-better")

# %% [markdown]
# So it is the size of the slope again, and the card says where a steep one is ahead. And who starts
# fastest? Here are those in front of six kinds (ReLU, leaky with 0.01, 0.18 and 0.3, PReLU,
# RReLU), by the mean alone:

# %%
table = study.load("contest_leaky").groupby(["data", "depth", "arm"])
means = table[["accuracy_1", "accuracy"]].mean()
first = means.groupby(["data", "depth"]).idxmax()
first = first.map(lambda place: place[-1]).reset_index()
first.columns = ["data", "depth", "after 1 ×", "at the plateau"]
first["data"] = first["data"].map(contest.TITLES)
plots.table(first)

# %% [markdown]
# A contest that stops early crowns another winner; and of six that are close, one is in front by
# chance. What none of this shows: convolutions, batch norm, large data.
#
# ## What it costs
#
# The starting document recommends Leaky ReLU where latency counts:

# %%
claims.trial("leaky-latency")

# %% [markdown]
# The other two make *training* slower: PReLU adds up a gradient for its slope, and RReLU draws a
# number for every unit.
#
# A fourth relative is no leak at all: **Thresholded ReLU** lets pass what exceeds θ, and gives 0
# otherwise. Keras 3 has dropped it; `keras.layers.ReLU(threshold=…)` stands in, and PyTorch
# calls it `nn.Threshold`.

# %% [markdown]
# <details>
# <summary>For the curious: an old name, and what initialisation knows of the slope</summary>
#
# Old code says `alpha` for the slope. Keras's layer still takes it, with a warning; its functions
# do not.
#
# Kaiming initialisation takes care of the slope only if it is told, as `build` tells it above.
# Keras's `he_normal` cannot be told; `VarianceScaling(2 / (1 + a**2))` is the same by hand.
#
# `nn.Linear` draws its weights with `kaiming_uniform_(weight, a=sqrt(5))`, so it seems to expect
# leaky units of slope 2.24. Nobody has such units. He's variance for slope $a$ is $2 / ((1 + a^2)
# n)$; with $a^2 = 5$ that is $1/(3n)$, and a uniform distribution of this variance ends at
# $\pm 1/\sqrt{n}$: the formula that stood there before He's paper, in new clothes.
#
# </details>
#
# ## Exercises
#
# > **Exercise 4.1.** An old model has the lines `tf.keras.layers.LeakyReLU()` and
# > `tf.keras.layers.ThresholdedReLU(theta=0.5)`. Write the layers that belong to its weights today,
# > in PyTorch or in Keras, so that they stay right even if a default changes.

# %%
ported_layer = ...
check.check_ported_layer(ported_layer)

# %%
ported_threshold = ...
check.check_ported_threshold(ported_threshold)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from torch import nn
# from actlab.exercises import leaky as check
#
# ported_threshold = nn.Threshold(threshold=0.5, value=0.0)
# print(check.check_ported_threshold(ported_threshold))
#
# ported_layer = nn.LeakyReLU(negative_slope=0.3)
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
# ported_threshold = keras.layers.ReLU(threshold=0.5)
# print(check.check_ported_threshold(ported_threshold))
#
# ported_layer = keras.layers.LeakyReLU(negative_slope=0.3)
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
#     units = [m for m in model.modules() if isinstance(m, nn.PReLU)]
#     slopes = [
#         slope for unit in units for slope in unit.parameters()
#     ]
#     spared = {id(slope) for slope in slopes}
#     others = [p for p in model.parameters() if id(p) not in spared]
#     groups = [
#         {"params": others, "weight_decay": 0.01},
#         {"params": slopes, "weight_decay": 0.0},
#     ]
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
#     slopes = [
#         layer.alpha
#         for layer in model.layers
#         if isinstance(layer, keras.layers.PReLU)
#     ]
#     optimiser.exclude_from_weight_decay(var_list=slopes)
#     return optimiser
#
# check.check_slopes_spared(make)
# ```
#
# </details>
#
# > **Exercise 4.4.** A network of three hidden layers with slope 0.01 and biases of −8 sleeps, and
# > gradient descent leaves it at chance. Write `wake(network, x, y)`, which trains it until it has
# > more than 80 % of unseen digits right. Which optimiser does
# > not mind a tiny gradient?

# %%
wake = ...
check.check_wake(wake)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# Adam divides every gradient by its own recent size, so that a step is about as long as the
# learning rate says, however small the gradient. (There are other ways: biases of 0, for one.)
#
# ```python
# import torch
# from torch import nn
# from actlab.exercises import leaky as check
#
# def wake(network, x, y):
#     optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
#     for epoch in range(30):
#         for batch in torch.randperm(len(x)).split(64):
#             optimiser.zero_grad()
#             loss = nn.functional.cross_entropy(
#                 network(x[batch]), y[batch]
#             )
#             loss.backward()
#             optimiser.step()
#
# check.check_wake(wake)
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
# def wake(network, x, y):
#     network.compile(
#         keras.optimizers.Adam(0.01),
#         keras.losses.SparseCategoricalCrossentropy(
#             from_logits=True
#         ),
#     )
#     network.fit(x, y, 64, epochs=30, verbose=0)
#
# check.check_wake(wake)
# ```
#
# </details>
#
# > **Exercise 4.5.** Try "a steep leak beats ReLU" yourself, on what we left out: another slope,
# > depth, length or data set. *First* write a rule: a function of the test errors in per cent of
# > ten or more networks of each kind, in pairs that share a seed. It says "holds" (leaky makes
# > fewer errors), "refuted" (it makes more) or "not shown". *Then* train. The checker tries it on
# > invented errors.

# %%
answer = ...  # (rule, relu, leaky)
check.check_leaky_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import leaky as check
#
# def rule(relu, leaky):
#     fewer = np.subtract(relu, leaky)
#     # Half a 95 % interval; 2.26 belongs to ten pairs (Student's t).
#     reach = 2.26 * fewer.std(ddof=1) / len(fewer) ** 0.5
#     if fewer.mean() > reach:
#         return "holds"
#     return "refuted" if fewer.mean() < -reach else "not shown"
#
# digits = data.load("digits")
# x, x_test = map(torch.tensor, (digits.x_train, digits.x_test))
# y, y_test = map(torch.tensor, (digits.y_train, digits.y_test))
#
# def error(a, seed, depth=2, epochs=4):
#     torch.manual_seed(seed)
#     layers = []
#     for _ in range(depth):
#         layers += [nn.Linear(64, 64), nn.LeakyReLU(a)]
#     network = nn.Sequential(*layers, nn.Linear(64, 10)).float()
#     sgd = torch.optim.SGD(network.parameters(), 0.03, momentum=0.9)
#     for batch in torch.randperm(epochs * len(x)).split(64):
#         sgd.zero_grad()
#         logits = network(x[batch % len(x)])
#         nn.functional.cross_entropy(
#             logits, y[batch % len(x)]
#         ).backward()
#         sgd.step()
#     wrong = network(x_test).argmax(1) != y_test
#     return 100 * wrong.double().mean().item()
#
# leaky = [error(0.5, seed) for seed in range(10)]
# relu = [error(0.0, seed) for seed in range(10)]
# check.check_leaky_rule((rule, relu, leaky))
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
# from actlab import data
# from actlab.exercises import leaky as check
#
# def rule(relu, leaky):
#     fewer = np.subtract(relu, leaky)
#     # Half a 95 % interval; 2.26 belongs to ten pairs (Student's t).
#     reach = 2.26 * fewer.std(ddof=1) / len(fewer) ** 0.5
#     if fewer.mean() > reach:
#         return "holds"
#     return "refuted" if fewer.mean() < -reach else "not shown"
#
# digits = data.load("digits")
#
# def error(a, seed):
#     keras.utils.set_random_seed(seed)
#     network = keras.Sequential([keras.Input((64,))])
#     network.add(keras.layers.Dense(64))
#     network.add(keras.layers.LeakyReLU(negative_slope=a))
#     network.add(keras.layers.Dense(10))
#     network.compile(
#         keras.optimizers.SGD(0.03, momentum=0.9),
#         keras.losses.SparseCategoricalCrossentropy(
#             from_logits=True
#         ),
#     )
#     network.fit(
#         digits.x_train, digits.y_train, 64, epochs=4, verbose=0
#     )
#     said = np.argmax(network(digits.x_test), axis=1)
#     return 100 * np.mean(said != digits.y_test)
#
# leaky = [error(0.5, seed) for seed in range(10)]
# relu = [error(0.0, seed) for seed in range(10)]
# check.check_leaky_rule((rule, relu, leaky))
# ```
#
# </details>
#
# > **Key points.**
# >
# > - A leaky ReLU has another slope in each library. Name it, or a port works, only worse.
# > - `PReLU()` is one slope in PyTorch and one for every pixel in Keras. Ask for one per channel.
# > - Weight decay on the weights makes learned slopes *larger*.
# > - A leaky unit is never dead, but through a stack of sleepers a slope of 0.01 passes no gradient
# >   worth the name.
# > - Compare at the end of training: who starts fastest is not who ends best.

# %%
claims.cheat("leaky")

# %% [markdown]
# **What next.** The next chapter replaces the straight leak by a curve that saturates: ELU.

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
# **34 minutes to read, exercises apart · runs in about 20 s and 1.4 GB on 2 cores · needs: you
# have trained one network before**
#
# ReLU has a reputation for dying. A much-read tutorial finds half of the units in a deep network
# dead before the first training step, and advises another function. We find the same bodies, look
# for the culprit, and then watch who dies in training.
#
# **Questions**
#
# - Why does a network train at all whose every layer throws half of its signal away?
# - When is a unit *dead*, when *dormant*, and when was it *born dead*?
# - Who killed the units of the ten-layer network, and what would have saved them?
# - How many die during training, and do they come back?

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
from itertools import pairwise

import keras
import numpy as np
import torch
from torch import nn

from actlab import claims, data, plots, predict, study
from actlab.exercises import relu as check
from actlab.experiments import dying  # this chapter's experiments

plots.use_style()

# %% [markdown]
# The images are photographs of clothes; without them the chapter runs on small handwritten digits:

# %%
try:
    images = data.load("fashion_mnist", scale="symmetric")
except data.DataError as reason:
    images = data.load("digits", scale="symmetric")
    print("This run uses digits: other numbers.", reason)
many = torch.from_numpy(images.x_train[:20_000].copy())
few, labels = images.x_train[:4096].copy(), images.y_train[:4096]

# %% [markdown]
# ## The scene
#
# Here is the network of the
# [UvA tutorial](https://uvadlc-notebooks.readthedocs.io/en/latest/tutorial_notebooks/tutorial3/Activation_Functions.html):
# ten hidden layers, as PyTorch draws them from the tutorial's own seed. Nobody has trained it.

# %%
WIDTHS = [images.n_features] + 5 * [256] + 5 * [128]
del images  # of which nothing else is needed


def draw(seed):
    torch.manual_seed(seed)
    linear = [nn.Linear(a, b) for a, b in pairwise(WIDTHS)]
    return nn.Sequential(*(m for a in linear for m in (a, nn.ReLU())))


# %% [markdown]
# A unit that gives 0 for *every* input is **dead**. To count them we send twenty thousand
# images through, and after each ReLU ask unit by unit whether anything came out:


# %%
def dead_units(network, x):
    """For every ReLU layer: which of its units are dead."""
    dead = []
    with torch.no_grad():
        for module in network:
            x = module(x)
            if isinstance(module, nn.ReLU):
                dead.append((x == 0).all(dim=0))
    return dead


plots.units(dead_units(draw(42), many), marked="dead").show()

# %% [markdown]
# The tutorial reports nearly the same shares, from a slightly different choice of images. No
# gradient flows to a dead unit's weights, so plain gradient descent cannot move them. A
# **dormant** unit fires, but little ([Sokar and colleagues,
# 2023](https://arxiv.org/abs/2302.12902)); it still learns. And what is dead before training, as
# here, was **born dead**.
#
# ## The suspect
#
# $\mathrm{relu}(x) = \max(0, x)$: what is positive passes, the rest becomes zero. The slope is 1 on
# the right and 0 on the left; at exactly 0, where there is none, both libraries take 0. They differ
# at −0, at NaN and at the tiniest numbers, which never matters here
# ([the list](../book/reference/disagreements.md)).
#
# So every layer throws half of its signal away. Why does such a network train at all? Take four
# numbers, $-2, -1, 1, 2$. Their mean square is $(4 + 1 + 1 + 4)/4 = 2.5$. Behind a ReLU they are
# $0, 0, 1, 2$, with a mean square of $(0 + 0 + 1 + 4)/4 = 1.25$: **half**.
#
# The weights can make up for it. A sum of $n$ numbers, weighted with weights of variance $v$, has
# $n \cdot v$ times their mean square: with $n = 256$ and $v = 1/256$ as much as before, with
# $v = 2/256$ twice as much. He and colleagues ([2015](https://arxiv.org/abs/1502.01852)) drew the
# conclusion: take $v = 2/n$, and each layer gives back what its ReLU took. In NumPy the argument is
# six lines; `gain` is $n \cdot v$:


# %%
def mean_squares(h, gain, seed=0, depth=30, width=256):
    rng, found = np.random.default_rng(seed), []
    for _ in range(depth):
        n = h.shape[1]
        h = h @ rng.normal(0, np.sqrt(gain / n), (n, width))
        h = np.maximum(h, 0)
        found.append(np.mean(h**2))
    return np.array(found)


# %% [markdown]
# > **Predict.** Thirty layers. Draw the weights with variance $1/n$ instead of He's $2/n$. What is
# > left of the mean square in the last layer, compared with He's?
# >
# > - about half
# > - a thousandth
# > - a billionth

# %% tags=["reveal"]
groups = {
    f"variance {gain}/n": np.array(
        [mean_squares(few[:500], gain, seed) for seed in range(20)]
    )
    for gain in (2, 1)
}
two, one = (np.median(runs[:, -1]) for runs in groups.values())
title = f"In layer 30: {two:.1g} with 2/n, {one:.0e} with 1/n"
y = "mean square of the layer's output"
plots.by_layer(groups, title=title, y=y, log=True).show()

# %% tags=["reveal"]
limits = {"a billionth": 1e-7, "a thousandth": 0.1, "about half": 1}
choice = predict.pick(one / two, limits)
predict.reveal(f"{one / two:.0e} of it is left", choice=choice)

# %% [markdown] tags=["reveal"]
# Thirty times a half. With He's factor the signal neither grows nor fades on average, at any depth.
# Keep the picture: *a ReLU network lives or dies by the size of its weights.*

# %% [markdown]
# ## Who killed the ReLU?
#
# Back to the scene. A unit computes $w \cdot h + b$: a weighted sum of what reaches it, plus a
# bias. PyTorch draws weights *and* biases evenly from the same small range, $\pm 1/\sqrt{n}$; for
# $n = 256$ that is $\pm 1/16$. Numbers from it have variance $1/(3n)$, a sixth of He's $2/n$. The
# suspects: the function, the biases, the weights.
#
# To question them one at a time, we draw a network as before and change its numbers. The deep half
# is layers 6 to 10, and the images are the first ten thousand:


# %%
def born_dead(seed, weights=1.0, biases=1.0):
    """Share of dead units in layers 6 to 10."""
    network = draw(seed)
    with torch.no_grad():
        for layer in network[::2]:  # every other one is a ReLU
            layer.weight *= weights
            layer.bias *= biases
    deep = dead_units(network, many[:10_000])[5:]
    return torch.cat(deep).double().mean().item()


before = np.mean([born_dead(seed) for seed in range(5)])
print(f"As drawn, {before:.0%} of the deep units are dead.")

# %% [markdown]
# > **Predict.** Take the very same weights and set the biases to zero. How many of the deep units
# > are dead then?
# >
# > - as many as before
# > - about half of them
# > - nearly none

# %% tags=["reveal"]
unbiased = np.mean([born_dead(s, biases=0) for s in range(5)])
kinds = ("nearly none", "about half of them", "as many as before")
limits = dict(zip(kinds, (before / 4, before * 3 / 4, 1), strict=True))
predict.reveal(
    f"{unbiased:.0%} of the deep units",
    choice=predict.pick(unbiased, limits),
    folklore="as many as before",
)

# %% [markdown] tags=["reveal"]
# So it is not the function: the same function on the same weights leaves most units alive. (The
# folklore is the advice to take another function, which is no cure if ReLU is innocent.)

# %% [markdown]
# > **Predict.** Now the other way round. Keep PyTorch's biases and make the weights $\sqrt{6}$
# > times larger, so that their variance is six times as large: He's. How many are dead then?
# >
# > - as many as before
# > - about half of them
# > - nearly none

# %% tags=["reveal"]
large = 6**0.5
heavy = np.mean([born_dead(s, weights=large) for s in range(5)])
both = np.mean([born_dead(s, large, biases=0) for s in range(5)])
plots.table(
    {
        "dead": ["PyTorch's weights", "He's weights"],
        "PyTorch's biases": [f"{before:.0%}", f"{heavy:.0%}"],
        "no biases": [f"{unbiased:.0%}", f"{both:.0%}"],
    }
)

# %% tags=["reveal"]
choice = predict.pick(heavy, limits)
predict.reveal(f"{heavy:.0%} of the deep units", choice=choice)

# %% [markdown] tags=["reveal"]
# Either change saves most of the units. Neither the biases nor the weights are the murderer: they
# did it **together**. (Without biases the size of the weights cannot matter at all: it moves no sum
# across zero. So the last column has one number twice.)

# %% [markdown]
# How can a bias from so small a range be so deadly? The next picture is from a study with twenty
# networks and all images. It also counts the units that are on for *every* image:

# %%
table = study.load("born_dead")
table = table[table.root == 0]
start = {"activation": "relu", "init": "PyTorch default"}
fates = {"on for no image (dead)": "dead", "always on": "always_on"}
coins = {
    name: 100 * dying.per_layer(table, column, **start)
    for name, column in fates.items()
}
off, on = (rows[:, -1].mean() for rows in coins.values())
title = f"Layer 10: {off:.0f} % dead, {on:.0f} % always on"
plots.by_layer(coins, title=title, y="units (%)").show()

# %% [markdown]
# Here is the deed. PyTorch's weights have a sixth of the variance that He's bookkeeping asks for.
# So in every layer the part of the sum that *differs from image to image* shrinks. The biases
# do not shrink: they are drawn afresh in each layer. After a few layers the sum is a constant with
# a little noise on it. If the constant is negative, the unit is off for every image: dead. If it is
# positive, the unit is on for every image, and there a ReLU does nothing at all. Heads or tails.
#
# Nobody counted the other half. Units that are *always on* are as useless: in the last layers
# nearly every unit ignores the picture.
#
# The tutorial's advice for very deep networks is Swish, whose output is never exactly 0, so that no
# unit is ever "dead". How much of the picture reaches the last layer with it?

# %%
claims.trial("relu-kills-itself", "relu-swish-rescues")

# %% [markdown]
# Swish passes on less than ReLU. The measure was blind: it asked whether an output is exactly zero,
# when the question was whether it still depends on the input.
#
# **What the tutorial should have concluded:** not "use Swish", but "PyTorch's default start is made
# for shallow networks: scale the weights for the depth, or take out the biases". One line does it,
# `nn.init.kaiming_normal_(w, nonlinearity="relu")`, and in Keras
# `kernel_initializer="he_normal"`, whose biases are zero anyway.
#
# ## Train one, and count
#
# So much for birth. What kills during training? Here is a network small enough to watch. In Keras
# the outputs of its hidden layers make a second model, and the count is the same question as
# above:

# %%
keras.utils.set_random_seed(0)
he = {"activation": "relu", "kernel_initializer": "he_normal"}
dense = [keras.layers.Dense(64, **he) for _ in range(3)]
last = keras.layers.Dense(10)
model = keras.Sequential([keras.Input(few.shape[1:]), *dense, last])
start = [torch.from_numpy(np.array(w)) for w in model.get_weights()]
hidden = keras.Model(model.inputs, [d.output for d in dense])


def dead_in_keras():
    outputs = hidden.predict(few, verbose=0)
    return [int((h == 0).all(axis=0).sum()) for h in outputs]


# %% [markdown]
# Now train it. Change the rate, the optimiser or the number of epochs, and run the cell above and
# this one again:

# %%
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(0.1), entropy)
print("dead in each layer, before:", dead_in_keras())
options = {"batch_size": 128, "epochs": 5, "shuffle": False}
fit = model.fit(few, labels, verbose=0, **options)
keras_dead = dead_in_keras()
print("and after training:", keras_dead)

# %% [markdown]
# The same in PyTorch, from the same start. Keras stores a layer's weights as (inputs, outputs),
# PyTorch as (outputs, inputs), so each matrix is turned over:

# %%
sizes = [few.shape[1], 64, 64, 64, 10]
linear = [nn.Linear(a, b) for a, b in pairwise(sizes)]
with torch.no_grad():
    for layer, w, b in zip(
        linear, start[::2], start[1::2], strict=True
    ):
        layer.weight.copy_(w.T)
        layer.bias.copy_(b)
deep = [m for a in linear[:3] for m in (a, nn.ReLU())]
twin = nn.Sequential(*deep, linear[3])

# %%
optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
x, y = torch.from_numpy(few), torch.from_numpy(labels)
losses = []
for _ in range(5):
    for xb, yb in zip(x.split(128), y.split(128), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(twin(xb), yb)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
torch_dead = [int(units.sum()) for units in dead_units(twin, x)]
assert torch_dead == keras_dead
means = np.reshape(losses, (5, -1)).mean(axis=1)
assert np.allclose(means, fit.history["loss"], rtol=1e-3)
print("loss by epoch, in both:", *(f"{loss:.2f}" for loss in means))

# %% [markdown]
# Both count the same dead, and their losses agree to a tenth of a per cent. While the loss falls
# hardly a unit dies: so far the reputation is not deserved.
#
# ## Who dies in training
#
# One network proves nothing. A study trains thousands from He's start: three data sets, three
# optimisers, five learning rates each, twenty seeds.
#
# > **Predict.** On the digits, each optimiser at the learning rate with its best validation
# > accuracy: how many of the ReLUs are dead at the end, with the optimiser that kills most?
# >
# > - less than 5 %
# > - 5 to 20 %
# > - the "40 %" of lecture notes, or more

# %% tags=["reveal"]
table = study.load("relu_training")
table = table[table.root == 0]
dead = dying.dead_by_rate(table, "digits")
best = {name: dying.tuned(table, "digits", name) for name in dead}
worst = max(dead[name][best[name]].mean for name in dead)
title = f"At its tuned rate no optimiser kills over {worst:.0f} %"
axes = {"x": "learning rate", "y": "dead hidden units (%)", "log": "x"}
rings = ("tuned rate", best)
plots.lines(dead, title=title, rings=rings, **axes).show()

# %% tags=["reveal"]
kinds = (
    "less than 5 %",
    "5 to 20 %",
    'the "40 %" of lecture notes, or more',
)
ends = dict(zip(kinds, (5, 20, 100), strict=True))
choice = predict.pick(worst, ends)
predict.reveal(f"{worst:.0f} %", choice=choice, folklore=kinds[2])

# %% [markdown] tags=["reveal"]
# Look at the rings: that is where you would train, and there few die. The folklore lives to the
# right of them, with momentum and with Adam. (On the two other data sets fewer die still.)

# %% [markdown]
# With momentum, at the rate that kills most, nothing is learned any more: the dead are a symptom.
# Adam is the surprise. At its largest rate it kills as many as the folklore says, and on digits the
# network is nearly as good as at its best (exercise 2.4 builds one like it). On MNIST-1D and
# Fashion-MNIST it is clearly worse, though such a rate is bad for living units, too.
#
# > **Predict.** A dead unit gets no gradient. Can it come back? Take plain SGD without momentum: in
# > which hidden layers do units fire at the end that were dead at some look before?
# >
# > - in none
# > - in all but the first
# > - in all of them

# %% tags=["reveal"]
sgd = dying.final(table, optimiser="SGD")
some, first = (sgd.revived > 0).mean(), (sgd.first_revived > 0).mean()
where = "in all of them" if first else "in all but the first"
where = where if some else "in none"
said = f"{some:.0%} of the networks have some, {first:.0%} in layer 1"
predict.reveal(said, choice=where, folklore="in none")

# %% [markdown] tags=["reveal"]
# A dead unit's own weights do not move, but its *inputs* do: they are the outputs of the layer
# below, which still learns. In the first layer the inputs are the data, which do not move, and
# there, under plain SGD, the dead stay dead. (Momentum and Adam go on for a while where there is no
# gradient any more, so with them even those may return.)

# %%
claims.trial("relu-half-die-large-lr", "relu-dead-stops-learning")

# %% [markdown]
# The [ledger](../book/reference/claims.md) has the other sentences about ReLU, among them that
# its output is always positive and that it is the fastest.
#
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
# pairs = [(nn.Linear(64, 64), nn.ReLU()) for _ in range(10)]
# network = nn.Sequential(
#     *(module for pair in pairs for module in pair)
# )
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
# he = {"activation": "relu", "kernel_initializer": "he_normal"}
# hidden = [keras.layers.Dense(64, **he) for _ in range(10)]
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
#     return keras.activations.relu(
#         x, negative_slope=0.1, max_value=6, threshold=1
#     )
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
# > **Exercise 2.4.** Is a network with dead units a bad network? Train one on the handwritten
# > digits of which at least a quarter of the hidden ReLUs is dead at the end, and which is
# > nevertheless right on nine test images of ten. In PyTorch or in Keras. (The picture in "Who dies
# > in training" says where to look.)

# %%
digits = data.load("digits")
survivor = ...
check.check_dead_but_right(survivor, digits)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from itertools import pairwise
#
# import torch
# from torch import nn
#
# from actlab import data
# from actlab.exercises import relu as check
#
# digits = data.load("digits")
# x, y = (
#     torch.from_numpy(digits.x_train),
#     torch.from_numpy(digits.y_train),
# )
# torch.manual_seed(0)
# linear = [nn.Linear(a, b) for a, b in pairwise([64] + 5 * [64])]
# for layer in linear:
#     nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
#     nn.init.zeros_(layer.bias)
# hidden = [
#     module for layer in linear for module in (layer, nn.ReLU())
# ]
# survivor = nn.Sequential(*hidden, nn.Linear(64, 10))
# optimizer = torch.optim.Adam(survivor.parameters(), lr=0.03)
# for _ in range(20):
#     for rows in torch.randperm(len(x)).split(128):
#         optimizer.zero_grad()
#         logits = survivor(x[rows])
#         nn.functional.cross_entropy(logits, y[rows]).backward()
#         optimizer.step()
#
# check.check_dead_but_right(survivor, digits)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
#
# from actlab import data
# from actlab.exercises import relu as check
#
# digits = data.load("digits")
# keras.utils.set_random_seed(0)
# he = {"activation": "relu", "kernel_initializer": "he_normal"}
# hidden = [keras.layers.Dense(64, **he) for _ in range(5)]
# survivor = keras.Sequential(
#     [keras.Input((64,)), *hidden, keras.layers.Dense(10)]
# )
# survivor.compile(
#     keras.optimizers.Adam(0.03),
#     keras.losses.SparseCategoricalCrossentropy(from_logits=True),
# )
# survivor.fit(
#     digits.x_train,
#     digits.y_train,
#     batch_size=128,
#     epochs=20,
#     verbose=0,
# )
#
# check.check_dead_but_right(survivor, digits)
# ```
#
# </details>
#
# > **Exercise 2.5.** Try the case again, as judge. The claim is "It is ReLU, the function, that
# > kills those units". Write your own rule: a function of two arrays, the dead shares of some
# > networks as PyTorch draws them and, in the same order, of the same networks after a change that
# > leaves the function alone. It returns `"holds"`, `"refuted"` or `"not shown"`. Then change the
# > chapter's experiment (half the depth? digits?), measure with `born_dead`, and decide.

# %%
rule = ...
check.check_own_rule(rule)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch, half the depth)</summary>
#
# ```python
# from itertools import pairwise
#
# import numpy as np
# import torch
# from torch import nn
#
# from actlab import data
# from actlab.exercises import relu as check
#
# x = torch.from_numpy(data.load("digits", scale="symmetric").x_train)
#
# def born_dead(seed, biases=1.0):
#     torch.manual_seed(seed)
#     h = x
#     for a, b in pairwise([64] + 5 * [128]):
#         layer = nn.Linear(a, b)
#         h = torch.relu(h @ layer.weight.T + biases * layer.bias)
#     return (h == 0).all(0).double().mean().item()
#
# def rule(before, after):
#     spared = 1 - after / before  # of each network's dead
#     error = 2 * spared.std(ddof=1) / np.sqrt(len(spared))
#     if spared.mean() + error < 0.5:
#         return "holds"
#     return "refuted" if spared.mean() - error > 0.5 else "not shown"
#
# before = np.array([born_dead(seed) for seed in range(10)])
# after = np.array([born_dead(seed, biases=0) for seed in range(10)])
# print(rule(before, after))
# check.check_own_rule(rule)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras, with PyTorch's start)</summary>
#
# ```python
# import keras
# import numpy as np
#
# from actlab import data
# from actlab.exercises import relu as check
#
# x = data.load("digits", scale="symmetric").x_train
#
# def born_dead(seed, biases=1.0):
#     keras.utils.set_random_seed(seed)
#     h = x
#     for _ in range(8):
#         end = h.shape[1] ** -0.5
#         drawn = keras.initializers.RandomUniform(-end, end)
#         layer = keras.layers.Dense(
#             128,
#             "relu",
#             kernel_initializer=drawn,
#             bias_initializer=drawn,
#         )
#         layer.build(h.shape)
#         layer.bias.assign(layer.bias * biases)
#         h = np.asarray(layer(h))
#     return (h == 0).all(axis=0).mean()
#
# def rule(before, after):
#     spared = np.sort(1 - after / before)  # of each network's dead
#     if spared[-1] < 0.5:  # in no network half of them
#         return "holds"
#     return "refuted" if spared[0] > 0.5 else "not shown"
#
# before = np.array([born_dead(seed) for seed in range(5)])
# after = np.array([born_dead(seed, biases=0) for seed in range(5)])
# print(rule(before, after))
# check.check_own_rule(rule)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Dead means zero on *every* input. Count over the whole training set.
# > - A ReLU network trains because each layer's halving is undone by weights of variance $2/n$.
# > - The famous half that is born dead falls to two accomplices: weights that are too small for the
# >   depth let the signal fade, and random biases toss a coin for each unit. Without either of
# >   them few die. As many units again are always on, and no more use.
# > - Swish in the same place looks healthy and is more blind. What matters is not whether a unit
# >   outputs zero but whether its layer still depends on the input.
# > - In training few die at a rate at which you would train.

# %%
claims.cheat("relu")

# %% [markdown]
# **What next.** Some functions do not switch units off but wear the gradient down: what saturation
# does is the [next chapter](03_sigmoid_tanh.ipynb).

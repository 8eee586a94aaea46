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
# # GELU, SiLU, Mish: every number its own gate
#
# **35 minutes to read, exercises apart · runs in about 30 s and 1.1 GB on 2 cores · needs: SELU**
#
# Nearly every large language model has one of these functions inside. Two things about them that
# nobody looks at twice:
#
# - Start GELU, Swish and Mish as ReLU, with He's weights: so says the table of a popular book.
# - `keras.activations.gelu(x)` and `keras.ops.gelu(x)` are one library's GELU under two names.
#
# The first makes the signal of a deep stack fade away, and the two of the second do not agree.
#
# **Questions**
#
# - What does it do to a number to be its own gate?
# - GELU exactly, or by a tanh: who does which, and is it seen after training?
# - Which start keeps the signal of a deep GELU stack?
# - Is the dip below zero good for anything? Can such a unit die? Who beats ReLU in a fair trial?

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
from scipy.optimize import brentq
from scipy.stats import norm
from torch import nn
from torch.nn import functional

from actlab import claims, data, plots, predict, stats, study, theory
from actlab.exercises import self_gated as check

plots.use_style()

# %% [markdown]
# ## A gate that looks at what it lets through
#
# ReLU is a gate: $x$ times 1, or $x$ times 0. What if it opened gradually?
#
# Hendrycks and Gimpel ([2016](https://arxiv.org/abs/1606.08415)) let chance decide. Draw a rival
# from the bell curve. If $x$ is larger, it passes, else it becomes 0:

# %%
rivals = np.random.default_rng(0).standard_normal(1_000_000)
for number in (3.0, 1.0, -1.0):
    wins = np.mean(number > rivals)
    print(f"{number:g} wins {wins:.0%}: on average {wins * number:.2f}")

# %% [markdown]
# That average is **GELU**: $x$ times the probability that it wins, called $\Phi(x)$; $\Phi(1)$ is
# 0.84. Other gates make other functions: the sigmoid **SiLU** (from the same paper; [Ramachandran
# and colleagues, 2017](https://arxiv.org/abs/1710.05941), found it again and call it *Swish*), the
# tanh of a softplus **Mish** ([Misra, 2019](https://arxiv.org/abs/1908.08681)).

# %%
x = np.linspace(-4, 4, 801)
gates = {"relu": x > 0, "gelu": norm.cdf(x)}
gates["silu"] = 1 / (1 + np.exp(-x))
gates["mish"] = np.tanh(np.log1p(np.exp(x)))
for name, gate in gates.items():
    in_keras = getattr(keras.activations, name)(x)
    assert np.allclose(x * gate, in_keras)
    in_torch = getattr(functional, name)(torch.from_numpy(x))
    assert np.allclose(x * gate, in_torch)
plots.curves(list(gates), title="Left of 0 they dip, and return").show()

# %% [markdown]
# Far out on the left the gate closes faster than the number grows, so they come back to 0: that is
# the *dip*. On the right they are nearly ReLU. Keep one thing for later: at 0 the gate is half open
# (Mish's 60 %), so a *small* number is cut to about half, whatever its sign.
#
# ## Exactly, or by tanh
#
# In 2016 $\Phi$ was slow to compute, and the paper gives a shortcut. (Its author [later
# wrote](https://github.com/pytorch/pytorch/issues/39853) that this was the only reason for it.)


# %%
def by_tanh(x):
    inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    return x / 2 * (1 + np.tanh(inner))


wide = np.linspace(0, 7, 7_001)  # left of 0 it is the same
gap = np.abs(by_tanh(wide) - wide * norm.cdf(wide))
print(f"at most {gap.max():.5f} apart, {wide[gap.argmax()]:.1f} from 0")

# %% [markdown]
# Both have the name GELU, and what you get depends on whom you ask.
#
# > **Predict.** Four ways to ask for GELU without saying which. How many of them give the
# > approximation?
# >
# > - none
# > - one
# > - two
# > - all four

# %% tags=["reveal"]
two = np.array([[-2.0]])
answers = {
    "nn.GELU()": nn.GELU()(torch.from_numpy(two)),
    'Dense(activation="gelu")': keras.activations.get("gelu")(two),
    "keras.activations.gelu": keras.activations.gelu(two),
    "keras.ops.gelu": keras.ops.gelu(two),
}
values = [float(answer[0, 0]) for answer in answers.values()]
for asked, value in zip(answers, values, strict=True):
    print(f"{asked}: {value:.5f}")

count = int(np.isclose(values, by_tanh(-2.0)).sum())
limits = {"none": 0, "one": 1, "two": 2, "all four": 4}
choice = predict.pick(count, limits)
predict.reveal(f"{count} of 4", choice=choice, folklore="none")

# %% [markdown] tags=["reveal"]
# One library, two defaults: `keras.ops.gelu` has `approximate=True`. (So has JAX's own
# `jax.nn.gelu`, and GPT-2's weights were trained with it.) Write `approximate=` whenever you write
# GELU.

# %% [markdown]
# Does it matter? Train a network with the exact one, then exchange its GELUs. The weights have
# variance $2/n$, He's.

# %%
digits = data.load("digits")
pixels = torch.from_numpy(digits.x_train).double()
labels = torch.from_numpy(digits.y_train)
unseen = torch.from_numpy(digits.x_test).double()


# %%
def trained(activation, seed=0, epochs=15):
    torch.manual_seed(seed)
    layers = []
    for _ in range(3):
        linear = nn.Linear(64, 64, dtype=torch.float64)
        nn.init.normal_(linear.weight, std=(2 / 64) ** 0.5)
        nn.init.zeros_(linear.bias)
        layers += [linear, activation]
    model = nn.Sequential(*layers, nn.Linear(64, 10).double())
    optimiser = torch.optim.SGD(model.parameters(), 0.03, 0.9)
    for _ in range(epochs):
        for rows in torch.randperm(len(pixels)).split(64):
            logits = model(pixels[rows])
            optimiser.zero_grad()
            functional.cross_entropy(logits, labels[rows]).backward()
            optimiser.step()
    return model


# %% [markdown]
# > **Predict.** Ten such networks see 359 new digits each, once with the GELU they were trained
# > with and once with the approximation. How many of the 3,590 answers change?
# >
# > - at most three
# > - some twenty
# > - over a hundred

# %% tags=["reveal"]
changed, moved = 0, 0.0
for seed in range(10):
    gelu = nn.GELU()  # one module, in every layer
    model = trained(gelu, seed)
    exact = model(unseen)
    gelu.approximate = "tanh"
    other = model(unseen)
    changed += (exact.argmax(1) != other.argmax(1)).sum().item()
    moved = max(moved, (exact - other).abs().max().item())

ends = {"at most three": 3, "some twenty": 60, "over a hundred": 3600}
words = f"{changed}, though logits moved by up to {moved:.1g}"
predict.reveal(words, choice=predict.pick(changed, ends))

# %% [markdown] tags=["reveal"]
# A port with the wrong GELU passes every test of accuracy and fails every test of *equality*. If
# your ported network is off by $10^{-3}$ where $10^{-5}$ is expected, look at the GELU first.

# %% [markdown]
# Networks *trained* with one or the other end alike, as far as the study can see. Rounding to
# sixteen bits does not hide the difference ([three trials in the
# ledger](../book/reference/claims.md)).
#
# ## A start for thirty layers
#
# Now to the book's table. He's weights, variance $2/n$, give back the half of the mean square that
# ReLU takes. How much does GELU take? For a normal number of a given size (root mean square) an
# integral says which share of its mean square passes:

# %%
functions = {
    "relu": lambda z: np.maximum(z, 0),
    "gelu": lambda z: z * norm.cdf(z),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
}


def passes(f, size):
    return theory.normal_mean(lambda z: f(z) ** 2, size**2) / size**2


table = {"function": list(functions)}
for size in (0.1, 1, 10):
    column = [float(passes(f, size)) for f in functions.values()]
    table[f"size {size}"] = column
plots.table(table, 2)

# %% [markdown]
# ReLU takes half of everything. The self-gated take half of what is large and up to *three
# quarters* of what is small: where the gate is half open, $0.5 \cdot 0.5 = 0.25$ of the mean square
# is left. And He's weights give back a factor of 2.
#
# > **Predict.** Thirty layers of GELU from He's start. What is left of the signal's size, from the
# > first layer to the last?
# >
# > - nearly all
# > - about a half
# > - less than a tenth


# %% tags=["reveal"]
def stack(f, gain, seed=0, depth=30, width=128):
    rng = np.random.default_rng(seed)
    h, sizes = digits.x_train[:100].astype(float), []
    for _ in range(depth):
        n = h.shape[1]
        h = f(h @ rng.normal(0, gain / np.sqrt(n), (n, width)))
        sizes.append(np.sqrt(np.mean(h**2)))
    return np.array(sizes)


def stacks(name, gain):
    f = functions[name]
    return np.array([stack(f, gain, seed) for seed in range(20)])


# %% tags=["reveal"]
fading = stacks("gelu", 2**0.5)
left = np.median(fading[:, -1] / fading[:, 0])
ends = {"less than a tenth": 0.1, "about a half": 0.75, "nearly all": 9}
choice = predict.pick(left, ends)
predict.reveal(f"{left:.0%}", choice=choice, folklore="nearly all")

# %% [markdown]
# The smaller the signal, the less of it passes: it fades ever faster. So give GELU a start of its
# own. As for SELU, we wish that size 1 comes out as size 1, and look for the *gain* that does it
# (the root of $n$ times the weights' variance; He's is $\sqrt{2} = 1.414$):


# %%
def own_gain(f):
    return brentq(lambda g: g**2 * passes(f, g) - 1, 0.5, 3)


gains = {name: own_gain(f) for name, f in functions.items()}
print({name: round(gain, 3) for name, gain in gains.items()})
known = theory.layers("gelu", theory.Start(gains["gelu"] ** 2), 30)
runs = stacks("gelu", gains["gelu"])
expected = np.hypot(known.mean, known.sd)
look = {"color": plots.colour("gelu"), "y": "size", "ratio": True}
plots.ways(runs, expected, name="GELU, own start", **look).show()

# %% [markdown]
# Each line is a network, dashed is theory. Some fade and some grow: a pencil on its tip. SELU pulls
# back a signal that is too small or too large. ReLU does not care. The self-gated push it *away*:
# what is a little too small loses more in the next layer, what is a little too large loses less.
# **No gain keeps the signal of a deep stack of them.**

# %%
claims.trial("gelu-he-start")

# %% [markdown]
# So somebody has to hold the pencil, and every transformer does. A *norm* in front of the function
# gives each example the same size again, in every layer, whatever the gain:


# %%
def held(z):
    size = np.sqrt(np.mean(z**2, axis=1, keepdims=True))
    return functions["gelu"](z / size)


for gain in (0.1, 2**0.5, 10):
    sizes = stack(held, gain)
    print(f"gain {gain:.3g}: from {sizes[0]:.2f} to {sizes[-1]:.2f}")

# %% [markdown]
# And without a norm, is a faded signal lost? The study trains sixteen layers, each arm at its own
# best rate, until nothing improves for twenty epochs. Test accuracy (%), early, later, and then:

# %%
contest = study.load("contest_self_gated")
times = {"accuracy_1": "early", "accuracy_4": "later"}
times["accuracy"] = "end"
deep = contest[(contest.depth == 16) & (contest.arm != "SiLU")]
means = 100 * deep.groupby(["data", "arm"])[list(times)].mean()
plots.table(means.rename(columns=times).reset_index(), 3)

# %% [markdown]
# On the digits He's start is behind *early*, and at the end nobody can tell. A signal that is small
# is not gone: training lifts it within some epochs. The start costs time. (In the ledger: this
# trial, and whether smooth functions [go deeper](https://arxiv.org/abs/1902.06853).)
#
# ## Is the dip good for anything?
#
# The paper on Swish points to the bump as what sets it apart. We need a GELU without it, and
# otherwise the same. Two twins: left of the lowest point one is level, the other goes on falling,
# with GELU's slope turned over.

# %%
z = torch.linspace(-6, 3, 9001)
low = z[functional.gelu(z).argmin()]
y = functional.gelu(z)
flat = functional.gelu(z.clamp(min=low))
folded = torch.where(z < low, 2 * y.min() - y, y)

ax = plots.figure()[1]
ax.plot(z, y, color=plots.colour("gelu"))
ax.plot(z, flat, ":", z, folded, "--", color="dimgrey")
ax.legend(["GELU", "flat tail", "folded tail"])
share = norm.cdf(low.item() / gains["gelu"])
title = f"At the start {share:.0%} of the inputs see a difference"
plots.label(ax, title=title, x="input", y="output")
plots.show(ax.figure, f"GELU and two twins that never rise. {title}.")

# %%
claims.trial("gelu-dip")

# %% [markdown]
# Whatever these functions are good at, it is not shown to be the bump, nor that it does nothing.
#
# ## Can they die?
#
# A dead ReLU gives 0 for every input and gets no gradient. GELU is never exactly 0 left of 0, says
# the formula. But a network computes in float32.
#
# > **Predict.** From where on, to the left, is PyTorch's GELU in float32 *exactly* 0?
# >
# > - from about −5
# > - from about −40
# > - nowhere

# %% tags=["reveal"]
grid = np.linspace(-120, -1, 240_001, dtype=np.float32)
outputs = {
    "PyTorch's GELU": functional.gelu(torch.from_numpy(grid)),
    "Keras's GELU": keras.activations.gelu(grid),
    "PyTorch's SiLU": functional.silu(torch.from_numpy(grid)),
}
zeros = [int(-grid[np.asarray(y) == 0].max()) for y in outputs.values()]
for name, first in zip(outputs, zeros, strict=True):
    print(f"{name}: exactly 0 beyond −{first}")

ends = {"from about −5": 10, "from about −40": 60, "nowhere": 999}
choice = predict.pick(zeros[0], ends)
predict.reveal(f"beyond −{zeros[0]}", choice=choice, folklore="nowhere")

# %% [markdown] tags=["reveal"]
# PyTorch adds 1 to the error function, which is −1 by then, to the last digit; Keras computes the
# tail by itself. Out there the slope, too, is 0 or as good as: a GELU unit *can* die.

# %% [markdown]
# We count with a tolerance: a unit is **silent** if its output stays within 0.001 of 0 for
# every training digit. Five layers from He's start, forty networks at each rate:

# %%
silent = study.load("self_gated_silent")
groups, looks = {}, {}
for name, rows in silent[silent.lr < 0.3].groupby("activation"):
    looks[name] = plots.line_style(name)
    groups[name] = {
        rate: stats.mean_interval(100 * some.silent)
        for rate, some in rows.groupby("lr")
    }
words = {"x": "learning rate", "y": "silent units (%)", "log": "x"}
plots.lines(groups, styles=looks, **words).show()

# %%
claims.trial("self-gated-no-dead")

# %% [markdown]
# It is true where you would train: hardly a GELU or SiLU unit falls silent, while nearly every ReLU
# network has dead ones. At the largest rate (not drawn) all three kinds collapse, and the gate
# saves nobody.
#
# ## A fair trial
#
# Four layers: each function with a start that suits it and its own best rate, five splits with four
# seeds each, to the plateau; once without a norm, once with layer norm.

# %%
claims.trial("gelu-beats-relu")

# %% [markdown]
# All four leads are above 0 and none beyond chance. *Swish* does end ahead of ReLU on one data set
# without a norm; with layer norm that lead is gone. *Mish* is not shown to be ahead of Swish.
# *Squared ReLU* ([So and colleagues, 2021](https://arxiv.org/abs/2109.08668)) stands on the
# sharpest tip: twice the input is four times the output, and after four layers 65,536 times.
# Without a norm it hardly trains; [the ledger](../book/reference/claims.md) has its trial behind
# one.
#
# The norm, then the gate, in Keras. Change the depth, the rate, or take the norm out.

# %%
keras.utils.set_random_seed(0)
keras.config.set_floatx("float64")
model = keras.Sequential([keras.Input((64,))])
for _ in range(8):
    model.add(keras.layers.Dense(64))
    model.add(keras.layers.LayerNormalization())
    model.add(keras.layers.Activation("gelu"))
model.add(keras.layers.Dense(10))
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(0.01, momentum=0.9), entropy)
model.fit(digits.x_train, digits.y_train, 64, epochs=12, verbose=0)
keras.config.set_floatx("float32")
right = np.argmax(model(digits.x_test), 1) == digits.y_test
print(f"8 layers deep: {right.mean():.0%} of new digits are right")

# %% [markdown]
# Should you take them? With weights that others trained, take *their* GELU. For a small network of
# your own ReLU is as good as far as these trials can see.
#
# ## Exercises
#
# > **Exercise 7.1.** Write `gain_for(f)`: for any function `f` of NumPy arrays the gain with which
# > a normal signal of size 1 comes out of a layer with size 1. Then ask it for squared ReLU.

# %%
gain_for = ...
check.check_own_gain(gain_for)

# %% [markdown]
# <details>
# <summary>Solution (NumPy and SciPy, whichever framework you use)</summary>
#
# ```python
# import numpy as np
# from scipy.optimize import brentq
# from actlab import theory
# from actlab.exercises import self_gated as check
#
# def gain_for(f):
#     def excess(gain):
#         return theory.normal_mean(lambda z: f(gain * z) ** 2) - 1
#
#     return brentq(excess, 0.1, 10)
#
# print(gain_for(lambda z: np.maximum(z, 0) ** 2))
# check.check_own_gain(gain_for)
# ```
#
# </details>
#
# <details>
# <summary>Solution (NumPy, by drawing)</summary>
#
# ```python
# import numpy as np
# from actlab.exercises import self_gated as check
#
# z = np.random.default_rng(0).standard_normal(400_000)
#
# def gain_for(f):
#     low, high = 0.1, 10
#     for _ in range(30):
#         gain = (low + high) / 2
#         if np.mean(f(gain * z) ** 2) < 1:
#             low = gain
#         else:
#             high = gain
#     return gain
#
# check.check_own_gain(gain_for)
# ```
#
# </details>
#
# > **Exercise 7.2.** A checkpoint came without its code; its activation `f` takes float32 arrays.
# > Three GELUs are about: `"exact"`, `"tanh"`, and `"sigmoid"` ($x\,\sigma(1.702\,x)$, which CLIP's
# > weights were trained with). Write `which(f)`, whatever library rounded it.

# %%
which = ...
check.check_which_gelu(which)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch.nn.functional import gelu
# from actlab.exercises import self_gated as check
#
# def which(f):
#     x = torch.linspace(-4, 4, 801)
#     candidates = {
#         "exact": gelu(x),
#         "tanh": gelu(x, approximate="tanh"),
#         "sigmoid": x * torch.sigmoid(1.702 * x),
#     }
#     found = torch.from_numpy(np.asarray(f(x.numpy())))
#     return min(
#         candidates,
#         key=lambda name: (candidates[name] - found).abs().max(),
#     )
#
# check.check_which_gelu(which)
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
# from actlab.exercises import self_gated as check
#
# def which(f):
#     x = np.array([-3, -2, 2, 3], np.float32)
#     candidates = {
#         "exact": keras.ops.gelu(x, approximate=False),
#         "tanh": keras.ops.gelu(x, approximate=True),
#         "sigmoid": x * keras.ops.sigmoid(1.702 * x),
#     }
#     gaps = {
#         name: np.abs(np.asarray(values) - f(x)).sum()
#         for name, values in candidates.items()
#     }
#     return min(gaps, key=gaps.get)
#
# check.check_which_gelu(which)
# ```
#
# </details>
#
# > **Exercise 7.3.** Train a network with eight hidden layers of GELU on the digits, without batch
# > norm, until it is right about 93 % of digits that it has never seen.

# %%
deep_network = ...
check.check_deep_gelu(deep_network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import self_gated as check
#
# torch.manual_seed(0)
# digits = data.load("digits")
# x = torch.tensor(digits.x_train, dtype=torch.float32)
# y = torch.tensor(digits.y_train)
# layers = []
# for n in [64] * 8:
#     linear = nn.Linear(n, 64)
#     nn.init.normal_(linear.weight, std=1.468 / n**0.5)
#     nn.init.zeros_(linear.bias)
#     layers += [linear, nn.GELU()]
# deep_network = nn.Sequential(*layers, nn.Linear(64, 10))
# optimiser = torch.optim.SGD(
#     deep_network.parameters(), lr=0.01, momentum=0.9
# )
# for epoch in range(20):
#     for rows in torch.randperm(len(x)).split(64):
#         loss = nn.functional.cross_entropy(
#             deep_network(x[rows]), y[rows]
#         )
#         optimiser.zero_grad()
#         loss.backward()
#         optimiser.step()
#
# check.check_deep_gelu(deep_network)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab import data
# from actlab.exercises import self_gated as check
#
# keras.utils.set_random_seed(0)
# digits = data.load("digits")
# layers = []
# for _ in range(8):
#     layers += [
#         keras.layers.Dense(64),
#         keras.layers.LayerNormalization(),
#         keras.layers.Activation("gelu"),
#     ]
# deep_network = keras.Sequential(
#     [keras.Input((64,)), *layers, keras.layers.Dense(10)]
# )
# deep_network.compile(
#     optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
#     loss=keras.losses.SparseCategoricalCrossentropy(
#         from_logits=True
#     ),
# )
# deep_network.fit(
#     digits.x_train,
#     digits.y_train,
#     batch_size=64,
#     epochs=20,
#     verbose=0,
# )
#
# check.check_deep_gelu(deep_network)
# ```
#
# </details>
#
# > **Exercise 7.4.** Try the dip again, as judge. Take SiLU or Mish, whose dips are larger, build a
# > twin that does not rise left of its lowest point, and train at least ten networks of each kind
# > from the same starts. *Before* you train, write a rule: a function of the test errors of twins
# > and originals (an array each, one number for each seed) that says "holds" (the dip makes the
# > error smaller), "refuted" or "not shown".

# %%
answer = ...  # (rule, twin, dip)
check.check_dip_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch import nn
# from torch.nn import functional
# from actlab import data, stats
# from actlab.exercises import self_gated as check
#
# def rule(twin, dip):
#     saved = stats.mean_interval(twin - dip)  # 95 %, paired by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# z = torch.linspace(-4, 0, 4001)
# low = z[functional.silu(z).argmin()]
#
# class Twin(nn.Module):
#     def forward(self, z):
#         return functional.silu(z.clamp(min=low))
#
# digits = data.load("digits")
# x, unseen = (
#     torch.tensor(part, dtype=torch.float32)
#     for part in (digits.x_train, digits.x_test)
# )
# y = torch.tensor(digits.y_train)
#
# def error(activation, seed):
#     torch.manual_seed(seed)
#     layers = []
#     for n in [64] * 3:
#         linear = nn.Linear(n, 64)
#         nn.init.normal_(linear.weight, std=1.559 / n**0.5)
#         nn.init.zeros_(linear.bias)
#         layers += [linear, activation]
#     network = nn.Sequential(*layers, nn.Linear(64, 10))
#     optimiser = torch.optim.SGD(
#         network.parameters(), lr=0.03, momentum=0.9
#     )
#     for epoch in range(10):
#         for rows in torch.randperm(len(x)).split(64):
#             loss = functional.cross_entropy(
#                 network(x[rows]), y[rows]
#             )
#             optimiser.zero_grad()
#             loss.backward()
#             optimiser.step()
#     said = network(unseen).argmax(1).numpy()
#     return 100 * np.mean(said != digits.y_test)
#
# twin, dip = (
#     np.array([error(kind, seed) for seed in range(10)])
#     for kind in (Twin(), nn.SiLU())
# )
#
# answer = (rule, twin, dip)
# check.check_dip_rule(answer)
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
# from actlab import data, stats
# from actlab.exercises import self_gated as check
#
# def rule(twin, dip):
#     saved = stats.mean_interval(twin - dip)  # 95 %, paired by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# z = np.linspace(-4, 0, 4001, dtype=np.float32)
# low = z[np.argmin(keras.activations.mish(z))]
#
# def flat(z):
#     return keras.activations.mish(keras.ops.maximum(z, low))
#
# digits = data.load("digits")
#
# def error(activation, seed):
#     keras.utils.set_random_seed(seed)
#     dense = [
#         keras.layers.Dense(
#             64, activation, kernel_initializer="he_normal"
#         )
#         for _ in range(3)
#     ]
#     network = keras.Sequential(
#         [keras.Input((64,)), *dense, keras.layers.Dense(10)]
#     )
#     network.compile(
#         optimizer=keras.optimizers.SGD(0.03, momentum=0.9),
#         loss=keras.losses.SparseCategoricalCrossentropy(
#             from_logits=True
#         ),
#     )
#     network.fit(
#         digits.x_train,
#         digits.y_train,
#         batch_size=128,
#         epochs=5,
#         verbose=0,
#     )
#     said = np.argmax(network(digits.x_test), 1)
#     return 100 * np.mean(said != digits.y_test)
#
# twin, dip = (
#     np.array([error(kind, seed) for seed in range(10)])
#     for kind in (flat, "mish")
# )
#
# answer = (rule, twin, dip)
# check.check_dip_rule(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - GELU is $x$ times the probability that $x$ beats a number from the bell curve. SiLU and Mish
# >   have other gates.
# > - Exact and approximate GELU differ by half a thousandth at most: accuracy does not see it, a
# >   test for equality does. `keras.ops.gelu` approximates by default.
# > - They halve what is small and pass what is large, so the signal runs away from every start.
# >   He's lets it fade, which costs time. A norm in every layer holds it.
# > - The dip was not shown to matter, nor that GELU ends ahead of ReLU. At sane rates hardly a unit
# >   falls silent.

# %%
claims.cheat("self_gated")

# %% [markdown]
# **What next.** To the other end of the network, where scores become [shares](08_softmax.ipynb).

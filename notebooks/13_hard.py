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
# # Hard and clipped
#
# **35 minutes to read, exercises apart · runs in about 15 s and 1.1 GB on 2 cores · needs: ReLU**
#
# An old network remembers for a hundred steps: its gate is open, wide enough to be exactly 1. It
# was saved with Keras 2. Today's Keras loads it, every weight is right, and it forgets. In the file
# stands `hard_sigmoid`, and that is another function now.
#
# **Questions**
#
# - What is the name of a function worth when it is loaded?
# - What is the gradient at exactly a corner, and who decides that?
# - Does a hard function train to worse networks than its smooth twin?
# - How does a network compute in eight bits, and does a function that ends at 6 help?
# - How do you train through a step?

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
import math

import keras
import numpy as np
import tensorflow as tf
import torch
from torch import nn
from torch.nn import functional

from actlab import catalog, claims, data, plots, predict, stats, study
from actlab.exercises import hard as check

plots.use_style()

# %% [markdown]
# ## One name, two functions
#
# A hard sigmoid is a sigmoid drawn with a ruler: 0, then a straight line up, then 1. Where does the
# line begin? Keras 2 let it end at ±2.5, PyTorch and Keras 3 at ±3. The course's catalog knows
# both, so take them from there:

# %%
record = catalog.get("hard_sigmoid")
old = next(p for p in record.places if p.path.startswith("tf.keras"))
limit = old.settings["limit"]

x = np.linspace(-4, 4, 801)
now, then = record.reference(x), record.reference(x, limit=limit)
assert np.allclose(now, keras.activations.hard_sigmoid(x))
assert np.allclose(now, functional.hardsigmoid(torch.tensor(x)))

apart = np.abs(now - then).max()
title = f"Hard sigmoid today; Keras 2's is up to {apart:.2f} off"
plots.curves(["sigmoid", "hard_sigmoid"], title=title).show()

# %% [markdown]
# A twelfth, in a gate. A **forget gate** says which share of its memory an LSTM keeps at each step,
# and a hard sigmoid was its default in Keras 2's first years. Here is an LSTM that does nothing but
# remember: a 1 in its memory, nothing comes in, and its forget gate's sum is 2.5.


# %%
def keras_2(x):
    return keras.ops.clip((x + limit) / (2 * limit), 0, 1)


def memory(gate, steps=30):
    """What is left of a 1 after so many steps."""
    lstm = keras.layers.LSTM(
        1, activation="linear", recurrent_activation=gate
    )
    nothing = np.zeros((1, steps, 1))
    lstm.build(nothing.shape)
    gates = np.array([-3, 2.5, 0, 3])  # in, forget, new, out
    lstm.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), gates])
    start = [np.zeros((1, 1)), np.ones((1, 1))]
    return float(lstm(nothing, initial_state=start)[0, 0])


print("Keras 2's gate:", memory(keras_2))

# %% [markdown]
# > **Predict.** With today's `hard_sigmoid`, how much of the 1 is left after 30 steps?
# >
# > - nearly all of it
# > - about half
# > - less than a tenth

# %% tags=["reveal"]
left = memory("hard_sigmoid")
ends = {"less than a tenth": 0.1, "about half": 0.8}
ends["nearly all of it"] = 1.1
choice = predict.pick(left, ends)
predict.reveal(f"{left:.3f} is left", choice=choice)

# %% [markdown] tags=["reveal"]
# The gate is at $(2.5 + 3)/6 = 0.917$, and thirty such factors in a row leave little. Nothing
# warned ([tensorflow #65381](https://github.com/tensorflow/tensorflow/issues/65381)).

# %% [markdown]
# `load_model(…, custom_objects={"hard_sigmoid": keras_2})` helps with an `.h5` file, which is what
# Keras 2 wrote; for a `.keras` file the built-in function wins, without a word. What always works
# is in exercise 13.1. After loading look at a number, never at a name.
#
# ## At the corner
#
# A straight line has a slope, a corner (a kink) has none. Automatic differentiation gives a number
# there all the same. At ReLU's corner it is 0, in both frameworks. Now hard tanh, the identity
# clipped at ±1. PyTorch can say that in three ways:


# %%
def slope(f, at):
    leaf = torch.tensor(at, requires_grad=True)
    f(leaf).backward()
    return leaf.grad.item()


one = torch.tensor(1.0)
ways = {
    "hardtanh": functional.hardtanh,
    "clamp": lambda x: torch.clamp(x, -1, 1),
    "minimum": lambda x: torch.minimum(torch.maximum(x, -one), one),
}
x = torch.linspace(-2, 2, 401)
for f in ways.values():
    assert torch.equal(f(x), functional.hardtanh(x))

# %% [markdown]
# The three agree in every value, to the last bit.
#
# > **Predict.** And in the gradient at exactly 1? How many different answers do the three give?
# >
# > - one
# > - two
# > - three

# %% tags=["reveal"]
at_one = {name: slope(f, 1.0) for name, f in ways.items()}
words = ["one", "two", "three"]
choice = words[len(set(at_one.values())) - 1]
told = ", ".join(f"{found:g}" for found in at_one.values())
predict.reveal(f"they say {told}", choice=choice)

# %% [markdown] tags=["reveal"]
# `hardtanh` counts the corner to the flat side, `clamp` to the slope, and a minimum of two equal
# numbers shares it.

# %% [markdown]
# And Keras?


# %%
def keras_slope(f, at):
    leaf = tf.Variable(at)
    with tf.GradientTape() as tape:
        value = f(leaf)
    return float(tape.gradient(value, leaf))


print("Keras:", keras_slope(keras.activations.hard_tanh, 1.0))

# %% [markdown]
# It is a clip there. (At the corners of ReLU6, hard sigmoid and hard SiLU, which is $x$
# times the hard sigmoid, both agree; see [the ledger](../book/reference/claims.md).)
#
# A sum of real numbers hardly ever *is* exactly 1. But there are networks in which it is, all the
# time; they come at the end.
#
# ## Is hard worse?
#
# Beyond its ends a hard function has no slope: a unit out there learns nothing from that example.
# In return a hard sigmoid needs no exponential ([chapter 15](15_cost.ipynb) has the seconds).
# Howard and colleagues ([2019](https://arxiv.org/abs/1905.02244)) made a network for telephones
# hard and saw no difference in accuracy. Four pairs, each function with the start that suits it and
# its own best rate, to the plateau; sigmoid and its twin of three times what batch normalisation
# hands on:

# %%
claims.trial("smooth-beats-hard")

# %% [markdown]
# On the digits no pair is apart. On MNIST-1D, which is harder, one is, and there the hard one
# leads. Without the factor it is more than ten points *behind*. Batch normalisation hands on
# numbers of mean 0 and standard deviation 1, and 99.7 % of these lie between −3 and 3, where hard
# sigmoid is a straight line. A stack of lines is a line ([chapter 1](01_why_nonlinear.ipynb)). The
# sigmoid bends everywhere and is better here without. Give both the same start, and you choose the
# winner; give each its own: they are level.
#
# ## Eight bits by hand
#
# A trained network can be made four times smaller, and be computed with integers, by writing its
# numbers in eight bits: this is **quantisation**. A number becomes one of 256 *levels*. Let a
# layer's numbers go from −1 to 4.1. Then two levels are $5.1/255 = 0.02$ apart, the **scale** $s$,
# and 0 is level 50, the **zero point** $z$. So 1.234 becomes level $62 + 50 = 112$, which is read
# as $0.02 \cdot (112 - 50) = 1.24$. What lies outside of the range becomes its end.


# %%
def calibrate(seen, bits=8):
    """Scale and zero point for the range of these numbers."""
    low, high = min(seen.min(), 0), max(seen.max(), 0)
    scale = (high - low) / (2**bits - 1)
    return scale, round(-low / scale)


def to_levels(numbers, scale, zero, bits=8):
    levels = np.round(numbers / scale) + zero
    return np.clip(levels, 0, 2**bits - 1).astype(np.int32)


scale, zero = calibrate(np.array([-1, 4.1]))
x = np.linspace(-2, 6, 999)
ours = scale * (to_levels(x, scale, zero) - zero)
theirs = torch.fake_quantize_per_tensor_affine(
    torch.tensor(x).float(), scale, zero, 0, 255
)
assert np.allclose(ours, theirs, atol=1e-6)

# %% [markdown]
# The range is read off the *training* data: this is calibration. 0 is always a level, so that a
# ReLU's zeros stay zeros. Weights get levels on both sides of 0 and a scale for each unit. Then a
# layer is a product of integers, and the scales come behind it:


# %%
def int8_weights(weight):
    scale = np.abs(weight).max(1) / 127
    return np.round(weight / scale[:, None]).astype(np.int32), scale


def int8_layer(x, weight, bias, scale, zero):
    small, scales = int8_weights(weight)
    sums = (to_levels(x, scale, zero) - zero) @ small.T  # integers
    return sums * (scale * scales) + bias


def int8_network(x, layers, seen):
    """``seen``: training inputs, for the range of every layer."""
    for i, (weight, bias) in enumerate(layers):
        x = int8_layer(x, weight, bias, *calibrate(seen))
        seen = seen @ weight.T + bias
        if i < len(layers) - 1:
            x, seen = np.maximum(x, 0), np.maximum(seen, 0)
    return x


# %% [markdown]
# Now something to make small: a whole training in PyTorch.

# %%
digits = data.load("digits")
pixels, labels = map(torch.tensor, (digits.x_train, digits.y_train))
pixels = pixels.double()

torch.manual_seed(0)
linear = [nn.Linear(64, n).double() for n in (64, 64, 10)]
first, second, last = linear
network = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)
optimiser = torch.optim.SGD(network.parameters(), 0.05, 0.9)
for _ in range(15):
    for rows in torch.randperm(len(labels)).split(64):
        optimiser.zero_grad()
        scores = network(pixels[rows])
        functional.cross_entropy(scores, labels[rows]).backward()
        optimiser.step()

# %%
with torch.no_grad():
    exact = network(torch.tensor(digits.x_test).double()).numpy()
layers = [
    (m.weight.detach().numpy(), m.bias.detach().numpy()) for m in linear
]
print(f"{np.mean(exact.argmax(1) == digits.y_test):.0%} are right")

# %%
eight = int8_network(digits.x_test, layers, digits.x_train)
changed = np.sum(eight.argmax(1) != exact.argmax(1))
print(f"In eight bits it changes its mind {changed} times.")

# %%
claims.trial("hard-int8")

# %% [markdown]
# With half of the bits instead of a quarter, as float16, there is no range to choose: it holds
# numbers up to 65,504, and the hidden ones of these networks end near 16. In the ledger's trial [it
# cost less than half a point](../book/reference/claims.md), in every one of twelve settings.
#
# ### The same with the frameworks' tools
#
# Keras has it built in: `quantize`. (It does not calibrate; it takes the range of what comes in
# anew from every example.) Are its integers ours?

# %%
dense = [keras.layers.Dense(64, "relu") for _ in range(2)]
twin = keras.Sequential([*dense, keras.layers.Dense(10)])
twin.build((None, 64))
twin.set_weights([part.T for layer in layers for part in layer])
for layer, (weight, _) in zip(twin.layers, layers, strict=True):
    layer.quantize("int8")
    theirs = np.asarray(layer.kernel).T.astype(int)
    assert np.abs(theirs - int8_weights(weight)[0]).max() <= 1

agree = np.asarray(twin(digits.x_test)).argmax(1) == eight.argmax(1)
assert agree.mean() > 0.98

# %% [markdown]
# They are, but for a rounding here and there. PyTorch's own tools, `torch.ao.quantization`, say at
# every call that they will be removed; a package of its own follows,
# [torchao](https://docs.pytorch.org/ao/stable/index.html), which this course does not install:
#
# <details>
# <summary>For the curious: the same network with torchao</summary>
#
# ```python
# from torchao.quantization.pt2e.quantize_pt2e import (
#     convert_pt2e,
#     prepare_pt2e,
# )
# from torchao.quantization.pt2e.quantizer import (
#     x86_inductor_quantizer as x86,
# )
#
# given = (pixels.float(),)
# exported = torch.export.export(network.float(), given).module()
# quantizer = x86.X86InductorQuantizer()
# quantizer.set_global(
#     x86.get_default_x86_inductor_quantization_config()
# )
# prepared = prepare_pt2e(exported, quantizer)
# prepared(*given)  # calibration
# eight = convert_pt2e(prepared)
# ```
#
# Four steps, whatever the tool: write the network as a graph, put an observer behind every layer,
# show it training data, and round.
#
# </details>
#
# ## What one large number costs
#
# ReLU has no upper end. If one number of a layer is 20 and all others are below 4, four fifths of
# the levels are for that one. ReLU6 cannot give more than 6, which is why it is said to be robust
# in few bits (Sandler and colleagues, [2018](https://arxiv.org/abs/1801.04381)). Krizhevsky, who
# introduced it ([2010](https://www.cs.toronto.edu/%7Ekriz/conv-cifar10-aug2010.pdf)), had another
# reason: features became sparse earlier.
#
# > **Predict.** Round the hidden layers of trained networks to four bits: 20 of ReLU, 20 of ReLU6,
# > on each of two data sets. Whose accuracy suffers more?
# >
# > - ReLU's, by more than a point
# > - neither's, to a point
# > - ReLU6's, by more than a point

# %% tags=["reveal"]
contest = study.load("contest_hard")
few = contest[contest.arm.isin(["ReLU", "ReLU6"])]
cost = 100 * (few.float32 - few["4 bits, largest"])
cost = cost.groupby([few.data, few.arm]).mean()
more = (cost[:, "ReLU"] - cost[:, "ReLU6"]).mean()
ends = {"ReLU6's, by more than a point": -1, "neither's, to a point": 1}
ends["ReLU's, by more than a point"] = 100
choice = predict.pick(more, ends)
words = f"ReLU loses {more:+.1f} points more, on average"
predict.reveal(words, choice=choice)

# %%
claims.trial("relu6-low-precision")

# %% [markdown]
# There is another way to keep one large number from taking all levels: leave it outside. Let the
# range of a ReLU layer end where 999 in 1000 of its numbers lie below; that is one line in
# `calibrate`, and nothing is trained anew. On MNIST-1D:


# %%
def by_bits(arm, ending):
    rows = contest.query("arm == @arm and data == 'mnist1d'")
    found = {}
    for bits in (8, 6, 4):
        lost = 100 * (rows.float32 - rows[f"{bits} bits, {ending}"])
        parts = [part for _, part in lost.groupby(rows.split)]
        found[f"{bits} bits"] = stats.nested_interval(parts)
    return found


plots.lines(
    {
        "ReLU, whole range": by_bits("ReLU", "largest"),
        "ReLU6, whole range": by_bits("ReLU6", "largest"),
        "ReLU, cut off": by_bits("ReLU", "cut"),
    },
    x="precision of hidden outputs (bits)",
    y="accuracy lost (points)",
).show()

# %% [markdown]
# Eight bits, and even six, cost next to nothing, with or without an upper end. At four bits the
# means are apart, as they should be by the argument, and the splits disagree too much to prove it,
# of either cure. Who needs an end most is not ReLU: SiLU and its hard twin lose six points at four
# bits on MNIST-1D, and less than two if the range is cut off. What ends at ±1 by itself hardly
# notices.
#
# ## Straight through
#
# The hardest function of all is the sign, one bit. [Chapter 1](01_why_nonlinear.ipynb) trained
# steps with a borrowed slope. Hinton proposed it in his lectures of 2012: pretend on the way back
# that the step was the identity. Bengio, Léonard and Courville
# ([2013](https://arxiv.org/abs/1308.3432)) tried it and called it *straight-through*. Hubara,
# Courbariaux and colleagues ([2016](https://arxiv.org/abs/1602.02830)) trained whole networks of
# signs, and cancelled the gradient where the input is beyond ±1: that is hard tanh's slope.


# %%
class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return torch.where(z >= 0, 1.0, -1.0).to(z)

    @staticmethod
    def backward(ctx, gradient):
        (z,) = ctx.saved_tensors
        return gradient * (z.abs() <= 1)


# %% [markdown]
# In Keras it is a sum: what the gradient sees, and what it does not.


# %%
def keras_sign(z):
    line = keras.ops.clip(z, -1, 1)
    step = keras.ops.where(z >= 0, keras.ops.ones_like(z), -1)
    return line + keras.ops.stop_gradient(step - line)


for z in (-1.5, -1.0, -0.3, 0.0, 0.7, 1.0, 2.0):
    assert Sign.apply(torch.tensor(z)) == keras_sign(np.float32(z))
    assert slope(Sign.apply, z) == keras_slope(keras_sign, z)

# %% [markdown]
# The same values and gradients, at the corners too, because `clip` counts them to the slope.
# `functional.hardtanh` does not. And now it matters: if a unit's 63 inputs are signs, and its
# weights as well, its sum is an *integer*.
#
# > **Predict.** If all signs are drawn at random, how often is such a sum exactly 1 or −1?
# >
# > - in about one unit of a thousand
# > - in about one of fifty
# > - in about one of five

# %% tags=["reveal"]
share = 2 * math.comb(63, 31) / 2**63
ends = {"in about one unit of a thousand": 0.005}
ends |= {"in about one of fifty": 0.08, "in about one of five": 1}
choice = predict.pick(share, ends)
predict.reveal(f"in {share:.0%} of the units", choice=choice)

# %% [markdown] tags=["reveal"]
# With one clip they all learn, with the other none of them, and no value tells which you have.
# (With 64 inputs the sum is even, never ±1, and often 0. And `torch.sign(0)` is 0, a third value.)

# %% [markdown]
# A whole training, in Keras, of real weights and signs for hidden outputs:

# %%
keras.config.set_floatx("float64")
keras.utils.set_random_seed(0)
signs = [keras.layers.Dense(64, keras_sign) for _ in range(2)]
model = keras.Sequential([*signs, keras.layers.Dense(10)])
model.compile(
    keras.optimizers.SGD(0.03, momentum=0.9),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
model.fit(
    digits.x_train, digits.y_train, batch_size=64, epochs=15, verbose=0
)
keras.config.set_floatx("float32")
read = np.asarray(model(digits.x_test)).argmax(1) == digits.y_test
print(f"{read.mean():.0%} of the test digits are read, bit by bit")

# %% [markdown]
# And is the cancelling worth it? Three layers of 64 signs, both kinds from the same starts:

# %%
claims.trial("sign-clipped-gradient")

# %% [markdown]
# On the harder data it is worth more than ten points; on the digits it was not shown. So cancel it.
# One bit has its price: hard tanh read one digit in a hundred more, and ten signals in a hundred.
#
# ## Exercises
#
# > **Exercise 13.1.** Write Keras 2's hard sigmoid with today's: one call of
# > `functional.hardsigmoid` or `keras.activations.hard_sigmoid`. (What you find also tells you by
# > which factor to multiply a gate's weights and biases so that an old network computes as it did.)

# %%
old_gate = ...
check.check_old_gate(old_gate)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# from torch.nn import functional
# from actlab.exercises import hard as check
#
# def old_gate(x):  # x/6 becomes x/5
#     return functional.hardsigmoid(1.2 * x)
#
# check.check_old_gate(old_gate)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import hard as check
#
# def old_gate(x):
#     return keras.activations.hard_sigmoid(1.2 * x)
#
# check.check_old_gate(old_gate)
# ```
#
# </details>
#
# > **Exercise 13.2.** Write `in_eight_bits(x)`, in one function and from memory: it gives levels
# > (whole numbers that fit in eight bits), scale and zero point of an array, so that
# > `scale * (levels - zero)` is nowhere further off than half a scale. 0 must be a level, also if
# > all numbers lie between 2 and 3.

# %%
in_eight_bits = ...
check.check_levels(in_eight_bits)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import hard as check
#
# def in_eight_bits(x):
#     x = torch.as_tensor(x)
#     low, high = x.min().clamp(max=0), x.max().clamp(min=0)
#     scale = (high - low) / 255
#     zero = torch.round(-low / scale)
#     levels = (torch.round(x / scale) + zero).clamp(0, 255)
#     return levels, scale, zero
#
# check.check_levels(in_eight_bits)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import hard as check
#
# def in_eight_bits(x):
#     x = ops.convert_to_tensor(x)
#     low, high = ops.minimum(ops.min(x), 0), ops.maximum(ops.max(x), 0)
#     scale = (high - low) / 255
#     zero = ops.round(-low / scale)
#     levels = ops.clip(ops.round(x / scale) + zero, 0, 255)
#     return levels, scale, zero
#
# check.check_levels(in_eight_bits)
# ```
#
# </details>
#
# > **Exercise 13.3.** A digit in sixteen bits. Train a network with at most eight hidden numbers
# > that have no more than four different values, and that reads 92 % of the test digits. Hand in
# > its two parts: `hidden`, from pixels to the hidden numbers, and `last`, from these to ten
# > scores. Rounding after training is rarely enough here. Round while it trains, with a gradient:
# > straight-through again.

# %%
answer = ...  # (hidden, last)
check.check_two_bits(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import hard as check
#
# class TwoBits(nn.Module):
#     def forward(self, z):  # 0, 1, 2 or 3
#         line = z.clamp(0, 3)
#         return line + (line.round() - line).detach()
#
# torch.manual_seed(0)
# digits = data.load("digits")
# x = torch.tensor(digits.x_train, dtype=torch.float32)
# y = torch.tensor(digits.y_train)
# hidden = nn.Sequential(nn.Linear(64, 8), TwoBits())
# last = nn.Linear(8, 10)
# both = [*hidden.parameters(), *last.parameters()]
# optimiser = torch.optim.SGD(both, lr=0.03, momentum=0.9)
# for epoch in range(40):
#     for rows in torch.randperm(len(x)).split(64):
#         optimiser.zero_grad()
#         scores = last(hidden(x[rows]))
#         nn.functional.cross_entropy(scores, y[rows]).backward()
#         optimiser.step()
#
# answer = (hidden, last)
# check.check_two_bits(answer)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from keras import ops
# from actlab import data
# from actlab.exercises import hard as check
#
# def two_bits(z):
#     line = ops.clip(z, 0, 3)
#     return line + ops.stop_gradient(ops.round(line) - line)
#
# keras.utils.set_random_seed(0)
# digits = data.load("digits")
# hidden = keras.layers.Dense(8, two_bits)
# last = keras.layers.Dense(10)
# model = keras.Sequential([keras.Input((64,)), hidden, last])
# model.compile(
#     keras.optimizers.SGD(0.03, momentum=0.9),
#     keras.losses.SparseCategoricalCrossentropy(from_logits=True),
# )
# model.fit(
#     digits.x_train, digits.y_train, batch_size=64, epochs=40, verbose=0
# )
#
# answer = (hidden, last)
# check.check_two_bits(answer)
# ```
#
# </details>
#
# > **Exercise 13.4.** ReLU6 against ReLU in four bits, as judge. Train at least ten networks of
# > each kind from the same starts, round their hidden numbers to four bits over the range of the
# > training data, and count the test errors. *Before* you train, write a rule: a function of the
# > errors with ReLU and with ReLU6 (an array each, one number for each seed) that says "holds"
# > (ReLU6's are fewer), "refuted" or "not shown". Then change what you think matters: the rate, the
# > depth, the range. What becomes of the verdict?

# %%
answer = ...  # (rule, relu, relu6)
check.check_relu6_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch import nn
# from actlab import data, stats
# from actlab.exercises import hard as check
#
# def rule(relu, relu6):
#     saved = stats.mean_interval(relu - relu6)  # 95 %, paired by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
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
#     for n in [64] * 2:
#         linear = nn.Linear(n, 64)
#         nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
#         layers += [linear, activation]
#     network = nn.Sequential(*layers, nn.Linear(64, 10))
#     optimiser = torch.optim.SGD(
#         network.parameters(), lr=0.05, momentum=0.9
#     )
#     for epoch in range(10):
#         for rows in torch.randperm(len(x)).split(64):
#             loss = nn.functional.cross_entropy(
#                 network(x[rows]), y[rows]
#             )
#             optimiser.zero_grad()
#             loss.backward()
#             optimiser.step()
#     seen, h = x, unseen
#     with torch.no_grad():
#         for layer in network:
#             seen, h = layer(seen), layer(h)
#             if layer is activation:
#                 scale = seen.max() / 15
#                 h = (h / scale).round().clamp(0, 15) * scale
#     return 100 * np.mean(h.argmax(1).numpy() != digits.y_test)
#
# relu, relu6 = (
#     np.array([error(kind, seed) for seed in range(10)])
#     for kind in (nn.ReLU(), nn.ReLU6())
# )
#
# answer = (rule, relu, relu6)
# check.check_relu6_rule(answer)
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
# from actlab.exercises import hard as check
#
# def rule(relu, relu6):
#     saved = stats.mean_interval(relu - relu6)  # 95 %, paired by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# digits = data.load("digits")
#
# def error(activation, seed):
#     keras.utils.set_random_seed(seed)
#     dense = [
#         keras.layers.Dense(
#             64, activation, kernel_initializer="he_normal"
#         )
#         for _ in range(2)
#     ]
#     last = keras.layers.Dense(10)
#     network = keras.Sequential([keras.Input((64,)), *dense, last])
#     network.compile(
#         keras.optimizers.SGD(0.05, momentum=0.9),
#         keras.losses.SparseCategoricalCrossentropy(
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
#     seen, h = digits.x_train, digits.x_test
#     for layer in dense:
#         seen, h = np.asarray(layer(seen)), np.asarray(layer(h))
#         scale = seen.max() / 15
#         h = np.clip(np.round(h / scale), 0, 15) * scale
#     said = np.argmax(last(h), 1)
#     return 100 * np.mean(said != digits.y_test)
#
# relu, relu6 = (
#     np.array([error(kind, seed) for seed in range(10)])
#     for kind in ("relu", "relu6")
# )
#
# answer = (rule, relu, relu6)
# check.check_relu6_rule(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - A name in a file is not a function: `hard_sigmoid` ended at ±2.5 and ends at ±3. After loading
# >   compare numbers.
# > - At a corner the gradient is the library's choice. It matters where inputs are whole numbers.
# > - A hard function bends at its corners only. Behind batch norm inputs start short of
# >   them: a factor of 3 there, and it is level with its twin.
# > - Quantisation: scale, zero point, rounding, clipping. Eight bits cost small networks little.
# > - One large number takes the levels of all others. That a range with an end saves accuracy was
# >   not shown for ReLU.
# > - Straight-through: the step up, another slope down; cancel it where the input is beyond ±1.

# %%
claims.cheat("hard")

# %% [markdown]
# **What next.** Three more hard functions, which were not drawn but derived:
# [shrinkage](14_shrinkage.ipynb).

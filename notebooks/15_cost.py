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
# # What does an activation cost?
#
# **35 minutes to read, exercises apart · runs in about 15 s and 1.2 GB on 2 cores · needs: ReLU,
# GELU**
#
# Your network does not fit into memory. It is six layers of the same width; without any activation
# a training step holds about one array a layer. With tanh it holds as many. With GELU, in one of
# the two frameworks, run op by op, it holds several times as many, and no formula says so.
#
# **Questions**
#
# - How do you time something that takes a thousandth of a second?
# - How fast could an activation be at best, and how near does it come?
# - Is it the exponential that makes ELU slow?
# - What has to wait for the backward pass, and can you keep less?
# - How much of a training step is activation at all?

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
import time

import keras
import numpy as np
import tensorflow as tf
import torch
from keras import ops
from torch import nn
from torch.nn import functional

from actlab import catalog, claims, data, plots, predict, study
from actlab.exercises import cost as check
from actlab.experiments import roofline

plots.use_style()

# %% [markdown]
# ## A stopwatch to be believed
#
# A ReLU of a million numbers takes less than a thousandth of a second. Whatever else the computer
# does meanwhile is added to that, and the first call of anything is another thing altogether:
# memory is fetched, code is compiled. So: call once before the clock runs; take the fastest of a
# few calls, because a disturbance only ever adds; and let those you compare take turns, so that a
# slow minute hits all of them.


# %%
def seconds(call, times=3):
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


# %%
x = torch.randn(256, 4096)
copy = torch.empty_like(x)
calls = {
    "copy": lambda: copy.copy_(x),
    "ReLU": lambda: functional.relu(x),
    "ELU": lambda: functional.elu(x),
    "GELU": lambda: functional.gelu(x),
}
for call in calls.values():
    call()
rounds = [
    {name: seconds(call) for name, call in calls.items()}
    for _ in range(20)
]

# %% [markdown]
# On a GPU there would be one thing more: a call comes back before its work is done. Wait for it
# (`torch.cuda.synchronize()`) before you stop the clock.
#
# Your numbers are in `rounds`. From here on you see what one quiet machine said in such rounds, as
# ratios. What holds on yours, your stopwatch says.

# %%
timed = study.load("activation_roofline")
about = timed.attrs["machine"]
print(f"{about['cpu']}, {about['cores']} cores:")
print(f"a large copy moves {roofline.copied():.0f} GB a second")

# %% [markdown]
# ## The roof
#
# An activation reads a number, does something with it and writes one. A copy reads, does nothing
# and writes. So no activation should be faster than a copy, and how near it comes tells what it
# costs beside the carrying. This way to look at a program is called a **roofline**
# ([Williams et al., 2009](https://doi.org/10.1145/1498765.1498785)). Forward and backward together
# carry five arrays, where a copy carries two: $x$ in and $y$ out; then what was kept and the
# gradient in, and a gradient out. If a copy takes 4 ms, they take 10 at least; a function that
# takes 40 is at a quarter of the roof.
#
# It is often said, of GPUs above all, that an activation is bound by memory and its arithmetic is
# free ([He, 2022](https://horace.io/brrr_intro.html)). ReLU, then, should be as fast as a copy.
#
# > **Predict.** Of a copy's speed, how much does PyTorch's ReLU reach on this processor, forward,
# > on an array of 32 MiB (eight million numbers)?
# >
# > - nearly all of it
# > - about half
# > - less than a third

# %% tags=["reveal"]
names = ("relu", "elu", "gelu", "mish")
groups = roofline.by_size(names)
relu = groups["ReLU"]
told = (f"{one.mean:.0f} % at {at}" for at, one in relu.items())
look = {"x": "array", "y": "share of a copy's speed (%)"}
look["styles"] = {
    catalog.get(n).title: plots.line_style(n) for n in names
}
look["title"] = f"ReLU, PyTorch: {', '.join(told)}"
plots.lines(groups, marks={"a copy": 100}, **look).show()

# %% tags=["reveal"]
ends = {"less than a third": 33, "about half": 67}
ends["nearly all of it"] = 200
large = relu["32 MiB"].mean
choice = predict.pick(large, ends)
predict.reveal(
    f"{large:.0f} %", choice=choice, folklore="nearly all of it"
)

# %% [markdown] tags=["reveal"]
# On 4 MiB it is about as fast as a copy, on 32 MiB it is not; its arithmetic is the same. The
# difference is where the answer goes. The copy wrote into an array that was there. A function makes
# a new one, and large new arrays are fetched from the operating system, which fills them with
# zeros, page by page of 4 KiB, when they are first touched: 8,192 times for 32 MiB. (What is small
# lies in memory that the process has used before. The borderline is the allocator's.) On the left
# neither matters: there the time is that of the call itself.

# %% [markdown]
# If that is so, then a function that writes its answer over its input must be faster on large
# arrays, and on smaller ones need not be:

# %%
claims.trial("cost-in-place-faster")

# %% [markdown]
# `functional.relu(x, inplace=True)` is for inference, and for training where nobody needs the input
# any more; of that below. (An allocator that keeps what it once had, such as jemalloc or tcmalloc,
# is the other remedy, and [PyTorch's own
# advice](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html).)
#
# Forward and backward together, on 32 MiB, for all twelve:

# %%
look = {"label": "share of a copy's speed (%)"}
both = roofline.reached("torch")
plots.rows(both, zone=(50, np.inf), **look).show()

# %% [markdown]
# *Compiled* means that `torch.compile` (or in Keras `jit_compile=True`, which hands the work to
# XLA) has written a loop of its own for the function. In both frameworks:

# %%
claims.trial("cost-memory-bound")

# %% [markdown]
# Half of Keras's functions, op by op, are near the roof, with an exponential or without: TensorFlow
# keeps its memory. What else does one pay for? In PyTorch, op by op, new memory above all; for what
# Keras puts together from several functions, such as GELU, all the arrays in between. (And half as
# many bytes, in bfloat16, are [not everywhere half the time](../book/reference/claims.md).)
#
# One thing is strange. Compiled, ReLU is the *slowest* of all, with leaky ReLU. What the compiler
# wrote (`TORCH_LOGS=output_code`) keeps a mask for the way back, a yes or no for every number. Take
# it away: ReLU from two halves, compiled one by one, that hand on a mask or the output.

# %%
ways = roofline.by_what_is_kept()["32 MiB"]
for kept, of_elu in ways.items():
    print(f"ReLU, {kept} is kept: {of_elu.mean:.0f} % of ELU's time")

# %% [markdown]
# It is the mask, kept because it has a quarter of the output's bytes.
#
# ## Take the exponential out and see
#
# "ELU is slower than ReLU because of the exponential", the starting document says. That it is
# slower was measured in [chapter 5](05_elu.ipynb); whether *because of* that can only be known by
# taking it away. Here is a function with ELU's limits and ELU's slope at 0, and no exponential:
# $x/(1-x)$ to the left of 0. At $-1$ it is $-0.5$, where ELU is $-0.63$.


# %%
def elu(x, exponential=True):
    left = torch.clamp(x, max=0)
    bent = torch.expm1(left) if exponential else left / (1 - left)
    return torch.where(x > 0, x, bent)


def keras_elu(x, exponential=True):
    left = ops.minimum(x, 0)
    bent = ops.expm1(left) if exponential else left / (1 - left)
    return ops.where(x > 0, x, bent)


# %%
z = torch.linspace(-4, 4, 801)
assert torch.allclose(elu(z), functional.elu(z))
for exponential in (True, False):
    both = elu(z, exponential), keras_elu(z.numpy(), exponential)
    assert np.allclose(*both, atol=1e-6)

# %% [markdown]
# > **Predict.** Compiled, each into one loop: how much of ELU's extra time over ReLU goes away with
# > the exponential, forward?
# >
# > - hardly any
# > - about half
# > - nearly all

# %% tags=["reveal"]
gone = roofline.without_exponential("torch")
ends = {"hardly any": 0.25, "about half": 0.75, "nearly all": 9}
predict.reveal(
    f"{gone:.0%} of it, in PyTorch", choice=predict.pick(gone, ends)
)

# %%
claims.trial("cost-exponential", "cost-gelu-tanh")

# %% [markdown]
# Forward the document is right about the reason. With the backward pass, compiled, it is not: in
# PyTorch ELU is then no slower than the strange ReLU, and in Keras its twin without the exponential
# is no faster than ELU. GELU's approximation, $x/2 \cdot (1 + \tanh(\dots))$, was offered for its
# speed, and is slower in seven of eight cases, up to three times and more; in the eighth, forward
# by XLA, it saves a third. That hard SiLU saves 30 % of SiLU's time was [not
# shown](../book/reference/claims.md).
#
# ## What has to wait
#
# The backward pass needs numbers of the forward pass, and until then they wait in memory. A linear
# layer needs its *input*. An activation needs whatever its slope is computed from: its input, or
# something else. How much is that? PyTorch tells what it puts aside. (An activation is followed by
# a linear layer here, as in a network.)


# %%
def kept(function, x):
    """Arrays of the size of x that wait for the backward pass."""
    seen = {}

    def put_aside(tensor):
        storage = tensor.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks
    with hooks(put_aside, lambda tensor: tensor):
        function(x)
    return sum(seen.values()) / x.nbytes


above = nn.Linear(4096, 1)
x.requires_grad_()
print(f"no activation: {kept(above, x):.1f} arrays")

# %% [markdown]
# > **Predict.** ReLU, leaky ReLU, tanh and GELU: which of them make it two?
# >
# > - the smooth ones, tanh and GELU
# > - all of them
# > - leaky ReLU and GELU

# %% tags=["reveal"]
wait = {}
for name in ("relu", "leaky_relu", "tanh", "gelu"):
    f = catalog.get(name).torch()
    wait[name] = round(kept(lambda x, f=f: above(f(x)), x), 1)
print(", ".join(f"{name}: {n}" for name, n in wait.items()))

two = {name for name, n in wait.items() if n == 2}
choices = {
    "the smooth ones, tanh and GELU": {"tanh", "gelu"},
    "all of them": set(wait),
    "leaky ReLU and GELU": {"leaky_relu", "gelu"},
}
found = (said for said, names in choices.items() if names == two)
choice = next(found, "none of these")
smooth = "the smooth ones, tanh and GELU"
predict.reveal(
    f"{len(two)} of the four", choice=choice, folklore=smooth
)

# %% [markdown] tags=["reveal"]
# Tanh's slope is $1 - y^2$: where the output $y$ is 0.6 it is 0.64, whatever the input was. The
# **output** is the next layer's input, and waits anyway. So tanh keeps nothing of its own, nor do
# the sigmoid, $y(1 - y)$, and ReLU, whose slope is 1 where the output is above 0. GELU's slope
# cannot be told from its output, for it falls and rises: it keeps its input, too.

# %% [markdown]
# Leaky ReLU's could be. PyTorch computes it from the input all the same, for a negative slope may
# be given as a negative number, and then the output does not tell. So here the count is a
# framework's decision, no property of the function. Frameworks decide differently:

# %%
names = ("relu", "tanh", "sigmoid", "leaky_relu", "elu")
names += ("silu", "gelu", "gelu_tanh")
plots.table(roofline.memory(names))

# %% [markdown]
# (Op by op, arrays a layer, at the peak of a step, beyond those without activations. Nothing needs
# the sixth layer's output: five arrays in six are 0.8.) Smooth or not is not the question. In
# Keras, op by op, every step of a formula is put aside, and GELU's approximation has many; `fit`
# makes a graph of it first, and puts aside fewer. And does `inplace=True` save any of it?

# %%
claims.trial("cost-in-place")

# %% [markdown]
# In place ReLU saves nothing in training: its output waits anyway. Leaky ReLU, ELU and SELU are
# then computed backward from their outputs. SiLU and Mish cannot be, and PyTorch keeps a copy of
# what it overwrites.

# %% [markdown]
# ## Keep less, by hand
#
# ELU can do without its input: left of 0, $y = e^x - 1$, so its slope $e^x$ is $y + 1$. Where the
# output is $-0.5$, the slope is 0.5. In both frameworks one may say what is to be kept, and how the
# gradient is made from it:


# %%
class FrugalELU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = functional.elu(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        (y,) = ctx.saved_tensors
        return gradient * torch.where(y > 0, 1, y + 1)


# %%
@ops.custom_gradient
def frugal_elu(x):
    y = keras.activations.elu(x)

    # TensorFlow and PyTorch hand the gradient over in two ways.
    def backward(*given, upstream=None):
        gradient = given[0] if upstream is None else upstream
        return gradient * ops.where(y > 0, 1, y + 1)

    return y, backward


# %%
z = np.linspace(-4, 4, 801, dtype="float32")
leaf = torch.tensor(z, requires_grad=True)
FrugalELU.apply(leaf).sum().backward()
with tf.GradientTape() as tape:
    tape.watch(same := tf.constant(z))
    total = tf.reduce_sum(frugal_elu(same))
slope = catalog.get("elu").derivative(z)
assert np.allclose(leaf.grad, slope, atol=1e-6)
assert np.allclose(tape.gradient(total, same), slope, atol=1e-6)
for f in (functional.elu, FrugalELU.apply):
    print(f"{kept(lambda x, f=f: above(f(x)), x):.1f} arrays")

# %% [markdown]
# And a network does not notice. Two whole trainings, from the same start:


# %%
digits = data.load("digits")
pixels, labels = map(torch.tensor, (digits.x_train, digits.y_train))


def train(function, epochs=5):
    torch.manual_seed(0)
    layers = [nn.Linear(64, n).double() for n in (64, 64, 10)]
    weights = [w for layer in layers for w in layer.parameters()]
    optimiser = torch.optim.SGD(weights, 0.03, 0.9)
    for _ in range(epochs):
        for rows in torch.randperm(len(labels)).split(64):
            h = pixels[rows].double()
            for layer in layers[:-1]:
                h = function(layer(h))
            scores = layers[-1](h)
            loss = functional.cross_entropy(scores, labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return loss.item()


# %%
losses = train(functional.elu), train(FrugalELU.apply)
assert np.isclose(*losses)

# %%
keras.config.set_floatx("float64")


def fit(activation):
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(64, activation) for _ in range(2)]
    model = keras.Sequential([*hidden, keras.layers.Dense(10)])
    model.compile(
        keras.optimizers.SGD(0.03, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    x, y = digits.x_train, digits.y_train
    return model.fit(x, y, batch_size=64, epochs=5, verbose=0).history


losses = fit("elu")["loss"], fit(frugal_elu)["loss"]
keras.config.set_floatx("float32")
assert np.allclose(*losses)
print(f"the loss of the last epoch, either way: {losses[0][-1]:.3f}")

# %% [markdown]
# ## What of it is left in a step
#
# Three networks: fully connected, convolutional, and a transformer block. Leave the activation out
# of a training step, and a part of its time is gone:

# %%
of_step = roofline.share_of_a_step("gelu")
looks = {"label": "share of a training step that is GELU's (%)"}
plots.rows(of_step, **looks).show()

# %%
claims.trial("cost-step")

# %% [markdown]
# Up to a quarter of the step is GELU's, in the convolutional network; over ReLU it mostly matters
# little, and where it does, one would not have guessed it. Compiled by PyTorch,
# the transformer block is *faster* with GELU than with ReLU, and the convolutional network takes
# two thirds longer with leaky ReLU. What you deploy is worth five minutes with a stopwatch.
#
# ## On a GPU
#
# On a GPU more arithmetic goes with every byte, so that the roof should be nearer. The same command
# measures it where there is one:
# `python -m actlab.study activation_roofline --preset gpu`, and likewise `activation_steps`,
# `activation_memory` and `activation_places`.

# %%
print("On a GPU:", roofline.on_a_gpu())

# %% [markdown]
# ## Exercises
#
# > **Exercise 15.1.** Softplus is $y = \log(1 + e^x)$, and both frameworks keep its input. Write
# > its slope as a function of the *output* $y$ alone.

# %%
slope_from_output = ...
check.check_slope_from_output(slope_from_output)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import cost as check
#
# def slope_from_output(y):  # the slope is the sigmoid, e^x / (1 + e^x)
#     return 1 - torch.exp(-torch.as_tensor(y))
#
# check.check_slope_from_output(slope_from_output)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import cost as check
#
# def slope_from_output(y):
#     return 1 - ops.exp(-y)
#
# check.check_slope_from_output(slope_from_output)
# ```
#
# </details>
#
# > **Exercise 15.2.** Write `ratio(f, g)`: how many times as long `f()` takes as `g()`. It must be
# > right even if one of them is compiled in its first call, and if now and then the computer does
# > something else.

# %%
ratio = ...
check.check_fair_ratio(ratio)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import time
# from actlab.exercises import cost as check
#
# def seconds(call):
#     began = time.perf_counter()
#     call()
#     return time.perf_counter() - began
#
# def ratio(f, g):  # with a GPU, torch.cuda.synchronize() in seconds
#     f(), g()
#     rounds = [(seconds(f), seconds(g)) for _ in range(9)]
#     return min(f for f, g in rounds) / min(g for f, g in rounds)
#
# check.check_fair_ratio(ratio)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import statistics
# import time
# from actlab.exercises import cost as check
#
# def ratio(f, g):
#     f(), g()
#     found = []
#     for _ in range(9):
#         times = [time.perf_counter()]
#         for call in (f, g):
#             call()
#             times.append(time.perf_counter())
#         found.append((times[1] - times[0]) / (times[2] - times[1]))
#     return statistics.median(found)
#
# check.check_fair_ratio(ratio)
# ```
#
# </details>
#
# > **Exercise 15.3.** Use it: a softplus that keeps nothing but its output, in a network with two
# > hidden layers that you train to read 93 % of the test digits. Hand in the network.

# %%
network = ...
check.check_frugal(network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import cost as check
#
# class Function(torch.autograd.Function):
#     @staticmethod
#     def forward(ctx, x):
#         y = nn.functional.softplus(x)
#         ctx.save_for_backward(y)
#         return y
#
#     @staticmethod
#     def backward(ctx, gradient):
#         (y,) = ctx.saved_tensors
#         return gradient * (1 - torch.exp(-y))
#
# class FrugalSoftplus(nn.Module):
#     def forward(self, x):
#         return Function.apply(x)
#
# torch.manual_seed(0)
# digits = data.load("digits")
# x = torch.tensor(digits.x_train, dtype=torch.float32)
# y = torch.tensor(digits.y_train)
# hidden = [nn.Linear(64, 64), FrugalSoftplus()]
# hidden += [nn.Linear(64, 64), FrugalSoftplus()]
# network = nn.Sequential(*hidden, nn.Linear(64, 10))
# optimiser = torch.optim.SGD(network.parameters(), 0.05, 0.9)
# for epoch in range(15):
#     for rows in torch.randperm(len(x)).split(64):
#         optimiser.zero_grad()
#         loss = nn.functional.cross_entropy(network(x[rows]), y[rows])
#         loss.backward()
#         optimiser.step()
#
# check.check_frugal(network)
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
# from actlab.exercises import cost as check
#
# @ops.custom_gradient
# def frugal(x):
#     y = keras.activations.softplus(x)
#
#     def backward(*given, upstream=None):
#         gradient = given[0] if upstream is None else upstream
#         return gradient * (1 - ops.exp(-y))
#
#     return y, backward
#
# keras.utils.set_random_seed(0)
# digits = data.load("digits")
# hidden = [keras.layers.Dense(64, frugal) for _ in range(2)]
# network = keras.Sequential(
#     [keras.Input((64,)), *hidden, keras.layers.Dense(10)]
# )
# network.compile(
#     keras.optimizers.SGD(0.05, momentum=0.9),
#     keras.losses.SparseCategoricalCrossentropy(from_logits=True),
# )
# network.fit(
#     digits.x_train, digits.y_train, batch_size=64, epochs=15, verbose=0
# )
#
# check.check_frugal(network)
# ```
#
# </details>
#
# > **Exercise 15.4.** GELU's approximation against GELU, as judge, on *your* machine. Measure both
# > in at least ten rounds that take turns, forward and backward, with arrays of a size that you
# > choose. *Before* you do, write a rule: a function of the seconds of the exact one and of those
# > of the approximation (an array each, one number for each round) that says "holds" (the
# > approximation takes less), "refuted" or "not shown". Then make the arrays a thousand times
# > smaller, or compile. What becomes of the verdict?

# %%
answer = ...  # (rule, exact, approximate)
check.check_speed_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import time
# import numpy as np
# import torch
# from torch.nn import functional
# from actlab import stats
# from actlab.exercises import cost as check
#
# def rule(exact, approximate):
#     saved = stats.mean_interval(exact - approximate)
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# x = torch.randn(256, 1024, requires_grad=True)
#
# def seconds(way):
#     found = []
#     for _ in range(5):
#         began = time.perf_counter()
#         functional.gelu(x, approximate=way).sum().backward()
#         found.append(time.perf_counter() - began)
#     return min(found)
#
# seconds("none"), seconds("tanh")
# rounds = [(seconds("none"), seconds("tanh")) for _ in range(12)]
# exact, approximate = np.array(rounds).T
#
# answer = (rule, exact, approximate)
# check.check_speed_rule(answer)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import time
# import keras
# import numpy as np
# import tensorflow as tf
# from actlab import stats
# from actlab.exercises import cost as check
#
# def rule(exact, approximate):
#     saved = stats.mean_interval(exact - approximate)
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# x = tf.random.normal((256, 1024))
#
# def seconds(approximate):
#     found = []
#     for _ in range(5):
#         began = time.perf_counter()
#         with tf.GradientTape() as tape:
#             tape.watch(x)
#             y = keras.activations.gelu(x, approximate=approximate)
#         tape.gradient(y, x)
#         found.append(time.perf_counter() - began)
#     return min(found)
#
# seconds(False), seconds(True)
# rounds = [(seconds(False), seconds(True)) for _ in range(12)]
# exact, approximate = np.array(rounds).T
#
# answer = (rule, exact, approximate)
# check.check_speed_rule(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Time in rounds that take turns, after a first call, and take the smallest or the median.
# > - A copy is the roof. Large arrays cost what new memory costs: write in place where you may.
# > - Take away the cause that is named, and see what goes: where ELU is slower, its exponential.
# > - What waits for the backward pass is the framework's choice. If the slope can be told from the
# >   output, nothing need wait.
# > - In a step the activation is mostly a small part, and a compiler may turn the order round.
# >   Measure.

# %%
claims.cheat("cost")

# %% [markdown]
# **What next.** What the functions are worth against each other is the theme of
# [the chapter on choosing](18_choosing.ipynb).

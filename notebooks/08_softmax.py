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
# # Softmax, and its silent mistakes
#
# **35 minutes to read, exercises apart · runs in about 30 s and 1.1 GB on 2 cores · needs: you
# have trained one network before**
#
# Nearly every classifier ends in a softmax, and nearly every mistake with it is silent. Nothing
# crashes, the loss falls, the network learns something. Further down one and the same network is
# trained three times. Only what the loss gets to see is different:
#
# | network | the scores go through |
# |---|---|
# | right | `log_softmax(1)` |
# | wrong axis | `log_softmax(0)` |
# | twice | `softmax(1)`, `log_softmax(1)` |
#
# All three losses fall. How many of the three networks work? And how would you have noticed?
#
# **Questions**
#
# - What turns scores into shares, and what does it not notice?
# - When do exponentials overflow or underflow, and who takes care of it?
# - Which mistakes raise no error, and what do they cost?
# - What does Keras's `from_logits` decide?

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
import warnings

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
import torch
from torch import nn
from torch.nn import functional

from actlab import claims, data, plots, predict, stats
from actlab.exercises import softmax as check

plots.use_style()

# %% [markdown]
# ## Scores become shares
#
# A network's last linear layer gives one *score* for each class, also called a *logit*. Softmax
# raises $e$ to each score and divides by the sum:

# %%
names = ["A", "B", "C", "D"]
scores = np.array([2.0, 1.0, 0.0, -1.0])


def softmax(x):
    powers = np.exp(x)
    return powers / powers.sum()


print("shares:", softmax(scores).round(3))
in_keras = keras.activations.softmax(scores[None])[0]
assert np.allclose(softmax(scores), in_keras)
assert np.allclose(in_keras, torch.from_numpy(scores).softmax(0))

# %% [markdown]
# One point of score more is a factor of $e \approx 2.72$: A has 2.72 times B's share, B 2.72 times
# C's.
#
# > **Predict.** Add 5 to all four scores; or multiply all four by 5. What changes the shares?
# >
# > - only adding
# > - only multiplying
# > - both


# %% tags=["reveal"]
def moved(x):
    return 100 * np.abs(softmax(x) - softmax(scores)).max()


adding, factor = moved(scores + 5), moved(scores * 5)
limits = {"only multiplying": 0.01, "both": 100, "only adding": np.inf}
choice = predict.pick(adding / factor, limits)
words = f"adding moves a share by {adding:.0f} points, multiplying"
predict.reveal(f"{words} by up to {factor:.0f}", choice=choice)

# %% [markdown] tags=["reveal"]
# Only *differences* of scores count. What is added to all of them stands above and below the
# fraction line and cancels. A factor stretches the differences.

# %% [markdown]
# Dividing all scores by a number $T$ is called a **temperature**. With $T = 4$ our scores are 0.5,
# 0.25, 0 and −0.25, and their shares come close together. The order never changes.

# %%
shares = {f"T = {T:g}": softmax(scores / T) for T in (0.25, 1, 4)}
plots.shares(shares, names).show()

# %% [markdown]
# Shares compete: a class can gain only what others lose. If B's score rises a little, who pays?
# The table of all slopes is called the *Jacobian*:

# %%
p = torch.from_numpy(softmax(scores))
jacobian = torch.autograd.functional.jacobian(
    lambda x: x.softmax(0), torch.from_numpy(scores)
)
assert torch.allclose(jacobian, p.diag() - p.outer(p))
gain, pays = jacobian[1, 1], -jacobian[0, 1]
title = f"B gains {gain:.2f} a point, A pays {pays:.2f}"
axes = {"x": "whose score rises", "y": "whose share moves"}
plots.matrix(jacobian, names, title=title, **axes).show()

# %% [markdown]
# With its own score a share moves by $p(1 - p)$, for B by $0.24 \cdot 0.76 = 0.18$. To another
# class it loses the product of the two shares, so whoever has most pays most, and every column adds
# up to 0. Where one share is nearly 1, all these products are nearly 0: a softmax *saturates*, as a
# sigmoid does.

# %% [markdown]
# The loss undoes that. The *cross-entropy* is $-\log$ of the right class's share, and its gradient
# is simply the shares, less 1 for the right class. There is no product that could vanish.

# %%
logits = torch.from_numpy(scores).requires_grad_()
right = torch.tensor(2)  # C
functional.cross_entropy(logits, right).backward()
assert torch.allclose(logits.grad, p - functional.one_hot(right, 4))
print("gradient:", logits.grad.numpy().round(3))

# %% [markdown]
# ## Exponentials in sixteen bits
#
# $e^x$ grows fast, and a number format has a largest number. That of float16 is 65,504.
#
# > **Predict.** The formula above, in float16. From which whole score on does it return NaN?
# >
# > - from 12
# > - from 89
# > - from 710
# > - from 65,505

# %% tags=["reveal"]
formats = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
breaks, library = [], []
for kind in formats:
    for top in range(1, 2000):
        x = torch.tensor([float(top), 0.0], dtype=kind)
        if not (x.exp() / x.exp().sum()).isfinite().all():
            break
    breaks.append(top)
    library.append(x.softmax(0)[0].item())
table = {"format": [str(kind).split(".")[1] for kind in formats]}
table["NaN from"] = breaks
plots.table({**table, "softmax()": library})

# %% tags=["reveal"]
limits = {"from 12": 12, "from 89": 89, "from 710": 710}
limits["from 65,505"] = np.inf
choice = predict.pick(breaks[0], limits)
predict.reveal(f"in float16 at {breaks[0]}", choice=choice)

# %% [markdown] tags=["reveal"]
# The libraries' own softmax returns 1, in every format. It knows that adding changes nothing, and
# *subtracts the largest score first*: then the largest power is $e^0 = 1$. (bfloat16 reaches as far
# as float32; it saves its bits on digits.)

# %% [markdown]
# The other end is more treacherous. A small share is rounded to 0, and its logarithm is $-\infty$.
# So a loss never takes `log(softmax(x))`. It subtracts the *logarithm of the sum of exponentials*
# from the scores, again with the largest score taken out:


# %%
def log_softmax(x):
    shifted = x - x.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


gaps = {"float16": 20.0, "bfloat16": 95.0, "float32": 110.0}
heads = ("scores", "log of softmax", "gradient", "log-softmax")
rows = []
for kind, gap in gaps.items():
    x = torch.tensor([0.0, gap], dtype=getattr(torch, kind))
    naive = x.requires_grad_().softmax(0).log()[0]
    (slope,) = torch.autograd.grad(naive, x)
    safe = log_softmax(x)
    assert torch.equal(safe, functional.log_softmax(x, 0))
    assert np.isclose(safe[0].item(), -gap)
    numbers = naive.item(), slope[0].item(), safe[0].item()
    rows.append((f"0 and {gap:g}, {kind}", *numbers))
plots.table(pd.DataFrame(rows, columns=heads))

# %% [markdown]
# A loss of infinity and a gradient of NaN, or a plain number. What does such rounding make of a
# sentence that is true on paper?

# %%
claims.trial("softmax-open-interval")

# %% [markdown]
# Sums are rounded, too ([in the ledger](../book/reference/claims.md), with two more claims): test
# them with a tolerance that belongs to the format.
#
# ## Three trainings, three falling losses
#
# Here is the loop from the beginning: a hidden layer of 64 ReLUs on MNIST-1D, in double precision.
# `to_logs` makes logarithms of shares, and `nll_loss` picks the right class's.

# %%
torch.set_num_threads(1)  # faster for so small a network
mnist = data.load("mnist1d")
x = torch.from_numpy(mnist.x_train).double()
y = torch.from_numpy(mnist.y_train)
x_test = torch.from_numpy(mnist.x_test).double()


# %%
def train(to_logs, seed=0, epochs=20, lr=0.3):
    torch.manual_seed(seed)
    first = nn.Linear(40, 64, dtype=torch.float64)
    last = nn.Linear(64, 10, dtype=torch.float64)
    model = nn.Sequential(first, nn.ReLU(), last)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            loss = functional.nll_loss(to_logs(model(x[rows])), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, np.reshape(losses, (epochs, -1)).mean(1)


# %%
ways = {
    "right": lambda scores: scores.log_softmax(1),
    "wrong axis": lambda scores: scores.log_softmax(0),
    "twice": lambda scores: scores.softmax(1).log_softmax(1),
}
models, falling = {}, {}
for name, to_logs in ways.items():
    five = [train(to_logs, seed) for seed in range(5)]
    models[name] = [model for model, _ in five]
    by_epoch = np.transpose([losses for _, losses in five])
    intervals = map(stats.mean_interval, by_epoch)
    falling[name] = dict(enumerate(intervals, 1))
fall = sum(found[20].high < found[1].low for found in falling.values())
look = {"x": "epoch", "y": "training loss (nats)"}
plots.lines(falling, title=f"{fall} of 3 losses fall", **look).show()

# %% [markdown]
# Three ordinary curves, from five networks each. The *wrong axis* makes shares among the 64
# examples of a batch; the shapes fit. *Twice* is an `nn.Softmax` left at the end of a model before
# PyTorch's `cross_entropy`, which has its own.
#
# > **Predict.** How many of the two wrong ones come within five points of the right one's test
# > accuracy?
# >
# > - none
# > - one
# > - both


# %% tags=["reveal"]
def accuracy(models):
    said = [model(x_test).argmax(1).numpy() for model in models]
    return 100 * np.mean(np.array(said) == mnist.y_test)


right, axis, double = map(accuracy, models.values())
close = sum(right - other <= 5 for other in (axis, double))
choice = predict.pick(close, {"none": 0, "one": 1, "both": 2})
words = f"{right:.0f} % right, against {axis:.0f} % and {double:.0f} %"
predict.reveal(words, choice=choice, folklore="both")

# %% [markdown] tags=["reveal"]
# The wrong axis learns which *examples* of a batch suit a class, and never has to choose between
# the classes of one example. The second softmax learns, slowly.

# %% [markdown]
# How would you have noticed? Before the first step all scores are about equal, so the very first
# loss of ten classes ought to be $\log 10 = 2.30$.

# %%
for name, to_logs in ways.items():
    loss = functional.nll_loss(to_logs(torch.zeros(64, 10)), y[:64])
    print(f"{name}: {loss:.2f}")

# %% [markdown]
# The cheapest test there is, and it finds the wrong axis, which makes 64 shares instead of 10.

# %% [markdown]
# ### Three ways to get the axis wrong
#
# Ask of every softmax what has to add up to 1, and no axis mistake stays silent. There are two more
# traps. Without a `dim` PyTorch *guesses*, and of three axes it takes the first: the batch. And
# Keras's default is the last axis, the width of a picture that came from PyTorch with its channels
# first.

# %%
torch.manual_seed(0)
sequence, image = torch.randn(8, 5, 10), torch.randn(2, 3, 4, 4)
batch = torch.randn(64, 10).softmax(0)
with warnings.catch_warnings(record=True) as told:
    guessed = functional.softmax(sequence)
ported = np.asarray(keras.layers.Softmax()(image.numpy()))
print(*(str(warning.message).split(".")[0] for warning in told))
print(f"softmax(0): an example's shares sum to {batch[0].sum():.2f}")
print(f"no dim: those of a word sum to {guessed[0, 0].sum():.2f}")
pixel = ported[0, :, 0, 0]
print(f"Keras's default: those of a pixel sum to {pixel.sum():.2f}")

# %% [markdown]
# PyTorch warns about the guess, once; the others say nothing. For pictures with channels first
# PyTorch has `nn.Softmax2d`, and Keras an argument. (`nn.Softmin` is the softmax of the negated
# scores. Keras lacks both names.)

# %%
right = nn.Softmax2d()(image)  # over the channels, at every pixel
ported = np.asarray(keras.layers.Softmax(axis=1)(image.numpy()))
assert np.allclose(right, ported, atol=1e-6)
assert torch.allclose(nn.Softmin(1)(image), (-image).softmax(1))
print("one unit:", torch.randn(1, 4).T.softmax(1).flatten())

# %% [markdown]
# The last line shows one more mistake. Over *one* unit a softmax is always 1 and its gradient
# always 0: a two-class network with one output learns nothing. One unit wants a sigmoid.
#
# ### A softmax too many
#
# The second softmax sees no scores any more but shares, between 0 and 1.
#
# > **Predict.** Ten classes, and a network as sure as can be: one share is 1, the others are 0.
# > What does a second softmax make of the 1?
# >
# > - nearly 1
# > - about a half
# > - less than a quarter

# %% tags=["reveal"]
surest = torch.eye(10)[0].softmax(0)[0].item()
limits = {"less than a quarter": 0.25, "about a half": 0.75}
choice = predict.pick(surest, {**limits, "nearly 1": 1})
words = f"{100 * surest:.0f} %, and a loss of {-np.log(surest):.2f}"
predict.reveal(words, choice=choice)

# %% [markdown]
# It is $e / (e + 9)$. The loss falls towards that floor, and looks as if it had converged. On its
# way back the gradient passes two Jacobians, and is small. Can a larger rate make up for it?

# %%
table = {"learning rate": [0.1, 0.3, 1.0]}
for name in ("right", "twice"):
    table[f"{name} (%)"] = [
        accuracy(
            [train(ways[name], seed, lr=lr)[0] for seed in range(5)]
        )
        for lr in table["learning rate"]
    ]
plots.table(table, 2)

# %% [markdown]
# Compare the rows: above all, a second softmax makes the gradient small. The study has a third of
# the examples, twenty networks of each kind on two data sets, and the rate that suits one softmax,
# or the best one for two:

# %%
claims.trial("softmax-twice-harms")

# %% [markdown]
# A double *log*-softmax is harmless: the exponentials of its outputs sum to 1, so the second one
# subtracts $\log 1 = 0$ ([in the ledger](../book/reference/claims.md)).
#
# ## Keras reads a hidden note
#
# Many Keras models end in `Dense(10, activation="softmax")`, and the loss then takes shares
# (`from_logits=False`, the default). One that was rounded to 0 would be a disaster, so Keras lifts
# all shares to at least $10^{-7}$. Let the scores be 0 and 30 and the first class right, so that
# the loss is 30, and ask for it in four ways: with either flag, with and without a reshape between:

# %%
wrong = tf.constant([[0.0, 30.0]])
rows = []
for flag in (False, True):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=flag)
    for between in ("nothing", "a reshape"):
        with (
            warnings.catch_warnings(record=True) as told,
            tf.GradientTape() as tape,
        ):
            tape.watch(wrong)
            shares = keras.activations.softmax(wrong)
            if between == "a reshape":
                shares = keras.ops.reshape(shares, (1, 2))
            found = loss(np.array([0]), shares)
        slope = round(float(tape.gradient(found, wrong)[0, 0]), 3)
        rows.append([flag, between, float(found), slope, len(told)])
heads = ["from_logits", "between", "loss", "gradient", "warnings"]
plots.table(pd.DataFrame(rows, columns=heads), 3)

# %% [markdown]
# Straight after the softmax *both* flags are right. Keras ties a note to the softmax's output, with
# the scores on it, and the loss reads the note. Even the double softmax heals itself, with a
# warning. Anything in between loses the note: a reshape, an average of two models, a saved array.
# Then the default caps the loss at $-\log 10^{-7}$, with *no gradient* for the examples that need
# one most, and the wrong flag is a double softmax without a warning.

# %%
claims.trial("softmax-from-logits")

# %% [markdown]
# Scores and `from_logits=True` need no note. Below, change the last layer, the flag or what stands
# between, and see who warns. It starts from PyTorch's weights:

# %%
hidden = keras.layers.Dense(64, "relu", dtype="float64")
last = keras.layers.Dense(10, dtype="float64")
twin = keras.Sequential([keras.Input((40,)), hidden, last])
model = models["right"][0]
twin.set_weights([w.detach().numpy().T for w in model.parameters()])
ours = model(x_test).softmax(1).detach()
assert np.allclose(keras.ops.softmax(twin(x_test.numpy())), ours)

keras.utils.set_random_seed(0)
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
twin.compile(keras.optimizers.SGD(0.1), entropy)
seen = twin.fit(mnist.x_train, mnist.y_train, 64, 3, verbose=0)
print("loss by epoch:", np.round(seen.history["loss"], 2))

# %% [markdown]
# The shares are equal in both frameworks, and training goes on.
#
# ## Exercises
#
# > **Exercise 8.1.** Write `log_shares(x)` for an array (examples, classes), without a ready-made
# > function: the log-softmax of every row, for any finite scores.

# %%
log_shares = ...
check.check_log_softmax(log_shares)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import softmax as check
#
# def log_shares(x):
#     x = torch.as_tensor(x)
#     shifted = x - x.amax(1, keepdim=True)
#     return shifted - shifted.exp().sum(1, keepdim=True).log()
#
# check.check_log_softmax(log_shares)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import softmax as check
#
# def log_shares(x):
#     x = x - keras.ops.max(x, axis=1, keepdims=True)
#     return x - keras.ops.logsumexp(x, axis=1, keepdims=True)
#
# check.check_log_softmax(log_shares)
# ```
#
# </details>
#
# > **Exercise 8.2.** A segmentation network scores every class at every pixel. Write
# > `pixel_loss(scores, labels)`: the mean cross-entropy over all pixels, for scores (pictures,
# > classes, height, width) and labels (pictures, height, width). There are as many classes as rows
# > and columns, so no wrong axis will raise an error.

# %%
pixel_loss = ...
check.check_pixel_loss(pixel_loss)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch.nn.functional import nll_loss
# from actlab.exercises import softmax as check
#
# def pixel_loss(scores, labels):
#     logs = torch.as_tensor(scores).log_softmax(1)
#     return nll_loss(logs, torch.as_tensor(labels))
#
# check.check_pixel_loss(pixel_loss)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import softmax as check
#
# entropy = keras.losses.SparseCategoricalCrossentropy(
#     from_logits=True  # and it wants the classes last
# )
#
# def pixel_loss(scores, labels):
#     last = keras.ops.transpose(scores, (0, 2, 3, 1))
#     return entropy(labels, last)
#
# check.check_pixel_loss(pixel_loss)
# ```
#
# </details>
#
# > **Exercise 8.3.** A colleague's network for two classes ends in one unit and a softmax, and can
# > only guess. Train one with one unit that works, on `data.load("breast_cancer")`: a model (or
# > function) from an array (n, 30) to every example's share of class 1, 93 % right on test data.

# %%
one_unit = ...
check.check_one_unit(one_unit)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import softmax as check
#
# tumours = data.load("breast_cancer")
# x = torch.from_numpy(tumours.x_train)
# y = torch.from_numpy(tumours.y_train).float()
# torch.manual_seed(0)
# model = nn.Sequential(
#     nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1)
# )
# entropy = nn.BCEWithLogitsLoss()  # it has the sigmoid
# optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
# for _ in range(100):
#     optimizer.zero_grad()
#     entropy(model(x)[:, 0], y).backward()
#     optimizer.step()
#
# one_unit = nn.Sequential(model, nn.Sigmoid())
# check.check_one_unit(one_unit)
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
# from actlab.exercises import softmax as check
#
# tumours = data.load("breast_cancer")
# keras.utils.set_random_seed(0)
# one_unit = keras.Sequential(
#     [
#         keras.Input((30,)),
#         keras.layers.Dense(16, "relu"),
#         keras.layers.Dense(1, "sigmoid"),
#     ]
# )
# one_unit.compile(
#     keras.optimizers.Adam(0.01), "binary_crossentropy"
# )
# one_unit.fit(
#     tumours.x_train, tumours.y_train, epochs=20, verbose=0
# )
#
# check.check_one_unit(one_unit)
# ```
#
# </details>
#
# > **Exercise 8.4.** Try "a softmax too many makes a network worse" again. *First* write a rule: a
# > function of the accuracies with one softmax and with two (arrays, one number a seed) that says
# > "holds" (the second one costs accuracy), "refuted" (it helps) or "not shown". Then change the
# > experiment (data, rate, epochs) and train with at least ten seeds. The checker tries your rule
# > on invented numbers: it must be able to lose.

# %%
answer = ...  # (rule, once, twice)
check.check_twice_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch, digits)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch import nn
# from torch.nn.functional import cross_entropy
# from actlab import data, stats
# from actlab.exercises import softmax as check
#
# def rule(once, twice):
#     lost = stats.mean_interval(once - twice)  # paired by seed
#     if lost.low > 0:
#         return "holds"
#     return "refuted" if lost.high < 0 else "not shown"
#
# digits = data.load("digits")
# x, valid = (
#     torch.from_numpy(part)
#     for part in (digits.x_train, digits.x_valid)
# )
# y = torch.from_numpy(digits.y_train)
#
# def accuracy(seed, first):
#     torch.manual_seed(seed)
#     model = nn.Sequential(
#         nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)
#     )
#     optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
#     for _ in range(10):
#         for rows in torch.randperm(len(x)).split(64):
#             optimizer.zero_grad()
#             cross_entropy(first(model(x[rows])), y[rows]).backward()
#             optimizer.step()
#     right = model(valid).argmax(1).numpy() == digits.y_valid
#     return right.mean()
#
# once, twice = (
#     np.array([accuracy(seed, first) for seed in range(10)])
#     for first in (nn.Identity(), nn.Softmax(1))
# )
#
# answer = (rule, once, twice)
# check.check_twice_rule(answer)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras, digits, Adam)</summary>
#
# ```python
# import keras
# import numpy as np
# from actlab import data, stats
# from actlab.exercises import softmax as check
#
# def rule(once, twice):
#     lost = stats.mean_interval(once - twice)  # paired by seed
#     if lost.low > 0:
#         return "holds"
#     return "refuted" if lost.high < 0 else "not shown"
#
# digits = data.load("digits")
#
# def accuracy(seed, between):
#     keras.utils.set_random_seed(seed)
#     layers = [keras.layers.Dense(32, "relu"), keras.layers.Dense(10)]
#     if between == "softmax":  # the reshape loses Keras's note
#         layers += [
#             keras.layers.Softmax(),
#             keras.layers.Reshape((10,)),
#         ]
#     model = keras.Sequential([keras.Input((64,)), *layers])
#     model.compile(
#         keras.optimizers.Adam(0.01),
#         keras.losses.SparseCategoricalCrossentropy(
#             from_logits=True
#         ),
#     )
#     model.fit(
#         digits.x_train,
#         digits.y_train,
#         batch_size=128,
#         epochs=3,
#         verbose=0,
#     )
#     said = np.argmax(model(digits.x_valid), 1)
#     return np.mean(said == digits.y_valid)
#
# once, twice = (
#     np.array([accuracy(seed, kind) for seed in range(10)])
#     for kind in ("nothing", "softmax")
# )
#
# answer = (rule, once, twice)
# check.check_twice_rule(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Softmax sees differences of scores only; a temperature stretches or shrinks them.
# > - It does not overflow in the libraries, but its small shares become 0: give losses the scores.
# > - Ask of every softmax what adds up to 1. A wrong axis, a softmax too many and a single unit
# >   train without an error.
# > - Look at the first loss: it is the logarithm of the number of classes. A loss that ends at
# >   $\log(e + 9) - 1$ has seen a second softmax.
# > - Keras's loss finds the scores behind a softmax only if nothing stands between.

# %%
claims.cheat("softmax")

# %% [markdown]
# **What next.** A largest share of 0.9 looks like a probability of being right. Whether it is one,
# and what becomes of a softmax over ten thousand words, is
# [the next chapter](09_softmax_family.ipynb).

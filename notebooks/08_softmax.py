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
# # Softmax and its family
#
# **30 minutes to read, exercises apart · runs in about 40 s and 1.3 GB on 2 cores · needs: you
# have trained one network before**
#
# Nearly every classifier ends in a softmax, and nearly every mistake with it is silent. Nothing
# crashes, the loss falls, the network learns something. Below you will see one network trained
# three times: right, over the wrong axis, and with a softmax too many. All three losses fall. How
# many of the three work?
#
# **Questions**
#
# - What turns scores into shares, and which changes of the scores does it not notice?
# - When do sums of exponentials overflow or underflow, and who takes care of it?
# - Which mistakes with a softmax raise no error, and what do they cost?
# - If a network says 90 %, is it right in nine cases of ten?
# - What are sparsemax, Gumbel-softmax and the adaptive softmax good for?

# %% tags=["setup"]

# %%
import ast
import re
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import scipy.stats
import torch
from torch import nn
from torch.nn import functional as F

from actlab import claims, data, plots, predict, stats
from actlab.exercises import softmax as check
from actlab.experiments import twice as study_twice
from actlab.experiments import vocabulary
from actlab.recipes import keras as recipes

plots.use_style()

# %% [markdown]
# ## Scores become shares
#
# A network's last linear layer gives one *score* for each class, called a logit. Softmax raises
# $e$ to each score and divides by the sum:

# %%
names = ["A", "B", "C", "D"]
scores = np.array([2.0, 1.0, 0.0, -1.0])


def softmax(x):
    powers = np.exp(x)
    return powers / powers.sum()


print("powers:", np.exp(scores).round(2))
print("shares:", softmax(scores).round(3))

# %% [markdown]
# One point of score more is always a factor of $e \approx 2.72$: A has 2.72 times B's share, and
# B 2.72 times C's.
#
# > **Predict.** Add 5 to all four scores; or multiply all four by 5. What changes the shares?
# >
# > - neither
# > - only adding
# > - only multiplying
# > - both

# %% tags=["reveal"]
by_adding = np.abs(softmax(scores + 5) - softmax(scores)).max()
by_factor = np.abs(softmax(scores * 5) - softmax(scores)).max()
moved = (bool(by_adding > 1e-9), bool(by_factor > 1e-9))
choices = {
    (False, False): "neither",
    (True, False): "only adding",
    (False, True): "only multiplying",
    (True, True): "both",
}
predict.reveal(
    f"adding moves a share by at most {100 * by_adding:.0f} points, "
    f"multiplying by {100 * by_factor:.0f}",
    choice=choices[moved],
)

# %% [markdown] tags=["reveal"]
# Only differences of scores count: what is added to all of them stands above and below the
# fraction line and cancels. A factor stretches the differences.

# %% [markdown]
# Dividing all scores by a number $T$ is called a **temperature**. With $T = 1$ A gets 64 %; with
# $T = 4$ the scores are 0.5, 0.25, 0 and −0.25, and the shares come closer together. The order
# never changes.

# %%
plots.shares(
    {f"T = {T:g}": softmax(scores / T) for T in (0.25, 1, 4)}, names
).show()

# %% [markdown]
# The shares compete: a class can gain only what others lose.
#
# > **Predict.** B's score rises a little, from 1 to 1.1. Who pays most for B's gain?
# >
# > - A, the largest
# > - C, the next smaller one
# > - D, the smallest
# > - all three alike

# %% tags=["reveal"]
p = torch.from_numpy(softmax(scores))
jacobian = torch.autograd.functional.jacobian(
    lambda x: x.softmax(0), torch.from_numpy(scores)
)
assert torch.allclose(jacobian, p.diag() - p.outer(p))
plots.matrix(
    jacobian,
    names,
    title=f"B gains {jacobian[1, 1]:.2f} a point, A pays {-jacobian[0, 1]:.2f}",
    x="whose score rises",
    y="whose share moves",
).show()
payer = names[int(jacobian[:, 1].argmin())]
words = {
    "A": "A, the largest",
    "C": "C, the next smaller one",
    "D": "D, the smallest",
}
predict.reveal(
    f"{payer} loses {-jacobian[:, 1].min():.2f} for each point of score",
    choice=words[payer],
)

# %% [markdown] tags=["reveal"]
# This matrix of slopes is the *Jacobian*. A share moves with its own score by $p(1 - p)$, for B
# $0.24 \cdot 0.76 = 0.18$, and loses to another class the product of the two shares. So whoever
# has most pays most, and every column adds up to 0. Where one share is nearly 1 all of these
# products are nearly 0: a softmax *saturates*, as a sigmoid does.

# %% [markdown]
# The loss undoes that. The cross-entropy is $-\log$ of the right class's share, and the logarithm
# turns all those products into a simple difference: the gradient is the shares, less 1 for the
# right class. No product can vanish.

# %%
logits = torch.from_numpy(scores).requires_grad_()
F.cross_entropy(logits, torch.tensor(2)).backward()  # C is right
assert torch.allclose(logits.grad, p - F.one_hot(torch.tensor(2), 4))
print("shares:  ", p.numpy().round(3))
print("gradient:", logits.grad.numpy().round(3))

# %% [markdown]
# ## Exponentials in sixteen bits
#
# $e^{x}$ grows fast, and a format has a largest number: 65,504 in float16.
#
# > **Predict.** The formula above, in float16. From which whole score on does it return NaN?
# >
# > - from 12
# > - from 89
# > - from 710
# > - from 65,505

# %% tags=["reveal"]
formats = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
breaks, library = {}, {}
for kind in formats:
    for top in range(1, 2000):
        x = torch.tensor([float(top), 0.0], dtype=kind)
        if not (x.exp() / x.exp().sum()).isfinite().all():
            break
    breaks[kind], library[kind] = top, x.softmax(0)[0].item()
plots.table(
    {
        "format": [
            str(kind).removeprefix("torch.") for kind in formats
        ],
        "largest number": [torch.finfo(k).max for k in formats],
        "formula NaN from a score of": list(breaks.values()),
        "softmax() there": list(library.values()),
    }
)

# %% tags=["reveal"]
limits = {"from 12": 12, "from 89": 89, "from 710": 710}
predict.reveal(
    f"in float16 from a score of {breaks[torch.float16]}",
    choice=predict.pick(
        breaks[torch.float16], limits | {"from 65,505": 1e6}
    ),
)

# %% [markdown] tags=["reveal"]
# The libraries' own functions return 1, in every format. They know that adding changes nothing,
# and *subtract the largest score first*: then the largest power is $e^0 = 1$ and nothing can
# overflow.

# %% [markdown]
# The other end is more treacherous: a small share is rounded to 0, and its logarithm is $-\infty$.
# Therefore losses never take `log(softmax(x))`. They compute the logarithm of the sum of
# exponentials, again with the largest score taken out ("log-sum-exp"):


# %%
def log_softmax(x):
    shifted = x - x.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


rows = {
    "scores": [],
    "log(softmax)": [],
    "its gradient": [],
    "log_softmax": [],
}
for kind, gap in ((torch.float16, 20.0), (torch.float32, 110.0)):
    x = torch.tensor([0.0, gap], dtype=kind, requires_grad=True)
    naive = x.softmax(0).log()[0]
    (slope,) = torch.autograd.grad(naive, x)
    rows["scores"].append(f"0 and {gap:g}, {str(kind)[6:]}")
    rows["log(softmax)"].append(naive.item())
    rows["its gradient"].append(slope[0].item())
    rows["log_softmax"].append(log_softmax(x)[0].item())
    assert torch.allclose(log_softmax(x), F.log_softmax(x, 0))
plots.table(rows)

# %% [markdown]
# A loss of $-\infty$ with a gradient of NaN, where the right answer is −20 and quite usable. Two
# cheap trials: the starting document says that the outputs of a softmax lie between 0 and 1, ends
# excluded. On paper, yes.

# %%
claims.trial("softmax-open-interval", "softmax-log-of")

# %% [markdown]
# With wild scores many shares are *exactly* 0 in every format. Sums are rounded as well: in a test
# of your own, compare them with a tolerance that belongs to the format.
#
# ## Three trainings, three falling losses
#
# Here is the loop promised above: plain PyTorch, a hidden layer of 64 ReLUs, MNIST-1D. The loss is
# $-\log$ of the right class's share, and `to_logs` says how scores become logarithms of shares.

# %%
mnist = data.load("mnist1d")
x, y = (
    torch.from_numpy(mnist.x_train).double(),
    torch.from_numpy(mnist.y_train),
)
x_test = torch.from_numpy(mnist.x_test).double()
y_test = torch.from_numpy(mnist.y_test)


def train(to_logs, epochs=30, lr=0.1):
    torch.manual_seed(0)
    layers = nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 10)
    model = nn.Sequential(*layers).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            loss = F.nll_loss(to_logs(model(x[rows])), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, np.mean(losses[:47]), np.mean(losses[-47:])


# %% [markdown]
# 1. **Right**: over the classes, `log_softmax(1)`; `F.cross_entropy(scores, y)` does both steps.
# 2. **Wrong axis**: `log_softmax(0)`, over the 64 examples of the batch. The shapes fit.
# 3. **Twice**: an `nn.Softmax` left in the model, and a cross-entropy that has its own.
#
# > **Predict.** In all three the loss falls. How many of the two wrong ones come within five points
# > of the right one's test accuracy?
# >
# > - none
# > - one
# > - both

# %% tags=["reveal"]
ways = {
    "right": lambda scores: scores.log_softmax(1),
    "wrong axis": lambda scores: scores.log_softmax(0),
    "twice": lambda scores: scores.softmax(1).log_softmax(1),
}
found = {}
for name, to_logs in ways.items():
    model, first, last = train(to_logs)
    with torch.no_grad():
        right = (model(x_test).argmax(1) == y_test).double().mean()
    found[name] = (f"{first:.2f} → {last:.2f}", 100 * right.item())
plots.table(
    {
        "softmax": list(found),
        "loss, first → last epoch": [
            loss for loss, _ in found.values()
        ],
        "test accuracy (%)": [share for _, share in found.values()],
    }
)

# %% tags=["reveal"]
others = [
    found["right"][1] - found[name][1] for name in list(found)[1:]
]
close = sum(lost <= 5 for lost in others)
predict.reveal(
    f"they lose {others[0]:.0f} and {others[1]:.0f} points",
    choice=["none", "one", "both"][close],
    folklore="the loss falls, so it works",
)

# %% [markdown]
# ### Three ways to get the axis wrong
#
# What has to add up to 1? Look at that, and no axis mistake stays silent. Beside the batch axis
# there are two more traps: PyTorch *guesses* where `dim` is left out, and takes the first axis of
# three (the batch!); and Keras's default, the last axis, is the width of a picture that came from
# PyTorch with its channels first.

# %%
import warnings

sequence, image = torch.randn(8, 5, 10), torch.randn(2, 3, 4, 4)
with warnings.catch_warnings(record=True):  # it does warn
    guessed = F.softmax(sequence)
ported = np.array(keras.layers.Softmax()(image.numpy()))
batch = torch.randn(64, 10).softmax(0)
plots.table(
    {
        "code": ["softmax(0)", "F.softmax(x)", "keras Softmax()"],
        "for a tensor of": ["(64, 10)", "(8, 5, 10)", "(2, 3, 4, 4)"],
        "a class sum": [
            batch[0].sum().item(),
            guessed[0, 0].sum().item(),
            float(ported[0, :, 0, 0].sum()),
        ],
    }
)

# %% [markdown]
# None of the sums is 1. For pictures with channels first PyTorch has a module of its own,
# `nn.Softmax2d`, and Keras an argument:

# %%
right = nn.Softmax2d()(image)  # the channels, at every pixel
ported = np.array(keras.layers.Softmax(axis=1)(image.numpy()))
assert np.allclose(right, ported, atol=1e-6)
assert torch.allclose(nn.Softmin(1)(image), (-image).softmax(1))
print("one unit:", torch.randn(4, 1).softmax(1).T)

# %% [markdown]
# (`nn.Softmin` is the softmax of the negated scores: small is good.) The last line is a mistake
# that you need not even train. Over *one* unit a softmax is always 1, its gradient always 0, and a
# two-class network with one output learns nothing. One unit wants a sigmoid.
#
# ### A softmax too many
#
# Shares lie between 0 and 1, so a second softmax sees scores at most one point apart. Of ten
# classes the surest possible answer gets $e / (e + 9) = 23\,\%$, and the loss cannot fall below
# $\log(e + 9) - 1 = 1.46$. It falls, and stops there; and its gradient is tiny, because two
# Jacobians multiply. Does tuning help? The study trains on five splits with four seeds each, once
# at the learning rate that is best for one softmax and once at the double one's own best.

# %%
lost = study_twice.differences("accuracy_late")
groups = {}
for (name, change), interval in lost.items():
    groups.setdefault(change, {})[name] = interval
plots.rows(
    groups,
    label="lost test accuracy (points)",
    percent=True,
    zone=(0, np.inf),
).show()

# %%
claims.trial("softmax-twice-harms")

# %% [markdown]
# A double *log*-softmax, by the way, is harmless: exponentials of its outputs already sum to 1, so
# the second one subtracts $\log 1 = 0$ ([in the ledger](https://actlab-course.github.io/activation-functions/book/reference/claims.html)).
#
# ### Keras and `from_logits`
#
# In Keras many models end in `Dense(10, activation="softmax")`, and the loss takes shares. The
# logarithm of a share that was rounded to 0 should be a disaster; so Keras lifts all shares to at
# least $10^{-7}$. That caps the loss at 16.1, and beyond the cap there is no gradient.

# %%
wrong = keras.ops.convert_to_tensor([[0.0, 30.0]])  # class 0 is right
label = np.array([0])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=False)
shares = keras.activations.softmax(wrong)
print("softmax last:   ", float(loss(label, shares)))
print(
    "and a reshape:  ",
    float(loss(label, keras.ops.reshape(shares, (1, 2)))),
)

# %% [markdown]
# Surprise: the first loss is exact. Keras ties a hidden note to the output of its softmax, with the
# logits on it, and the loss reads the note. Anything in between, a reshape, an average of two
# models, a saved array, loses it. `from_logits=True` needs no note:

# %%
claims.trial("softmax-from-logits")

# %%
twin = keras.Sequential(
    [
        keras.Input((40,)),
        keras.layers.Dense(64, "relu"),
        keras.layers.Dense(10),  # no softmax: the loss has it
    ]
)
torch.manual_seed(0)
model = nn.Sequential(
    nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 10)
).double()
start = [w.detach().numpy().T for w in model.parameters()]
twin.set_weights(start)
twin.compile(
    keras.optimizers.SGD(0.1),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
seen = twin.fit(
    x.numpy(),
    y.numpy(),
    batch_size=64,
    epochs=2,
    shuffle=False,
    verbose=0,
)

# %%
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(2):
    for xb, yb in zip(x.split(64), y.split(64), strict=True):
        optimizer.zero_grad()
        F.cross_entropy(model(xb), yb).backward()
        optimizer.step()
with torch.no_grad():
    ours = model(x_test)
theirs = twin.predict(x_test.numpy(), verbose=0)
assert np.allclose(ours, theirs, atol=1e-3)
print("Two epochs in both frameworks: the same logits.")

# %% [markdown]
# ## Is 90 % nine times out of ten?
#
# The starting document says that softmax is used *because* its outputs can be read as
# probabilities. They can if, of all answers given with about 90 %, nine in ten are right; then the
# network is *calibrated*. We train the right network of above for longer.
#
# > **Predict.** On new data, how far is its mean confidence (the largest share) from its accuracy?
# >
# > - within 2 points of it
# > - more than 2 points above
# > - more than 2 points below

# %% tags=["reveal"]
model, _, _ = train(ways["right"], epochs=60, lr=0.3)
with torch.no_grad():
    shares = model(x_test).softmax(1)
confidence = shares.amax(1).numpy()
right = (shares.argmax(1) == y_test).numpy()
plots.reliability({"as it is": (confidence, right)}).show()

# %% tags=["reveal"]
gap = 100 * (confidence.mean() - right.mean())
predict.reveal(
    f"confidence minus accuracy: {gap:+.0f} points".replace("-", "−"),
    choice=predict.pick(
        gap,
        {
            "more than 2 points below": -2,
            "within 2 points of it": 2,
            "more than 2 points above": 100,
        },
    ),
    folklore="within 2 points of it",
)

# %% [markdown]
# A picture in one number: the *expected calibration error* sorts the answers into bins by their
# confidence, takes in each bin the distance between confidence and accuracy, and averages. A
# thousand examples give it an uncertainty, which a bootstrap shows.


# %%
def ece(confidence, right, bins=15):
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [(confidence - right)[place == b].sum() for b in range(bins)]
    return np.abs(gaps).sum() / len(right)


rng = np.random.default_rng(0)
draws = [rng.integers(0, len(right), len(right)) for _ in range(1000)]
many = [ece(confidence[rows], right[rows]) for rows in draws]
low, high = np.quantile(many, [0.025, 0.975])
print(f"ECE {ece(confidence, right):.1%} [{low:.1%}, {high:.1%}]")

# %% [markdown]
# The cure is cheap ([Guo and colleagues, 2017](https://arxiv.org/abs/1706.04599)): divide the
# scores by a temperature. It changes no answer, only how sure they are. Which temperature? The one
# with the smallest loss on data that were not trained on, here the validation set:

# %%
with torch.no_grad():
    held_out = model(torch.from_numpy(mnist.x_valid).double())
    labels = torch.from_numpy(mnist.y_valid)
    temperatures = np.arange(0.5, 5, 0.05)
    losses = [
        F.cross_entropy(held_out / T, labels) for T in temperatures
    ]
    T = temperatures[np.argmin(losses)]
    cooled = (model(x_test) / T).softmax(1).amax(1).numpy()
plots.reliability(
    {"as it is": (confidence, right), f"T = {T:.2f}": (cooled, right)}
).show()

# %% [markdown]
# One network proves nothing. The study has four data sets, five splits, four seeds, and both the
# weights of the best validation loss and the last ones:

# %%
claims.trial(
    "softmax-read-as-probability", "softmax-temperature-calibrates"
)

# %% [markdown]
# ## Relatives
#
# ### Sparsemax: shares of exactly 0
#
# [Martins and Astudillo (2016)](https://arxiv.org/abs/1602.02068) subtract one threshold from all
# scores and cut off what is negative. The threshold is the one that makes the rest add up to 1. For
# the scores 2, 1, 0, −1 only A is left. For 1, 0.8, 0.1 the first two average 0.9; half of 1 is
# 0.5, so the threshold is 0.4 and the shares are 0.6, 0.4 and 0:


# %%
def sparsemax(x):
    ordered = np.sort(x)[::-1]
    sizes = np.arange(1, len(x) + 1)
    thresholds = (np.cumsum(ordered) - 1) / sizes
    kept = (ordered > thresholds).sum()
    return np.maximum(x - thresholds[kept - 1], 0)


close = np.array([1.0, 0.8, 0.1, -1.0])
keras_shares = keras.activations.sparsemax(close[None])[0]
assert np.allclose(sparsemax(close), keras_shares, atol=1e-6)
plots.shares(
    {"softmax": softmax(close), "sparsemax": sparsemax(close)}, names
).show()

# %% [markdown]
# Only Keras has it; `actlab.recipes.torch.Sparsemax` is the module for PyTorch. Its logarithm is
# $-\infty$ for what it leaves out, so the cross-entropy is no loss for it.
#
# ### Gumbel-softmax: dice that let a gradient through
#
# To *draw* a class, add noise to the scores and take the largest. If the noise is
# $-\log(-\log u)$ with $u$ uniform, the draws have exactly the softmax's frequencies. A softmax
# with a low temperature instead of "the largest" gives almost the same, and a gradient
# ([Jang and colleagues, 2016](https://arxiv.org/abs/1611.01144)).

# %%
torch.manual_seed(0)
scores = torch.from_numpy(scores)
noise = -torch.rand(10_000, 4).log().neg().log()
soft = ((scores + noise) / 0.5).softmax(1)  # almost one-hot
drawn = F.gumbel_softmax(scores.expand(10_000, 4), tau=0.5, hard=True)
plots.shares(
    {
        "softmax": scores.softmax(0),
        "largest, drawn by hand": soft.argmax(1).bincount() / 1e4,
        "F.gumbel_softmax": drawn.mean(0),
    },
    names,
).show()

# %% [markdown]
# It is noise by design: PyTorch draws in evaluation mode, too.
#
# ### Ten thousand words: the adaptive softmax
#
# A language model has a class for every word. Here is a real text that lies on your disk already:
# the documentation of SciPy's statistics, which came with the package.

# %%
files = sorted(Path(scipy.stats.__file__).parent.glob("*.py"))
kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
pages = []
for file in files:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, kinds):
            pages.append(ast.get_docstring(node) or "")
words = re.findall("[a-z]+", " ".join(pages).lower())
counts = Counter(words)
print(f"{len(words):,} words, {len(counts):,} different ones:")
print(*(word for word, _ in counts.most_common(12)))

# %% [markdown]
# > **Predict.** Of the different words take the most frequent twentieth. What part of the text do
# > they make up?
# >
# > - about a fifth
# > - about half
# > - about four fifths

# %% tags=["reveal"]
V = len(counts)
ranked = np.array([count for _, count in counts.most_common()])
frequent = ranked[: V // 20].sum() / ranked.sum()
predict.reveal(
    f"{frequent:.0%} of the text is made of {V // 20} words",
    choice=predict.pick(
        frequent,
        {
            "about a fifth": 0.35,
            "about half": 0.65,
            "about four fifths": 1,
        },
    ),
)

# %% [markdown] tags=["reveal"]
# So most of the time most of a full softmax is wasted on words that nobody asks for.

# %% [markdown]
# The adaptive softmax ([Grave and colleagues, 2016](https://arxiv.org/abs/1609.04309)) keeps the
# frequent words in a *head*, beside one entry for each *cluster* of rarer ones. A cluster is
# computed only for examples whose word lies in it, from fewer features. The probability of a rare
# word is that of its cluster times its own within the cluster:

# %%
torch.manual_seed(0)
cutoffs = [V // 20, V // 4]  # where the two clusters begin
layer = nn.AdaptiveLogSoftmaxWithLoss(64, V, cutoffs)
features = torch.randn(1, 64)
word = V - 1  # the rarest of all
head = layer.head(features).log_softmax(1)[0]
inside = layer.tail[1](features).log_softmax(1)[0]
by_hand = head[cutoffs[0] + 1] + inside[word - cutoffs[1]]
assert torch.isclose(by_hand, layer.log_prob(features)[0, word])

twin = recipes.AdaptiveLogSoftmaxWithLoss(V, cutoffs)
twin.build((None, 64))
twin.set_weights([w.detach().numpy().T for w in layer.parameters()])
ours = layer.log_prob(features).detach()
assert np.allclose(ours, twin.log_prob(features.numpy()), atol=1e-5)
full = 64 * V
print(
    f"{sum(w.numel() for w in layer.parameters()) / full:.0%} of "
    "the weights of a full layer; the same in both frameworks"
)

# %% [markdown]
# > **Predict.** How large has a vocabulary to be before the adaptive softmax is faster than the
# > full one, forward and backward, on one core?
# >
# > - 500 words are enough
# > - a few thousand
# > - more than ten thousand

# %% tags=["reveal"]
times = vocabulary.by_round("seconds")
memory = vocabulary.by_round("bytes")
groups = {"time": times, "memory": memory}
plots.lines(
    {
        name: {
            size: stats.mean_interval(r) for size, r in found.items()
        }
        for name, found in groups.items()
    },
    x="words",
    y="full over adaptive",
    marks={"equal": 1.0},
    log="xy",
).show()

# %% tags=["reveal"]
first = min(
    size for size, r in times.items() if stats.mean_interval(r).low > 1
)
predict.reveal(
    f"the smallest vocabulary tried at which it is faster: {first:,}",
    choice=predict.pick(
        first,
        {
            "500 words are enough": 500,
            "a few thousand": 9_999,
            "more than ten thousand": 1e9,
        },
    ),
)

# %% [markdown]
# Beyond the words of all of SciPy the targets were drawn by Zipf's law (the word of rank $r$ comes
# $1/r$ as often as the first). Does it predict as well? Both were trained to guess the next word of
# SciPy's documentation, each at its own learning rate; the verdict is
# [in the ledger](https://actlab-course.github.io/activation-functions/book/reference/claims.html),
# with the other verdicts of this chapter.

# %% [markdown]
# ## Exercises
#
# > **Exercise 8.1.** Write `log_softmax(x)` for an array of shape (examples, classes): the
# > logarithm of the softmax of every row, for any finite scores.

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
#     shifted = x - keras.ops.max(x, axis=1, keepdims=True)
#     return shifted - keras.ops.logsumexp(shifted, axis=1, keepdims=True)
#
# check.check_log_softmax(log_shares)
# ```
#
# </details>
#
# > **Exercise 8.2.** Write `temperature(logits, labels)`: the temperature with the smallest
# > cross-entropy on these examples, as one number, to two digits.

# %%
temperature = ...
check.check_temperature(temperature)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch.nn.functional import cross_entropy
# from actlab.exercises import softmax as check
#
# def temperature(logits, labels):
#     logits, labels = torch.as_tensor(logits), torch.as_tensor(labels)
#     tried = torch.logspace(-1.5, 1.5, 1000)
#     losses = torch.stack([cross_entropy(logits / T, labels) for T in tried])
#     return tried[losses.argmin()]
#
# check.check_temperature(temperature)
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
# from actlab.exercises import softmax as check
#
# def temperature(logits, labels):
#     def loss(T):
#         losses = keras.losses.sparse_categorical_crossentropy(
#             labels, logits / T, from_logits=True
#         )
#         return float(keras.ops.mean(losses))
#
#     return min(np.logspace(-1.5, 1.5, 1000), key=loss)
#
# check.check_temperature(temperature)
# ```
#
# </details>
#
# > **Exercise 8.3.** Train a network on `data.load("digits")` that may be believed. Give a function
# > `probabilities(x)` from an array (n, 64) to shares (n, 10): right on at least 92 % of the
# > test digits, and with a mean confidence within 3 points of the accuracy.

# %%
probabilities = ...
check.check_probabilities(probabilities)

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
# digits = data.load("digits")
# x, y = torch.from_numpy(digits.x_train), torch.from_numpy(digits.y_train)
# torch.manual_seed(0)
# model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
# optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
# for _ in range(40):
#     for rows in torch.randperm(len(x)).split(64):
#         optimizer.zero_grad()
#         nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
#         optimizer.step()
#
# def probabilities(x):
#     with torch.no_grad():
#         return model(torch.as_tensor(x)).softmax(1)
#
# check.check_probabilities(probabilities)
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
# digits = data.load("digits")
# keras.utils.set_random_seed(0)
# hidden = keras.layers.Dense(64, "relu", kernel_initializer="he_normal")
# model = keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10)])
# model.compile(
#     keras.optimizers.SGD(0.1),
#     keras.losses.SparseCategoricalCrossentropy(from_logits=True),
# )
# model.fit(digits.x_train, digits.y_train, batch_size=64, epochs=40, verbose=0)
#
# def probabilities(x):
#     return keras.activations.softmax(model(x))
#
# check.check_probabilities(probabilities)
# ```
#
# </details>
#
# > **Exercise 8.4.** Try the chapter's claim again. Call `train` above with the right and with
# > the double softmax, but change something (the epochs, the rate, the optimiser), for five seeds
# > or more, and take `stats.paired_difference` of the accuracies in points. Before you look, write
# > your own rule: a function `verdict(low, high)` from the ends of the interval of the *lost*
# > accuracy to `"holds"`, `"refuted"` or `"not shown"`.

# %%
verdict = ...
check.check_verdict(verdict)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch's accuracies or Keras's: the rule does not care)</summary>
#
# ```python
# from actlab.exercises import softmax as check
#
# def verdict(low, high):
#     if low > 1:  # the whole interval lies above one point
#         return "holds"
#     if high <= 1:  # the whole interval lies on the other side
#         return "refuted"
#     return "not shown"
#
# check.check_verdict(verdict)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Softmax sees differences of scores only; a temperature stretches or shrinks them.
# > - Give losses the logits. They take the logarithm themselves, without overflow and underflow.
# > - Ask of every softmax what adds up to 1. A wrong axis, a softmax too many and a single unit
# >   train without an error.
# > - A largest share is not yet a probability of being right: compare it with the accuracy, and fit
# >   a temperature on held-out data.
# > - Sparsemax gives zeros, Gumbel-softmax draws, the adaptive softmax saves time where a few of
# >   very many classes are frequent.

# %%
claims.cheat("softmax")

# %% [markdown]
# **What next.** In attention a softmax sits in the *middle* of a network; how its saturation is
# kept at bay is the chapter on gates and attention. Why two outputs and a softmax are one output
# and a sigmoid is [in the chapter on sigmoid and tanh](03_sigmoid_tanh.ipynb).

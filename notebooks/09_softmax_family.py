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
# # Can you believe a softmax?
#
# **35 minutes to read, exercises apart · runs in about 25 s and 1.2 GB on 2 cores · needs: the
# chapter on softmax**
#
# A network looks at an X-ray and says: 97 %. Ninety-seven per cent *what*? Its softmax makes
# numbers that are positive and add up to 1. That makes them shares. It does not make them true.
#
# In the first half of this chapter we ask networks how sure they are, and count. In the second half
# come the softmax's relatives: one that says exactly 0, one that throws dice, and one for ten
# thousand words.
#
# **Questions**
#
# - If a network says 90 %, is it right in nine cases of ten? And if not, what helps?
# - Can a share be exactly 0?
# - How does a gradient get through a throw of dice?
# - What does a softmax over all words of a language cost, and what can be saved?

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
import re
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import scipy
import tensorflow as tf
import torch
from scipy.special import softmax
from torch import nn
from torch.nn import functional

from actlab import claims, data, plots, predict, stats
from actlab.exercises import softmax_family as check
from actlab.experiments import vocabulary  # this chapter's study
from actlab.recipes.torch import Sparsemax

plots.use_style()

# %% [markdown]
# ## Is 90 % nine times out of ten?
#
# A network's *confidence* in an answer is its largest share. If, of all answers given with about
# 90 %, nine in ten are right, and so on for every other number, it is *calibrated*. Here is a small
# network and an ordinary training, with two numbers noted after every epoch, on data that it never
# trains on: what it says on average, and how often it is right.

# %%
torch.set_num_threads(1)  # faster for so small a network
mnist = data.load("mnist1d")
x = torch.from_numpy(mnist.x_train).double()
y = torch.from_numpy(mnist.y_train)
x_test = torch.from_numpy(mnist.x_test).double()
y_test = torch.from_numpy(mnist.y_test)


# %%
def train(seed, epochs=40, lr=0.3):
    torch.manual_seed(seed)
    first = nn.Linear(40, 64, dtype=torch.float64)
    last = nn.Linear(64, 10, dtype=torch.float64)
    model = nn.Sequential(first, nn.ReLU(), last)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    noted = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        sure, said = model(x_test).detach().softmax(1).max(1)
        right = (said == y_test).double()
        noted.append((sure.mean().item(), right.mean().item()))
    return model, noted


# %% [markdown]
# > **Predict.** Forty epochs later, on new data: how far is the mean confidence from the accuracy?
# >
# > - more than 2 points below
# > - within 2 points of it
# > - more than 2 points above

# %% tags=["reveal"]
five = [train(seed) for seed in range(5)]
noted = 100 * np.array([noted for _, noted in five])
groups = {}
for name, part in zip(("says", "is right"), noted.T, strict=True):
    intervals = map(stats.mean_interval, part)
    groups[name] = dict(enumerate(intervals, 1))
says, hits = (part.mean() for part in noted[:, -1].T)
title = f"It says {says:.0f} %, and is right in {hits:.0f} %"
look = {"x": "epoch", "y": "test examples (%)"}
plots.lines(groups, title=title, **look).show()

# %% tags=["reveal"]
limits = {"more than 2 points below": -2, "within 2 points of it": 2}
limits["more than 2 points above"] = 100
choice = predict.pick(says - hits, limits)
words = f"{says - hits:+.0f} points".replace("-", "−")
predict.reveal(words, choice=choice, folklore="within 2 points of it")

# %% [markdown] tags=["reveal"]
# The loss on the training data goes on rewarding larger shares for answers that are right already.
# So confidence climbs for as long as you train, and nothing ties it to new data.

# %% [markdown]
# ### A picture, and a number
#
# The *reliability diagram* sorts the answers by confidence into ten bins and asks in each how many
# were right. On the dotted line 70 % is 70 %.

# %%
model = five[0][0]
sure, said = model(x_test).detach().softmax(1).max(1)
confidence, right = sure.numpy(), (said == y_test).numpy()
plots.reliability({"as it is": (confidence, right)}).show()

# %% [markdown]
# The *expected calibration error* (ECE) makes one number of it: in each of 15 bins the distance
# between confidence and accuracy, averaged over the answers. A thousand examples leave it
# uncertain, which a bootstrap shows: draw as many anew, with repetition, a thousand times. And it
# is never 0: a network that is right *exactly* as often as it says gets one by chance, so that is
# where the scale begins.


# %%
def ece(confidence, right, bins=15):
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(place, weights=confidence - right)
    return np.abs(gap).sum() / len(right)


rng = np.random.default_rng(0)
n = len(right)
draws = [rng.integers(0, n, n) for _ in range(1000)]
many = [ece(confidence[rows], right[rows]) for rows in draws]
low, high = np.quantile(many, [0.025, 0.975])
lucky = [ece(confidence, rng.random(n) < confidence) for _ in draws]
print(f"ECE {ece(confidence, right):.1%} [{low:.1%}, {high:.1%}]")
print(f"calibrated, with the same confidences: {np.mean(lucky):.1%}")

# %% [markdown]
# ### One number repairs it
#
# The cure is cheap ([Guo and colleagues, 2017](https://arxiv.org/abs/1706.04599)): divide all
# scores by one temperature $T$. That changes no answer, only how sure it is. Take the $T$ with the
# smallest loss on *held-out* data, never on those that the network was fitted to.

# %%
x_valid = torch.from_numpy(mnist.x_valid).double()
y_valid = torch.from_numpy(mnist.y_valid)
scores = model(x_valid).detach()
temperatures = np.arange(0.5, 10, 0.05)
losses = [
    functional.cross_entropy(scores / T, y_valid) for T in temperatures
]
T = temperatures[np.argmin(losses)]
cooled = (model(x_test).detach() / T).softmax(1).amax(1).numpy()
groups = {"as it is": (confidence, right)}
groups[f"T = {T:.2f}"] = cooled, right
plots.reliability(groups).show()

# %% [markdown]
# In Keras, with the same weights, and $T$ learned by gradient descent instead of tried (that is,
# its logarithm: $T$ stays positive).

# %%
hidden = keras.layers.Dense(64, "relu", dtype="float64")
last = keras.layers.Dense(10, dtype="float64")
twin = keras.Sequential([keras.Input((40,)), hidden, last])
twin.set_weights([w.detach().numpy().T for w in model.parameters()])
held_out = twin(mnist.x_valid)
assert np.allclose(held_out, scores)

log_t = keras.Variable(0.0, dtype="float64")
optimizer = keras.optimizers.Adam(0.1)
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
for _ in range(200):
    with tf.GradientTape() as tape:
        loss = entropy(mnist.y_valid, held_out / keras.ops.exp(log_t))
    optimizer.apply(tape.gradient(loss, [log_t]), [log_t])
learned = float(keras.ops.exp(log_t))
assert np.isclose(learned, T, atol=0.05)
print(f"tried: {T:.2f}, learned: {learned:.2f}")

# %% [markdown]
# The study has four data sets, five splits and four seeds, and looks at
# each network twice: *early*, with the weights of its best validation loss, and *late*.

# %%
claims.trial(
    "softmax-read-as-probability", "softmax-temperature-calibrates"
)

# %% [markdown]
# So the largest share may be read as a probability where somebody has checked. On the digits, which
# are easy, the network is right as often as it says from the start, and there is nothing to gain.
#
# ## Sparsemax: shares of exactly 0
#
# Softmax gives every class something. But an explanation that names three words is better than one
# that names all. [Martins and Astudillo (2016)](https://arxiv.org/abs/1602.02068) subtract one
# threshold from all scores and cut off what is negative; the threshold is the one that lets the
# rest add up to 1. Take the scores 1, 0.8, 0.1 and −1. The first two add up to 1.8; less 0.4 each,
# they make 1. So the threshold is 0.4, and the shares are 0.6, 0.4, 0 and 0.


# %%
def sparsemax(x):
    ordered = np.sort(x)[::-1]
    sizes = np.arange(1, len(x) + 1)
    thresholds = (np.cumsum(ordered) - 1) / sizes
    kept = (ordered > thresholds).sum()
    return np.maximum(x - thresholds[kept - 1], 0)


close = np.array([1.0, 0.8, 0.1, -1.0])
ours = Sparsemax()(torch.from_numpy(close)).numpy()
assert np.allclose(sparsemax(close), ours)
theirs = np.asarray(keras.activations.sparsemax(close[None])[0])
groups = {"softmax": softmax(close), "sparsemax": ours}
groups["Keras's sparsemax"] = theirs
print(f"Keras's shares add up to {theirs.sum():.1f}")
plots.shares(groups, ["A", "B", "C", "D"]).show()

# %% [markdown]
# Only Keras has a function of this name, and it goes wrong as soon as two classes are left: it adds
# up the sums of the top scores instead of taking the last one ([on
# record](../book/reference/disagreements.md)). There is no error; but you know where to look: what
# adds up to 1? For PyTorch there is the recipe above.
#
# > **Predict.** A thousand classes, and their scores as an untrained network gives them, standard
# > normal. How many shares does sparsemax leave above 0?
# >
# > - about 5
# > - about 50
# > - about 500

# %% tags=["reveal"]
rng = np.random.default_rng(0)
left = [(sparsemax(z) > 0).sum() for z in rng.normal(size=(50, 1000))]
limits = {"about 5": 15, "about 50": 150, "about 500": 1000}
choice = predict.pick(np.mean(left), limits)
predict.reveal(f"{np.mean(left):.1f} on average", choice=choice)

# %% [markdown] tags=["reveal"]
# Who lies more than 1 below the top is always out: the shares that are left add up to 1.

# %% [markdown]
# The price: where a share is 0 there is no gradient, and its logarithm is $-\infty$. So sparsemax
# sits inside a network, as attention weights, and for a loss it needs one of its own.
#
# ## Gumbel-softmax: dice that let a gradient through
#
# Sometimes a network has to *choose*: one word, one expert, one move. A throw of dice has no slope.
# But the throw can be moved out of the way. Add noise to the scores and take the largest: if the
# noise is $-\log(-\log u)$, with $u$ uniform between 0 and 1, the largest comes from each class
# exactly as often as softmax says. What is left without a slope is "the largest", and that a
# softmax at a low temperature can stand in for ([Jang and colleagues,
# 2016](https://arxiv.org/abs/1611.01144)).

# %%
torch.manual_seed(0)
four = torch.tensor([2.0, 1.0, 0.0, -1.0])
noise = -torch.rand(10_000, 4).log().neg().log()
soft = ((four + noise) / 0.5).softmax(1)  # nearly all on one class
drawn = functional.gumbel_softmax(
    four.expand(10_000, 4), tau=0.5, hard=True
)
groups = {
    "softmax": four.softmax(0),
    "largest, by hand": soft.argmax(1).bincount() / 1e4,
    "F.gumbel_softmax": drawn.mean(0),
}
plots.shares(groups, ["A", "B", "C", "D"]).show()

# %% [markdown]
# Keras has no such function; exercise 9.3 draws in both. (PyTorch's draws in evaluation mode, too.)
#
# > **Predict.** A lower temperature looks more like a real choice. What does it do to the gradient?
# >
# > - it gets less noisy
# > - the noise stays the same
# > - it gets noisier

# %% tags=["reveal"]
worth = torch.tensor([1.0, -1.0, 2.0, 0.5])  # of each class
spread = {}
for tau in (1.0, 0.3, 0.1):
    start = four.expand(10_000, 4).clone().requires_grad_()
    (((start + noise) / tau).softmax(1) @ worth).sum().backward()
    spread[tau] = start.grad.var(0).sum().item()
table = {"temperature": list(spread)}
table["variance of the gradient"] = list(spread.values())
plots.table(table, 2)

# %% tags=["reveal"]
limits = {"it gets less noisy": 0.8, "the noise stays the same": 1.2}
limits["it gets noisier"] = np.inf
ratio = spread[0.1] / spread[1.0]
choice = predict.pick(ratio, limits)
predict.reveal(f"{ratio:.0f} times the variance", choice=choice)

# %% [markdown] tags=["reveal"]
# Nearly always one share is nearly 1, the softmax is saturated, and nothing comes back. Once in a
# while two classes are close, and then the slope is $1/T$ times as steep. A temperature is a
# bargain: lower is truer to the choice, higher is easier to learn from.

# %% [markdown]
# ## Ten thousand words: the adaptive softmax
#
# A language model has a class for every word, and most of its arithmetic can be in this one layer.
# Here is a real text that lies on your disk already: SciPy's documentation, out of its sources.

# %%
files = sorted(Path(scipy.__file__).parent.rglob("*.py"))
own = [path for path in files if "tests" not in path.parts]
source = "".join(path.read_text("utf-8") for path in own)
text = " ".join(re.findall(r'"""(.*?)"""', source, re.DOTALL))
words = re.findall("[a-z]+", text.lower())
ranked = np.array([count for _, count in Counter(words).most_common()])
V = len(ranked)
print(f"{len(words):,} words, {V:,} different ones")

# %% [markdown]
# > **Predict.** Of the different words take the most frequent twentieth. What part of the text do
# > they make up?
# >
# > - about a fifth
# > - about half
# > - about four fifths

# %% tags=["reveal"]
frequent = ranked[: V // 20].sum() / ranked.sum()
limits = {"about a fifth": 0.35, "about half": 0.65}
choice = predict.pick(frequent, {**limits, "about four fifths": 1})
predict.reveal(f"{frequent:.0%}, by {V // 20} words", choice=choice)

# %% [markdown] tags=["reveal"]
# So most of a full softmax is computed, most of the time, for words that nobody asks for.

# %% [markdown]
# The adaptive softmax ([Grave and colleagues, 2016](https://arxiv.org/abs/1609.04309)) keeps the
# frequent words in a *head*, with one further entry for each *cluster* of rarer ones. A cluster is
# computed only for those examples whose word lies in it, and from fewer features. The probability
# of a rare word is that of its cluster times its own within the cluster. Logarithms add up:

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
weights = sum(w.numel() for w in layer.parameters())
print(f"{weights / (64 * V):.0%} of the weights of a full layer")

# %% [markdown]
# Keras has none; `actlab.recipes.keras.AdaptiveLogSoftmaxWithLoss` takes PyTorch's weights.
#
# > **Predict.** From which vocabulary on is it faster than a full softmax, forward and backward?
# >
# > - from the smallest tried, 500 words
# > - from a few thousand
# > - from tens of thousands

# %% tags=["reveal"]
times, memory = map(vocabulary.by_round, ("seconds", "bytes"))
groups = {
    name: {size: stats.mean_interval(r) for size, r in found.items()}
    for name, found in {"time": times, "memory": memory}.items()
}
faster = min(n for n, found in groups["time"].items() if found.low > 1)
look = {"x": "words", "y": "full over adaptive", "log": "xy"}
look["title"] = f"Faster from {faster:,} of the sizes tried"
plots.lines(groups, marks={"equal": 1.0}, **look).show()

# %% tags=["reveal"]
limits = {"from the smallest tried, 500 words": 500}
limits |= {"from a few thousand": 9_999, "from tens of thousands": 1e6}
choice = predict.pick(faster, limits)
predict.reveal(
    f"the smallest that is faster: {faster:,}", choice=choice
)

# %% [markdown] tags=["reveal"]
# One core; time and memory of one step. Where SciPy's own words did not suffice, more were drawn by
# Zipf's law: the one of rank $r$ comes $1/r$ as often as the first.

# %% [markdown]
# Is it as good? Both layers were trained to guess SciPy's next word from the two before:

# %%
claims.trial("adaptive-no-worse")

# %% [markdown]
# Seven more claims of this chapter are [in the ledger](../book/reference/claims.md).
#
# ## Exercises
#
# > **Exercise 9.1.** Write `temperature(logits, labels)`: the temperature with the smallest
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
# from actlab.exercises import softmax_family as check
#
# def temperature(logits, labels):
#     logits = torch.as_tensor(logits)
#     labels = torch.as_tensor(labels)
#     tried = torch.logspace(-1.5, 1.5, 1000)
#     losses = [cross_entropy(logits / T, labels) for T in tried]
#     return tried[torch.stack(losses).argmin()]
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
# from actlab.exercises import softmax_family as check
#
# entropy = keras.losses.SparseCategoricalCrossentropy(
#     from_logits=True
# )
#
# def temperature(logits, labels):
#     tried = np.logspace(-1.5, 1.5, 1000)
#     losses = [float(entropy(labels, logits / T)) for T in tried]
#     return tried[np.argmin(losses)]
#
# check.check_temperature(temperature)
# ```
#
# </details>
#
# > **Exercise 9.2.** Train a network on `data.load("digits")` that may be believed. Hand in a
# > function `probabilities(x)` (or a model) from an array (n, 64) to shares (n, 10): right on at
# > least 92 % of the test digits, with a mean confidence within 3 points of the accuracy.

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
# from actlab.exercises import softmax_family as check
#
# digits = data.load("digits")
# x = torch.from_numpy(digits.x_train)
# y = torch.from_numpy(digits.y_train)
# torch.manual_seed(0)
# model = nn.Sequential(
#     nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
# )
# optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
# for _ in range(40):
#     for rows in torch.randperm(len(x)).split(64):
#         optimizer.zero_grad()
#         loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
#         loss.backward()
#         optimizer.step()
#
# probabilities = nn.Sequential(model, nn.Softmax(1))
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
# from actlab.exercises import softmax_family as check
#
# digits = data.load("digits")
# keras.utils.set_random_seed(0)
# model = keras.Sequential(
#     [
#         keras.Input((64,)),
#         keras.layers.Dense(64, "relu"),
#         keras.layers.Dense(10),
#     ]
# )
# model.compile(
#     keras.optimizers.SGD(0.1),
#     keras.losses.SparseCategoricalCrossentropy(
#         from_logits=True
#     ),
# )
# model.fit(digits.x_train, digits.y_train, 64, 40, verbose=0)
#
# def probabilities(x):
#     return keras.activations.softmax(model(x))
#
# check.check_probabilities(probabilities)
# ```
#
# </details>
#
# > **Exercise 9.3.** Write `draws(scores, n)`: `n` class numbers, each class as often as the
# > softmax of `scores` (an array with one number a class) says, and without computing the softmax.

# %%
draws = ...
check.check_draws(draws)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import softmax_family as check
#
# def draws(scores, n):
#     noise = -torch.rand(n, len(scores)).log().neg().log()
#     return (torch.as_tensor(scores) + noise).argmax(1)
#
# check.check_draws(draws)
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
# from actlab.exercises import softmax_family as check
#
# def draws(scores, n):
#     u = keras.random.uniform((n, len(scores)), 1e-7, 1)
#     return ops.argmax(scores - ops.log(-ops.log(u)), axis=1)
#
# check.check_draws(draws)
# ```
#
# </details>
#
# > **Exercise 9.4.** Is scaling worth it where you work? *Before* you train, write a rule: a
# > function of the calibration errors before and after scaling (an array of one number for each
# > seed) that says "holds" (scaling makes the error smaller), "refuted" (larger) or "not shown".
# > Then change the chapter's experiment: other data, fewer epochs, a temperature fitted on the
# > *training* data. At least ten seeds.

# %%
answer = ...  # (rule, before, after)
check.check_scaling_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch, tumours)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch import nn
# from torch.nn.functional import cross_entropy
# from actlab import data, stats
# from actlab.exercises import softmax_family as check
#
# def rule(before, after):
#     saved = stats.mean_interval(before - after)  # by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# tumours = data.load("breast_cancer")
# x, valid, test = (
#     torch.from_numpy(part)
#     for part in (tumours.x_train, tumours.x_valid, tumours.x_test)
# )
# y = torch.from_numpy(tumours.y_train)
# y_valid = torch.from_numpy(tumours.y_valid)
#
# def ece(logits, bins=15):
#     sure, said = logits.softmax(1).max(1)
#     right = said.numpy() == tumours.y_test
#     place = np.minimum((sure.numpy() * bins).astype(int), bins - 1)
#     gap = np.bincount(place, weights=sure.numpy() - right)
#     return np.abs(gap).sum() / len(right)
#
# def errors(seed):
#     torch.manual_seed(seed)
#     model = nn.Sequential(
#         nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 2)
#     )
#     optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
#     for _ in range(200):
#         optimizer.zero_grad()
#         cross_entropy(model(x), y).backward()
#         optimizer.step()
#     with torch.no_grad():
#         held_out, logits = model(valid), model(test)
#     tried = torch.logspace(-1, 1, 200)
#     losses = [cross_entropy(held_out / T, y_valid) for T in tried]
#     T = tried[torch.stack(losses).argmin()]
#     return ece(logits), ece(logits / T)
#
# before, after = np.transpose([errors(seed) for seed in range(10)])
#
# answer = (rule, before, after)
# check.check_scaling_rule(answer)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras, tumours)</summary>
#
# ```python
# import keras
# import numpy as np
# from actlab import data, stats
# from actlab.exercises import softmax_family as check
#
# def rule(before, after):
#     saved = stats.mean_interval(before - after)  # by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# tumours = data.load("breast_cancer")
# entropy = keras.losses.SparseCategoricalCrossentropy(
#     from_logits=True
# )
#
# def ece(logits, bins=15):
#     shares = np.asarray(keras.ops.softmax(logits))
#     sure, right = shares.max(1), shares.argmax(1) == tumours.y_test
#     place = np.minimum((sure * bins).astype(int), bins - 1)
#     gap = np.bincount(place, weights=sure - right)
#     return np.abs(gap).sum() / len(right)
#
# def errors(seed):
#     keras.utils.set_random_seed(seed)
#     model = keras.Sequential(
#         [
#             keras.Input((30,)),
#             keras.layers.Dense(32, "relu"),
#             keras.layers.Dense(2),
#         ]
#     )
#     model.compile(keras.optimizers.Adam(0.01), entropy)
#     model.fit(
#         tumours.x_train, tumours.y_train, epochs=10, verbose=0
#     )
#     held_out = np.asarray(model(tumours.x_valid))
#     logits = np.asarray(model(tumours.x_test))
#     tried = np.logspace(-1, 1, 100)
#     losses = [
#         float(entropy(tumours.y_valid, held_out / T)) for T in tried
#     ]
#     return ece(logits), ece(logits / tried[np.argmin(losses)])
#
# before, after = np.transpose([errors(seed) for seed in range(10)])
#
# answer = (rule, before, after)
# check.check_scaling_rule(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - A largest share is not yet a probability of being right. Compare confidence and accuracy on
# >   new data; the gap grows for as long as you train.
# > - One temperature, fitted on held-out data, mends most of it and changes no answer.
# > - Read an expected calibration error beside that of a calibrated network: it is never 0.
# > - Sparsemax gives exact zeros, and no gradient to what it leaves out.
# > - Gumbel-softmax throws the softmax's dice; the lower its temperature, the noisier its gradient.
# > - The adaptive softmax saves time and memory where a few of very many classes are frequent.

# %%
claims.cheat("softmax_family")

# %% [markdown]
# **What next.** In attention a softmax sits in the *middle* of a network, one for each word. On the
# way there stands a smaller idea: one half of a layer decides how much of the other half passes.
# These are [gates](10_gates.ipynb).

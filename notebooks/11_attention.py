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
# # Attention: a softmax in the middle
#
# **35 minutes to read, exercises apart · runs in about 30 s and 1.2 GB on 2 cores · needs: the
# chapters on softmax and on gates**
#
# The starting document of this course ends with a list of activation functions in PyTorch. Between
# LogSoftmax and Tanhshrink stands `torch.nn.MultiheadAttention`. PyTorch's own documentation files
# it there, too, under *non-linear activations*. Is it one?
#
# In this chapter you write it by hand, carry it from one framework to the other, and meet the
# masks, which have bitten nearly everybody once.
#
# **Questions**
#
# - What does attention do to a sequence, and is that an activation function?
# - Why is there a $\sqrt{d}$?
# - How do the weights get from `nn.MultiheadAttention` into `keras.layers.MultiHeadAttention`?
# - What does True mean in a mask, and what if a mask leaves nothing?

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
from torch.nn import functional

from actlab import claims, plots, predict, stats
from actlab.exercises import attention as check

plots.use_style()

# %% [markdown]
# ## A weighted mean of what the others say
#
# A *sequence* is a row of places, each with its numbers: words, pieces of a picture, days. Every
# place asks a *query*, shows a *key* and holds a *value*. The product of a query and a key is their
# *score*. A softmax makes shares of a query's scores, and what the place gets is the mean of the
# values, weighted by these shares. With scores of 2 and 0 the shares are 0.88 and 0.12; if the
# values are 10 and 20, it gets 11.2.


# %%
def softmax(scores):
    grown = np.exp(scores - scores.max(-1, keepdims=True))
    return grown / grown.sum(-1, keepdims=True)


def attention(query, key, value):
    d = query.shape[-1]
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(d)
    return softmax(scores) @ value


# %%
rng = np.random.default_rng(0)
x = rng.normal(size=(1, 6, 8))  # one sequence, six places
by_hand = attention(x, x, x)
given = torch.from_numpy(x)
theirs = functional.scaled_dot_product_attention(given, given, given)
assert np.allclose(theirs, by_hand)
apart = x[:, :, None]  # Keras wants an axis for heads
keras_too = keras.ops.dot_product_attention(apart, apart, apart)
assert np.allclose(keras_too[:, :, 0], by_hand, atol=1e-5)

# %% [markdown]
# The $\sqrt{d}$ comes later. First the question of the list.
#
# > **Predict.** We change one number at the third place of the six. At how many places does the
# > output change?
# >
# > - at one
# > - at some of them
# > - at all six

# %% tags=["reveal"]
other = x.copy()
other[0, 2, 0] += 1
moved = (attention(other, other, other) != by_hand).any(-1).sum()
limits = {"at one": 1, "at some of them": 5, "at all six": 6}
predict.reveal(f"{moved} of 6", choice=predict.pick(moved, limits))

# %%
claims.trial("attention-is-activation")

# %% [markdown]
# All others in the list, softmax included, work on each place by itself. Attention is what lets
# places hear of each other. It is not a curve but a layer, with an activation function, the
# softmax, inside.
#
# ## Several heads, by hand
#
# *Multi-head attention* ([Vaswani and colleagues, 2017](https://arxiv.org/abs/1706.03762)) makes
# query, key and value by three linear maps, cuts each into *heads*, lets every head attend by
# itself, and mixes what they found by a fourth map. With PyTorch's weights:


# %%
def multi_head(x, in_weight, in_bias, out_weight, out_bias, heads):
    n, length, d = x.shape
    parts = []
    for part in np.split(x @ in_weight.T + in_bias, 3, axis=-1):
        cut = part.reshape(n, length, heads, d // heads)
        parts.append(cut.transpose(0, 2, 1, 3))  # heads before places
    found = attention(*parts)
    together = found.transpose(0, 2, 1, 3).reshape(n, length, d)
    return together @ out_weight.T + out_bias


# %%
torch.manual_seed(0)
layer = nn.MultiheadAttention(8, 2, batch_first=True).double()
nn.init.normal_(layer.in_proj_bias)
nn.init.normal_(layer.out_proj.bias)
weights = [w.detach().numpy() for w in layer.parameters()]
ours = multi_head(x, *weights, heads=2)
output, shares = layer(given, given, given)
assert np.allclose(output.detach(), ours)
print("in_proj:", weights[0].shape, "out_proj:", weights[2].shape)

# %% [markdown]
# `batch_first=True` is a must here: without it the first axis is the place, and any batch goes
# through wrongly without an error. Now Keras. It keeps the three maps apart and cut into heads,
# inputs first: (features, heads, size).

# %%
twin = keras.layers.MultiHeadAttention(2, key_dim=4, dtype="float64")
twin(x, x)  # makes its weights
carried = []
for matrix, bias in zip(
    np.split(weights[0], 3), np.split(weights[1], 3), strict=True
):
    carried += [matrix.T.reshape(8, 2, 4), bias.reshape(2, 4)]
carried += [weights[2].T.reshape(2, 4, 8), weights[3]]
twin.set_weights(carried)
assert np.allclose(twin(x, x), ours)
print("Keras: the same output")

# %% [markdown]
# In Keras one says `key_dim`, the size of *one* head; in PyTorch `embed_dim`, that of all together.
#
# > **Predict.** 64 features, 4 heads. Somebody takes over the 64 and writes
# > `keras.layers.MultiHeadAttention(4, key_dim=64)`. How many weights does that have, beside
# > `nn.MultiheadAttention(64, 4)`?
# >
# > - as many
# > - about twice as many
# > - about four times as many


# %% tags=["reveal"]
def in_keras(heads, key_dim):
    made = keras.layers.MultiHeadAttention(heads, key_dim)
    made.build((None, None, 64), (None, None, 64))
    return made.count_params()


def in_torch(heads):
    made = nn.MultiheadAttention(64, heads)
    return sum(w.numel() for w in made.parameters())


# %% tags=["reveal"]
table = {"layer": [], "weights": []}
for words, count in (
    ("PyTorch, 64 features, 1 head", in_torch(1)),
    ("PyTorch, 64 features, 4 heads", in_torch(4)),
    ("Keras, 4 heads, key_dim=16", in_keras(4, 16)),
    ("Keras, 4 heads, key_dim=64", in_keras(4, 64)),
):
    table["layer"].append(words)
    table["weights"].append(f"{count:,}")
plots.table(table)

# %% tags=["reveal"]
ratio = in_keras(4, 64) / in_torch(4)
limits = {"as many": 1, "about twice as many": 2.5}
limits["about four times as many"] = 5
choice = predict.pick(ratio, limits)
predict.reveal(f"{ratio:.1f} times as many", choice=choice)

# %% [markdown] tags=["reveal"]
# In PyTorch more heads cost nothing: the same features are cut into more and smaller pieces. It
# runs either way, and that is the trap.

# %% [markdown]
# (That both frameworks agree, with masks as well, is [in the ledger](../book/reference/claims.md).)
#
# ## Why √d
#
# A score is a sum of $d$ products. If all numbers have size 1, it has size $\sqrt{d}$: with
# $d = 64$ scores of 8 and −8 are common. The paper suspects that a softmax of such scores is nearly
# all on one key, where it is flat and sends no gradient back. So it divides.
#
# How flat? The *slope* of a softmax says how far its shares move when its scores do. For 200
# queries and 64 keys, by $d$, without the division and with it; a typical query is the one in the
# middle:


# %%
def slope(scores):
    p = softmax(scores)  # every share by every score:
    jacobian = p[:, :, None] * (np.eye(p.shape[1]) - p[:, None])
    return np.linalg.norm(jacobian, axis=(1, 2))


def typical(d, divide, seed):
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=(200, d)), rng.normal(size=(64, d))
    return np.median(slope(q @ k.T / (d**0.5 if divide else 1)))


# %% [markdown]
# > **Predict.** From which of these sizes of a head on has a typical query, without the division,
# > less than a tenth of the slope that it has with it?
# >
# > - from 16
# > - from 64
# > - from 1024

# %% tags=["reveal"]
sizes = [4, 16, 64, 256, 1024]
groups = {
    name: {
        d: stats.mean_interval([typical(d, yes, s) for s in range(20)])
        for d in sizes
    }
    for name, yes in (("divided by √d", True), ("as it is", False))
}
left = {
    d: groups["as it is"][d].mean / groups["divided by √d"][d].mean
    for d in sizes
}
first = min(d for d in sizes if left[d] < 0.1)
look = {"x": "features of a head, d", "y": "slope of the softmax"}
title = f"Below a tenth from d = {first} on"
plots.lines(groups, log="xy", title=title, **look).show()

# %% tags=["reveal"]
limits = {"from 16": 16, "from 64": 64, "from 1024": 1024}
choice = predict.pick(first, limits)
words = f"d = {first}; at d = 64 it has {left[64]:.1f} times as much"
predict.reveal(words, choice=choice, folklore="from 64")

# %% [markdown] tags=["reveal"]
# In small heads it is the other way round: sharper shares move *more*. Only where nearly all is on
# one key does the slope vanish; a few queries that hesitate between two keep most of theirs. With 4
# keys in place of 64 that begins at $d = 64$. What the division is worth in *training*, exercise
# 11.4 asks.

# %%
claims.trial("attention-scale")

# %% [markdown]
# `keras.layers.Attention` does not divide. `keras.layers.MultiHeadAttention`,
# `keras.ops.dot_product_attention` and PyTorch do.
#
# ## Masks
#
# Some places must not be seen: padding behind the end of a sentence, or, for whoever learns to
# write, the words to come. Such a score is set to $-\infty$, so that its share is exactly 0. A
# *causal* mask lets each place see itself and what came before:

# %%
sees = np.tri(4, dtype=bool)
print(sees)

# %% [markdown]
# > **Predict.** This mask, True where one may look, goes as `attn_mask` into
# > `scaled_dot_product_attention` and into `nn.MultiheadAttention`. In which of them does the first
# > place see only itself?
# >
# > - in both
# > - only in scaled_dot_product_attention
# > - only in nn.MultiheadAttention

# %% tags=["reveal"]
four = torch.from_numpy(x[:, :4])
mask = torch.from_numpy(sees)
one = torch.eye(4).double()[None]  # values that show the shares
function = functional.scaled_dot_product_attention(
    four, four, one, mask
)
module = layer(four, four, four, attn_mask=mask)[1]
print("function:", function[0, 0].numpy().round(2))
print("module:  ", module[0, 0].detach().numpy().round(2))

# %% tags=["reveal"]
alone = [bool(s[0, 0, 0] == 1) for s in (function, module)]
names = {
    (True, True): "in both",
    (True, False): "only in scaled_dot_product_attention",
    (False, True): "only in nn.MultiheadAttention",
}
predict.reveal(
    f"share on itself: {function[0, 0, 0]:.0f} and "
    f"{module[0, 0, 0]:.0f}",
    choice=names[tuple(alone)],
    folklore="in both",
)

# %% [markdown] tags=["reveal"]
# In one library True means both: *look here*, and *do not*. There is no error, and a language model
# trained so sees the future.

# %%
claims.trial("attention-mask-polarity")

# %% [markdown]
# ### And if nothing is left?
#
# The last row of our causal mask is True throughout, so in the module the last place could look
# nowhere. A softmax over nothing is 0 divided by 0, and somebody has to decide what such a place
# gets. It happens with every empty sentence in a batch.
#
# > **Predict.** The same layer, the same input, `need_weights=False`: once in training, once in
# > evaluation without gradients. Is the row of such a place NaN?
# >
# > - in both
# > - in neither
# > - only in evaluation

# %% tags=["reveal"]
nothing = torch.zeros(4, 4, dtype=torch.bool)
nothing[0] = True  # for the module: the first place sees nobody
asked = {"attn_mask": nothing, "need_weights": False}
layer.train()
in_training = layer(four, four, four, **asked)[0][0, 0]
layer.eval()
with torch.inference_mode():
    in_evaluation = layer(four, four, four, **asked)[0][0, 0]
blank = [
    bool(row.isnan().all()) for row in (in_training, in_evaluation)
]
print("NaN in training, in evaluation:", *blank)

names = {(True, True): "in both", (False, False): "in neither"}
names[False, True] = "only in evaluation"
predict.reveal(
    f"NaN: {blank[0]} and {blank[1]}", choice=names[tuple(blank)]
)

# %% [markdown] tags=["reveal"]
# Evaluation takes another, faster path through PyTorch's code. So a model can train for a week
# without complaint, and answer NaN on its first day at work.

# %%
claims.trial("attention-blank-row")

# %% [markdown]
# Where it is not NaN, it is not the same thing either. PyTorch's function shares out nothing and
# gives 0; `keras.ops.dot_product_attention` gives the plain mean of everything that was forbidden.
# Keras's layer does the latter, or with a dropout or scores returned the former. Let every query
# see at least one key (its own place, say), and the question does not arise.
#
# ## Where the dropout sits
#
# Both layers have a `dropout`. It falls on the *shares*, behind the softmax: some are set to 0 and
# the rest scaled up. A place's shares then no longer add up to 1.

# %%
torch.manual_seed(0)
leaky = nn.MultiheadAttention(8, 1, 0.3, batch_first=True).double()
sums = leaky(four, four, four)[1][0].sum(-1).detach().numpy()
print("PyTorch:", sums.round(2))
keras.utils.set_random_seed(0)
dropped = keras.layers.MultiHeadAttention(1, 8, dropout=0.3)
scores = dropped(
    x[:, :4], x[:, :4], training=True, return_attention_scores=True
)[1]
print("Keras:  ", np.asarray(scores)[0, 0].sum(-1).round(2))

# %% [markdown]
# PyTorch shows the shares after the dropout and Keras those before it; both *use* the former.
#
# ## Train it
#
# A task that no layer can do which treats each place by itself: of eight numbers one is marked, and
# *every* place has to say which. A pair of numbers a place, the number and the mark:


# %%
def task(n, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 8))
    marked = rng.integers(8, size=n)
    marks = np.eye(8)[marked]
    wanted = numbers[np.arange(n), marked]
    return np.stack([numbers, marks], -1), np.repeat(wanted, 8)


# %%
class Finder(nn.Module):
    def __init__(self, d=16):
        super().__init__()
        self.up = nn.Linear(2, d)
        self.look = nn.MultiheadAttention(d, 2, batch_first=True)
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        h = self.up(x)
        return self.out(self.look(h, h, h)[0])[..., 0]


# %%
torch.manual_seed(0)
finder = Finder().double()
optimizer = torch.optim.Adam(finder.parameters(), lr=0.01)
for step in range(400):
    inputs, wanted = map(torch.from_numpy, task(64, step))
    loss = (finder(inputs).flatten() - wanted).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
inputs, wanted = task(1000, 10_000)
said = finder(torch.from_numpy(inputs)).detach().numpy().ravel()
error = np.mean((said - wanted) ** 2)
print(f"mean square error {error:.2f}, of numbers of size 1")

# %%
keras.utils.set_random_seed(0)
sequence = keras.Input((8, 2))
h = keras.layers.Dense(16)(sequence)
h = keras.layers.MultiHeadAttention(2, key_dim=8)(h, h)
model = keras.Model(sequence, keras.layers.Dense(1)(h))
model.compile(keras.optimizers.Adam(0.01), "mse")
many, answers = task(64 * 400, 0)
model.fit(many, answers.reshape(-1, 8, 1), batch_size=64, verbose=0)
error = model.evaluate(inputs, wanted.reshape(-1, 8, 1), verbose=0)
assert error < 0.2
print("Keras learns it, too")

# %% [markdown]
# ## Exercises
#
# > **Exercise 11.1.** Write `attend(query, key, value, mask)` for arrays (places, features): scaled
# > dot-product attention, in which a query sees only keys whose entry in `mask` (queries, keys) is
# > True.

# %%
attend = ...
check.check_attend(attend)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import attention as check
#
# def attend(query, key, value, mask):
#     query, key, value, mask = map(
#         torch.as_tensor, (query, key, value, mask)
#     )
#     scores = query @ key.T / query.shape[1] ** 0.5
#     scores = scores.masked_fill(~mask.bool(), -torch.inf)
#     return scores.softmax(1) @ value
#
# check.check_attend(attend)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import attention as check
#
# def attend(query, key, value, mask):
#     scores = ops.matmul(query, ops.transpose(key))
#     scores = scores / query.shape[1] ** 0.5
#     scores = ops.where(mask, scores, -1e9)
#     return ops.matmul(ops.softmax(scores, axis=1), value)
#
# check.check_attend(attend)
# ```
#
# </details>
#
# > **Exercise 11.2.** Carry weights the other way. Write `to_torch(weights, heads)`: from what
# > `get_weights()` of a `keras.layers.MultiHeadAttention` gives (query, key, value, output, each a
# > matrix and a bias) to the four arrays of `nn.MultiheadAttention`: `in_proj_weight`,
# > `in_proj_bias`, `out_proj.weight`, `out_proj.bias`.

# %%
to_torch = ...
check.check_to_torch(to_torch)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import attention as check
#
# def to_torch(weights, heads):
#     parts = [torch.as_tensor(w) for w in weights]
#     d = parts[0].shape[0]
#     matrices = [w.reshape(d, -1).T for w in parts[0:6:2]]
#     biases = [b.flatten() for b in parts[1:6:2]]
#     out = parts[6].reshape(-1, d).T
#     return torch.cat(matrices), torch.cat(biases), out, parts[7]
#
# check.check_to_torch(to_torch)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import attention as check
#
# def to_torch(weights, heads):
#     d = weights[0].shape[0]
#     matrices = [
#         ops.transpose(ops.reshape(w, (d, -1)))
#         for w in weights[0:6:2]
#     ]
#     biases = [ops.reshape(b, -1) for b in weights[1:6:2]]
#     out = ops.transpose(ops.reshape(weights[6], (-1, d)))
#     joined = ops.concatenate(matrices), ops.concatenate(biases)
#     return *joined, out, weights[7]
#
# check.check_to_torch(to_torch)
# ```
#
# </details>
#
# > **Exercise 11.3.** Train a network that finds the *largest* number: from an array (n, 8, 1) of
# > sequences, eight standard normal numbers each, to an array (n, 8, 1) that says at every place
# > what the largest of its sequence is, with a mean square error below 0.1. Attention has to be in
# > it. Hand in the module or model.

# %%
network = ...
check.check_largest(network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab.exercises import attention as check
#
# class Largest(nn.Module):
#     def __init__(self, d=32):
#         super().__init__()
#         self.up = nn.Linear(1, d)
#         self.look = nn.MultiheadAttention(d, 4, batch_first=True)
#         self.out = nn.Sequential(
#             nn.Linear(d, d), nn.ReLU(), nn.Linear(d, 1)
#         )
#
#     def forward(self, x):
#         h = self.up(x)
#         return self.out(self.look(h, h, h)[0])
#
# torch.manual_seed(0)
# network = Largest()
# optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
# for _ in range(1000):
#     x = torch.randn(64, 8, 1)
#     largest = x.amax(1, keepdim=True).expand(-1, 8, -1)
#     loss = (network(x) - largest).square().mean()
#     optimizer.zero_grad()
#     loss.backward()
#     optimizer.step()
#
# check.check_largest(network)
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
# from actlab.exercises import attention as check
#
# keras.utils.set_random_seed(0)
# given = keras.Input((8, 1))
# h = keras.layers.Dense(32)(given)
# h = keras.layers.MultiHeadAttention(4, key_dim=8)(h, h)
# h = keras.layers.Dense(32, "relu")(h)
# network = keras.Model(given, keras.layers.Dense(1)(h))
# network.compile(keras.optimizers.Adam(0.003), "mse")
# x = np.random.default_rng(0).normal(size=(64_000, 8, 1))
# largest = np.repeat(x.max(1, keepdims=True), 8, 1)
# network.fit(x, largest, batch_size=64, verbose=0)
# check.check_largest(network)
# ```
#
# </details>
#
# > **Exercise 11.4.** Does the division matter *in training*? Before you train, write a rule: a
# > function of the test errors without and with $1/\sqrt{d}$ (an array of one number for each seed)
# > that says "holds" (the division makes the error smaller), "refuted" (larger) or "not shown".
# > Then train on the chapter's task with a head of a size of your own choice; at least ten seeds.

# %%
answer = ...  # (rule, without, divided)
check.check_scale_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch import nn
# from torch.nn.functional import scaled_dot_product_attention
# from actlab import stats
# from actlab.exercises import attention as check
#
# def rule(without, divided):
#     saved = stats.mean_interval(without - divided)  # by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# def task(n):
#     x = torch.randn(n, 8)
#     marked = torch.randint(8, (n,))
#     marks = torch.eye(8)[marked]
#     return torch.stack([x, marks], -1), x[range(n), marked]
#
# def error(scale, seed, d=64):
#     torch.manual_seed(seed)
#     q, k, v = (nn.Linear(2, d) for _ in range(3))
#     out = nn.Linear(d, 1)
#     learned = nn.ModuleList([q, k, v, out]).parameters()
#     optimizer = torch.optim.Adam(learned, lr=0.01)
#     for step in range(151):
#         x, wanted = task(64 if step < 150 else 2000)
#         found = scaled_dot_product_attention(
#             q(x), k(x), v(x), scale=scale
#         )
#         said = out(found)[..., 0].mean(1)
#         loss = (said - wanted).square().mean()
#         optimizer.zero_grad()
#         loss.backward()
#         optimizer.step()
#     return loss.item()
#
# without = np.array([error(1.0, seed) for seed in range(10)])
# divided = np.array([error(1 / 8, seed) for seed in range(10)])
#
# answer = (rule, without, divided)
# check.check_scale_rule(answer)
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
# from keras import layers
# from actlab import stats
# from actlab.exercises import attention as check
#
# def rule(without, divided):
#     saved = stats.mean_interval(without - divided)  # by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# def task(n, seed):
#     rng = np.random.default_rng(seed)
#     x, marked = rng.normal(size=(n, 8)), rng.integers(8, size=n)
#     pairs = np.stack([x, np.eye(8)[marked]], -1)
#     return pairs, x[np.arange(n), marked]
#
# def error(scale, seed, d=64):
#     keras.utils.set_random_seed(seed)
#     given = keras.Input((8, 2))
#     q, k, v = (layers.Dense(d)(given) for _ in range(3))
#     found = layers.Attention()([q * scale, v, k])  # divides nothing
#     said = layers.GlobalAveragePooling1D()(layers.Dense(1)(found))
#     model = keras.Model(given, said)
#     model.compile(keras.optimizers.Adam(0.01), "mse")
#     model.fit(*task(64 * 100, seed), batch_size=64, verbose=0)
#     return model.evaluate(*task(2000, 99), verbose=0)
#
# without = np.array([error(1.0, seed) for seed in range(10)])
# divided = np.array([error(1 / 8, seed) for seed in range(10)])
#
# answer = (rule, without, divided)
# check.check_scale_rule(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Attention is a mean of values, weighted by a softmax of scores. It joins places, which no
# >   activation function does.
# > - Scores of $d$ products have size √d. Undivided, a softmax of them goes flat, in large heads
# >   and with few keys.
# > - Carrying weights over: PyTorch stacks three matrices, Keras keeps them apart and cut into
# >   heads, inputs first. `key_dim` is the size of one head.
# > - True in a boolean mask: *drop* for `nn.MultiheadAttention`, *keep* for all others here.
# > - A place that may look nowhere is NaN, 0 or a mean of everything, by call path. Leave it
# >   something to look at.

# %%
claims.cheat("attention")

# %% [markdown]
# **What next.** Back to single curves, and to sums that overflow on paper: softplus and
# [its smooth relatives](12_smooth.ipynb).

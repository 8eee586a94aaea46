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
# # Gates: one map decides what the other may say
#
# **30 minutes to read, exercises apart · runs in about 15 s and 1.1 GB on 2 cores · needs: GELU,
# SiLU, Mish**
#
# In nearly every large language model of today each layer has a block like this one:
#
# ```python
# down(silu(gate(x)) * up(x))
# ```
#
# Three matrices, where two and a ReLU used to do. [Shazeer
# (2020)](https://arxiv.org/abs/2002.05202) compared five such gates with ReLU and GELU, found every
# one a little better at guessing words, and closed with two words of explanation: *divine
# benevolence*. Here we build one, count what it costs, and give it a trial in which both sides have
# equally many weights.
#
# **Questions**
#
# - What is a gated unit, and which half of it is the gate?
# - Can a product of two linear maps replace an activation function?
# - What does a gate cost, and where do the odd widths of language models come from?
# - At equal cost: is the gated block better, and does it matter which curve is in the gate?

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
from pathlib import Path

import keras
import numpy as np
import scipy
import torch
from torch import nn
from torch.nn import functional

from actlab import claims, plots, predict, stats
from actlab.exercises import gates as check
from actlab.experiments import gates  # this chapter's study

plots.use_style()

# %% [markdown]
# ## Two halves and a product
#
# SiLU multiplies a number by a gate that the number itself sets: $x \cdot \sigma(x)$. A *gated
# linear unit* ([Dauphin and colleagues, 2016](https://arxiv.org/abs/1612.08083)) has two numbers,
# from two linear maps: a value $a$ and a gate $b$, and passes $a \cdot \sigma(b)$. With $a = 3$ and
# $b = 2$ the gate is 88 % open, and 2.64 passes. So the gate may look for something else than what
# it lets through.
#
# Both frameworks have it as a function of *one* array, of which one half is the value and the other
# half the gate.
#
# > **Predict.** The array is 4, 1, −10, 10. What do you get?
# >
# > - about −40 and 10
# > - about −10 and 7
# > - about 0 and 1

# %% tags=["reveal"]
four = np.array([[4.0, 1.0, -10.0, 10.0]])
a, b = np.split(four, 2, axis=1)
by_hand = a / (1 + np.exp(-b))
in_torch = nn.GLU()(torch.from_numpy(four)).numpy()
in_keras = np.asarray(keras.activations.glu(four))
assert np.allclose(in_torch, by_hand)
assert np.allclose(in_keras, by_hand)
print(in_torch.round(2))

limits = {"about −40 and 10": -20, "about −10 and 7": -5}
choice = predict.pick(in_torch[0, 0], {**limits, "about 0 and 1": 3})
words = " and ".join(f"{out:.1f}" for out in in_torch[0])
predict.reveal(words, choice=choice)

# %% [markdown] tags=["reveal"]
# The *second* half is the gate, in both. (In the code of many language models it is the first
# matrix that is called `gate`. If you carry weights over, look which half goes through the curve.)

# %% [markdown]
# ### Without any curve
#
# Put another curve in the place of the sigmoid, and you have the other members of the family:
# *ReGLU*, *GEGLU* (GELU), *SwiGLU* (SiLU, alias Swish). And one has no curve at all: a **bilinear**
# unit is $a \cdot b$. Chapter 1 said that without an activation function a network stays linear.
#
# > **Predict.** XOR: is the sign of two inputs different? How many bilinear units does it take?
# >
# > - one
# > - two
# > - no number of them will do

# %% tags=["reveal"]
points = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
different = points[:, 0] != points[:, 1]
value = points @ np.array([1, 0])  # one linear map
gate = points @ np.array([0, -1])  # and another
unit = value * gate
right = np.array_equal(unit > 0, different)
print(unit, different)

limits = {"one": 1, "two": 2, "no number of them will do": np.inf}
units = 1 if right else np.inf
choice = predict.pick(units, limits)
predict.reveal(f"units needed: {units}", choice=choice)

# %% [markdown] tags=["reveal"]
# Each map is linear in its input, and their product is not: double the input, and four times as
# much comes out. A gate *is* a nonlinearity. The curve is only one more.

# %% [markdown]
# ## What a gate costs
#
# The *feed-forward block* of a transformer maps $d$ numbers to more, bends them, and maps them back
# to $d$. Here $d = 64$, with 256 units within.
#
# > **Predict.** Keep both widths and give the 256 units a gate. How many more weights has the block
# > then?
# >
# > - a quarter more
# > - half as many again
# > - twice as many in all

# %% tags=["reveal"]
d, hidden = 64, 256
plain = {"up": d * hidden, "down": hidden * d}
gated = {"up": d * hidden, "gate": d * hidden, "down": hidden * d}
ratio = sum(gated.values()) / sum(plain.values())
limits = {"a quarter more": 1.3, "half as many again": 1.7}
choice = predict.pick(ratio, {**limits, "twice as many in all": 2})
predict.reveal(f"{ratio:g} times as many", choice=choice)

# %% [markdown] tags=["reveal"]
# Three matrices of one size instead of two. So whoever compares a gated block with a plain one *of
# the same width* compares three with two. Shazeer did not.

# %% [markdown]
# A fair gate gets two thirds of the width. That is where the odd numbers come from: the plain
# block of a transformer is four times as wide as $d$, two thirds of that are $8d/3$, and then comes
# a rounding that the hardware likes. LLaMA (2023) has $d = 4096$ and more, and rounds up to a
# multiple of 256:


# %%
def hidden_of(d, multiple=256):
    fair = 2 * (4 * d) // 3
    return -(-fair // multiple) * multiple  # rounded up


print({d: hidden_of(d) for d in (4096, 5120, 8192)})

# %% [markdown]
# ## The block in both frameworks
#
# No biases, as in the paper. First PyTorch, then Keras; the curve can be exchanged.


# %%
class Gated(nn.Module):
    def __init__(self, d, hidden, curve):
        super().__init__()
        self.curve = curve
        self.up = nn.Linear(d, hidden, bias=False)
        self.gate = nn.Linear(d, hidden, bias=False)
        self.down = nn.Linear(hidden, d, bias=False)

    def forward(self, x):
        return self.down(self.up(x) * self.curve(self.gate(x)))


# %%
class GatedLayer(keras.layers.Layer):
    def __init__(self, d, hidden, curve, **kwargs):
        super().__init__(**kwargs)
        self.up = keras.layers.Dense(hidden, use_bias=False)
        self.gate = keras.layers.Dense(hidden, curve, use_bias=False)
        self.down = keras.layers.Dense(d, use_bias=False)

    def call(self, x):
        return self.down(self.up(x) * self.gate(x))


# %%
torch.manual_seed(0)
block = Gated(64, 170, functional.silu)
twin = GatedLayer(64, 170, "silu")
x = torch.randn(5, 64)
twin(x.numpy())  # a Keras layer has its weights from the first call
twin.set_weights([w.detach().numpy().T for w in block.parameters()])
ours = block(x).detach().numpy()
assert np.allclose(twin(x.numpy()), ours, atol=1e-5)
print("SwiGLU: the same in both")

# %% [markdown]
# ## Teach it to write
#
# A text that lies on your disk already: SciPy's documentation, out of its sources, as small letters
# and spaces. The task: from eight letters guess the ninth.

# %%
files = sorted(Path(scipy.__file__).parent.rglob("*.py"))
own = [path for path in files if "tests" not in path.parts]
source = "".join(path.read_text("utf-8") for path in own)
strings = " ".join(re.findall(r'"""(.*?)"""', source, re.DOTALL))
text = " ".join(re.findall("[a-z]+", strings.lower()))
codes = np.frombuffer(text[:220_000].encode(), np.uint8)
letters = np.maximum(codes.astype(np.int64) - 96, 0)  # a is 1
windows = torch.from_numpy(
    np.lib.stride_tricks.sliding_window_view(letters, 9).copy()
)
train, test = windows[:200_000], windows[-10_000:]
print(text[2000:2064])


# %%
class Speller(nn.Module):
    def __init__(self, curve, d=64, hidden=64):
        super().__init__()
        self.letters = nn.Embedding(27, d // 8)
        self.norm = nn.RMSNorm(d)
        self.block = Gated(d, hidden, curve)
        self.out = nn.Linear(d, 27)

    def forward(self, x):
        stream = self.letters(x).flatten(1)
        stream = stream + self.block(self.norm(stream))
        return self.out(stream)


# %%
def train_speller(curve, steps=800, seed=0):
    torch.manual_seed(seed)
    torch.set_default_dtype(torch.float64)  # in which processors agree
    model = Speller(curve)
    torch.set_default_dtype(torch.float32)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        rows = train[torch.randint(len(train), (128,))]
        loss = functional.cross_entropy(model(rows[:, :8]), rows[:, 8])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


# %% [markdown]
# The loss is the mean of $-\log p$ of the letter that comes, in *nats*. Whoever has no idea and
# gives all 27 the same probability has $\log 27 = 3.30$. Whoever only knows how frequent each
# letter is:

# %%
shares = np.bincount(letters, minlength=27) / len(letters)
shares = shares[shares > 0]
frequencies = -(shares * np.log(shares)).sum()
print(f"frequencies alone: {frequencies:.2f} nats")

# %% [markdown]
# > **Predict.** A block whose gates are ReLUs (ReGLU), 800 steps of 128 examples. What is its loss
# > on the rest of the text?
# >
# > - about 2.7
# > - about 2.1
# > - about 1.2

# %% tags=["reveal"]
speller = train_speller(functional.relu)
with torch.no_grad():
    scores = speller(test[:, :8])
reached = functional.cross_entropy(scores, test[:, 8]).item()
limits = {"about 1.2": 1.6, "about 2.1": 2.45, "about 2.7": np.inf}
choice = predict.pick(reached, limits)
predict.reveal(f"{reached:.1f} nats", choice=choice)

# %% [markdown]
# The same in Keras, with the block of above; `fit` does the step.

# %%
keras.utils.set_random_seed(0)
given = keras.Input((8,), dtype="int32")
stream = keras.layers.Flatten()(keras.layers.Embedding(27, 8)(given))
passed = keras.layers.RMSNormalization()(stream)
stream = stream + GatedLayer(64, 64, "relu")(passed)
model = keras.Model(given, keras.layers.Dense(27)(stream))
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.01), entropy)
some = train[: 800 * 128 : 2].numpy()
model.fit(some[:, :8], some[:, 8], batch_size=128, verbose=0)
seen = test.numpy()
keras_loss = model.evaluate(seen[:, :8], seen[:, 8], 1000, verbose=0)
print(f"half as many steps: {keras_loss:.1f} nats")

# %% [markdown]
# ## Is it better?
#
# Now the trial: two plain blocks and five gated ones, in networks of equally many weights, each at
# its own best learning rate, on ten cuts of the text with two seeds each, and two more. Every
# network is trained until its validation loss has not improved for 3,000 steps. (After 8,000 steps,
# where an earlier version of this trial ended, nine in ten still improve.)
#
# > **Predict.** What does the best gated network gain over the best plain one, on new text?
# >
# > - nothing that can be seen
# > - up to 0.05 nats
# > - more than that

# %% tags=["reveal"]
losses = {arm: gates.values(arm) for arm in gates.ARMS}
groups = {a: stats.nested_interval(v) for a, v in losses.items()}
order = sorted(groups, key=lambda arm: groups[arm].mean)
ranked = {arm: groups[arm] for arm in order}
title = f"Lowest: {order[0]}; highest: {order[-1]}"
plots.rows(ranked, label="test loss (nats)", title=title).show()

# %% tags=["reveal"]
is_gated = {arm: gate for arm, (_, gate) in gates.ARMS.items()}
paired = next(arm for arm in order if not is_gated[arm])
winner = next(arm for arm in order if is_gated[arm])
found = stats.nested_interval(losses[paired] - losses[winner])
seen_gain = found.mean if found.low > 0 else 0.0
limits = {"nothing that can be seen": 0, "up to 0.05 nats": 0.05}
choice = predict.pick(seen_gain, {**limits, "more than that": np.inf})
words = f"{winner} over {paired}: {found.mean:.3f} "
words += f"[{found.low:.3f}, {found.high:.3f}] nats"
predict.reveal(words.replace("-", "−"), choice=choice)

# %% [markdown] tags=["reveal"]
# The bars in the picture are wide because the ten cuts differ. What counts is the difference on
# the *same* cut with the same seed, and that is what the verdicts look at.

# %%
claims.trial("gates-any-helps", "gates-beat-plain", "gates-faster")

# %% [markdown]
# No gate is shown to be ahead, none to be behind. That contradicts nobody: Shazeer's gates lead by
# some hundredths of a nat a *word piece* (not a letter), in models many thousand times as large,
# and so small a lead twenty networks could have missed. With all forty in the picture GEGLU *would*
# lead by a hair. But the second twenty were added when the first had shown nothing, and who goes on
# until somebody leads will find a leader.
#
# Nor is a gate shown to train faster. That verdict was once another. Its learning rates had been
# chosen for the loss at the end; GLU's was nearly twice ReLU's, and a larger rate alone is faster.
# Now they are chosen for speed, and once more GLU has ReLU's: what was saved is gone. GEGLU even
# comes later than GELU to the first of the losses. **Ask which question a rate was tuned for.**
# (Two more claims, on the bilinear block and on which curve sits in the gate, are [in the
# ledger](../book/reference/claims.md).)
#
# ## What the gate does
#
# A ReLU gate is shut or open, so it can be counted. Take the ReGLU network from above. For each of
# its 64 gates, how often is it open after an *a*, after a *b*, and so on?

# %%
with torch.no_grad():
    stream = speller.letters(test[:, :8]).flatten(1)
    is_open = (speller.block.gate(speller.norm(stream)) > 0).numpy()
last = test[:, 7].numpy()
named = dict(enumerate("_abcdefghijklmnopqrstuvwxyz"))
often = [k for k in named if (last == k).sum() > 100]
table = np.array([is_open[last == k].mean(0) for k in often])
print(f"open on average: {is_open.mean():.0%}")

# %%
unit = np.ptp(table, axis=0).argmax()  # the most particular one
rank = np.argsort(-table[:, unit])
names = [named[often[k]] for k in rank]
ax = plots.figure()[1]
ax.bar(names, 100 * table[rank, unit], color=plots.colour("relu"))
title = f"Gate {unit}: open after {names[0]}, shut after {names[-1]}"
plots.label(ax, title=title, x="letter before (_ space)", y="open (%)")
high, low = 100 * table[rank[[0, -1]], unit]
plots.show(ax.figure, f"{title}: {high:.0f} % and {low:.0f} %.")

# %% [markdown]
# The picture is of the gate that differs most between letters, and others have other alphabets. A
# plain ReLU can look for a letter, too; but then the same number says *that* it was there and
# *what* to add. A gate separates the two.
#
# ## Exercises
#
# > **Exercise 10.1.** Write `geglu(x)`: of the last axis of an array the first half is the value
# > and the second half the gate, which goes through the exact GELU.

# %%
geglu = ...
check.check_geglu(geglu)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch.nn import functional
# from actlab.exercises import gates as check
#
# def geglu(x):
#     value, gate = torch.as_tensor(x).chunk(2, -1)
#     return value * functional.gelu(gate)
#
# check.check_geglu(geglu)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# from actlab.exercises import gates as check
#
# def geglu(x):
#     value, gate = keras.ops.split(x, 2, axis=-1)
#     return value * keras.activations.gelu(gate)
#
# check.check_geglu(geglu)
# ```
#
# </details>
#
# > **Exercise 10.2.** Write `width_of(plain, multiple)`: the smallest hidden width that is a
# > multiple of `multiple` and gives a gated block at least as many weights as a plain block of
# > hidden width `plain`.

# %%
width_of = ...
check.check_width(width_of)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import math
# from torch import nn
# from actlab.exercises import gates as check
#
# def width_of(plain, multiple):
#     return math.ceil(2 * plain / 3 / multiple) * multiple
#
# wide = width_of(256, 8)
# gated = sum(nn.Linear(64, wide, False).weight.numel() for _ in "abc")
# assert gated >= 2 * 64 * 256
# check.check_width(width_of)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import math
# from actlab.exercises import gates as check
#
# def width_of(plain, multiple):
#     return math.ceil(2 * plain / 3 / multiple) * multiple
#
# check.check_width(width_of)
# ```
#
# </details>
#
# > **Exercise 10.3.** Train a network on `data.load("digits")` that has no activation function at
# > all, only a product of two linear maps, and is right about 93 % of the test digits. Hand in the
# > module or model.

# %%
network = ...
check.check_bilinear(network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from torch import nn
# from actlab import data
# from actlab.exercises import gates as check
#
# class Bilinear(nn.Module):
#     def __init__(self):
#         super().__init__()
#         self.up, self.gate = nn.Linear(64, 32), nn.Linear(64, 32)
#         self.out = nn.Linear(32, 10)
#
#     def forward(self, x):
#         return self.out(self.up(x) * self.gate(x))
#
# digits = data.load("digits")
# x = torch.from_numpy(digits.x_train)
# y = torch.from_numpy(digits.y_train)
# torch.manual_seed(0)
# network = Bilinear()
# optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
# for _ in range(30):
#     for rows in torch.randperm(len(x)).split(64):
#         optimizer.zero_grad()
#         logits = network(x[rows])
#         nn.functional.cross_entropy(logits, y[rows]).backward()
#         optimizer.step()
#
# check.check_bilinear(network)
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
# from actlab.exercises import gates as check
#
# digits = data.load("digits")
# keras.utils.set_random_seed(0)
# given = keras.Input((64,))
# value = keras.layers.Dense(32)(given)
# gate = keras.layers.Dense(32)(given)
# product = keras.layers.Multiply()([value, gate])
# network = keras.Model(given, keras.layers.Dense(10)(product))
# network.compile(
#     keras.optimizers.Adam(0.003),
#     keras.losses.SparseCategoricalCrossentropy(
#         from_logits=True
#     ),
# )
# network.fit(digits.x_train, digits.y_train, 64, 30, verbose=0)
# check.check_bilinear(network)
# ```
#
# </details>
#
# > **Exercise 10.4.** Would a gate be worth it where you work? *Before* you train, write a rule: a
# > function of the test losses of a plain and of a gated network (an array of one number for each
# > seed) that says "holds" (the gate makes the loss smaller), "refuted" (larger) or "not shown".
# > Then change the experiment: other data, another curve, another width; equally many weights, and
# > at least ten seeds.

# %%
answer = ...  # (rule, plain, gated)
check.check_gate_rule(answer)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch, tumours)</summary>
#
# ```python
# import numpy as np
# import torch
# from torch import nn
# from torch.nn.functional import cross_entropy, relu
# from actlab import data, stats
# from actlab.exercises import gates as check
#
# def rule(plain, gated):
#     saved = stats.mean_interval(plain - gated)  # by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# tumours = data.load("breast_cancer")
# x, x_test = map(torch.from_numpy, (tumours.x_train, tumours.x_test))
# y, y_test = map(torch.from_numpy, (tumours.y_train, tumours.y_test))
#
# class Net(nn.Module):
#     def __init__(self, gated):
#         super().__init__()
#         self.up = nn.Linear(30, 16 if gated else 31)
#         self.gate = nn.Linear(30, 16) if gated else None
#         self.out = nn.Linear(16 if gated else 31, 2)
#
#     def forward(self, x):
#         z = self.up(x)
#         bent = relu(self.gate(x)) * z if self.gate else relu(z)
#         return self.out(bent)
#
# def loss(gated, seed):
#     torch.manual_seed(seed)
#     net = Net(gated)
#     optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
#     for _ in range(100):
#         optimizer.zero_grad()
#         cross_entropy(net(x), y).backward()
#         optimizer.step()
#     return cross_entropy(net(x_test), y_test).item()
#
# plain = np.array([loss(False, seed) for seed in range(10)])
# gated = np.array([loss(True, seed) for seed in range(10)])
#
# answer = (rule, plain, gated)
# check.check_gate_rule(answer)
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
# from actlab.exercises import gates as check
#
# def rule(plain, gated):
#     saved = stats.mean_interval(plain - gated)  # by seed
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# tumours = data.load("breast_cancer")
# entropy = keras.losses.SparseCategoricalCrossentropy(
#     from_logits=True
# )
#
# def loss(gated, seed):
#     keras.utils.set_random_seed(seed)
#     given = keras.Input((30,))
#     hidden = keras.layers.Dense(16 if gated else 31, "relu")(given)
#     if gated:
#         hidden = hidden * keras.layers.Dense(16)(given)
#     net = keras.Model(given, keras.layers.Dense(2)(hidden))
#     net.compile(keras.optimizers.Adam(0.003), entropy)
#     net.fit(tumours.x_train, tumours.y_train, epochs=8, verbose=0)
#     return net.evaluate(tumours.x_test, tumours.y_test, verbose=0)
#
# plain = np.array([loss(False, seed) for seed in range(10)])
# gated = np.array([loss(True, seed) for seed in range(10)])
#
# answer = (rule, plain, gated)
# check.check_gate_rule(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - A gated unit multiplies two linear maps; one of them may go through a curve first.
# > - The product alone is a nonlinearity: a bilinear unit computes XOR.
# > - In `nn.GLU` and `keras.activations.glu` the second half is the gate.
# > - A gate of the same width costs half as many weights again; two thirds of the width cost as
# >   many as the plain block.
# > - Compare blocks at equal cost, on the same text with the same seed, and to the end. For a claim
# >   about speed tune for speed, and look at equal rates too.

# %%
claims.cheat("gates")

# %% [markdown]
# **What next.** A gate decides how much of *its own* place passes.
# [Attention](11_attention.ipynb) decides how much of every *other* place does.

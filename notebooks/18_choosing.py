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
# # Choosing: which one is better, and how would you know?
#
# **35 minutes to read, exercises apart · runs in about 50 s and 1.2 GB on 2 cores · needs: any of
# the chapters on activations**
#
# The most copied sentence about activation functions is a ranking: *SELU > ELU > Leaky ReLU (RReLU,
# PReLU) > ReLU > tanh > sigmoid*. Below is a program of some thirty lines that proves it, at least
# for four of its names. There is nothing wrong with the program.
#
# Change one number in it, and it proves something else.
#
# **Questions**
#
# - How many networks does it take to see a difference, and how small a one can twenty show?
# - What else, besides the seed, decides such a contest without anybody noticing?
# - If twenty functions compete, how good does the winner look by luck alone?
# - And the ranking: is it true?

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
import pandas as pd
import torch
from scipy.stats import ttest_rel
from torch import nn
from torch.nn import functional

from actlab import claims, data, plots, predict, stats, study
from actlab.exercises import choosing as check
from actlab.experiments import grand, standing, unfair

plots.use_style()
# Twice the usual digits: then every processor prints the same.
torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## A proof in thirty lines
#
# A network, a training, a score: 300 digits to learn from, two hidden layers of sixteen units, the
# same rate for everybody, and whatever start PyTorch gives.

# %%
digits = data.load("digits", size=300)


def network(activation, seed):
    torch.manual_seed(seed)  # whatever the activation: these weights
    first, second = nn.Linear(64, 16), nn.Linear(16, 16)
    last = nn.Linear(16, 10)
    return nn.Sequential(
        first, activation(), second, activation(), last
    )


# %%
def train(model, part, seed, rate=0.1, epochs=25):
    x = torch.from_numpy(part.x_train).double()
    y = torch.from_numpy(part.y_train)
    optimiser = torch.optim.SGD(model.parameters(), rate, 0.9)
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(len(x)))
        for rows in order.split(64):
            loss = functional.cross_entropy(model(x[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return model


def accuracy(model, x, y):
    said = model(torch.from_numpy(x).double()).argmax(1).numpy()
    return 100 * np.mean(said == y)


# %%
four = [nn.Tanh, nn.ReLU, nn.ELU, nn.SELU]  # a tie keeps this order


def score(kind, seed, part=digits):
    model = train(network(kind, seed), part, seed)
    return accuracy(model, part.x_test, part.y_test)


def contest(seed):
    return {kind.__name__: score(kind, seed) for kind in four}


def ranked(scores):
    return " > ".join(sorted(scores, key=scores.get, reverse=True))


chosen = 3
print(f"seed {chosen}: {ranked(contest(chosen))}")

# %% [markdown]
# There it is. Weights and order of the examples are the same for all four, so only the function
# differs.
#
# > **Predict.** Four names can be put in 24 orders. We run the program with twenty seeds. How many
# > different orders come out?
# >
# > - one or two
# > - three to six
# > - more than six

# %% tags=["reveal"]
twenty = pd.DataFrame([contest(seed) for seed in range(20)])
orders = [ranked(row) for row in twenty.to_dict("records")]
print(*orders[: chosen + 1], sep="\n")

count = len(set(orders))
ends = {"one or two": 2, "three to six": 6, "more than six": 24}
choice = predict.pick(count, ends)
words = f"{count} orders; ours {orders.count(orders[chosen])} times"
predict.reveal(words, choice=choice, folklore="one or two")

# %% [markdown] tags=["reveal"]
# Now you see how we found our seed: we tried 0, 1, 2, … until the ranking came. Nobody who reads
# "seed 3" can know that.

# %% [markdown]
# In Keras it is the same story: from the same weights, in the same order, the same network.


# %%
def in_keras(name, seed, rate=0.1, epochs=25):
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(2):
        model.add(keras.layers.Dense(16, name.lower()))
    model.add(keras.layers.Dense(10))
    start = network(getattr(nn, name), seed).parameters()
    model.set_weights([w.detach().numpy().T for w in start])
    entropy = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True
    )
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), entropy)
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(digits.y_train))
        x, y = digits.x_train[order], digits.y_train[order]
        model.fit(x, y, 64, shuffle=False, verbose=0)
    return model


# %%
keras.config.set_floatx("float64")
in_torch = train(network(nn.SELU, chosen), digits, chosen)
told = in_torch(torch.from_numpy(digits.x_test).double())
twin = np.asarray(in_keras("SELU", chosen)(digits.x_test))
keras.config.set_floatx("float32")
assert np.allclose(twin, told.detach().numpy(), atol=1e-3)
right = 100 * np.mean(twin.argmax(1) == digits.y_test)
print(f"PyTorch {twenty.SELU[chosen]:.1f} %, Keras {right:.1f} %")

# %% [markdown]
# ## What twenty seeds can see
#
# One network tells nothing; the mean of twenty does. How much? Call $s$ how far the networks of one
# function scatter (their standard deviation). The means of two sets of $n$ networks
# *of the same function* then differ by chance, mostly by less than $2 s \sqrt{2/n}$. This is the
# **noise floor**: an effect below it cannot be told from other seeds.

# %%
s = twenty["ReLU"].std()
floor = 2 * s * np.sqrt(2 / len(twenty))
print(f"s = {s:.2f} points, noise floor {floor:.2f} points")

# %% [markdown]
# (`stats.noise_floor` has Student's $t$ in the place of the 2.) The root makes small effects dear:
# for half the effect take four times the networks, for a tenth a hundred times.
#
# Pairs are cheaper. With the same first weights and the same order of the examples, a lucky seed is
# lucky for both. So look at the *differences*, seed by seed:

# %%
for rival in ("Tanh", "ELU", "SELU"):
    found = stats.paired_difference(twenty[rival], twenty["ReLU"])
    print(f"{rival} − ReLU: {found.format(digits=2)}")

# %% [markdown]
# The mean difference in points, where it lies with 95 % certainty, and how probable one so large is
# by chance. An interval that holds 0 says *not shown*: not that the two are equal, but that their
# difference is smaller than so many seeds can see.
#
# ## The split is a seed, too
#
# All twenty learned from the same 300 digits and were tested with the same 359. Deal the digits
# anew: ReLU, five deals, four seeds each.

# %%
deals = [data.load("digits", seed=i, size=300) for i in range(5)]
dealt = np.array(
    [[score(nn.ReLU, k, part) for k in range(4)] for part in deals]
)
print("mean of each deal:", dealt.mean(axis=1).round(1))

# %% [markdown]
# Twenty networks on one split are twenty looks at *that split*. So split anew as well, and count as
# independent what is: the five means (`stats.nested_interval`).
#
# ## A rate for each, at the same price
#
# One rate for all sounds fair. It is not: whoever happens to like that rate wins. On *validation*
# data, by four networks each:


# %%
def by_rate(kind, rates=(0.003, 0.01, 0.03, 0.1, 0.15)):
    found = {}
    for rate in rates:
        scores = []
        for seed in range(100, 104):
            model = train(network(kind, seed), digits, seed, rate)
            right = accuracy(model, digits.x_valid, digits.y_valid)
            scores.append(right)
        found[rate] = stats.mean_interval(scores)
    return found


curves = {kind.__name__: by_rate(kind) for kind in four}

# %%
means = pd.DataFrame(curves).map(lambda found: found.mean)
rings = ("its best rate", means.idxmax().to_dict())
looks = {name: plots.line_style(name.lower()) for name in curves}
names = means.idxmax(axis=1).iloc[[0, -1]]
title = ", ".join(f"{name} at {rate:g}" for rate, name in names.items())
named = {"x": "learning rate", "y": "validation accuracy (%)"}
named |= {"title": f"Ahead: {title}", "styles": looks, "log": "x"}
plots.lines(curves, **named, rings=rings).show()

# %% [markdown]
# So each gets a rate of its own (the rings). It is chosen on validation data and by *other* seeds
# than the reported ones, so that none is chosen for its luck; with the same search for all, and you
# say how many were tried; and not at the end of what was tried, behind which the best may lie.

# %% [markdown]
# ## Twenty equal arms
#
# The more take part, the better the winner looks. Let twenty functions compete that are *all the
# same*: their scores are pure noise, twenty seeds each. There are 190 pairs, and in each we ask
# whether $p < 0.05$.
#
# > **Predict.** In how many of such contests is some function "significantly better" than some
# > other?
# >
# > - one in twenty
# > - about half of them
# > - nearly all of them

# %% tags=["reveal"]
rng = np.random.default_rng(0)
first, second = np.triu_indices(20, 1)  # the 190 pairs
smallest = []
for _ in range(200):
    noise = rng.normal(size=(20, 20))  # function, seed
    p = ttest_rel(noise[first], noise[second], axis=1).pvalue
    smallest.append(p.min())

fooled = np.mean(np.array(smallest) < 0.05)
ends = {"one in twenty": 0.2, "about half of them": 0.8}
choice = predict.pick(fooled, {**ends, "nearly all of them": 1})
predict.reveal(f"{fooled:.0%}", choice=choice, folklore="one in twenty")
corrected = np.mean(np.array(smallest) < 0.05 / len(first))
print(f"and with a p of less than 0.05 / {len(first)}: {corrected:.0%}")

# %% [markdown] tags=["reveal"]
# Who asks 190 questions needs stronger answers. To divide 0.05 by their number is Bonferroni's way;
# Holm's is never worse (exercise 18.2). It counts what was *asked*, not what was reported.

# %% [markdown]
# ## The whole trial, in a minute
#
# All of this together: the six of the ranking (one slope for the leaky ones), each with a start
# that suits it and in each place a rate of its own, found with ten other networks; five splits with
# four seeds each; training until the validation loss has not improved for twelve epochs, at most
# twenty-four. On two data sets it runs while you read this.

# %%
trial = grand.SMALL
small = pd.concat(
    trial.task(**cell, **trial.settings).assign(**cell)
    for cell in trial.cells()
)
quick = unfair.ranking(small)
print("the minute:", " > ".join(quick.index))

# %% [markdown]
# `python -m actlab.study grand_trial --preset small` does the same from a terminal; `--grid` takes
# a [grid of your own](../book/contributing.md). `--preset full` is the *grand trial*: twenty
# functions, six data sets, networks of two, four and eight layers, without and with batch or layer
# normalisation, of all combinations a balanced third, those of eight layers also with residual
# connections; at most 200 epochs. It has run for you:

# %%
full = study.load("grand_trial")
fair = unfair.ranking(full)
tries = f"{full.tries.min()} to {full.tries.max()}"
print(f"{len(full):,} networks; {tries} rates tried by each")

# %% [markdown]
# ## The ranking on trial
#
# Now the sentence from the beginning, all six places. (Its third is the mean of four leaky
# functions: slopes 0.01 and 0.3, learned, and drawn.)
#
# > **Predict.** Data sets, splits and seeds are drawn anew, with replacement, 4,000 times. How
# > often does the whole order come out?
# >
# > - nearly always
# > - about every second time
# > - hardly ever

# %% tags=["reveal"]
whole = claims.get("ranking-whole").recorded().measured[standing.WHOLE]
(often,) = [found.mean for found in whole.cases.values()]
ranks = whole.notes["mean rank"]
print("on average:", " > ".join(sorted(ranks, key=ranks.get)))
ends = {"hardly ever": 10, "about every second time": 90}
picked = predict.pick(often, {**ends, "nearly always": 100})
predict.reveal(
    f"{often:.1f} %", choice=picked, folklore="nearly always"
)

# %%
claims.trial("ranking-whole")

# %% [markdown]
# On average SELU and ELU do lead; what follows them does not follow the ranking. (Whether it points
# the right way at all is [in the ledger](../book/reference/claims.md).) Step by step:

# %%
steps = "selu-elu elu-leaky leaky-relu relu-tanh tanh-sigmoid"
records = [claims.get(f"ranking-{step}") for step in steps.split()]
table = {"it says": [record.statement for record in records]}
table["verdict"] = [record.recorded().verdict for record in records]
passing = [record.recorded().decision.passing for record in records]
table["where"] = [", ".join(case[0] for case in one) for one in passing]
plots.table(table)

# %% [markdown]
# The rules were written down before the trial ran.

# %% [markdown]
# ## Who is told apart?
#
# A mean rank needs its noise beside it, too. In the *critical-difference diagram* a bar joins those
# functions (its dots) that the 24 places (data set, network, norm) could not tell apart, after
# Holm's correction.

# %%
percents = standing.scores(full).drop(columns=standing.TIER)
axes = ["data", "network", "norm"]
by_place = percents.groupby(axes).mean()
arms = grand.GRAND.settings["arms"]
hues = {a: plots.colour(own["activation"]) for a, own in arms.items()}
compared = stats.compare(by_place)
plots.critical_difference_diagram(compared, colours=hues).show()

# %% [markdown]
# With care: four places each share their data set. By six data sets alone no pair of twenty
# functions could ever be told apart, for Holm's smallest $p$ would be above 1.
#
# And a rank hides how much. In points, against ReLU, with the interval over the data sets; in grey
# what other seeds would do:

# %%
points = by_place.sub(by_place.ReLU, axis=0).groupby("data").mean()
wobble = {}
for arm in percents:
    of_a_split = percents[arm].groupby([*axes, "split"])
    wobble[arm] = stats.nested_noise_floor([v for _, v in of_a_split])
effects, floors = {}, {}
for arm in compared.mean_ranks.index.drop("ReLU"):
    effects[arm] = stats.mean_interval(points[arm], 1 - 0.05 / 19)
    floors[arm] = max(wobble[arm], wobble["ReLU"])
look = {"label": "ahead of ReLU (points)", "title": "{}"}
look |= {"colours": hues, "zone": (0, np.inf), "floors": floors}
plots.rows(effects, **look).show()

# %% [markdown]
# Outside of the grey is more than luck of the seeds *on these data*. An interval that holds 0: on
# other data it may be the other way round. ("Breast cancer" in the table above is below its grey.)
#
# When this trial first ran, ReLU was nearly forty points behind tanh in one place: on the digits,
# eight layers deep, residual and without a norm. One rule was broken: *a start that suits it*. He's
# is made for layers without shortcuts; seven blocks that add to their input made the signal of ReLU
# about 36 times as large, that of tanh 3 times. To divide the weights by the root of the number of
# blocks ([Hayou et al., 2021](https://arxiv.org/abs/2010.12859)) bounds the signal where what they
# add cancels. ReLU's does not; it takes the number itself. With that, the forty points became two.
#
# And do you see *linear*? It bends nothing, and ranks third of twenty. On five of the six data sets
# it is ahead of ReLU, on MNIST-1D far behind. A few hundred examples hardly ask for a bend: a trial
# ranks for *its* data and sizes, this one too.

# %% [markdown]
# ## Break the rules, one at a time
#
# Let us be careless, with all twenty: each of these ways makes a ranking of its own, and
# we count how many of the 190 pairs it has the other way round than the fair one.
#
# > **Predict.** Which carelessness turns most pairs?
# >
# > - one network of each
# > - one rate for all
# > - after five epochs
# > - one data set

# %% tags=["reveal"]
each = [(split, seed) for split in range(5) for seed in range(4)]
switches = {
    "one network of each": [{"network": one} for one in each],
    "one data set": [{"data": one} for one in grand.DATA],
    "one rate for all": [{"tuned": False}],
    "after five epochs": [{"when": "accuracy_5"}],
    "the luckiest of twenty": [{"best": True}],
}
halves = [unfair.ranking(full[full.seed // 2 == i]) for i in (0, 1)]
by_chance = unfair.turned(*halves)
print(f"fair, half of the seeds against half: {by_chance:.0f} %")

# %% tags=["reveal"]
turned = {}
for way, settings in switches.items():
    others = [unfair.ranking(full, **one) for one in settings]
    turned[way] = np.mean([unfair.turned(fair, o) for o in others])
    firsts = len({other.index[0] for other in others})
    print(f"{way}: {turned[way]:.0f} %; different winners: {firsts}")

worst_way = max(list(turned)[:4], key=turned.get)
predict.reveal(
    f"{turned[worst_way]:.0f} % of the pairs", choice=worst_way
)

# %% [markdown] tags=["reveal"]
# The first line is the floor: many pairs are ties, and turn although no rule is broken. ("One rate
# for all" goes by the validation loss that the tuning saw at 0.0095.) Change a switch: each way is
# one argument of `unfair.ranking`.

# %% [markdown]
# ## What a ranking leaves out
#
# *How fast.* Each data set had three targets: about half of the way, most of it, nearly all of it.
# A *performance profile* says in how many of these races (%) a function took at most so many times
# as long as the fastest of all twenty. Here: twice as long, in `epochs`, and in `seconds` of the
# processor. *How easily.* `tolerant`: powers of ten from the smallest to the largest rate at most a
# tenth worse in validation loss. *How surely.* `worst`: points by which the worst of
# twenty lies below their mean.

# %%
shown = list(quick.index)
habits = unfair.summary(full).loc[shown, ["tolerant", "worst"]]
for clock in ("seconds", "epochs"):
    races = unfair.to_targets(full, seconds=clock == "seconds")
    twice = unfair.profile(races, (2,)).loc[2, shown]
    habits.insert(0, clock, twice)
plots.table(habits.rename_axis("").reset_index(), 2)

# %% [markdown]
# *And where.* Few networks of today are as bare as those.

# %%
claims.trial("choosing-matters-less")

# %% [markdown]
# What to do on Monday? Take what [Which one should I use?](../book/reference/choosing.md) advises.
# If some tenths of a point are worth the electricity, compare, on *your*
# data, by these rules.
#
# ## Exercises
#
# > **Exercise 18.1.** Write `seeds_needed(s, effect)`: how many networks of each function bring the
# > noise floor $2 s \sqrt{2/n}$ below an effect of so many points. How many are it for half a point
# > at $s = 1.2$?

# %%
seeds_needed = ...
check.check_seeds_needed(seeds_needed)

# %% [markdown]
# <details>
# <summary>Solution (NumPy, whichever framework you use)</summary>
#
# ```python
# import numpy as np
# from actlab.exercises import choosing as check
#
# def seeds_needed(s, effect):
#     return int(np.floor(2 * (2 * s / effect) ** 2)) + 1
#
# print(seeds_needed(1.2, 0.5))
# check.check_seeds_needed(seeds_needed)
# ```
#
# </details>
#
# <details>
# <summary>Solution (by trying)</summary>
#
# ```python
# from math import sqrt
# from actlab.exercises import choosing as check
#
# def seeds_needed(s, effect):
#     n = 1
#     while 2 * s * sqrt(2 / n) >= effect:
#         n += 1
#     return n
#
# check.check_seeds_needed(seeds_needed)
# ```
#
# </details>
#
# > **Exercise 18.2.** Write `holm(p)`: which of an array of $p$-values, one for each comparison,
# > stand at 5 % (truth values, in the same order). From the smallest up: of $m$ the first must be
# > below $0.05/m$, the next below $0.05/(m-1)$, and so on; the first that is not ends it.

# %%
holm = ...
check.check_holm(holm)

# %% [markdown]
# <details>
# <summary>Solution (NumPy, whichever framework you use)</summary>
#
# ```python
# import numpy as np
# from actlab.exercises import choosing as check
#
# def holm(p):
#     p = np.asarray(p)
#     stands = np.zeros(len(p), dtype=bool)
#     for rank, which in enumerate(np.argsort(p)):
#         if p[which] >= 0.05 / (len(p) - rank):
#             break
#         stands[which] = True
#     return stands
#
# check.check_holm(holm)
# ```
#
# </details>
#
# <details>
# <summary>Solution (statsmodels)</summary>
#
# ```python
# from statsmodels.stats.multitest import multipletests
# from actlab.exercises import choosing as check
#
# def holm(p):
#     return multipletests(p, alpha=0.05, method="holm")[0]
#
# check.check_holm(holm)
# ```
#
# </details>
#
# > **Exercise 18.3.** A fair contest of your own, without our helpers: ReLU against a function you
# > like, on the digits, at least ten seeds, each with a rate chosen on validation data among the
# > same ones, by other seeds. *Before* you look at a test error, write a rule: a function of ReLU's
# > errors and yours (an array each, a number for each seed) that says "holds" (yours errs less),
# > "refuted" or "not shown".

# %%
answer = ...  # (rule, relu, yours)
check.check_own_contest(answer)

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
# from actlab.exercises import choosing as check
#
# def rule(relu, yours):
#     saved = stats.mean_interval(relu - yours)  # 95 %, by pairs
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# digits = data.load("digits", size=300)
# x = torch.tensor(digits.x_train, dtype=torch.float32)
# y = torch.tensor(digits.y_train)
#
# def errors(kind, seed, rate, pixels, labels):
#     torch.manual_seed(seed)
#     model = nn.Sequential(
#         nn.Linear(64, 16), kind(), nn.Linear(16, 10)
#     )
#     optimiser = torch.optim.SGD(
#         model.parameters(), lr=rate, momentum=0.9
#     )
#     for epoch in range(20):
#         for rows in torch.randperm(len(x)).split(64):
#             loss = functional.cross_entropy(
#                 model(x[rows]), y[rows]
#             )
#             optimiser.zero_grad()
#             loss.backward()
#             optimiser.step()
#     said = model(torch.tensor(pixels, dtype=torch.float32))
#     return 100 * np.mean(said.argmax(1).numpy() != labels)
#
# def contestant(kind):
#     valid = digits.x_valid, digits.y_valid
#     rates = [0.01, 0.03, 0.1, 0.3]
#     tuning = [
#         np.mean([errors(kind, s, rate, *valid) for s in (100, 101)])
#         for rate in rates
#     ]
#     best = rates[int(np.argmin(tuning))]
#     test = digits.x_test, digits.y_test
#     return np.array(
#         [errors(kind, seed, best, *test) for seed in range(10)]
#     )
#
# answer = (rule, contestant(nn.ReLU), contestant(nn.SiLU))
# check.check_own_contest(answer)
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
# from actlab.exercises import choosing as check
#
# def rule(relu, yours):
#     saved = stats.mean_interval(relu - yours)  # 95 %, by pairs
#     if saved.low > 0:
#         return "holds"
#     return "refuted" if saved.high < 0 else "not shown"
#
# digits = data.load("digits", size=300)
#
# def errors(kind, seed, rate, pixels, labels):
#     keras.utils.set_random_seed(seed)
#     model = keras.Sequential(
#         [
#             keras.Input((64,)),
#             keras.layers.Dense(16, kind),
#             keras.layers.Dense(10),
#         ]
#     )
#     model.compile(
#         optimizer=keras.optimizers.SGD(rate, momentum=0.9),
#         loss=keras.losses.SparseCategoricalCrossentropy(
#             from_logits=True
#         ),
#     )
#     model.fit(
#         digits.x_train,
#         digits.y_train,
#         batch_size=64,
#         epochs=8,
#         verbose=0,
#     )
#     said = np.argmax(model(pixels), axis=1)
#     return 100 * np.mean(said != labels)
#
# def contestant(kind):
#     valid = digits.x_valid, digits.y_valid
#     rates = [0.03, 0.1, 0.3]
#     tuning = [errors(kind, 100, rate, *valid) for rate in rates]
#     best = rates[int(np.argmin(tuning))]
#     test = digits.x_test, digits.y_test
#     return np.array(
#         [errors(kind, seed, best, *test) for seed in range(10)]
#     )
#
# answer = (rule, contestant("relu"), contestant("silu"))
# check.check_own_contest(answer)
# ```
#
# </details>
#
# > **Exercise 18.4.** Change the chapter's own trial. `grand.build("mine", …)` makes one: give
# > `arms`, `"ReLU"` and a rival (of `grand.ARMS`, or a name of the catalog), and `data`, two sets
# > or more, one of which the minute did not have; run it as the minute was run. Then decide of each
# > data set whether "the rival is better than ReLU" *holds*, is *refuted* or *not shown*.

# %%
answer = ...  # (table, rival, verdicts), verdicts[data] = "holds", …
check.check_own_trial(answer)

# %% [markdown]
# <details>
# <summary>Solution (interval over the splits)</summary>
#
# ```python
# import pandas as pd
# from actlab import stats
# from actlab.exercises import choosing as check
# from actlab.experiments import grand
#
# mine = grand.build(
#     "mine",
#     arms=["ReLU", "softsign"],
#     data=["wine", "breast_cancer"],
#     networks=["2 layers"],
#     norms=["none"],
#     tuning_epochs=10,
#     longest=20,
# )
# table = pd.concat(
#     mine.task(**cell, **mine.settings).assign(**cell)
#     for cell in mine.cells()
# )
# verdicts = {}
# for place, part in table.groupby("data"):
#     wide = part.pivot(
#         index=["split", "seed"], columns="arm", values="accuracy"
#     )
#     lead = (wide["softsign"] - wide["ReLU"]).unstack("seed")
#     found = stats.nested_interval(lead.to_numpy(), 1 - 0.05 / 2)
#     verdicts[place] = "not shown"
#     if found.low > 0:
#         verdicts[place] = "holds"
#     if found.high < 0:
#         verdicts[place] = "refuted"
#
# answer = (table, "softsign", verdicts)
# check.check_own_trial(answer)
# ```
#
# </details>
#
# <details>
# <summary>Solution (another grid, by a test that looks at ranks)</summary>
#
# ```python
# import pandas as pd
# from scipy.stats import wilcoxon
# from actlab.exercises import choosing as check
# from actlab.experiments import grand
#
# mine = grand.build(
#     "mine",
#     arms=["ReLU", "Mish"],
#     data=["digits", "wine"],
#     networks=["4 layers"],
#     norms=["layer"],
#     sizes={"digits": 100},
#     splits=8,
#     seeds=3,
#     tuning_epochs=5,
#     longest=20,
# )
# table = pd.concat(
#     mine.task(**cell, **mine.settings).assign(**cell)
#     for cell in mine.cells()
# )
# verdicts = {}
# for place, part in table.groupby("data"):
#     means = part.groupby(["split", "arm"]).accuracy.mean().unstack()
#     lead = means["Mish"] - means["ReLU"]
#     sure = lead.any() and wilcoxon(lead).pvalue < 0.05 / 2
#     word = "holds" if lead.mean() > 0 else "refuted"
#     verdicts[place] = word if sure else "not shown"
#
# answer = (table, "Mish", verdicts)
# check.check_own_trial(answer)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - One network of each kind proves anything. Half the noise floor costs four times the networks;
# >   pairs see more. The split is a seed, too.
# > - To each a rate of its own, by validation data and other seeds, at one price, and time enough.
# > - Say what you could have seen. *Not shown* is a result; *equal* is another one.
#
# | Somebody says that A beats B | Ask |
# | --- | --- |
# | in a table with two decimals | of how many seeds, and how far do they scatter? |
# | with the same settings for both | who chose the rate and the start, and for whom? |
# | after ten epochs | and when nothing improves any more? |
# | on a benchmark | on how many data sets, split how often? |
# | "significantly" | how many were tried, how many are told? |
#
# **What next.** [Which one should I use?](../book/reference/choosing.md) has the advice that
# follows from all verdicts of this course. An activation of your own? `python
# -m actlab.report` makes its [report card](../book/reference/report-cards.md), in both frameworks,
# by the rules of this chapter.

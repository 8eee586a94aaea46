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
# # Sigmoid and tanh: saturation and vanishing gradients
#
# **40 minutes to read · runs in about 20 s and 1.2 GB on 2 cores · needs: the ReLU chapter
# (what it says about initialisation)**
#
# A much-read tutorial trains one network with six activations. Five of them tell dresses from
# shirts; the sigmoid guesses. The same tutorial in another framework, with the same network, data
# and learning rate, has a sigmoid that is right more than three times in four. What happened? At
# the end of this chapter you will know, and you will be able to say in advance how fast a gradient
# fades in a network that nobody has trained yet.
#
# **Questions**
#
# - How flat is flat: from which input on does a sigmoid, or a tanh, stop learning?
# - By how much does a gradient shrink per layer, and can we predict it?
# - Sigmoid and tanh are one curve, stretched and shifted. What does the shift cost?
# - When does a deep network of sigmoids train after all?

# %% tags=["setup"]
# On Colab this installs the course's helpers; elsewhere it only looks whether they are there.
# Then it loads the frameworks as the text uses them: on the CPU, and without their log.
import sys
from importlib.util import find_spec
from subprocess import run

helpers = "actlab @ git+https://github.com/actlab-course/activation-functions"
if "google.colab" in sys.modules:
    run([sys.executable, "-m", "pip", "install", "--quiet", helpers], check=True)
assert find_spec("actlab"), f'The helpers of this course are missing; pip install "{helpers}"'

from actlab import machine

machine.prepare()

# %%
import keras
import numpy as np
import tensorflow as tf
import torch
from torch import nn

from actlab import catalog, claims, data, ensemble, plots, probes, stats, study, theory
from actlab.callbacks import GradientNorms
from actlab.exercises import sigmoid_tanh as check
from actlab.experiments import deep, fading, plateau, race  # this chapter's experiments
from actlab.frameworks import keras as in_keras
from actlab.frameworks import torch as in_torch

plots.use_style()

# %% [markdown]
# ## One curve, twice
#
# $\sigma(x) = 1 / (1 + e^{-x})$ squeezes every number into the interval from 0 to 1, tanh into the
# one from −1 to 1. Both are flat at both ends, and what is flat has no slope to learn from. That
# is called *saturation*.
#
# > **Predict.** From which input on has a sigmoid lost 99 % of its steepest slope? And tanh: at
# > the same input, at twice, at half?

# %%
sigmoid, tanh = catalog.get("sigmoid"), catalog.get("tanh")
left, right = plots.figure(2, height=3.2)[1]
panels = [
    plots.curves([sigmoid, tanh], ax=left, limits=(-8, 8), title="Two flat ends"),
    plots.curves([sigmoid, tanh], ax=right, limits=(-8, 8), derivative=True, title="One bump"),
]
for panel in panels:
    panel.ax.legend(["sigmoid", "tanh"], loc="upper left")
plots.show(left.figure, plots.panels(panels))

# %% [markdown]
# The catalog finds these points for every activation: outside the two numbers the slope stays
# below one per cent of its largest. An infinite end means that the slope never gets there.

# %%
names = ["sigmoid", "tanh", "softsign", "hard_sigmoid", "hard_tanh", "relu", "elu", "gelu", "silu"]
ends = [catalog.get(name).saturates_beyond(0.01) for name in names]
plots.table(
    {
        "activation": [catalog.get(name).title for name in names],
        "flat below": [low for low, _ in ends],
        "flat above": [high for _, high in ends],
        "steepest slope": [
            catalog.get(name).derivative(np.linspace(-3, 3, 6001)).max() for name in names
        ],
    }
)

# %% [markdown]
# Half: tanh saturates twice as early, because tanh *is* a sigmoid whose input was doubled and
# whose output was stretched: $\tanh x = 2\,\sigma(2x) - 1$. It is also four times as steep in the
# middle. Keep both numbers.
#
# Do the two frameworks compute the same curve? Not to the last bit: each has its own
# approximation of the exponential. But to a few units of the last digit, values and gradients:

# %%
grid = np.linspace(-30, 30, 100_001, dtype=np.float32)
for record in (sigmoid, tanh):
    for what in ("values", "gradients"):
        one, other = (getattr(f, what)(record, grid, "float32") for f in (in_torch, in_keras))
        assert np.allclose(one, other, rtol=0, atol=1e-6)
print(f"{grid.size:,} outputs and gradients of sigmoid and tanh agree within one in a million.")

# %% [markdown]
# Now the starting document's sentences on the two curves, each under a rule that was written down
# before the run:

# %%
claims.trial(
    "sigmoid-two-softmax",
    "sigmoid-smooth-gradient",
    "sigmoid-no-jumps",
    "sigmoid-beyond-five",
    "tanh-s-shaped",
    "tanh-is-sigmoid",
    "tanh-scales-labels",
)

# %% [markdown]
# ## How a gradient fades
#
# On its way back through a layer the gradient is multiplied by that layer's slopes and by its
# weights. With $n$ units and independent weights the two act on its mean square as one number
# ([Schoenholz and colleagues, 2017](https://arxiv.org/abs/1611.01232)):
#
# $$ \chi \;=\; n \cdot \mathrm{Var}(w) \cdot \mathrm{E}\left[f'(z)^2\right] $$
#
# Below 1 it vanishes, above 1 it explodes, layer for layer, at the rate $\sqrt{\chi}$. The mean
# is over the pre-activations $z$, whose variance follows from the same kind of bookkeeping, so
# nothing has to be trained, and nothing measured, to know it.
#
# > **Predict.** Twenty hidden layers of sigmoids, as PyTorch starts them. How large is the first
# > layer's gradient, relative to the last hidden layer's: a tenth, a thousandth, a millionth, or
# > less? And with tanh or ReLU in their place?

# %%
start = theory.STARTS["PyTorch default"]
profiles, expected, styles = {}, {}, {}
for name, title in fading.ACTIVATIONS.items():
    profiles[title] = fading.live(name, depth=20, init="torch")
    expected[f"theory, {title}"] = fading.expected(name, start, depth=20)
    styles[title] = plots.line_style(name)
off = max(abs(profiles[t].mean(0) - expected[f"theory, {t}"]).max() for t in profiles)
relative = "log10 of the gradient / last layer's"
title = f"Theory (crosses) is off by at most {off:.1f} powers of ten"
plots.by_layer(profiles, points=expected, styles=styles, title=title, y=relative).show()

# %% [markdown]
# Twenty seeds each, just now, on handwritten digits. The crosses are not fitted: they come from
# the formula. All four curves fade under PyTorch's default, whose weights have variance $1/(3n)$;
# the sigmoid fades fastest, because its slope is at most 1/4, so each layer costs at least a factor
# of four before the weights have their say. (The bend at the left is the other factor in a
# weight's gradient, the signal that reaches it from below.)
#
# The study repeats this for five initialisations, 50 layers deep. What one layer does to the
# gradient on its way back, in powers of ten, measured (and predicted):

# %%
found = fading.slopes(root=0)
columns = {"curve": list(fading.ACTIVATIONS.values())}
for name in ("PyTorch default", "Glorot", "orthogonal", "He"):  # LeCun's is Glorot's here
    pairs = [found[title, name] for title in columns["curve"]]
    rounded = [[round(value, 2) + 0.0 for value in (m.mean, line)] for m, line in pairs]
    columns[name] = ["{:+.2f} ({:+.2f})".format(*p).replace("-", "−") for p in rounded]
plots.table(columns)

# %%
table = study.load("gradients_at_start")
table = table[table.root == 0]
upper, lower = plots.figure(rows=2, height=6.6)[1]
panels = []
for ax, name in ((upper, "sigmoid"), (lower, "tanh")):
    groups = fading.by_depth(table, name)
    styles = {
        label: {"linestyle": "none", "color": plots.INK, "marker": "x"}
        for label in groups
        if label.startswith("theory")
    }
    ends = {label: group[50].mean for label, group in groups.items() if label not in styles}
    best = max(ends, key=ends.get)
    title = f"{name}, 50 layers: 10^{ends[best]:.1f} at best ({best})".replace("-", "−")
    y = "log10 of the gradient, first / last"
    panels.append(plots.lines(groups, ax=ax, styles=styles, x="hidden layers", y=y, title=title))
plots.show(upper.figure, plots.panels(panels))

# %% [markdown]
# Three things to notice. Glorot's, LeCun's and orthogonal weights lie on one line: between layers
# of the same width they *are* the same variance, $1/n$, and to a gradient that is all that counts
# here. ReLU shows no slope even under Glorot's weights, where its $\chi$ is 1/2: a weight's
# gradient is error times input, and what the error loses on its way down is made up by inputs
# that are larger down there. And no usual start rescues the sigmoid: He's weights, twice the
# variance, make it a little less bad.

# %% [markdown]
# ### And during training?
#
# So far nothing has moved. A network that trains changes its weights, so a gradient that has
# faded could come back.
#
# > **Predict.** Fifty layers, three epochs, a learning rate tuned for each row below. Which of the
# > vanished gradients return? And do those that start level stay so?

# %%
trained = study.load("gradients_in_training")
trained = trained[trained.root == 0]
looks = fading.before_and_after(trained, 50)
groups = {
    when: {", ".join(case): pair[i] for case, pair in looks.items() if pair[i]}
    for i, when in enumerate(("before training", "after three epochs"))
}
gone = [{name for name, found in group.items() if found.high < -3} for group in groups.values()]
title = f"{len(gone[0] - gone[1])} of {len(gone[0])} vanished gradients come back"
marks = {"a thousandth": fading.VANISHED}
plots.rows(groups, label="log10 of the gradient, first / last", title=title, marks=marks).show()

# %% [markdown]
# None returns (within three epochs of SGD with momentum; patience and Adam come later): where no
# gradient arrives, nothing changes that could let it arrive. So the theory for untrained networks
# says who will train. Almost: look at ReLU under orthogonal weights, layer by layer, beside tanh.

# %%
groups, styles = {}, {}
for name in ("tanh", "relu"):
    for epoch, dashes in ((0, ":"), (1, "--"), (3, "-")):
        label = f"{fading.ACTIVATIONS[name]}, epoch {epoch}"
        groups[label] = fading.profile_in_training(trained, name, "orthogonal", 50, epoch)
        styles[label] = {"color": plots.colour(name), "linestyle": dashes}
low = min(groups, key=lambda label: groups[label][1].mean)
title = f"Lowest at the first layer: {low} (10^{groups[low][1].mean:.0f})".replace("-", "−")
plots.lines(groups, styles=styles, x="hidden layer", y=relative, title=title).show()

# %% [markdown]
# Tanh was level because neither its error nor its signal fades. ReLU was level because *both* do,
# and their product happens to be constant. The first steps move the upper biases, these feed the
# last layers a constant that dwarfs what is left of the picture, and the balance is gone. **A flat
# row of gradient norms is no certificate of health**: look at signal and error apart.

# %%
claims.trial("gradient-slope-predicted", "gradient-stays-vanished")

# %% [markdown]
# ## What a half can do
#
# The sigmoid is four times flatter than tanh. So draw the weights four times as large, and $\chi$
# is back at 1?
#
# > **Predict.** Orthogonal weights × 4 in twenty sigmoid layers. Does the gradient keep its size?

# %%
starts = {
    "orthogonal": ({"init": "orthogonal"}, theory.STARTS["orthogonal"]),
    "orthogonal × 4": ({"init": "orthogonal", "gain": 4.0}, theory.Start(16.0)),
    fading.CENTRED: (fading.STARTS[fading.CENTRED], fading.THEORY[fading.CENTRED]),
}
profiles, expected = {}, {}
for name, (own, in_theory) in starts.items():
    profiles[name] = fading.live("sigmoid", depth=20, **own)
    expected[f"theory, {name}"] = fading.expected("sigmoid", in_theory, depth=20)
ends = {name: 10 ** found[:, 0].mean() for name, found in profiles.items()}
title = "At the first layer: " + ", ".join(f"{end:.0e}" for end in ends.values())
plots.by_layer(profiles, points=expected, title=title.replace("-", "−"), y=relative).show()

# %% [markdown]
# It does not. The culprit is the *offset*. Every sigmoid sends up about 1/2, whatever the
# picture; each unit above multiplies that constant with all of its weights, and with weights four
# times as large the constant alone drives it towards its flat ends. In the third arm the weights
# are just as large, but each unit's weights sum to zero, so that it cannot see the constant. That
# is what being zero-centred is good for.
#
# How large would uncentred weights have to be? The theory answers in a second:

# %%
gain = theory.critical_gain("sigmoid")
spread = theory.layers("sigmoid", theory.Start(gain**2), 50).variance[-1] ** 0.5
z = spread * np.random.default_rng(0).standard_normal(1_000_000)
passed = sigmoid.derivative(z) ** 2
steep = np.abs(z) < 2
print(f"Orthogonal weights × {gain:.2f}; pre-activations then have a spread of ±{spread:.1f}.")
print(f"{steep.mean():.0%} of the units pass {passed[steep].sum() / passed.sum():.0%} of it all.")

# %% [markdown]
# Gradients of constant size, but nearly all of it passes through a minority of units that happen
# to be steep; the others are more or less saturated. Whether that trains, we shall see.
#
# ### Tanh in disguise
#
# If tanh is a stretched and shifted sigmoid, then a tanh network *is* a sigmoid network with other
# weights and biases. Let us prove it across the frameworks: a tanh network in PyTorch, and the
# same function as a sigmoid network in Keras.

# %%
torch.manual_seed(0)
sizes = [64, 64, 64, 64]
modules = [m for _ in sizes[1:] for m in (nn.Linear(64, 64), nn.Tanh())]
tanh_net = nn.Sequential(*modules, nn.Linear(64, 10))

sigmoid_net = keras.Sequential([keras.Input((64,))])
linears = [module for module in tanh_net if isinstance(module, nn.Linear)]
for i, linear in enumerate(linears):
    W, b = linear.weight.detach().numpy().T, linear.bias.detach().numpy()
    out = 1 if linear is linears[-1] else 2  # tanh(u) = 2σ(2u) − 1: double what goes in …
    if i > 0:  # … and on the way out stretch by 2 and take away 1
        W, b = 2 * W, b - W.sum(0)
    layer = keras.layers.Dense(W.shape[1], "sigmoid" if out == 2 else None)
    sigmoid_net.add(layer)
    layer.set_weights([out * W, out * b])

# %%
x = np.random.default_rng(0).standard_normal((1000, 64)).astype(np.float32)
one = tanh_net(torch.from_numpy(x)).detach().numpy()
other = sigmoid_net.predict(x, verbose=0)
assert np.allclose(one, other, atol=1e-5)
print("1,000 inputs: tanh in PyTorch and sigmoid in Keras give the same ten logits.")

# %% [markdown]
# So there is nothing that a tanh network can compute and a sigmoid network cannot. They differ in
# where they *start* and how they *move* from there. Keep that in mind whenever somebody compares
# activations under one and the same initialisation: they compare starts.

# %%
claims.trial("sigmoid-vanishing", "sigmoid-not-zero-centred", "tanh-centred-layers")

# %% [markdown]
# ## Does centring speed up training?
#
# "Tanh is better than the sigmoid because it is zero-centred" mixes two things: tanh is centred,
# *and* four times as steep. To take them apart we need pairs of curves that differ by a constant
# and by nothing else: $\tanh x$ and $\tanh x + 1$, $\sigma(4x) - \frac12$ and $\sigma(4x)$, and so
# on. Same start, same seeds, same data order; the learning rate of each is tuned.
#
# > **Predict.** Which matters more for the number of steps until 95 % of the digits are right: the
# > offset, or the slope?

# %%
table = study.load("centring")
table = table[table.root == 0]
steps = race.middle_steps(table, "digits")
slower = sum(steps[lifted].mean > steps[level].mean for level, lifted in race.LIFTED)
title = f"The lifted curve is slower in {slower} of {len(race.LIFTED)} pairs"
hues = {name: plots.NEUTRAL[not curve.centred] for name, curve in race.CURVES.items()}
label = "steps to 95 % (centred: blue, lifted: orange)"
plots.rows(steps, colours=hues, label=label, title=title, marks={"the end": race.STEPS}).show()

# %% [markdown]
# Read the rows in pairs: the same curve, centred and lifted by a constant. The lifted one is
# slower every time, at its own best learning rate. Now the slope: $\sigma(x) - \frac12$ is
# $\sigma(4x) - \frac12$ made four times flatter, and that costs even more. But in the last pair
# the flat curve starts with weights four times as large, and all of that loss is gone. So the two
# defects are not of one kind. *Larger weights make up for a small slope, but not for an offset*:
# the lifted partner with the same large weights is as slow as ever. (What mends an offset is a
# bias, as in the disguise above and in exercise 3.3.)

# %%
rates = table[table.seed == table.seed.min()].pivot(index="curve", columns="data", values="lr")
rates = rates.loc[list(race.CURVES)]
plots.table({"curve": rates.index, **{f"tuned rate, {d}": rates[d].to_numpy() for d in rates}})

# %%
claims.trial("tanh-centring-speeds-up")

# %% [markdown]
# ## When a deep sigmoid network trains
#
# "Never use sigmoids in hidden layers", they say. Here are ten hidden layers of sigmoids with
# remedies that people have invented against vanishing gradients, each at its own tuned learning
# rate, thirty epochs.
#
# > **Predict.** Which of these train on digits: orthogonal weights, orthogonal × 4, the critical
# > × 10, the centred × 4, Adam, batch norm, residual connections?

# %%
table = study.load("deep_sigmoid")
table = table[table.root == 0]
accuracy = {arm: stats.mean_interval(deep.final_accuracy(table, arm)) for arm in deep.ARMS}
accuracy = dict(sorted(accuracy.items(), key=lambda item: -item[1].mean))
hues = {arm: plots.colour(deep.ARMS[arm]["activation"]) for arm in accuracy}
half = sum(accuracy[way].low > 50 for way in deep.WAYS)
title = f"{half} of {len(deep.WAYS)} ways with sigmoids get above 50 %"
marks = {"chance": 10}
plots.rows(accuracy, colours=hues, label="test accuracy (%)", title=title, marks=marks).show()

# %% [markdown]
# None of the usual starts gets off chance, at any rate that we tried. Batch norm, residual
# connections and weights made for this curve (large *and* centred) do about as well as tanh. The
# critical weights of above, whose gradients keep their size, come out clearly worse. And × 4
# without centring, whose gradient fades, still trains most of the time at this depth. The
# gradient's size is not everything.
#
# What about Adam, which divides each gradient by its own size? Watch the first layer:

# %%
arms = ("Keras default", "Adam", deep.CENTRED, "batch norm", "residual")
norms = {arm: deep.first_layer(table, arm) for arm in arms}
grown = max(norms, key=lambda arm: norms[arm][30].mean - norms[arm][0].mean)
title = f"The first layer's gradient grows most with {grown}"
y = "log10 of the first layer's gradient"
plots.lines(norms, x="epochs of training", y=y, title=title).show()

# %% [markdown]
# Adam does bring the first layer's gradient back, after some epochs in which nothing seems to
# happen. That is not the same as learning: at the end of thirty epochs its networks are hardly
# better than chance. Here are three of the arms live, twenty networks each, trained just now:

# %%
digits = data.load("digits")
chosen = {name: deep.ARMS[name] for name in ("Keras default", deep.CENTRED, "batch norm")}
rate = table.drop_duplicates("arm").set_index("arm").lr
live = ensemble.train(
    digits,
    arms={name: {**deep.COMMON, **arm, "lr": rate[name]} for name, arm in chosen.items()},
    hidden=(64,) * 10,
    seeds=20,
    epochs=5,
    dtype="float64",
    keep_weights=False,
)
plots.table(
    {
        "ten layers of sigmoids": list(chosen),
        "accuracy after 5 epochs (%)": [
            stats.mean_interval(live.by_arm()[name]).format(percent=True) for name in chosen
        ],
    }
)

# %%
claims.trial("sigmoid-deep-does-not-train")

# %% [markdown]
# Three times as deep, the tables turn. Sigmoids with centred weights, and tanh with orthogonal
# ones, pass ReLU, whether ReLU starts with He's or with orthogonal weights of its own. (Our first
# grid of learning rates ended above the rates that ReLU needs at this depth, and it lost by far
# more: an untuned opponent is easy to beat. And this is about plain stacks: nobody has to train
# thirty layers without normalisation or residual connections.)

# %%
claims.trial("sigmoid-beats-deep-relu")

# %% [markdown]
# ## The case of the ten per cent
#
# Back to the tutorial. Its sigmoid network, 784-[512, 256, 256, 128]-10, ended at chance, and the
# conclusion was that its gradients are too small. Its JAX twin did not end there, and says so: the
# network waits at chance at first, and then it learns.

# %%
plots.table(
    {
        "published (one seed)": list(plateau.PUBLISHED_ACCURACY),
        "test accuracy, sigmoid (%)": [f"{a:.2f}" for a in plateau.PUBLISHED_ACCURACY.values()],
    }
)

# %% [markdown]
# We replay it: the same data, split, batches, learning rate and initialisation, a quarter of the
# width (to fit two cores), twenty seeds, and *without* the published early stopping, which we
# apply afterwards to the recorded curves.
#
# > **Predict.** How many of the twenty ever leave chance: none, a few, most? And what would the
# > published early stopping (seven epochs without improvement) have made of them?

# %%
failure = study.load("sigmoid_failure")
failure = failure[failure.root == 0]
courses = plateau.accuracy_paths(failure, "as published")
stops = [plateau.published_stop(course)[0] for course in courses]
y = "validation accuracy (%)"
plots.paths(100 * courses, stops, line=100 * plateau.OFF_THE_PLATEAU, y=y).show()

# %% [markdown]
# The network is not broken, it is slow. For many epochs the lower layers' gradients are so small
# that nothing is to be seen; then accuracy starts to rise. Early stopping looks for improvement,
# and at chance there is only noise to improve on: most runs would have been ended there, a few
# are carried over by a lucky fluctuation. The same at full width, only three seeds, all fifty
# epochs:

# %%
full = study.load("sigmoid_failure_full")
courses = plateau.accuracy_paths(full, "full size")
stops = [plateau.published_stop(course)[0] for course in courses]
plots.paths(100 * courses, stops, line=100 * plateau.OFF_THE_PLATEAU, y=y).show()
ends = full.drop_duplicates("seed").test_accuracy
print("Test accuracy after fifty epochs (%):", ", ".join(f"{100 * a:.1f}" for a in ends))

# %% [markdown]
# Chance, or about four in five: there are both published results, from one program. One seed is
# one ticket in a lottery between them, and each framework's tutorial drew one.
#
# Nor does the plateau belong to the curve. The networks of quarter width, once with ten times the
# learning rate and once with Keras's initialisation (Glorot, no biases), leave it much sooner:

# %%
claims.trial("sigmoid-stuck-at-chance")

# %% [markdown]
# ## The same gradients in Keras
#
# Whatever you train, look at the gradients before you blame a function. PyTorch has them after
# `backward()`; in Keras the callback `GradientNorms` writes them into the history. Ten sigmoid
# layers, the same weights in both:

# %%
x, y = digits.x_train[:512], digits.y_train[:512]
keras.utils.set_random_seed(0)
dense = [keras.layers.Dense(64, "sigmoid") for _ in range(10)]
model = keras.Sequential([keras.Input((64,)), *dense, keras.layers.Dense(10)])
model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
norms = GradientNorms(x, y)
norms.set_model(model)
in_logs = norms.look()  # what the callback does before training and after each epoch
keras_norms = [value for name, value in in_logs.items() if name.startswith("gradient_norm")]

# %%
modules = []
for layer in model.layers:
    kernel, bias = layer.get_weights()
    linear = nn.Linear(*kernel.shape)
    linear.load_state_dict({"weight": torch.tensor(kernel.T), "bias": torch.tensor(bias)})
    modules += [linear, nn.Sigmoid()]
twin = nn.Sequential(*modules[:-1])
nn.functional.cross_entropy(twin(torch.tensor(x)), torch.tensor(y)).backward()
weights = [p for p in twin.parameters() if p.dim() == 2]
found = probes.gradient_norms([p.grad[None] for p in weights], [p[None] for p in weights])
torch_norms = found.gradient[:, 0].numpy()

# %%
assert np.allclose(keras_norms, torch_norms, rtol=1e-3)
per_layer = np.diff(np.log10(torch_norms[1:10])).mean()
predicted = theory.layers("sigmoid", theory.STARTS["Glorot"], 10).decades_per_layer
print("The eleven gradient norms agree to a tenth of a per cent in both frameworks.")
print(f"They fade by {per_layer:.2f} decades per layer; predicted were {-predicted:.2f}.")

# %% [markdown]
# ## Misconceptions
#
# **"`log(sigmoid(x))` is `log_sigmoid(x)`."** On paper. In float32 the sigmoid of a large negative
# number is 0, its logarithm is minus infinity, and the gradient is not a number:

# %%
x = np.array([-200.0, -100.0, -20.0, 0.0, 20.0], np.float32)
t = torch.tensor(x, requires_grad=True)
naive = torch.log(torch.sigmoid(t))
naive_slope = torch.autograd.grad(naive.sum(), t)[0]
log_sigmoid = catalog.get("log_sigmoid")
plots.table(
    {
        "x": x,
        "log(σ(x))": naive.detach().numpy(),
        "its gradient": naive_slope.numpy(),
        "log_sigmoid, PyTorch": in_torch.values(log_sigmoid, x, "float32"),
        "log_sigmoid, Keras": in_keras.values(log_sigmoid, x, "float32"),
        "gradient, both": in_keras.gradients(log_sigmoid, x, "float32"),
    }
)

# %% [markdown]
# The same happens one step later, in the loss. A logit of −200 whose label is 1 is as wrong as can
# be: the loss is 200 and its slope −1. What do the losses say that are given *probabilities*?

# %%
logit, label = torch.tensor([-200.0], requires_grad=True), torch.ones(1)
for given, loss in {
    "the probability": nn.functional.binary_cross_entropy(torch.sigmoid(logit), label),
    "the logit": nn.functional.binary_cross_entropy_with_logits(logit, label),
}.items():
    (slope,) = torch.autograd.grad(loss, logit)
    print(f"PyTorch, given {given}: loss {loss.item():.0f}, slope {slope.item() + 0:.0f}")

# %%
logit, label = tf.Variable([[-200.0]]), tf.ones((1, 1))
from_p, from_z = (keras.losses.BinaryCrossentropy(from_logits=yes) for yes in (False, True))
for given, loss in {
    "the probability": lambda: from_p(label, keras.activations.sigmoid(logit)),
    "the probability × 1": lambda: from_p(label, 1.0 * keras.activations.sigmoid(logit)),
    "the logit": lambda: from_z(label, logit),
}.items():
    with tf.GradientTape() as tape:
        value = loss()
    slope = float(tape.gradient(value, logit)[0, 0])
    print(f"Keras, given {given}: loss {float(value):.0f}, slope {slope + 0:.0f}")

# %% [markdown]
# Given a probability, PyTorch caps the loss and learns nothing. Keras gets it right: it recognises
# a probability that comes straight from its sigmoid and quietly takes the logit instead. Multiply
# by one in between, and the trick is off: capped, nothing learned. Do not rely on being
# recognised; give the loss logits (`binary_cross_entropy_with_logits`, `from_logits=True`).
#
# **"The sigmoid normalises its outputs."** It bounds them. In a deep untrained network they do not
# move at all. Nor is it **"expensive"**: beside ReLU, one hardly finds it with a stopwatch.

# %%
claims.trial("sigmoid-normalises", "sigmoid-expensive")

# %% [markdown]
# **"Pennington and colleagues have resurrected the sigmoid, so the logistic curve is fine."** The
# S-shaped curve in their experiments is tanh. It passes through the origin with slope 1, so
# orthogonal weights suit it as they are. The logistic curve has to be given both first.
#
# ## Exercises
#
# > **Exercise 3.1.** Write `log_sigmoid(x)` yourself so that it is right for every float32 from
# > −1000 to 1000 (no ready-made log-sigmoid or softplus).

# %%
log_sigmoid = ...
check.check_log_sigmoid(log_sigmoid)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# The exponential only sees $-|x|$, so it cannot overflow, and `log1p` keeps what it adds:
#
# ```python
# import torch
# from actlab.exercises import sigmoid_tanh as check
#
# def log_sigmoid(x):
#     return x.clamp(max=0) - torch.log1p(torch.exp(-x.abs()))
#
# check.check_log_sigmoid(log_sigmoid)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import sigmoid_tanh as check
#
# def log_sigmoid(x):
#     return ops.minimum(x, 0) - ops.log1p(ops.exp(-ops.abs(x)))
#
# check.check_log_sigmoid(log_sigmoid)
# ```
#
# </details>
#
# > **Exercise 3.2.** Predict before you train. Write `decades(name, variance, q)`: by how many
# > powers of ten does the gradient norm change per layer on the way back? `name` is an activation
# > (`"sigmoid"`, `"tanh"`, `"relu"`), `variance` is units × Var(weight), `q` the variance of the
# > pre-activations. A sample of random numbers is exact enough.

# %%
decades = ...
check.check_decades(decades)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import sigmoid_tanh as check
#
# def decades(name, variance, q):
#     z = torch.randn(200_000, generator=torch.Generator().manual_seed(0)) * q**0.5
#     z.requires_grad_()
#     (slope,) = torch.autograd.grad(getattr(torch, name)(z).sum(), z)
#     return 0.5 * torch.log10(variance * slope.square().mean()).item()
#
# check.check_decades(decades)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# import keras
# import tensorflow as tf
# from actlab.exercises import sigmoid_tanh as check
#
# def decades(name, variance, q):
#     z = tf.random.stateless_normal((200_000,), seed=(0, 0)) * q**0.5
#     with tf.GradientTape() as tape:
#         tape.watch(z)
#         y = keras.activations.get(name)(z)
#     slope = tape.gradient(y, z)
#     return 0.5 * float(keras.ops.log10(variance * keras.ops.mean(slope**2)))
#
# check.check_decades(decades)
# ```
#
# </details>
#
# > **Exercise 3.3.** Repair it. Build ten sigmoid layers of 64 units and an output layer of 10
# > logits (64 inputs), such that the first layer's gradient is not much smaller than the last
# > hidden layer's. The sigmoids stay.

# %%
network = ...
check.check_deep_sigmoid(network)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# Tanh in disguise: weights four times as large, and a bias that takes the constant 1/2 away.
#
# ```python
# import torch
# from torch import nn
# from actlab.exercises import sigmoid_tanh as check
#
# torch.manual_seed(0)
# network = nn.Sequential(
#     *(m for _ in range(10) for m in (nn.Linear(64, 64), nn.Sigmoid())), nn.Linear(64, 10)
# )
# linears = [layer for layer in network if isinstance(layer, nn.Linear)]
# with torch.no_grad():
#     for i, layer in enumerate(linears):
#         nn.init.orthogonal_(layer.weight, gain=4 if i else 2)
#         layer.bias.copy_(-layer.weight.sum(1) / 2 if i else torch.zeros(64))
#
# check.check_deep_sigmoid(network)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# The same, layer by layer. (Batch norm between the matrices and the sigmoids, with orthogonal
# weights × 4, passes as well.)
#
# ```python
# import keras
# from actlab.exercises import sigmoid_tanh as check
#
# network = keras.Sequential([keras.Input((64,))])
# for i in range(11):
#     weights = keras.initializers.Orthogonal(gain=4 if i else 2, seed=i)
#     units, activation = (64, "sigmoid") if i < 10 else (10, None)
#     network.add(keras.layers.Dense(units, activation, kernel_initializer=weights))
#     kernel, bias = network.layers[-1].get_weights()
#     if i:
#         network.layers[-1].set_weights([kernel, -kernel.sum(0) / 2])
#
# check.check_deep_sigmoid(network)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - Tanh is a sigmoid, stretched and centred: $\tanh x = 2\sigma(2x) - 1$. A network of one is a
# >   network of the other with other weights; what differs is where they start.
# > - A gradient fades by $\sqrt{n \cdot \mathrm{Var}(w) \cdot \mathrm{E}[f'(z)^2]}$ per layer.
# >   You can compute that before you train, and what has vanished then stays vanished for long.
# > - The sigmoid's slope is at most 1/4, so weights four times as large are needed, *and* the
# >   constant 1/2 must be taken away, or they saturate it. Batch norm and residual connections
# >   help as well.
# > - Gradients of one size in all layers prove nothing: ReLU's do under weights too small for it.
# > - The famous sigmoid failure was a plateau and an early stop, seen with one seed. Thirty layers
# >   of well-started sigmoids even pass thirty layers of ReLU.
# > - Give losses logits, not probabilities.
#
# **What next.** The leaky family: what a small slope on the left is worth. Self-normalisation,
# the other way to keep $\chi$ at 1, is the chapter after it.

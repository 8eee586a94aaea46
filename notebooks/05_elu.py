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
# # ELU and CELU: an exponential on the left
#
# **10 minutes to read · runs in about 20 s and 1.1 GB on 2 cores · needs: the ReLU chapter**
#
# Two functions that are straight on the right and an exponential on the left, and the reasons that
# were given for them.
#
# **Questions**
#
# - What do ELU, CELU and SELU share, and where do PyTorch and Keras disagree about them?
# - Does ELU bring the gradient closer to the natural gradient, as its authors say?
# - Does it learn in fewer epochs, and does none of its units die?

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
import numpy as np
import torch

from actlab import catalog, claims, plots
from actlab.exercises import elu as check
from actlab.experiments import fisher
from actlab.experiments.together import in_both
from actlab.frameworks import keras as in_keras
from actlab.frameworks import torch as in_torch

plots.use_style()


# %% [markdown]
# ## Three curves
#
# To the right of 0 all three are straight lines. To the left they fall towards a floor:
#
# $$\mathrm{elu}(x) = \alpha (e^x - 1), \qquad \mathrm{celu}(x) = \alpha (e^{x/\alpha} - 1), \qquad
# \mathrm{selu}(x) = \lambda \alpha (e^x - 1).$$
#
# CELU stretches the exponential so that the two halves always meet with slope 1. ELU does so only
# for $\alpha = 1$, where the two are the same function. SELU is an ELU with $\alpha \approx
# 1.6733$, scaled by $\lambda \approx 1.0507$: it arrives at 0 with slope $\lambda\alpha \approx
# 1.758$ and leaves with $\lambda$.

# %%
left, right = plots.figure(2, height=3.2)[1]
family = [catalog.get(name) for name in ("elu", "celu", "selu")]
stretched = {"elu": {"alpha": 2.0}, "celu": {"alpha": 2.0}}
curves = plots.curves(family, ax=left, params=stretched, title="α = 2: three left sides …")
slopes = plots.curves(
    family, ax=right, params=stretched, derivative=True, title="… and one without a jump"
)
right.get_legend().remove()
plots.show(left.figure, plots.panels([curves, slopes]))

# %% [markdown]
# > **Predict.** At exactly 0 the slope of ELU (α = 2) jumps from 2 to 1, that of SELU from 1.758
# > to 1.051, that of CELU does not jump. Which gradients do PyTorch and Keras return there? And
# > far to the left, at −30, where ELU's slope is about $10^{-13}$?

# %%
points = np.array([-30.0, -1.0, 0.0, 1.0], np.float32)
columns = {"x": points}
for record in family:
    params = stretched.get(record.name, {})
    for framework, of in (("PyTorch", in_torch), ("Keras", in_keras)):
        slope = of.gradients(record, points, "float32", **params)
        columns[f"{record.title} in {framework}"] = slope
plots.table(columns, digits=3)

# %% [markdown]
# They disagree in three places. At 0 PyTorch takes the slope from the left, Keras's SELU the one
# from the right. Keras's CELU is put together from two clipped halves and at 0 *adds* the slopes of
# both, although this curve has no kink at all. And far to the left Keras's ELU and SELU have the
# gradient 0, because TensorFlow computes it from the rounded output ($\text{output} + \alpha$);
# PyTorch does the same when you ask for `inplace=True`.
#
# None of the three spoils a training run: a float is hardly ever exactly 0, and a slope of
# $10^{-13}$ teaches nothing either. Everywhere else the two agree, and we hold them to it:

# %%
grid = np.linspace(-15, 15, 100_000, dtype=np.float32)  # an even number: 0 is not among them
for record in family:
    for what in ("values", "gradients"):
        ours, theirs = (getattr(of, what)(record, grid, "float32") for of in (in_torch, in_keras))
        assert np.allclose(ours, theirs, rtol=1e-6, atol=3e-7), (record.name, what)
print(f"{grid.size:,} outputs and gradients of each: equal to seven digits in both frameworks.")

# %%
claims.trial("elu-saturates", "elu-costs-more")

# %% [markdown]
# ## What ELU was made for
#
# Its authors ([Clevert and colleagues, 2015](https://arxiv.org/abs/1511.07289)) did not have
# normalisation in mind but *direction*. The gradient depends on how you write your network down;
# the natural gradient does not, and takes a straighter way. If the mean activations were 0, they
# argue, the two would be closer, and ELU, with its negative side, has means closer to 0.
#
# The argument can be tested, because a mean can be taken away without touching anything else.
# Subtract from every hidden unit its mean activation, and give it back through the biases of the
# next layer: the network computes the same function, with the same loss and the same slopes. Only
# the means are gone. We do this to networks so small that their Fisher matrix, and so the natural
# gradient, can be computed in full.
#
# How long have the two networks trained when we look? The same number of steps is one answer, the
# same loss is another, so we take both.
#
# > **Predict.** After training: is the cosine between the two gradients larger for ELU or for ReLU?
# > And does it rise or fall when the means are taken away?

# %%
table = fisher.both_studies()


def place(arm, when):
    """Size of the mean activation, and the cosine at damping 0.01."""
    columns = ("mean_activation", "cosine_0.01")
    return tuple(in_both(fisher.values(table, arm, when, c)) for c in columns)


# %%
axes = plots.figure(2, 2, height=6.4, sharex=True, sharey=True)[1]
panels = []
for ax, (when, words) in zip(axes.flat, fisher.STAGES.items(), strict=True):
    arms = {"ReLU": "relu", "ELU": "elu"}
    panels.append(
        plots.steps(
            {n: (place(a, when), place(f"{a} centred", when)) for n, a in arms.items()},
            x="mean activation (share)",
            y="cosine",
            name=words.capitalize(),
            change="centred",
            colours={n: plots.colour(a) for n, a in arms.items()},
            ax=ax,
        )
    )
axes[0, 0].set(xlim=(-0.06, 1.0), ylim=(0, 1))
axes[0, 0].legend()
plots.show(axes[0, 0].figure, plots.panels(panels))

# %% [markdown]
# (Filled: as it is; open: centred; each title says what centring changes.) After the same number
# of steps ELU's gradient is closer to the natural one than ReLU's. But ELU is the quicker learner,
# and by then its loss is lower. At the same loss the sign turns: there ReLU's gradient is the
# closer one. What looked like a better direction was a later stage of training.
#
# The supposed cause fares no better. From the same start (He's) ELU's mean activations are only a
# little nearer to 0 than ReLU's. And taking the means away, all of them, helps a little before
# training and later mostly *hurts*. It does make the Fisher matrix better conditioned at the start,
# as the theory of centring says; the direction of the gradient does not follow.
#
# A limit: the centred networks were only looked at; they had learned with their means in place.

# %%
claims.trial("elu-natural-gradient", "elu-mean-zero")

# %% [markdown]
# The other two things that the document says of ELU:

# %%
claims.trial("elu-faster", "elu-no-dead", "elu-vanishing")

# %% [markdown]
# Fewer epochs: yes, in every setting. No dead units: yes, at every learning rate at which you would
# want to train. At a rate that is too large its units do fall asleep, so far to the left of 0 that
# no input wakes them; "cannot die" is a promise about the formula, not about floating point.

# %% [markdown]
# ## Misconceptions
#
# **"`where` protects a hand-written ELU."** It protects the output. Both branches are computed, and
# on the way back the branch that was not chosen multiplies its infinite slope by 0:

# %%
big = torch.tensor([1.0, 100.0], requires_grad=True)
by_hand = torch.where(big > 0, big, torch.exp(big) - 1)
by_hand.sum().backward()
print("output", by_hand.tolist(), "gradient", big.grad.tolist())

# %% [markdown]
# **"CELU is another name for ELU."** Only for $\alpha = 1$. For any other $\alpha$ ELU has a kink
# at 0 and CELU has none; and SELU is made from ELU, so it has one too.
#
# ## Exercises
#
# > **Exercise 5.1.** Write ELU ($\alpha = 1$) by hand, in PyTorch or with `keras.ops`, so that its
# > gradient is never NaN and its small values keep their digits.

# %%
elu_by_hand = ...
check.check_safe_elu(elu_by_hand)

# %% [markdown]
# <details>
# <summary>Solution (PyTorch)</summary>
#
# ```python
# import torch
# from actlab.exercises import elu as check
#
# def elu_by_hand(x):
#     # The exponential never sees a positive number, so it cannot overflow.
#     return torch.where(x > 0, x, torch.expm1(x.clamp(max=0)))
#
# check.check_safe_elu(elu_by_hand)
# ```
#
# </details>
#
# <details>
# <summary>Solution (Keras)</summary>
#
# ```python
# from keras import ops
# from actlab.exercises import elu as check
#
# def elu_by_hand(x):
#     return ops.where(x > 0, x, ops.expm1(ops.minimum(x, 0.0)))
#
# check.check_safe_elu(elu_by_hand)
# ```
#
# </details>
#
# > **Key points.**
# >
# > - The functions agree in both frameworks, except at exactly 0 and far to the left.
# > - ELU needs fewer epochs than ReLU; that its gradient points better is not the reason.
#
# **What next.** The next chapter gives ELU two numbers of its own, and it is SELU.

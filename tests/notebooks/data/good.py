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
# # How a gate opens
#
# *8 minutes to read, exercises apart · runs in about 5 s and 0.1 GB on 2 cores · needs nothing*
#
# What does ReLU do to a number, and to $x^2 - 1$?

# %% tags=["setup"]
# On Colab this installs the course's helpers; elsewhere it only
# looks whether they are there. Then it loads the frameworks as the
# text uses them: on the CPU, and without their log.
import sys
from importlib.util import find_spec
from subprocess import run

course = "https://example.org/course"
helpers = f"actlab @ git+{course}"
if "google.colab" in sys.modules:
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    run([*pip, helpers], check=True)
assert find_spec("actlab"), f'Missing; pip install "{helpers}"'

from actlab import machine

machine.prepare()

# %% [markdown]
# The larger of two numbers survives.
#
# | formula | meaning |
# |---|---|
# | $\max(0, x)$ | the larger of the two |
#
# Links <https://example.org>, `inline ~~code~~ {x}`, H<sub>2</sub>O and <kbd>Esc</kbd> are fine.

# %%
import numpy as np

values = np.maximum(0, [-1.5, 0.0, 2.25])
print("ReLU gives", *values)

# %%
float(values.sum())

# %%
import io

from IPython.display import Image, display
from PIL import Image as Picture

buffer = io.BytesIO()
Picture.new("RGB", (64, 48), "white").save(buffer, format="png")
alt = (
    "An empty white panel: a stand-in for a figure in which "
    f"{len(values)} dots are drawn."
)
display(Image(buffer.getvalue(), width=64, alt=alt))

# %%
{"alive": int((values > 0).sum()), "of": len(values)}

# %% [markdown]
# <details>
# <summary>Solution</summary>
#
# ```python
# relu.reference(3.0)  # ::: a fence in code is no fence
# ```
#
# </details>
#
# > **Predict.** How many of three numbers survive?
# >
# > - none
# > - one of
# >   the three
# > - most

# %% tags=["reveal"]
share = float((values > 0).mean())

# %% tags=["reveal"]
from actlab import predict

limits = {"none": 0, "one of the three": 0.5, "most": 1}
predict.reveal(
    f"{share:.0%} of the numbers",
    choice=predict.pick(share, limits),
    folklore="most",
)

# %% [markdown] tags=["reveal"]
# Only what is positive passes.

# %% [markdown]
# > **Predict.** And how many of these?
# >
# > - few
# > - many

# %% tags=["reveal"]
limits = {"few": 0.5, "many": 1}
predict.reveal("As many", choice=predict.pick(share, limits))

# %% [markdown]
# > **Predict.** And again?
# >
# > - few
# > - many

# %% tags=["reveal"]
predict.reveal("As many", choice=predict.pick(share, limits))


# %%
def step(loss, optimizer, model, x, y):
    loss.backward()
    optimizer.step()
    model.fit(x, y)


# %% [markdown]
# > **Exercise 1.1.** Do it again.
#
# > **Exercise 1.2.** And once more.
#
# > **Exercise 1.3.** And a last time.
#
# > **Key points.** Only what is positive passes.

# %%
from types import SimpleNamespace

claims = SimpleNamespace(cheat="Row for {}".format)
claims.cheat("good")

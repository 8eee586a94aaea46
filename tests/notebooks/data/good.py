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
# *5 minutes to read · runs in about 5 s and 0.1 GB on 2 cores · needs nothing*
#
# What does ReLU do to a number, and to $x^2 - 1$?

# %% tags=["setup"]
# On Colab this installs the course's helpers; elsewhere it only looks whether they are there.
# Then it loads the frameworks as the text uses them: on the CPU, and without their log.
import sys
from importlib.util import find_spec
from subprocess import run

helpers = "actlab @ git+https://example.org/course"
if "google.colab" in sys.modules:
    run([sys.executable, "-m", "pip", "install", "--quiet", helpers], check=True)
assert find_spec("actlab"), f'The helpers of this course are missing; pip install "{helpers}"'

from actlab import machine

machine.prepare()

# %% [markdown]
# > **Predict.** Which of three numbers survive?
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
alt = f"An empty white panel: a stand-in for a figure in which {len(values)} dots are drawn."
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
# > **Key points.** Only what is positive passes.

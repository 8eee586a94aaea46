"""Every figure of a test is drawn without a window, in matplotlib's own style, and closed."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def closed_figures():
    plt.switch_backend("Agg")
    with mpl.rc_context({"axes.titlelocation": "center"}):  # another test may have set the course's
        yield
    plt.close("all")

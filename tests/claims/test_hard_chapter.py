"""What chapter 13 says in words is what the study and the functions say."""

import math
import re
import tempfile
from pathlib import Path

import keras
import numpy as np
import pytest
import torch
from torch import nn

from actlab import catalog, claims
from actlab.exercises import hard as exercises
from actlab.experiments import contest, hard, pointwise
from actlab.study import load

CHAPTER = (Path(__file__).parents[2] / "notebooks/13_hard.py").read_text("utf-8")
WORDS = " ".join(CHAPTER.replace("\n# ", " ").replace(" > ", " ").split())


SIDES = pointwise.frameworks().values()


def recorded(name):
    return claims.get(name).recorded()


def test_the_worked_numbers():
    hard_sigmoid = catalog.get("hard_sigmoid")
    x = np.linspace(-4, 4, 8001)
    apart = np.abs(hard_sigmoid.reference(x) - hard_sigmoid.reference(x, limit=2.5)).max()
    assert "A twelfth, in a gate" in WORDS
    assert apart == pytest.approx(1 / 12)
    assert "$(2.5 + 3)/6 = 0.917$" in WORDS
    assert float(hard_sigmoid.reference(2.5)) == pytest.approx(0.917, abs=5e-4)
    assert "$5.1/255 = 0.02$" in WORDS
    scale, zero, top = hard.levels(-1, 4.1, 8)
    assert (round(scale, 9), zero, top) == (0.02, 50, 255)
    assert "level $62 + 50 = 112$" in WORDS
    assert round(1.234 / scale) == 62
    assert r"$0.02 \cdot (112 - 50) = 1.24$" in WORDS
    assert "99.7 % of these lie between −3 and 3" in WORDS
    assert round(math.erf(3 / math.sqrt(2)), 3) == 0.997
    assert "At ReLU's corner it is 0, in both frameworks" in WORDS
    relu = [side.gradients(catalog.get("relu"), np.zeros(1), "float32") for side in SIDES]
    assert relu == [0, 0]
    assert "both agree" in WORDS
    apart = [at for at, slopes in hard.corners().items() if len(set(slopes.values())) > 1]
    assert apart == ["Hard tanh at −1", "Hard tanh at 1"]
    assert "that reads 92 % of the test digits" in WORDS
    assert (exercises.UNITS, exercises.LEVELS, exercises.ENOUGH) == (8, 4, 0.92)


def test_what_is_said_of_the_study():
    assert "20 of ReLU, 20 of ReLU6, on each of two data sets" in WORDS
    assert contest.SPLITS * contest.SEEDS == 20
    assert "Three layers of 64 signs" in WORDS
    assert hard.DEPTH == 3
    assert hard.CONTEST.settings["width"] == 64
    assert "where 999 in 1000 of its numbers lie below" in WORDS
    assert hard.CUT == 0.999


def test_a_chapter_is_the_home_of_its_records():
    homes = claims.homes()
    mine = {name for name, chapter in homes.items() if chapter == "13_hard"}
    assert mine == {"relu6", "hard_tanh", "hard_sigmoid", "sparse_sigmoid", "hard_silu"}


def old(x):
    return keras.ops.clip(0.2 * x + 0.5, 0, 1)


@pytest.mark.parametrize(("end", "taken"), [("h5", True), ("keras", False)])
def test_whose_function_a_file_is_loaded_with(end, taken):
    assert "helps with an `.h5` file, which is what Keras 2 wrote; for a `.keras` file" in WORDS
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "hard_sigmoid")])
    with tempfile.TemporaryDirectory() as folder:
        model.save(path := f"{folder}/it.{end}")
        again = keras.models.load_model(path, custom_objects={"hard_sigmoid": old})
    assert (again.layers[0].activation is old) == taken


def test_the_fold_on_torchao_runs():
    """Where torchao is installed; the course does not install it."""
    pytest.importorskip("torchao")
    fold = re.search(
        r"<summary>For the curious: the same network with torchao.*?```python(.*?)```",
        CHAPTER,
        re.DOTALL,
    )
    lines = "\n".join(line.removeprefix("# ").removeprefix("#") for line in fold[1].splitlines())
    torch.manual_seed(0)
    pixels = torch.randn(500, 64, dtype=torch.float64)
    network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).double()
    exact = network(pixels).detach()
    names = {"torch": torch, "pixels": pixels, "network": network}
    exec(lines, names)
    off = (names["eight"](pixels.float()) - exact).abs().max()
    assert 0 < off < 0.1


def test_the_ten_lines_are_the_experiments_arithmetic():
    cells = re.findall(
        r"# %%\n(def calibrate.*?|def int8_weights.*?)\n\n\n?# %%", CHAPTER, re.DOTALL
    )
    names = {"np": np, "torch": torch}
    for cell in cells:
        exec(cell.split("scale, zero = calibrate(")[0], names)
    rng = np.random.default_rng(0)
    x, seen = rng.standard_normal((2, 50, 8))
    layers = [(rng.standard_normal((6, 8)), rng.standard_normal(6))]
    layers.append((rng.standard_normal((4, 6)), rng.standard_normal(4)))
    found = names["int8_network"](x, layers, seen)
    linear = []
    for weight, bias in layers:
        linear.append(nn.Linear(*weight.shape[::-1], dtype=torch.float64))
        linear[-1].weight.data, linear[-1].bias.data = map(torch.tensor, (weight, bias))
    network = nn.Sequential(linear[0], nn.ReLU(), linear[1])
    right = hard.outputs(network, torch.tensor(x), torch.tensor(seen), 8)
    assert np.allclose(found, right, atol=1e-9)


def means(column):
    table = load(hard.CONTEST.name)
    return 100 * table.groupby(["data", "arm"])[column].mean()


def test_who_is_ahead():
    lead = recorded("smooth-beats-hard").measured["lead in test accuracy"].cases
    assert "On the digits no pair is apart" in WORDS
    assert "On MNIST-1D, which is harder, one is, and there the hard one leads" in WORDS
    apart = {case for case, found in lead.items() if abs(found.mean) > 2}
    assert apart == {("sigmoid and its twin, batch norm", "MNIST-1D")}
    assert lead["sigmoid and its twin, batch norm", "MNIST-1D"].high < 0
    assert all(-2 < f.low < f.high < 2 for (_, where), f in lead.items() if where == "digits")


def test_a_start_for_both_chooses_the_winner():
    assert "Give both the same start, and you choose the winner; give each its own" in WORDS
    accuracy = means("accuracy")["mnist1d"]
    one, three = (accuracy[f"sigmoid{of}"] - accuracy[f"hard sigmoid{of}"] for of in ("", " of 3z"))
    assert "Without the factor it is more than ten points *behind*" in WORDS
    assert one > 10
    assert three < -2
    own = load(hard.CONTEST.name, data="mnist1d").groupby("arm").valid_loss.mean()
    assert own["sigmoid"] < own["sigmoid of 3z"]
    assert own["hard sigmoid of 3z"] < own["hard sigmoid"]
    assert abs(accuracy["sigmoid"] - accuracy["hard sigmoid of 3z"]) < 1


def test_few_bits():
    assert "it cost less than half a point" in WORDS
    assert "in every one of twelve settings" in WORDS
    float16 = recorded("hard-float16")
    assert float16.verdict == recorded("hard-int8").verdict == "holds"
    assert len(float16.measured[hard.COST].cases) == 12
    assert "the hidden ones of these networks end near 16" in WORDS
    largest = load(hard.CONTEST.name).groupby("arm").largest.mean()
    assert 13 < largest["ReLU"] < 17
    assert "Eight bits, and even six, cost next to nothing" in WORDS
    for name in ("relu6-low-precision", "relu-cut-range"):
        assert recorded(name).verdict == "not shown"
    less = recorded("relu6-low-precision").measured[hard.LESS].cases
    assert all(abs(less[where, f"{bits} bits"].mean) < 0.5 for where, bits in COARSE)
    assert less["MNIST-1D", "4 bits"].mean > 0.5
    lost = means("float32") - means("4 bits, largest")
    whole = lost["mnist1d"].dropna().sort_values()
    assert "SiLU and its hard twin lose six points at four bits on MNIST-1D" in WORDS
    assert set(whole.index[-2:]) == {"SiLU", "hard SiLU"}
    assert (whole[-2:] > 6).all()
    cut = (means("float32") - means("4 bits, cut"))["mnist1d"]
    assert (cut[["SiLU", "hard SiLU"]] < 2).all()
    assert (whole[["tanh", "hard tanh"]] < 1).all()


COARSE = [(where, bits) for where in ("digits", "MNIST-1D") for bits in (8, 6)]


def test_signs():
    found = recorded("sign-clipped-gradient")
    lead = found.measured["lead in test accuracy"].cases
    assert "it is worth more than ten points; on the digits it was not shown" in WORDS
    assert lead["MNIST-1D",].mean > 10
    assert lead["digits",].low < 0 < lead["digits",].high
    assert "hard tanh read one digit in a hundred more, and ten signals in a hundred" in WORDS
    accuracy = means("accuracy")
    price = {d: accuracy[d, "hard tanh"] - accuracy[d, "sign, clipped"] for d in hard.DATA}
    assert round(price["digits"]) == 1
    assert round(price["mnist1d"]) == 10

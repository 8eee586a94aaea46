"""The network in the page is the network in PyTorch: the same weights, batches and numbers.

Fifty steps of training in double precision for every activation that the lab offers, with
gradients, spread and the state of every unit at the start, on the way and at the end. RReLU is
looked at as it is after training, in both; the PReLU's slope stays where it starts.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from actlab_site import lab
from torch.nn import functional as F  # noqa: N812

from actlab import data, probes
from actlab.ensemble import activations
from actlab.probes import report

from .test_kernels import FOLDER, RECORDS, load

pytestmark = pytest.mark.site

STEPS, LOOKS = 50, (0, 10, 50)
DEFAULTS = {"layers": 4, "units": 16, "seed": 3, "scale": 1, "bias": "zero", "batch": 32}
DEFAULTS |= {"start": "he", "opt": "sgd", "lr": 0.05}
# e^z explodes in a deep stack: two layers, small weights.
OWN = {"exponential": {"layers": 2, "scale": 0.3, "lr": 0.01}}
OTHERS = {
    "torch's start, momentum": {
        "act": "relu",
        "start": "torch",
        "bias": "torch",
        "opt": "momentum",
    },
    "ten layers": {"act": "relu", "layers": 10, "units": 32, "start": "torch", "bias": "torch"},
    "orthogonal, adam": {"act": "gelu", "start": "orthogonal", "opt": "adam", "lr": 0.003},
    "saturated": {"act": "tanh", "scale": 4.0, "start": "glorot", "bias": "plus", "lr": 0.001},
    "negative biases": {"act": "relu", "bias": "minus", "start": "lecun", "scale": 0.5},
    "spirals": {"act": "silu", "data": "spirals", "layers": 2, "units": 8},
    "another slope": {"act": "leaky_relu", "params": {"negative_slope": 0.3}},
    "uneven sizes": {"act": "elu", "units": 7, "batch": 30, "layers": 1},
}

RUN = f"""(S) => {{
    const data = ActLab.dataset(S.data || "digits");
    const entry = ActLab.catalog[S.act].parameters;
    S.params = {{...Object.fromEntries(entry.map((p) => [p.name, p.default])), ...S.params}};
    const net = ActLab.network(data, S), plain = (o) => {{
        const out = {{...o}};
        for (const key in out) if (ArrayBuffer.isView(out[key])) out[key] = Array.from(out[key]);
        return out;
    }};
    const weights = net.weights(), losses = [], batches = [], looks = {{0: plain(net.probe())}};
    for (let i = 1; i <= {STEPS}; i++) {{
        losses.push(net.step());
        batches.push(net.batch());
        if ({list(LOOKS)}.includes(i)) looks[i] = plain(net.probe());
    }}
    return {{weights, losses, batches, looks, answers: net.answers(data.valid.x)}};
}}"""
DATA = """(name) => {
    const d = ActLab.dataset(name), part = (p) => ({x: Array.from(p.x), y: Array.from(p.y)});
    return {features: d.features, train: part(d.train), valid: part(d.valid)};
}"""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """So small a network is trained fastest by one, above all beside a browser."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def own(browser):
    page = browser.new_page()
    yield load(page, "core", "digits")
    page.close()


@pytest.fixture(scope="module")
def sets(own):
    found = {}
    for name in ("digits", "spirals"):
        d = own.evaluate(DATA, name)
        found[name] = {
            part: (
                torch.tensor(d[part]["x"], dtype=torch.float64).view(-1, d["features"]),
                torch.tensor(d[part]["y"]),
            )
            for part in ("train", "valid")
        }
    return found


def same(mine, right, what, tolerance=1e-5):
    mine = np.ravel(np.asarray(mine, dtype=float))
    right = np.ravel(np.asarray(right, dtype=float))
    error = np.abs(mine - right) / np.maximum(1.0, np.abs(right))
    assert mine.shape == right.shape, what
    assert not (error > tolerance).any(), f"{what}: off by {np.nanmax(error):.1e}"
    assert np.isfinite(mine).all(), what


class Twin:
    """The same network in PyTorch, and the course's own definitions of what its units do."""

    def __init__(self, found, settings, sets):
        self.settings, self.sets = settings, sets
        self.record = RECORDS[settings["act"]]
        self.params = settings.get("params", {})
        f = activations.function(self.record, self.params)
        self.f = f.double().eval() if isinstance(f, torch.nn.Module) else f
        self.layers = [
            (
                torch.tensor(p["W"], dtype=torch.float64).view(p["O"], p["I"]).requires_grad_(),
                torch.tensor(p["b"], dtype=torch.float64).requires_grad_(),
            )
            for p in found["weights"]
        ]
        flat = [p for pair in self.layers for p in pair]
        self.optimiser = (
            torch.optim.Adam(flat, lr=settings["lr"])
            if settings["opt"] == "adam"
            else torch.optim.SGD(
                flat, lr=settings["lr"], momentum=0.9 if settings["opt"] == "momentum" else 0
            )
        )

    def forward(self, x, keep=None):
        for weight, bias in self.layers[:-1]:
            z = F.linear(x, weight, bias)
            x = self.f(z)
            if keep is not None:
                keep.append((z, x))
                if x.requires_grad:
                    x.retain_grad()
        return F.linear(x, *self.layers[-1])

    def step(self, rows):
        x, y = self.sets["train"]
        self.optimiser.zero_grad()
        loss = F.cross_entropy(self.forward(x[rows]), y[rows])
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def compare(self, look):
        """Everything that the page says of the network now."""
        (x, y), kept = self.sets["train"], []
        self.optimiser.zero_grad()
        logits = self.forward(x, kept)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        same([look["loss"]], [loss.item()], "loss")
        same([look["accuracy"]], [(logits.argmax(1) == y).double().mean()], "accuracy")
        with torch.no_grad():
            xv, yv = self.sets["valid"]
            out = self.forward(xv)
            same([look["valid"]], [(out.argmax(1) == yv).double().mean()], "validation accuracy")
            same([look["validLoss"]], [F.cross_entropy(out, yv).item()], "validation loss")
        weights = [w for w, _ in self.layers]
        norms = probes.gradient_norms([w.grad[None] for w in weights], [w[None] for w in weights])
        same(look["gradient"], norms.gradient[:, 0], "gradient of the weights")
        root = len(y) ** 0.5
        zero = torch.zeros(())
        back = [root * (a.grad if a.grad is not None else zero).norm().item() for _, a in kept]
        same(look["backward"], back, "gradient of the outputs")
        stats = [probes.LayerStats.of(a.detach()[None]) for _, a in kept]
        same(look["spread"], [s.variance.mean().sqrt().item() for s in stats], "spread")
        same(look["mean"], torch.cat([s.mean[0] for s in stats]), "mean")
        states = np.concatenate([self.states(z, s) for (z, _), s in zip(kept, stats, strict=True)])
        assert look["state"] == states.tolist()
        return states

    def states(self, z, stats):
        """0 alive, 1 always on, 2 dormant, 3 dead, 4 saturated; by ``actlab.probes``."""
        z = z.detach()
        slope = self.record.derivative(z.numpy(), **self.params)
        low, high = self.record.saturates_beyond(**self.params)
        both = np.isfinite([low, high]).all()
        limit = report.SATURATED_BOTH if both else report.SATURATED_ONE
        state = np.zeros(z.shape[1], dtype=int)
        if not np.isnan(low):  # every unit as a network of its own
            share = probes.saturation_share(z.T[:, :, None], self.record, **self.params)
            state[share.numpy() >= limit] = 4
        straight = (slope.min(0) == slope.max(0)) & (slope.min(0) != 0)
        state[straight] = 1
        state[probes.dormant_units(stats, report.DORMANT_TAU)[0].numpy()] = 2
        state[probes.dead_units(stats)[0].numpy()] = 3
        return state


def agree(own, sets, settings):
    """Run both; returns the states seen at every look."""
    settings = DEFAULTS | settings
    found = own.evaluate(RUN, settings)
    twin = Twin(found, settings, sets[settings.get("data", "digits")])
    seen = [twin.compare(found["looks"]["0"])]
    losses = []
    for i, rows in enumerate(found["batches"], start=1):
        losses.append(twin.step(rows))
        if i in LOOKS:
            seen.append(twin.compare(found["looks"][str(i)]))
    same(found["losses"], losses, "losses")
    with torch.no_grad():
        assert found["answers"] == twin.forward(twin.sets["valid"][0]).argmax(1).tolist()
    return np.array(seen)


@pytest.mark.parametrize("name", RECORDS)
def test_fifty_steps_are_pytorchs(own, sets, name):
    agree(own, sets, {"act": name, **OWN.get(name, {})})


@pytest.mark.parametrize("case", OTHERS)
def test_fifty_steps_in_other_settings(own, sets, case):
    seen = agree(own, sets, OTHERS[case])
    wanted = {"ten layers": {1, 3}, "saturated": {4}, "negative biases": {2, 3}}.get(case, set())
    assert wanted <= set(seen.ravel().tolist())


def test_the_comparison_can_fail(own, sets):
    for change in ({"lr": 0.05001}, {"opt": "momentum"}):
        settings = DEFAULTS | {"act": "tanh"}
        found = own.evaluate(RUN, settings)
        twin = Twin(found, settings | change, sets["digits"])
        losses = [twin.step(rows) for rows in found["batches"]]
        with pytest.raises(AssertionError, match="losses: off by"):
            same(found["losses"], losses, "losses", 1e-7)
    found["looks"]["0"]["state"][5] = 3
    with pytest.raises(AssertionError):
        Twin(found, settings, sets["digits"]).compare(found["looks"]["0"])


def test_the_digits_are_the_courses(sets):
    assert (FOLDER / "digits.js").read_text("utf-8") == lab.digits_script()
    split = data.load("digits", seed=0, size=lab.SIZE)
    for part in ("train", "valid"):
        x, y = sets["digits"][part]
        order = np.argsort(getattr(split, f"y_{part}"), kind="stable")
        np.testing.assert_allclose(x, getattr(split, f"x_{part}")[order], atol=2e-6)
        assert y.tolist() == getattr(split, f"y_{part}")[order].tolist()


def test_the_page_has_the_limits_of_the_probes(own):
    limits = own.evaluate("ActLab.LIMITS")
    assert limits["dormant"] == report.DORMANT_TAU
    assert limits["both"] == report.SATURATED_BOTH
    assert limits["one"] == report.SATURATED_ONE
    assert own.evaluate("ActLab.STATES") == ["alive", "always on", "dormant", "dead", "saturated"]


@pytest.mark.parametrize("start", ["torch", "glorot", "he", "lecun", "orthogonal"])
def test_a_start_has_the_variance_of_its_name(own, start):
    from actlab.ensemble.initial import INITIALISERS

    found = own.evaluate(RUN, DEFAULTS | {"act": "tanh", "start": start, "units": 32})
    name = {"glorot": "glorot_uniform", "he": "he_normal", "lecun": "lecun_normal"}
    _, variance, _ = INITIALISERS[name.get(start, start)]
    for p in found["weights"][:-1]:
        weight = np.array(p["W"]).reshape(p["O"], p["I"])
        if start == "orthogonal":
            small = weight @ weight.T if p["O"] <= p["I"] else weight.T @ weight
            np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-12)
        else:
            assert weight.var() == pytest.approx(variance(p["I"], p["O"]), rel=0.15)


def test_a_network_that_diverges_says_when(own):
    found = own.evaluate(RUN, DEFAULTS | {"act": "exponential", "layers": 6, "lr": 3.0, "scale": 3})
    assert found["looks"]["50"]["diverged"] > 0


def test_signals_in_a_sample_are_as_the_theory_expects(own):
    own.add_script_tag(path=FOLDER / "theory.js")
    for act, start in (("relu", "he"), ("tanh", "lecun"), ("selu", "lecun"), ("relu", "torch")):
        rows, expected = own.evaluate(
            """([act, start]) => {
                const of = {act, start, gain: 1, depth: 8, width: 128, count: 64};
                const t = ActLab.theory, k = ActLab.kernel(act, {});
                const many = t.together(k, t.STARTS[start], 8, {count: 64, width: 128});
                const gradient = t.gradient(t.layers(k, t.STARTS[start], 8, {width: 128}));
                many.forEach((row, l) => { row.gradient = gradient[l]; });
                return [ActLab.signals(of), many];
            }""",
            [act, start],
        )
        for mine, right in zip(rows, expected, strict=True):
            assert np.log10(mine["spread"] / right["spread"]) == pytest.approx(0, abs=0.12)
            assert np.log10(mine["gradient"] / right["gradient"]) == pytest.approx(0, abs=0.25)
            assert mine["dead"] == pytest.approx(right["dead"], abs=0.15)

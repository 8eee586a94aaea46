"""The chapter's theory and measurements against slow or independent ones."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import quad
from torch import nn

from actlab import catalog
from actlab.claims import elu_natural_gradient as natural
from actlab.claims import elu_selu as lab
from actlab.claims import elu_selu_training as training
from actlab.claims import selu_cnn
from actlab.claims.ledger import Claim


@pytest.fixture(scope="module")
def x():
    return torch.randn(50, 64, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("variance", [0.01, 1.0, 9.0])
def test_gaussian_mean_agrees_with_adaptive_quadrature(variance):
    f = catalog.get("selu").reference
    sd = math.sqrt(variance)

    def integrand(t):
        return float(f(np.array(sd * t))) * math.exp(-t * t / 2) / math.sqrt(2 * math.pi)

    expected = quad(integrand, -12, 0)[0] + quad(integrand, 0, 12)[0]
    assert lab.gaussian_mean(f, variance) == pytest.approx(expected, abs=1e-9)


def test_selu_has_the_fixed_point_and_elu_has_not():
    assert np.allclose(lab.moment_map("selu", 0, 1), (0, 1), atol=1e-12)
    assert not np.allclose(lab.moment_map("elu", 0, 1), (0, 1), atol=0.1)
    assert 0 < lab.contraction("selu") < 1


def test_he_keeps_relus_mean_square_and_its_gradients():
    mean, sd = lab.theory("relu", 5, weight_variance=2.0)
    assert np.allclose(mean**2 + sd**2, 1)
    assert lab.gradient_growth("relu", 2.0) == pytest.approx(1)


def test_measured_moments_follow_the_theory(x):
    start = lab.Start("elu", weight_variance=1.5, width=512)
    mean, sd = lab.layer_moments(x, start, depth=5, networks=10)
    expected = lab.theory("elu", 5, weight_variance=1.5)
    assert np.allclose(mean.mean(0), expected[0], atol=0.03)
    assert np.allclose(sd.mean(0), expected[1], rtol=0.03)


def test_measured_gradients_grow_as_the_theory_says(x):
    norms = lab.gradient_norms(x, lab.Start("selu", width=256), depth=20, networks=10)
    expected = -19 / 2 * math.log10(lab.gradient_growth("selu"))
    assert lab.decades_lost(norms).mean() == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("alpha", [False, True])
def test_our_dropout_is_pytorchs(alpha):
    y = torch.full((1, 1000, 200), 0.7)
    ours = lab._drop(y, 0.3, alpha, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    theirs = (nn.AlphaDropout if alpha else nn.Dropout)(0.3)(y)
    assert torch.allclose(ours.unique(), theirs.unique(), atol=1e-6)  # kept and dropped
    assert float(ours.mean()) == pytest.approx(float(theirs.mean()), abs=0.01)


def test_skip_connections_add_the_input(x):
    plain, skipped = (
        list(lab.hidden_layers(x, lab.Start(skip=skip), 2, networks=3)) for skip in (False, True)
    )
    assert torch.equal(plain[0], skipped[0])  # the first layer changes the width
    assert torch.allclose(skipped[1], plain[1] + plain[0])


def test_two_passes_agree_without_dropout_and_differ_with_it(x):
    assert lab.repeatability(x, lab.Start(), 3, networks=2) == pytest.approx(1, abs=1e-6)
    assert (lab.repeatability(x, lab.Start(dropout=0.5), 3, networks=2) < 0.6).all()


def test_resemblance_of_twins():
    twins = torch.randn(4, 64).repeat(2, 1)
    cosine, own = lab.resemblance(twins, lab.Start(), torch.arange(4).repeat(2), depth=2)
    assert own == pytest.approx(1)
    assert (cosine < 0.9).all()
    assert lab.resemblance(twins, lab.Start(), torch.arange(8), depth=2)[1] == pytest.approx(0)


def test_the_lab_and_the_chapter_measure_the_same_moments(x):
    mean, sd = lab.engine_moments(x, 4, range(20), activation="selu", init="lecun_normal")
    ours = lab.layer_moments(x, lab.Start(), depth=4)
    assert mean.mean(0) == pytest.approx(ours[0].mean(0), abs=0.03)
    assert sd.mean(0) == pytest.approx(ours[1].mean(0), abs=0.03)


@pytest.mark.parametrize(
    ("mean", "sd", "expected"), [(0.0, 1.0, True), (0.3, 1.0, False), (0.0, 1.3, False)]
)
def test_normalised_looks_at_both_bands(mean, sd, expected):
    noise = np.random.default_rng(0).normal(0, 0.01, (20, 30))
    assert lab.normalised(mean + noise, sd + noise) == expected
    # What happens in the first ten layers does not count.
    early = np.where(np.arange(30) < 10, 5.0, sd + noise)
    assert lab.normalised(mean + noise, early) == expected


def test_epochs_to_interpolates_and_says_when_it_was_never_reached():
    losses = np.array([[1.0, 0.1, 0.01], [0.05, 0.01, 0.001], [1.0, 1.0, 1.0], [np.nan] * 3])
    epochs = training.epochs_to(losses, math.sqrt(0.1))
    assert epochs == pytest.approx([1.5, 1.0, 3.0, 3.0])


def test_centring_leaves_the_function_alone_and_no_mean():
    x, y = natural.small_digits(30)
    model = natural.network("elu", 16, 10, seed=0)
    moved = natural.centred(model, x)
    assert torch.allclose(model(x), moved(x), atol=1e-12)
    assert natural.geometry(model, x, y)["mean_activation"] > 0.1
    assert natural.geometry(moved, x, y)["mean_activation"] == pytest.approx(0, abs=1e-9)


def test_the_fisher_matrix_against_a_loop():
    x, y = natural.small_digits(12)
    model = natural.network("relu", 16, 10, seed=1)
    probabilities = torch.softmax(model(x), 1).detach()
    parameters = list(model.parameters())
    fisher = 0
    for i in range(len(x)):
        for c in range(10):  # the expectation over the labels that the network itself predicts
            log_p = torch.log_softmax(model(x[i : i + 1]), 1)[0, c]
            g = torch.cat([p.flatten() for p in torch.autograd.grad(log_p, parameters)])
            fisher = fisher + probabilities[i, c] * torch.outer(g, g) / len(x)
    eigenvalues = torch.linalg.eigvalsh(fisher)
    loss = nn.functional.cross_entropy(model(x), y)
    gradient = torch.cat([p.flatten() for p in torch.autograd.grad(loss, parameters)])
    damped = fisher + 0.01 * eigenvalues.mean() * torch.eye(len(fisher))
    expected = torch.cosine_similarity(gradient, torch.linalg.solve(damped, gradient), dim=0)
    found = natural.geometry(model, x, y)
    assert found["condition"] == pytest.approx(float(eigenvalues[-1] / eigenvalues.mean()))
    assert found["cosine_0.01"] == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("name", ["digits", "mnist1d"])
def test_the_convolutional_network_starts_and_answers_as_it_should(name):
    from actlab import data

    loaded = data.load(name)
    model = selu_cnn.network("relu", loaded, seed=0)
    with torch.no_grad():
        assert model(torch.from_numpy(loaded.x_test[:5])).shape == (5, 10)
    weight = model[7].weight  # the third convolution
    assert float(weight.detach().var() * weight[0].numel()) == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [((1, 1), "holds"), ((1, -1), "not shown"), ((-1, 1), "not shown"), ((-1, -1), "refuted")],
)
def test_two_roots_that_disagree_show_nothing(found, verdict):
    claim = lab.on_both_roots(
        Claim(
            id="x",
            statement="It is so.",
            source="here",
            chapter="05_elu_selu",
            experiment="Look.",
            rule="Holds if positive, else refuted.",
            measure=lambda root: {"value": found[root]},
            decide=lambda evidence: ("holds" if evidence["value"] > 0 else "refuted", "Seen."),
            otherwise={"value": -1},
        )
    )
    assert {claim.evaluate(root).verdict for root in (0, 1)} == {verdict}
    assert claim.decide(claim.otherwise)[0] == "refuted"


def test_the_replay_shows_the_mean_and_the_worst_and_counts_the_diverged_as_chance():
    rows = [
        ("digits", protocol, arm, seed, score)
        for protocol in ("published", "tuned")
        for arm in training.REPLAY
        for seed, score in enumerate((0.9, math.nan))
    ]
    table = pd.DataFrame(rows, columns=["data", "protocol", "arm", "seed", "test_accuracy"])
    shown = training.replay_table(table)
    assert shown["rate"] == ["published", "tuned"]
    assert shown["SELU, LeCun"] == ["50.0 (10.0)"] * 2


@pytest.mark.parametrize(("found", "said"), [("ab", True), ("aa", False)])
def test_two_runs_that_hold_under_other_conditions_say_so(found, said):
    claim = dataclasses.replace(
        training.CLAIMS[0],
        measure=lambda root: {"on": found[root]},
        decide=lambda evidence: lab.grade([evidence["on"]], 2, "Numbers"),
    )
    because = lab.on_both_roots(claim).evaluate(0).because
    assert because.startswith("… it is a. Numbers.")
    assert because.endswith("The other run says: … it is b.") == said

"""The experiments of the first chapter, where their logic could be wrong without anybody seeing."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from actlab import data, ensemble
from actlab.claims import choice
from actlab.claims import why_nonlinear as lab


def test_ranges_by_sampling_agree_with_the_catalog():
    x = lab.random_inputs(0)
    for record in lab.functions():
        found = record.properties.range
        assert lab.within(record, x) == (found.lower >= -1 and found.upper <= 1), record.name


def test_homogeneous_matrices_multiply_as_layers_follow_each_other():
    layers = lab.linear_layers(3, 5, seed=1)
    h = np.arange(5.0)
    one = np.linalg.multi_dot([lab.homogeneous(w, b) for w, b in reversed(layers)])
    expected = h
    for w, b in layers:
        expected = w @ expected + b
    assert np.allclose(one @ [*h, 1], [*expected, 1])


def test_the_bound_of_rounding_is_kept_and_could_be_broken(monkeypatch):
    layers = lab.linear_layers(5, 64, seed=0)
    x = np.random.default_rng(0).standard_normal((100, 64))
    _, of_allowed = lab.collapse_gap(layers, x, "float32")
    assert 0 < of_allowed <= 1
    # Were float32 held to the rounding of float64, its real errors would be far too large.
    monkeypatch.setattr(np, "finfo", lambda _: SimpleNamespace(eps=2.0**-52))
    assert lab.collapse_gap(layers, x, "float32")[1] > 1


@pytest.mark.parametrize("smallest", [-149, -126])
def test_the_trick_is_zero_in_exact_arithmetic(smallest):
    layers = lab.xor_layers(smallest)
    assert lab.run_linear(layers, lab.XOR_X, "exact") == [0, 0, 0, 0]
    assert lab.run_linear(layers, lab.XOR_X, "one matrix") == [0, 0, 0, 0]


def test_the_same_linear_layers_compute_different_things_in_the_two_frameworks():
    gradual, flushed = (lab.xor_layers(smallest) for smallest in (-149, -126))
    assert lab.run_linear(gradual, lab.XOR_X, "torch") == [0, 1, 1, 0]
    assert lab.run_linear(gradual, lab.XOR_X, "keras") == [0, 1, 1, 2]
    assert lab.run_linear(flushed, lab.XOR_X, "torch") == [0, 0, 0, 0]
    assert lab.run_linear(flushed, lab.XOR_X, "keras") == [0, 1, 1, 0]


def test_solving_means_all_four_corners():
    assert lab.solves_xor([0.1, 0.9, 0.6, -2])
    assert not lab.solves_xor([0.1, 0.9, 0.6, 0.7])
    assert not lab.solves_xor([0, 1, 0, 0])


def test_the_plain_loop_trains_the_same_networks_as_the_ensemble():
    digits = data.load("digits", size=300)
    settings = {**lab.STEP_SETTINGS, "hidden": (16,)}
    ours = lab.train_batched(digits, torch.tanh, range(3), epochs=3, **settings)
    theirs = ensemble.train(
        digits, arms=["tanh"], seeds=3, epochs=3, keep_weights=False, progress=False, **settings
    )
    for what, accuracy in ours.items():
        assert accuracy == pytest.approx(theirs.by_arm(what)["tanh"], abs=0.01)


def test_the_borrowed_slope_is_that_of_a_ramp():
    x = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0], requires_grad=True)
    y = lab.straight_through(x)
    y.sum().backward()
    assert y.tolist() == [0, 0, 1, 1, 1]
    assert x.grad.tolist() == [0, 1, 1, 1, 0]


def test_tuning_looks_at_the_tuning_seeds_only():
    rows = [
        # (tuning, lr, seed, valid, test): 0.1 is best on the tuning seeds, 0.3 on the others
        (True, 0.1, 500, 0.9, 0.1),
        (True, 0.3, 500, 0.8, 0.2),
        (True, 1.0, 500, np.nan, 0.9),
        (False, 0.1, 1, 0.5, 0.7),
        (False, 0.1, 0, 0.5, 0.6),
        (False, 0.3, 0, 0.9, 0.9),
    ]
    columns = ["tuning", "lr", "seed", "valid_accuracy", "test_accuracy"]
    table = pd.DataFrame(rows, columns=columns).assign(arm="a")
    rate, accuracy = lab.tuned(table, "a")
    assert rate == 0.1
    assert accuracy.tolist() == [0.6, 0.7]


def accuracies(*effects, seeds=20, noise=0.001):
    """Accuracies that are a sum of one effect per axis, and a little noise."""
    total = 0.5
    for axis, effect in enumerate(effects):
        shape = [1] * (len(effects) + 1)
        shape[axis] = len(effect)
        total = total + np.reshape(effect, shape)
    shape = (*map(len, effects), seeds)
    return total + noise * np.random.default_rng(0).standard_normal(shape)


def test_what_a_choice_is_worth():
    test = accuracies([0.0, 0.1], [0.0, 0.0, 0.3])
    assert choice.worth(test, test, 0).mean() == pytest.approx(0.05, abs=0.002)
    assert choice.worth(test, test, 1).mean() == pytest.approx(0.2, abs=0.002)
    assert choice.worth(test, test, 0).shape == (20,)


def test_the_choice_is_made_on_validation_data():
    test = accuracies([0.0, 0.1], [0.0, 0.0])
    misleading = test[::-1]
    assert choice.worth(misleading, test, 0).mean() == pytest.approx(-0.05, abs=0.002)


def test_tuning_some_axes_keeps_the_others():
    test = accuracies([0.0, 0.1], [0.0, 0.2, 0.1], [0.0, 0.0, 0.05, 0.0])
    _, best = choice.tuned(test, test, 1, 2)
    assert best.shape == (2, 1, 1, 20)
    assert best.mean(-1).ravel() == pytest.approx([0.75, 0.85], abs=0.002)


def test_a_pair_turns_round_only_if_both_win_somewhere_beyond_chance():
    test = np.stack([accuracies([0.0, 0.0]), accuracies([0.1, 0.1])])
    assert choice.reversals(test) == (0, 1)
    crossing = np.stack([accuracies([0.0, 0.1]), accuracies([0.1, 0.0], noise=0.002)])
    assert choice.reversals(crossing) == (1, 1)
    noise = np.random.default_rng(0).standard_normal((4, 30, 20))
    assert choice.reversals(noise)[0] == 0


# --- Sentences of the chapter that no verdict covers --------------------------------------------


@pytest.mark.parametrize("root", [0, 1])
def test_on_digits_the_activation_is_worth_much_untuned_and_little_tuned(root):
    untuned, _, tuned = (
        {factor: gain.mean() for factor, gain in view.items()}
        for view in choice.worths("digits", root).values()
    )
    assert max(untuned, key=untuned.get) == "activation"
    assert tuned["activation"] < 0.01


@pytest.mark.parametrize("root", [0, 1])
def test_on_digits_some_never_get_going_whatever_the_learning_rate(root):
    valid, test = choice.accuracies("digits", root)
    _, best = choice.tuned(valid, test, choice.LR)
    assert (best.mean(-1) < 0.2).any()


@pytest.mark.parametrize("root", [0, 1])
def test_on_mnist1d_it_is_worth_several_points_and_the_learning_rate_more(root):
    for view in choice.worths("mnist1d", root).values():
        gains = {factor: gain.mean() for factor, gain in view.items()}
        assert gains["activation"] > 0.03
        assert gains.get("lr", 1) > gains["activation"]
    assert len(choice.at_upper_end("mnist1d", root)) > len(choice.FACTORS["activation"]) / 2


@pytest.mark.parametrize("root", [0, 1])
@pytest.mark.parametrize("name", choice.DATA)
def test_the_largest_share_of_the_variance_is_what_choices_do_together(name, root):
    shares = choice.variance_shares(name, root)
    together = shares.pop("only together")
    assert together[1] > max(high for _, _, high in shares.values())
    assert sum(share for share, _, _ in shares.values()) + together[0] == pytest.approx(1)


@pytest.mark.parametrize("root", [0, 1])
def test_the_winner_depends_on_the_column(root):
    plot = choice.grid_plot("mnist1d", init="keras", depth=3, root=root)
    winners = np.asarray(plot.artists["image"].get_array()).argmax(0)
    assert len(set(winners.tolist())) > 1


def test_linear_layers_speed_up_training_at_a_shared_learning_rate():
    result = ensemble.train(
        data.load("digits"), arms=lab.DEPTHS, seeds=5, lr=0.01, keep_weights=False, progress=False
    )
    shallow, deep = (result.by_arm("train_loss")[arm] for arm in lab.DEPTHS)
    assert (deep < shallow).all()

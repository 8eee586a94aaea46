"""What a choice is worth, and who turns round, on numbers that we made up and in the study."""

import numpy as np
import pytest

from actlab.experiments import choice


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
    left = next(iter(choice.worths("digits", root, without="sigmoid").values()))
    assert left["depth"].mean() > left["activation"].mean()  # "without it, … on the depth"


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


@pytest.mark.parametrize("root", [0, 1])
def test_the_winner_depends_on_the_column(root):
    rows = choice.by_rate("mnist1d", init="keras", depth=3, root=root)
    winners = {max(rows, key=lambda name: rows[name][rate]) for rate in rows["relu"]}
    assert len(winners) > 1


def test_the_lead_is_over_the_strongest_of_the_others(monkeypatch):
    def worths(data, root, without):
        activation = 0.05 if without else 0.2
        values = {"activation": activation, "lr": 0.1, "init": 0.01, "depth": 0.15}
        noise = 0.001 * np.random.default_rng(0).standard_normal(20)
        return {view: {k: v + noise for k, v in values.items()} for view in choice.VIEWS}

    monkeypatch.setattr(choice, "worths", worths)
    found = choice.crucial(0, lambda cases: 0.95)
    lead = found["lead over other choices"]
    assert len(lead.cases) == 12
    assert lead.cases["digits", "untuned", "with sigmoid"].mean == pytest.approx(5)
    assert lead.cases["digits", "untuned", "without sigmoid"].mean == pytest.approx(-10)
    assert set(lead.notes["strongest other"].values()) == {"depth"}
    gain = found["gain from the activation"].cases["MNIST-1D", "all tuned", "with sigmoid"]
    assert gain.mean == pytest.approx(20, abs=0.1)


def test_one_cell_of_the_study_has_the_columns_of_its_table(monkeypatch):
    from actlab import study

    small = {"activation": ("relu", "tanh"), "lr": (0.01,), "init": ("keras",), "depth": (1,)}
    monkeypatch.setattr(choice, "FACTORS", small)
    found = choice.cell(0, 1, data="digits", size=200)
    assert {*found.columns, "root", "depth"} == set(study.load("choice_digits").columns)
    assert len(found) == 2 * 20

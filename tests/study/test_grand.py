"""The grand trial: a balanced third of all blocks, the same table everywhere, clear refusals."""

import dataclasses
import itertools
import math
import os
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from actlab import catalog
from actlab.experiments import grand, standing
from actlab.experiments.grand import ARMS, DATA, GRAND, NETWORKS, SMALL, build
from actlab.study import load, run, store
from actlab.study.__main__ import main

# Small enough for a test that runs it twice.
TINY = {
    "arms": ["ReLU", "sigmoid"],
    "data": ["wine", "breast_cancer"],
    "networks": ["2 layers"],
    "norms": ["none"],
    "splits": 2,
    "seeds": 2,
    "tuning_seeds": 1,
    "tuning_epochs": 1,
    "patience": 2,
    "longest": 20,
    "branch_power": 1,
}


@pytest.fixture
def results(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


# --- The design -----------------------------------------------------------------------------------


def test_it_has_what_it_promises():
    cells = list(GRAND.cells())
    assert len(ARMS) >= 20
    assert len({grand.layers(cell["network"]) for cell in cells}) == 3
    assert {cell["norm"] for cell in cells} == {"none", "batch", "layer"}
    assert len(DATA) >= 5
    assert GRAND.settings["splits"] >= 5
    assert GRAND.settings["splits"] * GRAND.settings["seeds"] >= 20
    assert GRAND.settings["splits"] * GRAND.settings["tuning"][0] >= 10


def pairs(cells):
    """How often two levels of different factors meet, with residual networks left out."""
    levels = [
        {"data": c["data"], "depth": grand.layers(c["network"]), "norm": c["norm"]}
        for c in cells
        if not c["network"].endswith("residual")
    ]
    return {
        factors: Counter(tuple(level[f] for f in factors) for level in levels)
        for factors in itertools.combinations(("data", "depth", "norm"), 2)
    }


def is_balanced(cells):
    """Every two levels meet, each pair of a kind as often as the next."""
    sizes = {("data", "depth"): 18, ("data", "norm"): 18, ("depth", "norm"): 9}
    return all(
        len(met) == sizes[factors] and len(set(met.values())) == 1
        for factors, met in pairs(cells).items()
    )


def test_every_two_levels_meet_equally_often():
    cells = list(GRAND.cells())
    assert is_balanced(cells)
    assert not is_balanced(cells[1:])
    assert not is_balanced([{**c, "norm": "none"} if c == cells[1] else c for c in cells])


def test_a_deep_block_is_there_with_and_without_residual_connections():
    deep = [c for c in GRAND.cells() if grand.layers(c["network"]) == 8]
    plain, residual = (
        {(c["data"], c["norm"]) for c in deep if c["network"] == n} for n in NETWORKS[-2:]
    )
    assert plain == residual
    assert len(plain) == len(DATA)


def test_only_what_adds_up_without_a_norm_begins_smaller():
    gains = {
        (network, norm): grand.branch_gain(network, norm, 0.5)
        for network in NETWORKS
        for norm in grand.NORMS
    }
    assert gains.pop(("8 layers, residual", "none")) == pytest.approx(7**-0.5)
    assert set(gains.values()) == {1.0}
    assert grand.branch_gain("8 layers, residual", "none", 0) == 1.0


def test_only_one_over_n_bounds_the_growth_of_every_signal():
    """Over 7 and over 112 blocks that add up, by activation: how many times as large it becomes."""
    rng = torch.Generator().manual_seed(0)

    def grown(arm, blocks, power):
        f = catalog.get(ARMS[arm]["activation"]).torch()
        scale = grand.start(ARMS[arm])["gain"] / 4 * blocks**-power
        ratios = []
        for _ in range(40):
            first = x = f(torch.randn(100, 16, generator=rng))
            for _ in range(blocks):
                x = x + f(x @ torch.randn(16, 16, generator=rng) * scale)
            ratios.append(float((x.square().mean() / first.square().mean()).sqrt()))
        return np.median(ratios)

    assert grown("tanh", 7, 0.5) == pytest.approx(grown("tanh", 112, 0.5), rel=0.3)
    assert grown("ReLU", 112, 0.5) > 20 * grown("ReLU", 7, 0.5)
    for arm in ("ReLU", "tanh", "SiLU"):
        assert grown(arm, 112, 1) == pytest.approx(grown(arm, 7, 1), rel=0.2)


@pytest.mark.parametrize("power", [0, 1])
def test_a_start_for_blocks_that_add_up_changes_their_cell_and_no_other(power):
    tiny = {**GRAND.settings, "arms": {"ReLU": ARMS["ReLU"]}, "splits": 2, "seeds": 1}
    tiny |= {"tuning": (1, 1), "longest": 20, "sizes": {"wine": None}, "targets": {"wine": (0.5,)}}
    for network, alike in (("8 layers", True), ("8 layers, residual", power == 0)):
        losses = [
            grand.grand_cell("wine", network, "none", **{**tiny, "branch_power": p}).valid_loss
            for p in (0, power)
        ]
        assert losses[0].equals(losses[1]) is alike


def test_the_order_and_its_kin_take_part():
    assert set(standing.ORDER) - {standing.TIER} | set(standing.LEAKY) <= set(ARMS)


@pytest.mark.parametrize(
    ("arm", "gain"),
    [("ReLU", 2**0.5), ("leaky 0.3", (2 / 1.09) ** 0.5), ("PReLU", (2 / 1.0625) ** 0.5)],
)
def test_a_start_is_the_one_of_the_theory(arm, gain):
    """He's, where it is known in closed form; LeCun's where nothing is bent."""
    assert grand.start(ARMS[arm])["gain"] == pytest.approx(gain, abs=2e-4)
    assert grand.start(ARMS["linear"])["gain"] == 1
    assert grand.start(ARMS["SELU"])["gain"] < 1 < grand.start(ARMS["tanh"])["gain"]


def test_how_tolerant_a_rate_is():
    """Losses 1, 1.05, 1.2, 1.05: the last is good again, and is not next to the best."""
    values = {0.01: -1.0, 0.03: -1.05, 0.1: -1.2, 0.3: -1.05}
    assert grand.tolerant(values) == pytest.approx(math.log10(3))
    assert grand.tolerant({0.1: -1.0, 1.0: -math.inf}) == 0


# --- One machine, and workers elsewhere -----------------------------------------------------------


def dying(*args, flag, **kwargs):
    """The trial's task; the first worker that gets it is killed in the middle of its work."""
    if not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return grand.grand_cell(*args, **kwargs)


def test_a_cluster_gives_the_same_table_though_a_worker_is_killed(results, tmp_path):
    distributed = pytest.importorskip("distributed")
    study = build("tiny", **TINY)
    here = run(study, say=lambda text: None)
    assert len(here) == 2 * 2 * 2 * 2
    assert here.accuracy.between(0, 1).all()
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    flag = tmp_path / "died"
    with cluster:
        there = dataclasses.replace(
            study, task=dying, settings={**study.settings, "flag": str(flag)}
        )
        found = run(there, cluster.scheduler_address, again=True, say=lambda text: None)
    assert flag.exists()
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), here.drop(columns="seconds"))


# --- A grid in a file, and what is refused --------------------------------------------------------


def written(path, **changes):
    said = {**TINY, **changes}
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in said.items()))
    return str(path)


def test_a_grid_in_a_file_is_run_and_kept_beside_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(store, "RESULTS", store.RESULTS)  # put back afterwards
    file = written(tmp_path / "mine.toml", data=["wine"], arms=["ReLU"])
    assert main(["grand_trial", "--grid", file, "--progress"]) == 0
    assert "0 of 1 cells done" in capsys.readouterr().out
    assert main(["grand_trial", "--grid", file]) == 0
    before = (tmp_path / "mine.parquet").read_bytes()
    assert len(load("mine")) == 4
    assert main(["grand_trial", "--grid", file, "--progress"]) == 0
    assert "finished" in capsys.readouterr().out
    written(tmp_path / "mine.toml", data=["wine"], arms=["tanh"])
    assert main(["grand_trial", "--grid", file]) == 1
    assert "of another grid" in capsys.readouterr().err
    assert (tmp_path / "mine.parquet").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": ["ReLU", "reluu"]}, "unknown arm 'reluu': the nearest are relu"),
        ({"arms": []}, "arms is empty"),
        ({"arms": "ReLU"}, "expected a list"),
        ({"arms": ["ReLU", "glu"]}, "'glu' has no start by theory"),
        ({"arms": ["binary_step"]}, "'binary_step' has no start by theory"),
        ({"data": ["wines"]}, "unknown data set 'wines': the nearest are wine"),
        ({"data": ["wine", "wine"]}, "twice"),
        ({"networks": ["3 layers"]}, "unknown network '3 layers'"),
        ({"norms": ["group"]}, "unknown norm 'group'"),
        ({"seeds": 0}, "seeds"),
        ({"longest": 10}, "longest"),
        ({"branch_power": "half"}, "branch_power='half': expected a number"),
        ({"speed": 3}, "unknown key 'speed'"),
        ({"name": "grand_trial"}, "is a study of the course"),
        ({"name": "Mine!"}, "lower-case"),
        ({"sizes": 3}, "sizes"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused_before_anything_runs(
    tmp_path, monkeypatch, capsys, changes, message
):
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    file = written(tmp_path / "mine.toml", **changes)
    assert main(["grand_trial", "--grid", file]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "mine.toml" in error
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grand_trial", "--preset", "tiny"], "it has full, small"),
        (["born_dead", "--preset", "small"], "it has full"),
        (["born_dead", "--grid", "GRID"], "takes no grid"),
        (["--grid", "GRID"], "belongs to one study"),
        (["grand_trial", "--grid", "GRID", "--preset", "small"], "belongs to one study"),
        (["grand_trial", "--grid", "NONE"], "no grid can be read"),
        (["grand_trial", "--grid", "TEXT"], "is not TOML"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    (tmp_path / "text.toml").write_text("no = = toml")
    files = {
        "GRID": written(tmp_path / "mine.toml"),
        "NONE": str(tmp_path / "none.toml"),
        "TEXT": str(tmp_path / "text.toml"),
    }
    assert main([files.get(word, word) for word in arguments]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.parquet"))


def test_progress_shows_where_the_cells_lie(results, capsys):
    first = next(SMALL.cells())
    rows = pd.DataFrame({"a": [1]})
    rows.attrs["seconds"] = 90.0
    store.write(store.part(SMALL, first), rows)
    assert main(["grand_trial", "--preset", "small", "--progress"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "grand_trial_small: 1 of 2 cells done, 1.5 min of work; about 2 min to go for one worker",
        "  digits   █",
        "  mnist1d  ·",
    ]


# --- What is made of it ---------------------------------------------------------------------------


def invented(gap, noise=0.02, help_=1.0):
    """Results in which each arm is ``gap`` worse than the one before; normalised less so."""
    rng = np.random.default_rng(3)
    rows = [
        {
            **cell,
            "arm": arm,
            "split": split,
            "seed": seed,
            "accuracy": 0.8
            - gap
            * place
            * (help_ if cell["norm"] != "none" or "residual" in cell["network"] else 1)
            + noise * rng.normal(),
        }
        for cell in GRAND.cells()
        for place, arm in enumerate(ARMS)
        for split in range(5)
        for seed in range(4)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def pending():
    from actlab.claims import choosing

    return {claim.id: claim for claim in choosing.CLAIMS}


@pytest.mark.parametrize(("gap", "verdict"), [(0.02, "holds"), (-0.02, "refuted")])
def test_an_order_that_is_there_is_found_and_one_turned_round_is_refuted(
    monkeypatch, pending, gap, verdict
):
    monkeypatch.setattr(standing, "load", lambda name: invented(gap, noise=0.005))
    for name, claim in pending.items():
        if name.startswith("ranking"):
            assert claim.evaluate().verdict == verdict, name
            assert claim.evaluate(1).verdict == verdict, name


def test_without_differences_nothing_is_found(monkeypatch, pending):
    monkeypatch.setattr(standing, "load", lambda name: invented(0.0))
    verdicts = {name: claim.evaluate().verdict for name, claim in pending.items()}
    # Six places in one of 720 orders: that none is likely refutes "this one is likely".
    assert verdicts.pop("ranking-whole") in ("refuted", "not shown")
    assert set(verdicts.values()) == {"not shown"}


def test_a_help_that_helps_is_seen(monkeypatch, pending):
    """Normalised blocks gain no more from residual connections: there is no spread left."""
    monkeypatch.setattr(standing, "load", lambda name: invented(0.02, noise=0.005, help_=0.1))
    found = pending["choosing-matters-less"].evaluate()
    assert found.verdict == "holds when …"
    assert found.decision.passing == (("batch normalisation",), ("layer normalisation",))


def test_a_network_that_diverged_has_the_score_of_guessing():
    table = invented(0.01)
    table.loc[0, "accuracy"] = np.nan
    row = table.loc[0]
    wide = standing.scores(table)
    assert wide.loc[tuple(row[name] for name in wide.index.names), row.arm] == pytest.approx(10.0)


def test_every_rule_can_decide_each_way(pending):
    for claim in pending.values():
        for example in claim.by.examples():
            assert claim.by.decide(example.evidence).verdict == example.verdict, example.why


def test_a_claim_without_a_verdict_stays_out_of_the_ledger(pending):
    from actlab import claims

    if not (store.RESULTS / f"{GRAND.name}.parquet").exists():
        assert not set(pending) & {claim.id for claim in claims.all()}

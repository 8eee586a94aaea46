"""Small faults, over all rooms: where, the right text, the wrong text, which tests should see it.

The right text stands exactly once in its file (a test in the suite sees to that), so a fault goes
where it is meant to go. ``tests`` are pytest's arguments, below ``tests/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """One fault: ``old`` becomes ``new`` in ``file``; ``why`` says what that breaks."""

    file: str
    old: str
    new: str
    why: str
    tests: str

    def problem(self, root: Path) -> str:
        """Why it cannot be put in; empty where it can."""
        path = root / self.file
        if not path.is_file():
            return f"{self.file} is gone"
        count = path.read_text("utf-8").count(self.old)
        return "" if count == 1 else f"{self.file} has {self.old!r} {count} times"

    def put_in(self, root: Path) -> None:
        """Break the file below ``root``."""
        path = root / self.file
        path.write_text(path.read_text("utf-8").replace(self.old, self.new), "utf-8")


@dataclass(frozen=True)
class CellMutant(Mutant):
    """The same for a cell of a study: in the column ``old`` the first number grows by ``new``."""

    def problem(self, root: Path) -> str:
        """Why it cannot be put in."""
        path = root / self.file
        return "" if path.is_file() else f"{self.file} is gone"

    def put_in(self, root: Path) -> None:
        """Write the table again, with everything else as it was."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = root / self.file
        table = pq.read_table(path)
        at = table.column_names.index(self.old)
        values = table.column(at).to_pylist()
        values[0] += float(self.new)
        changed = pa.array(values, table.schema.field(at).type)
        pq.write_table(table.set_column(at, table.schema.field(at), changed), path)


PLOTS, EXPERIMENTS = "src/actlab/plots", "src/actlab/experiments"
CLAIMS, STATEMENTS, RULES = (
    "src/actlab/claims",
    "catalog/test_statements.py",
    "claims/test_rules.py",
)
GATES, EXECUTE = "notebooks/test_gates_go_red.py", "notebooks/test_execute.py"
SMALL, MAKE = "site/test_small_book.py", "test_makefile.py"
TRAIN = "src/actlab/ensemble/training.py"

MUTANTS: tuple[Mutant, ...] = (
    # --- The catalog ------------------------------------------------------------------------------
    Mutant(
        "src/actlab/catalog/leaky.py",
        r'formula=r"\max(0, x) + a \min(0, x)",',
        r'formula=r"\max(0, x) - a \min(0, x)",',
        "a sign in a formula",
        f"{STATEMENTS} -k leaky_relu",
    ),
    Mutant(
        "src/actlab/catalog/elu.py",
        r"\lambda \approx 1.0507,\ \alpha \approx 1.6733",
        r"\lambda \approx 1.0570,\ \alpha \approx 1.6733",
        "two digits of SELU's constant swapped in its formula",
        f"{STATEMENTS} -k selu",
    ),
    Mutant(
        "src/actlab/catalog/gelu.py",
        r"0.044715\,x^3",
        r"0.044715\,x^2",
        "a power in a formula",
        f"{STATEMENTS} -k gelu_tanh",
    ),
    Mutant(
        "src/actlab/catalog/tanh.py",
        r"\quad m = -1,\ M = 1",
        r"\quad m = -1,\ M = 2",
        "a default in a formula",
        f"{STATEMENTS} -k hard_tanh",
    ),
    Mutant(
        "src/actlab/catalog/softmax.py",
        r"x_i - \log \sum_j e^{x_j}",
        r"x_i - \sum_j e^{x_j}",
        "a formula without its logarithm",
        f"{STATEMENTS} -k log_softmax",
    ),
    Mutant(
        "src/actlab/catalog/relu.py",
        "Nair & Hinton, 2010",
        "Nair & Hinton, 2012",
        "a year",
        f"{STATEMENTS} -k year",
    ),
    Mutant(
        "src/actlab/catalog/elu.py",
        "Clevert et al., 2015",
        "Clevert et al., 2016",
        "a year against an arXiv number",
        f"{STATEMENTS} -k year",
    ),
    Mutant(
        "src/actlab/catalog/sigmoid.py",
        "Rumelhart et al., 1986",
        "Rumelhart et al., 1985",
        "a year against a journal's volume",
        f"{STATEMENTS} -k year",
    ),
    Mutant(
        "src/actlab/catalog/gelu.py",
        "at 3 it is 3/2, the left ones",
        "at 3 it is 1, the left ones",
        "a kink note's number",
        f"{STATEMENTS} -k 'kink and hard_silu'",
    ),
    Mutant(
        "src/actlab/catalog/relu.py",
        "At 0 the derivative is 0, the left one.",
        "At 0 the derivative is 0, the right one.",
        "a kink note's side",
        f"{STATEMENTS} -k 'kink and relu'",
    ),
    Mutant(
        "src/actlab/catalog/leaky.py",
        'Place("keras.layers.LeakyReLU", arguments={"negative_slope": 0.3})',
        'Place("keras.layers.LeakyReLU", arguments={"negative_slope": 0.2})',
        "a framework's default",
        "catalog/test_places.py -k installed",
    ),
    Mutant(
        "src/actlab/catalog/softplus.py",
        "return np.where(scaled > threshold, 1.0, numerics.logistic(scaled, error))",
        "return np.where(scaled >= threshold, 1.0, numerics.logistic(scaled, error))",
        "a derivative at a kink",
        "catalog/test_records.py -k kinks",
    ),
    Mutant(
        "src/actlab/catalog/softplus.py",
        'saturation=("soft", None),\n        limits=(0.0, math.inf),\n    )\n\n\nSOFTPLUS',
        "saturation=(None, None),\n        limits=(0.0, math.inf),\n    )\n\n\nSOFTPLUS",
        "a property",
        "catalog/test_properties.py -k softplus",
    ),
    # --- Statistics -------------------------------------------------------------------------------
    Mutant(
        "src/actlab/stats.py",
        "stats.t.interval(confidence, len(x) - 1,",
        "stats.t.interval(confidence, len(x),",
        "one degree of freedom too many",
        "test_stats.py -k scipys",
    ),
    Mutant(
        "src/actlab/stats.py",
        "x.std(ddof=1) * np.sqrt(2 / n)",
        "x.std(ddof=1) * np.sqrt(1 / n)",
        "a noise floor of one mean instead of two",
        "test_stats.py -k noise_floor",
    ),
    Mutant(
        "src/actlab/stats.py",
        'multipletests(pairs["p"], method="holm")',
        'multipletests(pairs["p"], method="fdr_bh")',
        "another correction for many comparisons",
        "test_stats.py -k 'holm or correction'",
    ),
    Mutant(
        "src/actlab/stats.py",
        "agrees, contradicts = low > bound, high <= bound",
        "agrees, contradicts = low > bound, low <= bound",
        "refuted where nothing was shown",
        "test_stats.py -k verdict",
    ),
    Mutant(
        "src/actlab/stats.py",
        "found = mean_interval(x.mean(axis=1), confidence)",
        "found = mean_interval(x.ravel(), confidence)",
        "seeds counted as if they were splits",
        "experiments/test_contest.py -k nested",
    ),
    Mutant(
        "src/actlab/stats.py",
        "simultaneous = 1 - (1 - confidence) / len(indices)",
        "simultaneous = confidence",
        "simultaneous intervals that are not",
        "test_stats.py -k compare",
    ),
    Mutant(
        "src/actlab/ensemble/tuning.py",
        ".mean(skipna=False)",
        ".mean(skipna=True)",
        "a learning rate that loses networks may win",
        "ensemble/test_training.py -k loses",
    ),
    Mutant(
        "src/actlab/ensemble/search.py",
        "if not np.isfinite(columns).all():",
        "if not np.isfinite(columns).any():",
        "a learning rate that loses one network may win the search",
        "ensemble/test_search.py",
    ),
    Mutant(
        "src/actlab/ensemble/search.py",
        "(column.mean() + column.min()) / 2",
        "column.mean()",
        "the worst seed does not count",
        "ensemble/test_search.py",
    ),
    Mutant(
        TRAIN,
        "self.running & ~(np.isfinite(train_loss) & np.isfinite(loss))",
        "self.running & ~np.isfinite(train_loss)",
        "an infinite validation loss is no divergence",
        "ensemble/test_training.py -k 'diverge or infinite'",
    ),
    Mutant(
        TRAIN,
        "better = self.running & (loss < self.best_loss)",
        "better = self.running & (loss <= self.best_loss + 0.01)",
        "early stopping keeps other weights than the best",
        "ensemble/test_training.py -k early",
    ),
    Mutant(
        TRAIN,
        "return (loss / n).cpu().numpy(), (hits / n).cpu().numpy()",
        "return (loss / n).cpu().numpy(), (hits / (n - 1)).cpu().numpy()",
        "an accuracy with a wrong denominator",
        "ensemble/test_training.py -k numbers_are_those",
    ),
    Mutant(
        "src/actlab/ensemble/tuning.py",
        "return tuple(arrays[:4])",
        "return tuple(arrays[:6])",
        "tuning is handed the test set",
        "ensemble/test_training.py -k tuning",
    ),
    Mutant(
        "src/actlab/ensemble/optimisers.py",
        "value=-1 / (1 - b1**self.steps)",
        "value=-1",
        "Adam without its bias correction",
        "ensemble/test_exactness.py -k option",
    ),
    Mutant(
        "src/actlab/ensemble/optimisers.py",
        "p.value.mul_(1 - lr * share)",
        "p.value.mul_(1 - share)",
        "AdamW's decay without the learning rate",
        "ensemble/test_contests.py -k decay",
    ),
    Mutant(
        "src/actlab/ensemble/initial.py",
        '"lecun_normal": (_truncated, lambda i, o: 1 / i, False)',
        '"lecun_normal": (_truncated, lambda i, o: 1 / o, False)',
        "fan_out for fan_in",
        "ensemble/test_initial.py -k keras",
    ),
    Mutant(
        "src/actlab/ensemble/initial.py",
        "normal * (math.sqrt(variance) / _CUT_SD)",
        "normal * math.sqrt(variance)",
        "a cut normal that is too narrow",
        "ensemble/test_initial.py -k keras",
    ),
    Mutant(
        "src/actlab/ensemble/activations.py",
        "nn.SELU: lambda f: _elu(1.6732632423543772, 1.0507009873554805)",
        "nn.SELU: lambda f: _elu(1.6732632423543772, 1.0507009873554)",
        "a constant of a kernel, in the fourteenth digit",
        "ensemble/test_kernels.py ensemble/test_exactness.py -k 'SELU or selu'",
    ),
    Mutant(
        "src/actlab/ensemble/result.py",
        '"died": dead * (1 - dead[:, :1])',
        '"died": dead',
        "units born dead count as died",
        "ensemble/test_training.py -k fates",
    ),
    Mutant(
        "src/actlab/ensemble/initial.py",
        "yield torch.randperm(n, generator=stream)",
        "yield torch.arange(n)",
        "batches that are never shuffled",
        "ensemble/test_initial.py",
    ),
    # --- Studies ----------------------------------------------------------------------------------
    Mutant(
        "src/actlab/study/store.py",
        "pq.write_table(table, unfinished, compression",
        "pq.write_table(table, path, compression",
        "a result is written straight into its file",
        "study/test_study.py -k half",
    ),
    CellMutant(
        "src/actlab/results/contest_stacks.parquet",
        "accuracy",
        "0.05",
        "a cell of a study raised by 0.05",
        "study/test_results.py",
    ),
    CellMutant(
        "src/actlab/results/born_dead.parquet",
        "dead",
        "0.001",
        "a cell of a study raised by 0.001",
        "study/test_results.py",
    ),
    Mutant(
        "src/actlab/study/run.py",
        "missing = [cell for cell in cells if not store.part(study, cell).exists()]",
        "missing = cells",
        "finished cells are done again",
        "study/test_study.py -k 'limit or killed'",
    ),
    Mutant(
        "src/actlab/study/run.py",
        "parts = [store.read(store.part(study, cell)) for cell in cells]",
        "parts = [store.read(store.part(study, cell)) for cell in reversed(list(cells))]",
        "parts joined in another order",
        "study/test_study.py -k order",
    ),
    Mutant(
        "src/actlab/study/declared.py",
        '"settings": dict(self.settings)})',
        '"settings": {}})',
        "other settings pass for the same grid",
        "study/test_study.py -k grid",
    ),
    # --- Claims: rules, their words, the evidence -------------------------------------------------
    Mutant(
        f"{CLAIMS}/relu.py",
        'above(20, "points", clear=15)',
        'above(20, "points", clear=10)',
        "the distance of the other side from a rule's zone",
        f"{RULES} -k relu-dead-stops",
    ),
    Mutant(
        f"{CLAIMS}/relu.py",
        '{dying.REVIVED: above(50, "%")',
        '{dying.REVIVED: above(40, "%")',
        "the threshold of a rule",
        f"{RULES} -k relu-revive",
    ),
    Mutant(
        f"{CLAIMS}/sigmoid_tanh.py",
        'above(50, "%", clear=40)',
        'above(50, "%", clear=45)',
        "how far away the opposite of a rule begins",
        f"{RULES} -k sigmoid-normalises",
    ),
    Mutant(
        f"{CLAIMS}/leaky.py",
        'by=Rule({cost.EXTRA: below(5, "%")})',
        'by=Rule({cost.EXTRA: below(6, "%")})',
        "the threshold of a timing",
        f"{RULES} -k leaky-latency",
    ),
    Mutant(
        "src/actlab/experiments/together.py",
        "max(one.high for one in found)",
        "min(one.high for one in found)",
        "one run is enough where both have to show it",
        "experiments/test_together.py -k both",
    ),
    Mutant(
        f"{CLAIMS}/relu.py",
        'within(40, 60, "%")',
        'within(40, 65, "%")',
        "an end of a rule's zone",
        f"{RULES} -k relu-half-born",
    ),
    Mutant(
        f"{EXPERIMENTS}/dying.py",
        'RANKS = "rank correlation of dead share and test accuracy"',
        'RANKS = "rank correlation of dead share and accuracy"',
        "the words of a rule",
        f"{RULES} -k relu-dead-hurts",
    ),
    Mutant(
        f"{CLAIMS}/verdicts.json",
        "46.9296875,",
        "47.4296875,",
        "an evidence number, by half a point",
        "claims/test_ledger.py -k relu-half-born-dead",
    ),
    Mutant(
        f"{CLAIMS}/verdicts.json",
        "0.439393939,\n      0.248339301",
        "0.439593939,\n      0.248339301",
        "an evidence number of a claim that reads a study",
        "claims/test_ledger.py -k prelu-first-layer",
    ),
    Mutant(
        f"{CLAIMS}/verdicts.json",
        '"slope left at 5": 0.026592226683160625',
        '"slope left at 5": 0.026692226683160625',
        "an evidence number of an exact claim",
        "claims/test_ledger.py -k sigmoid-beyond-five",
    ),
    Mutant(
        f"{EXPERIMENTS}/slopes.py",
        "largest[TITLES[name]] = ahead[:, -1]",
        "largest[TITLES[name]] = ahead[:, 0]",
        "the smallest size for the largest",
        "claims/test_ledger.py -k prelu-large",
    ),
    Mutant(
        f"{CLAIMS}/leaky.py",
        "below(-0.3, clear=0.3)",
        "below(-0.3)",
        "a rule whose opposite begins at its bound",
        f"{RULES} -k prelu-first-layer",
    ),
    Mutant(
        "src/actlab/trial/claim.py",
        "self.asks(seed, self.by.level)",
        "self.asks(0, self.by.level)",
        "every root seed gives the same evidence",
        "claims/test_ledger.py -k root_seed_reaches",
    ),
    Mutant(
        "src/actlab/trial/bound.py",
        "return self.low < found.low and found.high < self.high",
        "return self.low < found.mean < self.high",
        "a bound met by the mean alone",
        "trial/test_rule.py",
    ),
    Mutant(
        "src/actlab/trial/rule.py",
        "elif against and (len(against) == len(found) or",
        "elif against and (len(against) or",
        "one case refutes what only all may refute",
        "trial/test_rule.py",
    ),
    Mutant(
        "src/actlab/theory.py",
        "signal = mean**2 + variance",
        "signal = variance",
        "the mean square forgets the mean",
        "test_theory.py",
    ),
    # --- Figures ----------------------------------------------------------------------------------
    Mutant(
        f"{PLOTS}/lines.py",
        "[e.low for e in ends]",
        "[2 * e.mean - e.low for e in ends]",
        "a band that has its lower end above the line",
        "plots/test_lines.py",
    ),
    Mutant(
        f"{PLOTS}/lines.py",
        "ends = [stats.mean_interval(column) for column in table.T]",
        "ends = [stats.mean_interval(column, 0.68) for column in table.T]",
        "a band of another confidence",
        "plots/test_lines.py",
    ),
    Mutant(
        f"{PLOTS}/lines.py",
        "{name} goes from {ends[0].mean:.3g} to {ends[-1].mean:.3g}",
        "{name} goes from {ends[0].mean:.3g} to {ends[0].mean:.3g}",
        "an alt text that tells another curve",
        "plots/test_style.py",
    ),
    Mutant(
        f"{PLOTS}/lines.py",
        "at = [place for place in order if place in group]\n        ends",
        "at = list(group)\n        ends",
        "a line in another order",
        "plots/test_lines.py",
    ),
    Mutant(
        f"{PLOTS}/rows.py",
        "(bar,) = ax.plot([low, high], [y, y], color=hue)",
        "(bar,) = ax.plot([mean, high], [y, y], color=hue)",
        "half an interval drawn",
        "plots/test_rows.py",
    ),
    Mutant(
        f"{PLOTS}/rows.py",
        "shift = step * (i - (len(groups) - 1) / 2)",
        "shift = 0.6 * (i - (len(groups) - 1) / 2)",
        "a dot in the next row",
        "plots/test_rows.py",
    ),
    Mutant(
        f"{PLOTS}/rows.py",
        "sum(low < i.low and i.high < high for",
        "sum(low < i.mean < high for",
        "a title that counts means",
        "plots/test_rows.py",
    ),
    Mutant(
        f"{PLOTS}/curves.py",
        "y = record.derivative(x, **given) if derivative else record.reference(x, **given)",
        "y = record.reference(x, **given)",
        "a slope that is the curve",
        "plots/test_style.py",
    ),
    Mutant(
        f"{PLOTS}/lines.py",
        "ax.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)",
        "ax.fill_between(x, centre, high, color=color, alpha=0.18, linewidth=0)",
        "half a band",
        "plots/test_lines.py",
    ),
    # --- Probes -----------------------------------------------------------------------------------
    Mutant(
        "src/actlab/probes/statistics.py",
        "largest=sizes.amax(1).double(),",
        "largest=activations.amax(1).clamp(min=0).double(),",
        "a unit that always gives −1 counts as dead",
        "probes/test_statistics.py probes/test_checkup.py -k 'zero or minus_one'",
    ),
    Mutant(
        "src/actlab/probes/statistics.py",
        "average = size.mean(1, keepdim=True)",
        "average = size.amax(1, keepdim=True)",
        "dormant against the largest unit instead of the average",
        "probes/test_statistics.py -k dormant",
    ),
    Mutant(
        "src/actlab/probes/statistics.py",
        "return Moments(mean, stats.variance.mean(1) + variance)",
        "return Moments(mean, stats.variance.mean(1))",
        "a layer's variance without that between its units",
        "probes/test_statistics.py -k moments",
    ),
    Mutant(
        "src/actlab/probes/statistics.py",
        "share * (1 - share) * shift.square()",
        "share * shift.square()",
        "batches whose variances are joined wrongly",
        "probes/test_statistics.py -k batch",
    ),
    Mutant(
        "src/actlab/probes/report.py",
        "DEAD_SHARE = 0.1",
        "DEAD_SHARE = 0.6",
        "a half-dead layer gets no remark",
        "probes/test_checkup.py -k dead",
    ),
    # --- Exercises --------------------------------------------------------------------------------
    Mutant(
        "src/actlab/exercises/relu.py",
        "len(layers) == 10,",
        "len(layers) >= 1,",
        "fewer layers than asked for",
        "exercises/test_relu_exercises.py",
    ),
    Mutant(
        "src/actlab/exercises/leaky.py",
        "counts == [16, 32],",
        "True,",
        "any number of slopes",
        "exercises/test_leaky_exercises.py",
    ),
    Mutant(
        "src/actlab/exercises/why_nonlinear.py",
        "np.allclose(bias, second[0] @ first[1] + second[1]),",
        "True,",
        "any bias of the collapsed network",
        "exercises/test_why_nonlinear_exercises.py",
    ),
    Mutant(
        "src/actlab/exercises/why_nonlinear.py",
        "        right >= LEAST_RIGHT,",
        "        True,",
        "random steps",
        "exercises/test_why_nonlinear_exercises.py",
    ),
    Mutant(
        "src/actlab/exercises/observe.py",
        "not same.all() and np.ptp(inner[~same]) == 0)",
        "not same.all() and False)",
        "an ELU by hand counts as two layers",
        "exercises/test_elu_exercises.py -k trained",
    ),
    Mutant(
        "src/actlab/exercises/observe.py",
        "other = np.concatenate([x[:half], 2 * x[half:]])",
        "other = x",
        "batch norm is not seen",
        "exercises/test_selu_exercises.py -k normalising",
    ),
    Mutant(
        "src/actlab/exercises/twins.py",
        "CLOSE = 2e-5",
        "CLOSE = 2e-2",
        "a port with the other GELU",
        "exercises/test_twins_exercises.py",
    ),
    Mutant(
        "src/actlab/exercises/decision.py",
        "        found.n >= FEWEST_SEEDS,",
        "        True,",
        "a verdict from three networks",
        "exercises/test_twins_exercises.py",
    ),
    Mutant(
        "src/actlab/exercises/sigmoid_tanh.py",
        "ratio > 1e-4,",
        "True,",
        "a deep sigmoid network whose gradient fades",
        "exercises/test_sigmoid_tanh_exercises.py",
    ),
    Mutant(
        "src/actlab/exercises/own.py",
        'says(small, large) == "refuted",',
        "True,",
        "a rule of one's own that cannot lose",
        "exercises/test_elu_exercises.py",
    ),
    Mutant(
        "src/actlab/exercises/own.py",
        "if share >= ENOUGH:",
        "if share >= 0:",
        "a network that was not trained",
        "exercises/test_elu_exercises.py",
    ),
    Mutant(
        "src/actlab/exercises/sigmoid_tanh.py",
        "TRAINED = 0.85",
        "TRAINED = 0.05",
        "a network that was never trained",
        "exercises/test_sigmoid_tanh_exercises.py -k trained",
    ),
    Mutant(
        "src/actlab/exercises/sigmoid_tanh.py",
        'says(slow, fast) == "refuted",',
        "True,",
        "a learner's rule that cannot lose",
        "exercises/test_sigmoid_tanh_exercises.py -k own_rule",
    ),
    Mutant(
        "src/actlab/exercises/selu.py",
        "abs(mean) < 1e-3,",
        "True,",
        "constants that leave a mean",
        "exercises/test_selu_exercises.py",
    ),
    # --- Inputs -----------------------------------------------------------------------------------
    Mutant(
        "src/actlab/inputs.py",
        "values = np.where(mask, np.nan, values.data)",
        "values = values.data",
        "what a mask hides is taken for a number",
        "test_inputs.py",
    ),
    Mutant(
        "src/actlab/inputs.py",
        "whole = np.isfinite(y) & (np.floor(y) == y)",
        "whole = np.isfinite(y)",
        "a label of 0.5 is class 0",
        "test_inputs.py",
    ),
    # --- Data -------------------------------------------------------------------------------------
    Mutant(
        "src/actlab/data.py",
        "x_valid=scaled(raw.x[valid].astype(np.float32)),",
        "x_valid=scaled(raw.x[test].astype(np.float32)),",
        "validation data are the test data",
        "test_data.py -k 'contract or two_parts'",
    ),
    Mutant(
        "src/actlab/data.py",
        "axis=0 if raw.mixed_units else None",
        "axis=0",
        "pixels scaled one by one",
        "test_data.py -k pixels",
    ),
    Mutant(
        "src/actlab/data.py",
        "rows, test_size=count, stratify=raw.y[rows], random_state=seed",
        "rows, test_size=count, stratify=raw.y[rows], random_state=0",
        "one split for all seeds",
        "test_data.py -k seed_decides",
    ),
    # --- Frameworks, recipes, twins ---------------------------------------------------------------
    Mutant(
        "src/actlab/recipes/torch.py",
        "parabola = (F.hardtanh(x) + 1).square() / 4",
        "parabola = (x + 1).square() / 4",
        "a branch that is not cut off",
        "recipes/test_torch_recipes.py -k 'few_ulp or kinks or original'",
    ),
    Mutant(
        "src/actlab/recipes/torch.py",
        'return f"b={self.b:g}"',
        'return ""',
        "a module that does not say its parameter",
        "recipes/test_torch_recipes.py -k round_trips",
    ),
    Mutant(
        "src/actlab/frameworks/keras.py",
        "return np.stack(by_output, axis=axis - 1)",
        "return np.stack(by_output, axis=-1)",
        "a Jacobian with its axes exchanged",
        "frameworks/test_build.py -k gradients",
    ),
    Mutant(
        "src/actlab/twin.py",
        "from_logits=True",
        "from_logits=False",
        "Keras's loss without the softmax",
        "test_twin.py",
    ),
    Mutant(
        "src/actlab/frameworks/lines.py",
        'function += ".eval()"  # random while training',
        'function += ""  # random while training',
        "a line of code that is random",
        "frameworks/test_parity.py -k 'two_lines or rrelu'",
    ),
    # --- The book ---------------------------------------------------------------------------------
    Mutant(
        "_config.yml",
        "    html_math_renderer: mathml",
        "    html_math_renderer: mathjax",
        "MathJax from somebody else's server",
        SMALL,
    ),
    Mutant(
        "book/_ext/actlab_site/finish.py",
        'return tag if attribute(tag, "loading") else add_attribute(tag, "loading", "lazy")',
        "return tag",
        "no picture loads late",
        "site/test_finish.py",
    ),
    Mutant(
        "book/_ext/actlab_site/finish.py",
        "for picture in without_alt(after):",
        "for picture in ():",
        "a picture without alt text passes the build",
        f"{SMALL} -k faults",
    ),
    Mutant(
        "book/_ext/actlab_site/boxes.py",
        'if text == verdict or text.startswith(f"{verdict} "):',
        "if text.startswith(verdict[:4]):",
        "a verdict that the rules do not know",
        "site/test_boxes.py",
    ),
    Mutant(
        "book/_ext/actlab_site/ledger.py",
        'return "not recorded yet" if found is None else str(found.verdict)',
        'return "not recorded yet" if found is None else "holds"',
        "the ledger says holds",
        "site/test_reference.py -k ledger",
    ),
    Mutant(
        "book/_ext/actlab_site/benchmark.py",
        ", missed**",
        "**",
        "a missed target that is not said to be missed",
        "site/test_benchmark_page.py",
    ),
    Mutant(
        "tests/site/pages.py",
        "if response.status >= 400:",
        "if response.status >= 600:",
        "a missing file is no problem",
        "site/test_checks_can_fail.py",
    ),
    # --- Notebooks and their gates ----------------------------------------------------------------
    Mutant(
        "tests/notebooks/compare.py",
        "return not any(problems)",
        "return True",
        "pictures are not compared",
        f"{EXECUTE} -k 'seen or truth or lie'",
    ),
    Mutant(
        "tests/notebooks/compare.py",
        '- {"metadata"}), "stderr")',
        '), "stderr")',
        "alt texts are not compared",
        f"{EXECUTE} -k 'lie or truth'",
    ),
    Mutant(
        "tests/notebooks/gates.py",
        'yield f"{where}: alt text without its picture; run `make notebooks`"',
        "pass",
        "alt text without a picture passes",
        f"{GATES} -k 'figures'",
    ),
    Mutant(
        "tests/notebooks/gates.py",
        'TAGS = ("setup", "reveal")',
        'TAGS = ("setup", "reveal", "remove-output")',
        "an output may be removed",
        f"{GATES} -k hides",
    ),
    Mutant(
        "tests/notebooks/teaching.py",
        "if choice not in box.choices:",
        "if not choice:",
        "what is revealed need not be one of the choices",
        f"{GATES} -k reveals",
    ),
    Mutant(
        "tests/notebooks/teaching.py",
        "for name in sorted(read & before & bound):",
        "for name in sorted(read & before & bound & {None}):",
        "a later cell may take an earlier cell's names",
        f"{GATES} -k run_again",
    ),
    Mutant(
        "src/actlab/predict.py",
        "if found <= end:",
        "if found < end:",
        "a value at a limit belongs to the next choice",
        "test_predict.py",
    ),
    Mutant(
        "tests/notebooks/pictures.py",
        "REACH = 1 ",
        "REACH = 6 ",
        "a line may move by six pixels",
        "notebooks/test_pictures.py",
    ),
    Mutant(
        "tests/notebooks/execute.py",
        "record_timing=False,",
        "record_timing=True,",
        "when a cell was run is stored",
        f"{EXECUTE} -k second_run",
    ),
    # --- The house --------------------------------------------------------------------------------
    Mutant(
        "Makefile",
        "-m tests.notebooks.compare\n",
        "-m tests.notebooks.test_gates\n",
        "the notebook comparison is taken out",
        MAKE,
    ),
    Mutant("Makefile", " -W -n ", " -n ", "warnings of the book are no errors", MAKE),
    Mutant("Makefile", " -W -n ", " -W ", "broken references of the book are no errors", MAKE),
    Mutant("Makefile", "-eu -o pipefail -c", "-u -c", "make goes on after a failure", MAKE),
    Mutant(
        ".ci/run",
        'export CI="${CI:-true}"',
        'export CI=""',
        "what cannot be checked is skipped",
        MAKE,
    ),
    Mutant(
        "benchmarks/ensemble.py",
        "sum(6 * i * o for i, o in self.sizes)",
        "sum(8 * i * o for i, o in self.sizes)",
        "more work than was done",
        "test_benchmarks.py -k flops",
    ),
    Mutant(
        "src/actlab/machine.py",
        'return metadata.version(package).split("+")[0]',
        'return "2.0"',
        "a version that is not the installed one",
        "test_machine.py",
    ),
)

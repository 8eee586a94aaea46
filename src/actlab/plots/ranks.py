"""Many arms over the same blocks: who ranks where, and who is told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from actlab.plots.style import INK, Plot, axis, colour, label
from actlab.stats import Comparison, p_text

LISTED = 12  # pairs in an alt text


def rank_plot(comparison: Comparison, ax: Any | None = None) -> Plot:
    """Every arm's mean rank (line) over how often it took which rank (area of the discs)."""
    _check_comparison(comparison)
    means, n = comparison.mean_ranks, len(comparison.table)
    ax = axis(ax, height=1.2 + 0.4 * len(means), layout="constrained")
    artists = {}
    for y, arm in enumerate(means.index):
        rank, count = np.unique(comparison.ranks[arm], return_counts=True)
        discs = ax.scatter(rank, [y] * len(rank), s=400 * count / n, c=colour(arm), alpha=0.5)
        artists[arm] = (discs, ax.plot([means[arm]] * 2, [y - 0.4, y + 0.4], color=INK)[0])
    best, *others = means.index
    rivals = [arm for arm in others if not comparison.significant(best, arm)]
    finding = f"{best} ranks best" + (
        f", not told apart from {', '.join(rivals)}" if rivals else ""
    )
    if rivals == others:
        finding = f"No arm is told apart from the best ranked, {best}"
    title = f"{finding}\n(Friedman {p_text(comparison.friedman_p)}, n={n})"
    ax.set_yticks(range(len(means)), list(means.index))
    ax.set_ylim(len(means) - 0.5, -0.5)
    label(ax, title=title, x="rank within a block (1 = best)", y="")
    return Plot(ax, f"{title.replace(chr(10), ' ')}. {_listing(comparison)}", artists)


def critical_difference_diagram(
    comparison: Comparison, ax: Any | None = None, colours: Mapping[str, str] | None = None
) -> Plot:
    """Mean ranks on a line; a bar joins arms that could not be told apart (Demšar, 2006).

    Drawn by scikit-posthocs from the Holm-corrected Wilcoxon p-values. ``colours``: of arms whose
    names are none of the catalog's. The alt text names all pairs that are not told apart, or where
    they are more than ``LISTED`` those with the best ranked.
    """
    from scikit_posthocs import critical_difference_diagram as draw

    _check_comparison(comparison)
    means, pairs = comparison.mean_ranks, comparison.pairs
    p_values = comparison.p_values.loc[means.index, means.index]
    equal = (~(p_values < 1 - comparison.confidence)).astype(float)
    ax = axis(ax, height=1.2 + 0.25 * len(means), layout="constrained")
    ax.grid(False)
    artists = draw(
        means,
        equal,  # 0 or 1 in place of p-values: what differs was decided before
        ax=ax,
        color_palette={arm: (colours or {}).get(arm, colour(arm)) for arm in means.index},
        # A dot per member: a bar may pass over an arm that differs from those it joins.
        crossbar_props={"marker": "o"},
        label_fmt_left="{label} ({rank:.2f})",
        label_fmt_right="({rank:.2f}) {label}",
    )
    for text in artists["labels"]:
        text.set_color(INK)
    ax.spines["top"].set_visible(True)
    ax.xaxis.set_label_position("top")
    finding = f"{pairs['significant'].sum()} of {len(pairs)} pairs differ"
    label(ax, title=f"{finding} (Wilcoxon, Holm)", x="mean rank (1 = best)", y="")
    alike = pairs[~pairs["significant"]]
    apart, most = "Not told apart", len(alike) > LISTED
    if most:
        alike = alike[alike["a"] == means.index[0]]
        apart = f"Not told apart from {means.index[0]}"
    joined = "; ".join(row.b if most else f"{row.a} and {row.b}" for row in alike.itertuples())
    alt = f"Critical-difference diagram: {finding}. {_listing(comparison)}"
    return Plot(ax, alt + (f" {apart}: {joined}." if joined else ""), artists)


def _listing(comparison: Comparison) -> str:
    ranks = ", ".join(f"{arm} {rank:.2f}" for arm, rank in comparison.mean_ranks.items())
    return f"Mean ranks over {len(comparison.table)} blocks, best first: {ranks}."


def _check_comparison(comparison: Any) -> None:
    if not isinstance(comparison, Comparison):
        raise TypeError(f"expected what compare() gives, got {type(comparison).__name__}.")

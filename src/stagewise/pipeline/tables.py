"""Stage 4: tables, each as CSV, Markdown and LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from stagewise.analysis import commutation
from stagewise.files import write_text
from stagewise.problems.moments import Moments
from stagewise.seeds import generator


def write_formats(table: pd.DataFrame, paths: Sequence[Path]) -> None:
    """Write a table in the format of each path's ending: .csv, .md or .tex."""
    for path in paths:
        match path.suffix:
            case ".csv":
                text = table.to_csv(index=False, lineterminator="\n")
            case ".md":
                text = markdown(table)
            case ".tex":
                text = latex(table)
            case ending:
                raise ValueError(f"{path}: tables are .csv, .md or .tex, not {ending}")
        write_text(text, path)


def markdown(table: pd.DataFrame) -> str:
    """GitHub-flavoured Markdown of a table, numbers to four digits."""
    rows = [[cell(value).replace("|", "\\|") for value in row] for row in table.to_numpy()]
    lines = [list(table.columns), ["---"] * len(table.columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def latex(table: pd.DataFrame) -> str:
    """A LaTeX tabular of a table, numbers to four digits."""
    rows = [[escaped(cell(value)) for value in row] for row in table.to_numpy()]
    header = [escaped(name) for name in table.columns]
    body = " \\\\\n".join(" & ".join(row) for row in [header, *rows])
    return f"\\begin{{tabular}}{{{'l' * len(header)}}}\n{body} \\\\\n\\end{{tabular}}\n"


def cell(value: object) -> str:
    """A value as a table shows it."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value)


_LATEX = {
    "\\": r"\textbackslash{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "σ": r"$\sigma$",
    "η": r"$\eta$",
    "δ": r"$\delta$",
    "λ": r"$\lambda$",
    "Δ": r"$\Delta$",
    "→": r"$\to$",
    "∞": r"$\infty$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "½": r"$\frac{1}{2}$",
    "−": r"$-$",
    "–": "--",
    "·": r"$\cdot$",
    "₁": r"$_1$",
    "₂": r"$_2$",
    "²": r"$^2$",
    "ᵀ": r"$^\top$",
    "ᵢ": r"$_i$",
    "ⱼ": r"$_j$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≠": r"$\neq$",
    "|": r"\textbar{}",
}


def escaped(text: str) -> str:
    """Text as LaTeX."""
    return "".join(_LATEX.get(mark, mark) for mark in text)


def assumption_table(datasets: Mapping[str, Moments], random_completions: int) -> pd.DataFrame:
    """`assumption`: distances from the assumptions, per data set, centring and completion.

    Columns dataset, n, dim_in, dim_out, centred, completion, delta_x, delta_xy, delta_xy_low,
    delta_xy_high; for random completions delta_xy is the mean, low and high the range.
    """
    rows = []
    for name, moments in datasets.items():
        for centred in (True, False):
            problem = moments.problem(centred)
            random = generator("completion", name, centred)
            measured = commutation(problem, random_completions, random)
            shared = {
                "dataset": name,
                "n": moments.n,
                "dim_in": problem.dim_in,
                "dim_out": problem.dim_out,
                "centred": centred,
            }
            for completion, values in (
                ("eigen", np.array([measured.delta_xy_eigen])),
                ("random", measured.delta_xy_random),
            ):
                rows.append(
                    shared
                    | {
                        "completion": completion,
                        "delta_x": measured.delta_x,
                        "delta_xy": values.mean(),
                        "delta_xy_low": values.min(),
                        "delta_xy_high": values.max(),
                    }
                )
    return pd.DataFrame(rows)


def learning_times_summary(times: pd.DataFrame) -> pd.DataFrame:
    """`learning_times` as a table: measured over predicted, per experiment and grid axis.

    Columns experiment, dataset, depth, initialisation, delta, runs, learned (share of modes), then
    mean and 5–95 % range of measured/predicted for the discrete law, and the mean for the flow's.
    """
    keys = ["experiment", "dataset", "depth", "initialisation", "delta"]
    rows = []
    for key, group in times.groupby(keys, sort=True):
        reached = group[group["learning_iteration"].notna()]
        discrete = (reached["learning_iteration"] / reached["predicted_discrete"]).dropna()
        flow = (reached["learning_iteration"] / reached["predicted_flow"]).dropna()
        rows.append(
            dict(zip(keys, key, strict=True))
            | {
                "runs": group["run"].nunique(),
                "learned": len(reached) / len(group),
                "over_discrete": discrete.mean(),
                "over_discrete_low": discrete.quantile(0.05),
                "over_discrete_high": discrete.quantile(0.95),
                "over_flow": flow.mean(),
            }
        )
    return pd.DataFrame(rows)

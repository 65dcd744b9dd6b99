"""Tables as CSV, Markdown and LaTeX."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from stagewise.errors import StagewiseError
from stagewise.store.files import write_text


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


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV table of this package; StagewiseError when it is missing or cut."""
    try:
        text = path.read_text(encoding="utf-8")
        problem = "" if text.endswith("\n") else "it ends in the middle of a row"
    except (OSError, ValueError) as error:
        problem = str(error)
    if problem:
        raise StagewiseError(
            f"{path} cannot be read as CSV ({problem}). Delete it and run the same command again."
        )
    return pd.read_csv(StringIO(text))

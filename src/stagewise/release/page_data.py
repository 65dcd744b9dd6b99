"""What the page draws of a run with real data: a spectrum, measured courses, and four forecasts."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from stagewise.studies.common.comparisons import FORECASTS

EXPERIMENT = "real_data"
_SETTING = ["dataset", "delta", "relative_step_size"]
_DIGITS = 6
"""Significant digits that are kept; the figures show fewer than four."""


def recorded(aggregates: Iterable[Path]) -> dict[str, Any] | None:
    """The first data set of the experiment real_data, its smallest step, from its smallest start.

    aggregates : tables of a run, among them learning_times and trajectory_summary. Returns names,
    numbers and lists as JSON holds them; None where the run has no such experiment. Iterations are
    means over seeds; shares are over σ of the mode.
    """
    paths = {path.stem: path for path in aggregates}
    if not {"learning_times", "trajectory_summary"} <= set(paths):
        return None
    times = _rows(paths["learning_times"])
    curves = _rows(paths["trajectory_summary"])
    if times.empty or curves.empty:
        return None
    setting = {
        "dataset": times["dataset"].iloc[0],
        "delta": times["delta"].max(),
        "relative_step_size": times["relative_step_size"].min(),
    }
    times, curves = _of(times, setting), _of(curves, setting)
    curves = curves[curves["quantity"] == "response_value"]
    laws = [f"predicted_{law}" for law in FORECASTS]
    columns = ["sigma", "lam", "learning_iteration", *laws]
    modes = times.groupby("mode")[columns].mean()
    return {
        "dataset": setting["dataset"],
        "delta": float(setting["delta"]),
        "step_size": float(times["step_size"].iloc[0]),
        "seeds": int(times["run"].nunique()),
        "laws": list(FORECASTS.values()),
        "sigma": modes["sigma"].tolist(),
        "lam": modes["lam"].tolist(),
        "modes": [
            {
                "mode": int(mode),
                "measured": _number(row["learning_iteration"]),
                "forecasts": [_number(row[law]) for law in laws],
                **_course(curves[curves["mode"] == mode], row["sigma"]),
            }
            for mode, row in modes.iterrows()
        ],
    }


def _rows(path: Path) -> pd.DataFrame:
    table = pq.read_table(path, filters=[("experiment", "=", EXPERIMENT)])
    return table.to_pandas()


def _of(frame: pd.DataFrame, setting: dict[str, Any]) -> pd.DataFrame:
    chosen = pd.Series(True, index=frame.index)
    for name, value in setting.items():
        chosen &= frame[name] == value
    return frame[chosen]


def _course(curve: pd.DataFrame, sigma: float) -> dict[str, list[float | None]]:
    curve = curve.sort_values("iteration")
    shares = curve[["mean", "low", "high"]] / sigma
    iterations = {"iteration": [_number(each) for each in curve["iteration"]]}
    return iterations | {name: [_number(each) for each in shares[name]] for name in shares}


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(f"{value:.{_DIGITS}g}")

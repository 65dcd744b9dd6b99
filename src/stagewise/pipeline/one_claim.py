"""A claim judged by itself, from the runs that it reads and no others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from stagewise.aggregates import Aggregates
from stagewise.claims import CLAIMS, Judgement, judge
from stagewise.config import Experiment
from stagewise.errors import StagewiseError
from stagewise.files import read_table, write_table
from stagewise.pipeline.forecasts import forecast_table, with_forecasts
from stagewise.pipeline.statistics import learning_times_table, summary_table
from stagewise.problems.npz import read_moments


@dataclass(frozen=True)
class Evidence:
    """Files that one claim is judged from.

    shards : trajectories, by experiment; summarised : experiments whose curves are kept.
    forecasting : experiments to forecast. moments : what they are forecast from, by data set.
    tables : other aggregates by name.
    """

    shards: Mapping[str, Sequence[Path]]
    summarised: Sequence[str] = ()
    forecasting: Mapping[str, Experiment] = field(default_factory=dict)
    moments: Mapping[str, Path] = field(default_factory=dict)
    tables: Mapping[str, Path] = field(default_factory=dict)


def judge_alone(name: str, evidence: Evidence) -> Judgement:
    """The verdict on one claim; the same as from the aggregates of all experiments."""
    claim = next((each for each in CLAIMS if each.id == name), None)
    if claim is None:
        known = ", ".join(each.id for each in CLAIMS)
        raise StagewiseError(f"There is no claim {name!r}; there are {known}.")
    with TemporaryDirectory() as folder:
        return judge(claim, _aggregates(evidence, Path(folder)))


def _aggregates(evidence: Evidence, folder: Path) -> Aggregates:
    paths = {name: folder / f"{name}.parquet" for name in ("learning_times", "trajectory_summary")}
    every = [path for shards in evidence.shards.values() for path in shards]
    times = learning_times_table(read_table(path) for path in every)
    draws = {name: read_moments(path) for name, path in evidence.moments.items()}
    forecasts = forecast_table(evidence.forecasting, draws)
    write_table(with_forecasts(times, forecasts), paths["learning_times"])
    curves = ((read_table(path) for path in evidence.shards[name]) for name in evidence.summarised)
    write_table(summary_table(curves), paths["trajectory_summary"])
    return Aggregates(paths | dict(evidence.tables))

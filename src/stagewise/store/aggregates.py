"""The tidy tables that figures, tables and claims read, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from stagewise.errors import StagewiseError
from stagewise.pipeline.aggregates import joined
from stagewise.store.formats import read_csv


@dataclass(frozen=True)
class Aggregates:
    """Files of the aggregates by name, one or one an experiment; read when first asked for."""

    paths: Mapping[str, Sequence[Path]]

    @cached_property
    def learning_times(self) -> pd.DataFrame:
        """A row a run and mode; columns in `schemas.LEARNING_TIMES`."""
        return self._frame("learning_times")

    @cached_property
    def trajectory_summary(self) -> pd.DataFrame:
        """A row a grid point, quantity, mode and iteration; columns in `schemas.SUMMARY`."""
        return self._frame("trajectory_summary")

    @cached_property
    def references(self) -> pd.DataFrame:
        """A row an experiment, data set, draw and method; columns in `schemas.REFERENCES`."""
        return self._frame("references")

    @cached_property
    def teachers(self) -> pd.DataFrame:
        """Theory of the errors of noisy teachers; columns in `schemas.TEACHERS`."""
        return self._frame("teachers")

    @cached_property
    def stages(self) -> pd.DataFrame:
        """A row a run and plateau; columns in `schemas.STAGES`."""
        return self._frame("stages")

    @cached_property
    def plateaus(self) -> pd.DataFrame:
        """A row a run and plateau, with its curvature; columns in `schemas.PLATEAUS`."""
        return self._frame("plateaus")

    @cached_property
    def assumption(self) -> pd.DataFrame:
        """A row a data set, centring and completion."""
        return read_csv(self._files("assumption")[0])

    def times_of(self, *experiments: str) -> pd.DataFrame:
        """Learning times of some experiments; empty if none of them was run."""
        times = self.learning_times
        return times[times["experiment"].isin(experiments)].copy()

    def curves_of(self, experiment: str) -> pd.DataFrame:
        """Curves over training of one experiment; empty if it was not run."""
        summary = self.trajectory_summary
        return summary[summary["experiment"] == experiment].copy()

    def stages_of(self, *experiments: str) -> pd.DataFrame:
        """Stages of some experiments; empty if none of them was run."""
        return self.stages[self.stages["experiment"].isin(experiments)].copy()

    def plateaus_of(self, *experiments: str) -> pd.DataFrame:
        """Plateaus of some experiments; empty if none of them was run."""
        return self.plateaus[self.plateaus["experiment"].isin(experiments)].copy()

    def _frame(self, name: str) -> pd.DataFrame:
        frame = joined(name, self._files(name)).to_pandas()
        categorical = frame.select_dtypes("category").columns
        return frame.astype(dict.fromkeys(categorical, "str"))

    def _files(self, name: str) -> Sequence[Path]:
        if name not in self.paths:
            given = ", ".join(self.paths)
            raise StagewiseError(
                f"The aggregate {name} was not given, only {given}. Add it to the figure's entry "
                "in stagewise.figures.FIGURES."
            )
        return self.paths[name]

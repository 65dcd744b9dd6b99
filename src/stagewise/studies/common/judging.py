"""From a measurement to a verdict, and from the files of a run to the tables that were declared."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from stagewise.pipeline.joining import joined
from stagewise.store.formats import read_csv
from stagewise.store.schemas import measured_from
from stagewise.studies.common.study import (
    RECORDED,
    Claim,
    Measurement,
    NothingToMeasureError,
    Table,
    files_of,
)

Verdict = Literal["supported", "refuted", "qualified", "not run"]
MISSING = "The experiments that measure this are not part of this run."


@dataclass(frozen=True)
class RivalOutcome:
    """What the claim's own measurement gives under a rival law; rejected: refuted in every scope."""

    law: str
    measured: float | None
    rejected: bool


@dataclass(frozen=True)
class Judgement:
    """A claim with its verdict; the fields of `claims.json`.

    tolerance is None where the condition is one-sided; `holds` says the condition in words.
    """

    id: str
    source: str
    statement: str
    figure: str
    expected: float
    tolerance: float | None
    measured: float | None
    interval: tuple[float, float] | None
    verdict: Verdict
    note: str
    holds: str
    interval_kind: str | None = None
    in_scope: float | None = None
    scope: str = ""
    rival: tuple[RivalOutcome, ...] = ()
    experiments: tuple[str, ...] = field(default=())


class RunTables:
    """The tables of a run, as studies declare them.

    results : folder of the run. experiments : sections of its configuration.
    """

    def __init__(self, results: Path, experiments: Collection[str]) -> None:
        self.results = results
        self.experiments = experiments
        self._part = cache(self._read_part)

    def has(self, reads: Sequence[Table]) -> bool:
        """Whether the run has every experiment that these tables need."""
        return all(set(table.experiments) <= set(self.experiments) for table in reads)

    def files(self, table: Table) -> list[Path]:
        """Files that hold the rows of a table, in the order of its declaration."""
        return [self.results / name for name in files_of(table, self.experiments)]

    def frame(self, table: Table) -> pd.DataFrame:
        """The rows that a table declares; a copy, which the reader may change."""
        parts = [self._part(table.kind, path) for path in self.files(table)]
        if not parts:
            return read_none(table.kind)
        frame = pd.concat(parts, ignore_index=True)
        if table.datasets is not None:
            frame = frame[frame["dataset"].isin(table.datasets)].reset_index(drop=True)
        return _declared(table, frame)

    @staticmethod
    def _read_part(kind: str, path: Path) -> pd.DataFrame:
        return read_csv(path) if path.suffix == ".csv" else read_frame(kind, path)


def _declared(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """A recorded table without the columns or curves of observables that it does not declare."""
    if table.kind not in RECORDED:
        return frame
    declared = set(table.observables)
    if table.kind == "trajectory_summary":
        read = [name for name in frame["quantity"].unique() if measured_from(name) <= declared]
        return frame[frame["quantity"].isin(read)].reset_index(drop=True)
    return frame[[name for name in frame.columns if measured_from(name) <= declared]]


def read_none(kind: str) -> pd.DataFrame:
    """A table of one kind without rows."""
    return _plain_text(joined(kind, []).to_pandas())


def read_frame(kind: str, path: Path) -> pd.DataFrame:
    """A table of one kind as a frame, with plain text where the file has categories."""
    return _plain_text(joined(kind, [path]).to_pandas())


def _plain_text(frame: pd.DataFrame) -> pd.DataFrame:
    categorical = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(categorical, "str"))


def judge(claim: Claim, tables: RunTables) -> Judgement:
    """Measure a claim, compare, and do the same under each of its rivals.

    supported: the value meets the condition. qualified: it does not, but meets it where the claim
    could at best hold. refuted: it does not, or the runs are there and give no number. not run:
    experiments are missing, or have no row.
    """
    if not tables.has(claim.reads):
        return verdict_on(claim, None)
    frames = [tables.frame(table) for table in claim.reads]
    if any(
        table.experiments and frame.empty for table, frame in zip(claim.reads, frames, strict=True)
    ):
        return verdict_on(claim, None)
    measurement = _measured(claim, tuple(frame.copy() for frame in frames))
    if measurement is None:
        return verdict_on(claim, None)
    rivals = tuple(_outcome(claim, rival.law, rival.tables(*frames)) for rival in claim.rivals)
    return verdict_on(claim, measurement, rivals)


def _measured(claim: Claim, frames: tuple[pd.DataFrame, ...]) -> Measurement | None:
    try:
        return claim.measure(*frames)
    except NothingToMeasureError:
        return None


def _outcome(claim: Claim, law: str, changed: Any) -> RivalOutcome:
    measurement = _measured(claim, changed if isinstance(changed, tuple) else (changed,))
    if measurement is None or np.isnan(measurement.value):
        return RivalOutcome(law, None, rejected=False)
    # In no scope may a rival pass either, or a claim that holds in its scope alone would prove nothing.
    rejected = verdict_on(claim, measurement).verdict == "refuted"
    return RivalOutcome(law, float(measurement.value), rejected)


def verdict_on(
    claim: Claim, measurement: Measurement | None, rivals: tuple[RivalOutcome, ...] = ()
) -> Judgement:
    """The verdict that a measurement (None: not run) means for a claim."""
    shared: dict[str, Any] = {
        "id": claim.id,
        "source": claim.source,
        "statement": claim.statement,
        "figure": claim.figure,
        "expected": claim.holds.expected,
        "tolerance": claim.holds.tolerance,
        "holds": claim.holds.words,
        "rival": rivals,
        "experiments": claim.experiments,
    }
    if measurement is None:
        return Judgement(**shared, measured=None, interval=None, verdict="not run", note=MISSING)
    low, high = float(measurement.interval.low), float(measurement.interval.high)
    known = bool(np.isfinite([measurement.value, low, high]).all())
    verdict: Verdict = "refuted"
    if known and claim.holds.holds_for(measurement.value):
        verdict = "supported"
    elif known and measurement.in_scope is not None and claim.holds.holds_for(measurement.in_scope):
        verdict = "qualified"
    return Judgement(
        **shared,
        measured=float(measurement.value) if known else None,
        interval=(low, high) if known else None,
        interval_kind=measurement.interval.kind if known else None,
        verdict=verdict,
        note=(
            f"{measurement.note} {measurement.interval.sentence}"
            if known
            else f"It could not be measured. {measurement.note}"
        ),
        in_scope=None if measurement.in_scope is None else float(measurement.in_scope),
        scope=measurement.scope,
    )


JUDGEMENT_FIELDS = tuple(each.name for each in fields(Judgement))
"""Keys of an entry of `claims.json`, in order."""

"""What a claim is, and how a measurement becomes a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stagewise.figures import FIGURES
from stagewise.store.aggregates import Aggregates

Verdict = Literal["supported", "refuted", "qualified", "not run"]


@dataclass(frozen=True)
class Measurement:
    """What an experiment says of a claim.

    value : the number that the claim is about. interval : its range over seeds, or a confidence
    interval; the note says which. in_scope : the same number measured where the claim could at
    best hold (a limit, a restricted setting), if that is not where `value` was measured.
    note : one or two sentences with the numbers that qualify the verdict.
    """

    value: float
    interval: tuple[float, float]
    note: str
    in_scope: float | None = None


@dataclass(frozen=True)
class Claim:
    """One checkable statement.

    source : "gidel2019", "reviews", "lampinen2018", "cao2022" or "ours". expected, tolerance : the
    claim holds where the
    measured value is within `tolerance` of `expected`; these come from theory or from what the
    claim says, never from a run. measure : reads the aggregates; None where they lack the runs.
    experiments : sections of the config whose runs it reads; None: those that its figure shows.
    tables : what it reads beside them, e.g. ("assumption",).
    """

    id: str
    source: str
    statement: str
    figure: str
    expected: float
    tolerance: float
    measure: Callable[[Aggregates], Measurement | None]
    experiments: tuple[str, ...] | None = None
    tables: tuple[str, ...] = ()

    def holds_for(self, value: float) -> bool:
        """Whether a value agrees with the claim."""
        return bool(abs(value - self.expected) <= self.tolerance)


def experiments_of(claim: Claim) -> tuple[str, ...]:
    """Experiments that a claim reads."""
    return FIGURES[claim.figure].experiments if claim.experiments is None else claim.experiments


@dataclass(frozen=True)
class Judgement:
    """A claim with its verdict; the fields of `claims.json`."""

    id: str
    source: str
    statement: str
    figure: str
    expected: float
    tolerance: float
    measured: float | None
    interval: tuple[float, float] | None
    verdict: Verdict
    note: str


def judge(claim: Claim, aggregates: Aggregates) -> Judgement:
    """Measure a claim and compare.

    supported: the value agrees. qualified: it does not, but agrees where the claim could at best
    hold. refuted: it does not, or the runs are there and give no number. not run: the experiments
    are missing.
    """
    measurement = claim.measure(aggregates)
    shared = {name: getattr(claim, name) for name in _SHARED}
    if measurement is None:
        note = "The experiments that measure this are not part of this run."
        return Judgement(**shared, measured=None, interval=None, verdict="not run", note=note)
    low, high = measurement.interval
    known = bool(np.isfinite([measurement.value, low, high]).all())
    verdict: Verdict = "refuted"
    if known and claim.holds_for(measurement.value):
        verdict = "supported"
    elif known and measurement.in_scope is not None and claim.holds_for(measurement.in_scope):
        verdict = "qualified"
    return Judgement(
        **shared,
        measured=float(measurement.value) if known else None,
        interval=(float(low), float(high)) if known else None,
        verdict=verdict,
        note=measurement.note if known else f"It could not be measured. {measurement.note}",
    )


_SHARED = ("id", "source", "statement", "figure", "expected", "tolerance")

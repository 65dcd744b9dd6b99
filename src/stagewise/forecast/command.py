"""`stagewise forecast`: data in, table out."""

import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.forecast.batches import batch_notes
from stagewise.forecast.intervals import law_interval, seed_interval
from stagewise.forecast.options import Request
from stagewise.forecast.recipe import check_training
from stagewise.forecast.reduction import in_few_outputs
from stagewise.forecast.report import Report, Stage, as_json, as_text
from stagewise.forecast.settings import Forecast, e_folds, run_spread, settle, told_apart
from stagewise.forecast.sources import Source, load
from stagewise.intake.wording import counted
from stagewise.problems.problem import Problem

_NO_COVARIANCE = 1e-20
_SMALL_START = 8.0
"""E-folds below which stages overlap."""
_ROUGH = 0.1
"""Error of ln T that is said: at most twice that of the method at delta 16."""
_SECONDS_BETWEEN = 2.0
_MOST_ITERATIONS = 10**8
"""Minutes to hours of training, by size."""


def run(request: Request) -> int:
    """Answer a request on standard output; returns the exit code."""
    if request.plot is not None:
        from stagewise.forecast import plot

        plot.check_ending(request.plot)
    with threadpool_limits(1, user_api="blas"):  # on a busy machine more wait for one another
        report = answer(request)
    print(as_json(report) if request.json else as_text(report))
    if request.plot is not None:
        plot.save(report, request.plot)
    return 0


def answer(request: Request) -> Report:
    """The report that answers a request. Raises StagewiseError in sentences."""
    if request.check and request.seeds < 1:
        raise StagewiseError(f"seeds is {request.seeds}; --check trains at least 1.")
    source = load(request)
    try:
        return _answer(request, source)
    except StagewiseError as error:  # what was noticed may be the reason
        notes = (f"Note: {each}." for each in source.notes)
        raise StagewiseError("\n".join([str(error), *notes])) from None


def _answer(request: Request, source: Source) -> Report:
    regression = source.regression
    _check_covariance(source)
    if request.practice.loss == "cross_entropy" and not source.classes:
        raise StagewiseError(
            "loss is cross_entropy, but the outputs are not classes. Name a column of classes "
            "with --label, or leave --loss out."
        )
    if not request.practice.is_linear and not request.centred:
        raise StagewiseError(
            "--uncentred is for linear layers on squared loss; with another loss or activation biases "
            "are taken to fit the means. Leave it out."
        )
    followed = request.practice.problem(regression.problem)
    if source.samples is None:  # else outputs are those of the samples
        followed = in_few_outputs(followed)
    forecast = settle(request, followed, regression.dim_in, source.samples, regression.dim_out)
    stages = len(forecast.iterations)
    spread = run_spread(followed, forecast)
    measured = None
    if request.check:
        check_training(request.practice, forecast.delta)
        measured = _trained(source, forecast, spread, request.seeds)
    return Report(
        data=source.name,
        n=source.n,
        dim_in=regression.dim_in,
        dim_out=regression.dim_out,
        classes=source.classes,
        centred=request.centred,
        standardised=request.standardise,
        step_size=forecast.step_size,
        stability_bound=forecast.bound,
        delta=forecast.delta,
        width=forecast.width,
        method=forecast.method,
        optimizer=forecast.practice.label,
        loss=forecast.practice.loss,
        activation=forecast.practice.activation,
        batch_size=forecast.practice.batch_size,
        weight_decay=forecast.practice.weight_decay,
        schedule=forecast.practice.schedule,
        schedule_length=forecast.schedule_length,
        seeds=request.seeds if request.check else 0,
        explained_variance=regression.explained_share,
        stages=_stages(forecast, spread, measured, regression.rank_shares),
        notes=(
            *source.notes,
            *_hidden_stages(request, followed, regression.rank, forecast.width),
            *_notes(e_folds(followed, forecast), forecast, measured),
            *request.practice.notes(stages),
            *_limits(followed, request, forecast),
        ),
    )


def _hidden_stages(request: Request, problem: Problem, rank: int, width: int) -> list[str]:
    """Say where units keep stages from being told that others would show."""
    there = min(rank, width)
    told = min(told_apart(problem), len(problem.modes.sigma), width)
    if told >= there:
        return []
    advice = "" if request.standardise else "; --standardise makes them equal"
    return [
        f"{told} of {counted(there, 'stage')} can be told in these units, as rounding of the largest "
        f"columns hides the others{advice}"
    ]


def _limits(problem: Problem, request: Request, forecast: Forecast) -> list[str]:
    """Sentences on where noise and decay end the forecast."""
    notes = [] if forecast.noise is None else batch_notes(forecast.noise)
    weaker = int((problem.modes.sigma <= request.practice.weight_decay).sum())
    if weaker:
        notes.append(
            f"{counted(weaker, 'mode')} of sigma_xy, no stronger than the decay, "
            f"{'is' if weaker == 1 else 'are'} left out: with commuting moments never learned"
        )
    return notes


def _trained(source: Source, forecast: Forecast, spread: FloatArray, seeds: int) -> FloatArray:
    from stagewise.forecast.check import horizon, train

    problem = source.regression.problem
    if source.samples is None:
        problem = in_few_outputs(problem)
    iterations = horizon(problem, forecast, spread)
    if iterations > _MOST_ITERATIONS:
        raise StagewiseError(
            f"--check would train each network for {iterations:.3g} iterations, more than "
            f"{_MOST_ITERATIONS:.0e}. Ask for fewer --stages, or make the scales of the columns equal "
            "with --standardise."
        )
    print(f"training {counted(seeds, 'network')} for {iterations} iterations …", file=sys.stderr)
    progress = Progress(seeds, time.monotonic)
    return train(
        problem, forecast, iterations, seeds, progress, source.regression.dim_in, source.samples
    )


class Progress:
    """Says on standard error how far training is, but not more often than every few seconds.

    clock : seconds. Called with the number of networks trained.
    """

    def __init__(self, total: int, clock: Callable[[], float]) -> None:
        self._total, self._clock = total, clock
        self._start = self._said = clock()

    def __call__(self, trained: int) -> None:
        now = self._clock()
        if trained == self._total or now - self._said < _SECONDS_BETWEEN:
            return
        self._said = now
        left = (now - self._start) / trained * (self._total - trained)
        print(
            f"trained {trained} of {counted(self._total, 'network')}, about {left:.0f} s left …",
            file=sys.stderr,
            flush=True,
        )


def _stages(
    forecast: Forecast, spread: FloatArray, measured: FloatArray | None, share: FloatArray
) -> tuple[Stage, ...]:
    iterations = np.array(forecast.iterations)
    low, high = law_interval(iterations, spread)
    mean = deviation = np.full(len(iterations), np.nan)
    if measured is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of stages that no seed reached
            mean = np.nanmean(measured, axis=0)
            deviation = np.nanstd(measured, axis=0, ddof=1)
        if len(measured) >= 2:
            low, high = seed_interval(measured)
    return tuple(
        Stage(
            stage=place + 1,
            iteration=_present(iterations[place]),
            low=_present(low[place]),
            high=_present(high[place]),
            explained_share=min(float(share[place]), 1.0),
            measured=_present(mean[place]),
            measured_spread=_present(deviation[place]),
        )
        for place in range(len(iterations))
    )


def _notes(grown: FloatArray, forecast: Forecast, measured: FloatArray | None) -> list[str]:
    notes = []
    if forecast.step_size > forecast.bound:
        notes.append(
            "the step size is above the stability bound: the loss will rise now and then, and the "
            "run may not settle after a stage"
        )
    if forecast.noise is None and np.isnan(forecast.iterations).any():
        notes.append("— marks stages that the run does not reach in thrice the plain law's time")
    if forecast.delta < _SMALL_START:
        notes.append("the start is large (delta below 8): stages overlap, and forecasts are rough")
    elif grown.min() < _SMALL_START:
        notes.append(
            f"the start is not small beside what is learned: weights grow by {grown.min():.1f} "
            "e-folds only, so stages overlap and forecasts are rough; a larger --delta, or "
            "--standardise, makes it small"
        )
    rough = [str(place + 1) for place in np.flatnonzero(np.array(forecast.error) > _ROUGH)]
    if rough and forecast.method in ("integrated", "staged"):
        notes.append(
            f"stage{'s' * (len(rough) > 1)} {', '.join(rough)} can only be forecast roughly, as inputs of "
            "very different size slow each other down; the interval is as wide as that"
        )
    if measured is not None and np.isnan(measured).any():
        count = int(np.isnan(measured).any(axis=1).sum())
        notes.append(f"{count} of {len(measured)} trained networks did not reach every stage")
    return notes


def _check_covariance(source: Source) -> None:
    """Refuse covariances that are zero up to rounding."""
    share = source.regression.explained_share
    if source.regression.explained[-1] <= 0 or (share is not None and share <= _NO_COVARIANCE):
        raise StagewiseError(
            f"{source.name}: inputs and outputs have zero covariance, so there is nothing that a "
            "linear network can learn. Were the right columns named as outputs?"
        )


def _present(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

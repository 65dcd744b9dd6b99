"""Which moments break the staged forecast?"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.comparisons import (
    FORECASTS,
    draws_apart,
    forecast_errors,
    in_place_of,
    listed,
    scales,
)
from stagewise.studies.common.conditions import at_least
from stagewise.studies.common.measures import share_confidence
from stagewise.studies.common.study import Measurement, Study, learning_times

STUDY = Study(
    __name__,
    order=92,
    question="Which moments break the staged forecast?",
    title="A few strong inputs break the staged forecast where the target rests on weak ones",
    caption="""\
{% set each = experiments.forecast_spiked -%}
{% set data = datasets[each.datasets[0]] -%}
Spiked spectra, made to break the staged forecast: {{ data.spikes | default(3) }} inputs of eigenvalue 1 among {{ data.dim_in | default(20) }}, the others between {{ data.weak_range | default([0.01, 0.05]) | join(" and ") }}; the target map is {{ data.spike_target | default(0.1) }} times as large on the strong inputs ({{ data.draws }} draws, {{ each.replicates }} Gaussian starts spread over them, {{ each.width | join(", ") }} hidden units, step {{ each.step_size | join(", ") }}/max(λ₁, σ₁); family ours). (a) Share of draws on which a forecast misses trained networks by more than 3 % (root-mean-square log error over stages, means over starts). (b) Error of the staged and of the integrated forecast, a marker per draw; dotted: 3 %, solid: equal errors.""",
    alt="Share of draws on which each of four laws misses by more than three per cent over the "
    "initial scale, and errors of the staged against the integrated forecast by draw.",
)
TIMES = learning_times("forecast_spiked")
LIMIT = 0.03
"""Error beyond which a forecast is said to miss."""


@STUDY.figure(TIMES)
def draw(times: pd.DataFrame) -> Figure:
    """Shares of misses over delta, then errors by draw."""
    errors = forecast_errors(draws_apart(times))
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.7), layout="constrained")
    shares, by_draw = figure.subplots(1, 2)
    beyond = _misses(errors)
    for index, (law, label) in enumerate(FORECASTS.items()):
        shares.plot(beyond[law], linewidth=0.8, label=label, **style.open_marker(index))
    style.log_scale_axis(shares, list(beyond.index))
    shares.set(ylabel="share of draws off by more than 3 %", ylim=(-0.03, 1.03))
    shares.legend()
    style.panel_title(shares, "a", "misses")
    _by_draw(by_draw, errors)
    style.panel_title(by_draw, "b", "draw by draw")
    return figure


def _by_draw(axes: Axes, errors: pd.DataFrame) -> None:
    wide = errors.pivot(index=["delta", "dataset"], columns="law", values="error")
    for index, (delta, own) in enumerate(wide.groupby(level="delta")):
        axes.plot(
            own["integrated"],
            own["staged"],
            linestyle="none",
            marker=style.MARKERS[index],
            markersize=3,
            markerfacecolor="white",
            color=style.scale_colour(delta),
            label=rf"$\delta={delta:g}$",
        )
    low = wide[["integrated", "staged"]].min().min()
    axes.plot([low, 1.3 * LIMIT], [low, 1.3 * LIMIT], color=style.INK, linewidth=0.8)
    for line in (axes.axhline, axes.axvline):
        line(LIMIT, color=style.INK, linestyle=":", linewidth=0.8)
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel="error of the integrated forecast", ylabel="error of the staged forecast")
    axes.legend(loc="upper left", handletextpad=0.1)


def _misses(errors: pd.DataFrame) -> pd.DataFrame:
    """Share of draws beyond the limit, a row per delta and a column per law."""
    return errors.assign(off=errors["error"] > LIMIT).pivot_table("off", "delta", "law")


@STUDY.claim(
    "forecast_spiked",
    source="ours",
    statement="On spiked spectra (few strong inputs, target on weak ones) the integrated forecast (Q) "
    "stays within 3 %, where the staged one (F) does not (share of draws whose root-mean-square log "
    "error over stages is at most .03, means over seeds, smallest over δ).",
    reads=TIMES,
    holds=at_least(0.9),
)
def spiked(times: pd.DataFrame) -> Measurement | None:
    if times.empty:
        return None
    apart = draws_apart(times)
    errors = forecast_errors(apart)
    misses = _misses(errors)
    draws = apart["dataset"].nunique()
    held = round(draws * (1 - float(misses["integrated"].max())))
    untrained = apart.assign(learning_iteration=apart["predicted_integrated"])
    alone = _misses(forecast_errors(untrained))["staged"]
    worst = errors.pivot_table("worst_stage", "law", "delta", "max")
    shares = "; ".join(f"{label} {_shares(misses[law])}" for law, label in FORECASTS.items())
    return Measurement(
        value=held / draws,
        interval=share_confidence(held, draws),
        note=f"Share of {draws} draws off by more than 3 % at δ = {scales(times)}, against trained "
        f"networks: {shares}; staged against integrated, without training, {_shares(alone)}. Worst "
        f"stage of any draw: staged {listed(worst.loc['staged'])}, integrated "
        f"{listed(worst.loc['integrated'])}.",
    )


def _shares(values: pd.Series) -> str:
    return ", ".join(f"{value:.0%}" for value in values)


spiked.rival("The staged forecast (F).")(in_place_of("integrated", "staged"))

"""Do forecasts from moments hold for momentum and mini-batches on real data?"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most
from stagewise.studies.common.measures import value_range
from stagewise.studies.common.study import Measurement, Study, training
from stagewise.studies.common.training_slopes import mean_errors

STUDY = Study(
    __name__,
    order=190,
    question="Do forecasts from moments hold for momentum and mini-batches on real data?",
    title="Forecasts hold on real data under momentum, and under mini-batches while noise does "
    "not mix modes",
    caption="""\
{% set each = experiments.real_training -%}
Two linear layers of width {{ each["width"] }} on samples of eight data sets, centred, δ = {{ each["delta"] }}, means of {{ each["replicates"] }} Gaussian starts; step {{ each["step_size"] }} over the larger of λ₁ and σ₁, {{ each["momentum_step"] }} of it with momentum {{ each["momentum"] }}, batches of {{ each["batch_size"] }} drawn with replacement (parameters ours). (a) Full batches: error of the forecasts (root mean square over modes of ln(T/forecast)), descent as circles and heavy ball as squares; filled: the staged forecast with the rule's growth function, hollow: the plain law. (b) Mini-batches: filled, the staged forecast times the drift that the samples' moments give; hollow, without drift. The patches have κ above 0.3, and no forecast is claimed there. (c) Learning times over the staged forecast, of the modes where mini-batches change most; lines: the drift.""",
    alt="Errors of forecasts on eight data sets under descent, momentum and mini-batches, and learning "
    "times under mini-batches over forecasts without them.",
)
RUNS = training("real_training")
SMALL_MIXING = 0.1
LARGE_MIXING = 0.3
_NAMES = {
    "digits": "digits",
    "wine": "wine",
    "cancer": "cancer",
    "cancer_worst": "cancer, worst",
    "diabetes": "diabetes",
    "diabetes_serum": "diabetes, serum",
    "linnerud": "linnerud",
    "patches": "patches",
}


@STUDY.figure(RUNS)
def draw(runs: pd.DataFrame) -> Figure:
    """Errors with full batches, with mini-batches, and what mini-batches do."""
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.9), layout="constrained")
    first, second, third = figure.subplots(1, 3)
    full, small = (runs[(runs["batch_size"] == 0) == whole] for whole in (True, False))
    _errors(first, mean_errors(full, "forecast"), mean_errors(full, "plain_forecast"))
    style.panel_title(first, "a", "full batches")
    _errors(second, mean_errors(small, "forecast·drift"), mean_errors(small, "forecast"), False)
    style.panel_title(second, "b", "mini-batches")
    _drifts(third, small)
    style.panel_title(third, "c", "what mini-batches do")
    return figure


def _errors(axes: Axes, own: pd.DataFrame, other: pd.DataFrame, named: bool = True) -> None:
    datasets = list(dict.fromkeys(own["dataset"]))
    for place, momentum in enumerate(sorted(own["momentum"].unique())):
        colour = style.distinct_colours()[place]
        for errors, fill in ((other, "white"), (own, None)):
            rows = errors[errors["momentum"] == momentum]
            axes.plot(
                rows["error"],
                [datasets.index(name) + 0.24 * (place - 0.5) for name in rows["dataset"]],
                marker=style.MARKERS[place],
                linestyle="none",
                color=colour,
                markerfacecolor=fill or colour,
            )
    axes.axvline(0.03, color=style.MUTED, linewidth=0.7, linestyle=":")
    axes.set(xscale="log", xlabel="error of the forecast", xlim=(4e-4, 0.6))
    axes.set_yticks(range(len(datasets)), [_NAMES[name] if named else "" for name in datasets])
    axes.invert_yaxis()


def _drifts(axes: Axes, runs: pd.DataFrame) -> None:
    chosen = ("diabetes_serum", "linnerud", "patches")
    runs = runs[runs["momentum"] > 0]
    for place, dataset in enumerate(chosen):
        rows = runs[runs["dataset"] == dataset]
        if rows.empty:
            continue
        colour = style.distinct_colours()[place]
        modes = rows.groupby("mode").agg(
            time=("learning_iteration", "mean"),
            error=("learning_iteration", "sem"),
            forecast=("forecast", "first"),
            drift=("drift", "first"),
        )
        axes.plot(modes.index, modes["drift"], style.LINES[place], color=colour, linewidth=0.9)
        axes.errorbar(
            modes.index,
            modes["time"] / modes["forecast"],
            yerr=modes["error"] / modes["forecast"],
            linestyle="none",
            marker=style.MARKERS[place],
            markerfacecolor="white",
            color=colour,
            label=_NAMES[dataset],
        )
    axes.axhline(1, color=style.MUTED, linewidth=0.7, zorder=0)
    axes.set(xlabel="mode", ylabel="T over forecast of full batches", ylim=(0.7, 1.9))
    if runs["dataset"].isin(chosen).any():
        axes.legend(loc="upper left")


def _rms(errors: pd.DataFrame) -> str:
    worst = errors.loc[errors["error"].idxmax()]
    return f"{worst['error']:.3f} on {_NAMES[worst['dataset']]}"


@STUDY.claim(
    "practice_momentum_forecast",
    source="practice",
    statement="With the growth function of heavy ball the staged forecast tells when each mode of "
    "real data is learned under momentum (root mean square of ln(T/forecast) over modes, worst data "
    "set).",
    reads=RUNS,
    holds=at_most(0.03),
)
def momentum_forecast(runs: pd.DataFrame) -> Measurement:
    """Largest error over data sets, full batches with momentum."""
    rows = runs[(runs["batch_size"] == 0) & (runs["momentum"] > 0)]
    found = mean_errors(rows, "forecast")
    plain = mean_errors(rows, "plain_forecast")
    return Measurement(
        value=float(found["error"].max()),
        interval=value_range(found["error"], "data sets"),
        note=f"{len(found)} data sets, means over {rows['seed'].nunique()} starts; worst "
        f"{_rms(found)}. The plain law δ/g(σ) misses by up to {_rms(plain)}.",
    )


@momentum_forecast.rival("The moments commute well enough for the plain law.")
def plain_law(runs: pd.DataFrame) -> pd.DataFrame:
    """The plain forecast."""
    return runs.assign(forecast=runs["plain_forecast"])


@STUDY.claim(
    "practice_batch_forecast",
    source="practice",
    statement="Times the drift that the samples' fourth moments give, the staged forecast holds for "
    "mini-batches with and without momentum where κ < 0.1 (root mean square of ln(T/forecast) over "
    "modes, worst data set).",
    reads=RUNS,
    holds=at_most(0.03),
)
def batch_forecast(runs: pd.DataFrame) -> Measurement | None:
    """Largest error over data sets and both rules where noise is weak."""
    rows = runs[runs["batch_size"] > 0]
    found = mean_errors(rows, "forecast·drift")
    found = found[found["mixing"] < SMALL_MIXING]
    if found.empty:
        return None
    others = {}
    for name, law in (("without drift", "forecast"), ("without repulsion", "forecast·rival_drift")):
        errors = mean_errors(rows, law)
        others[name] = errors[errors["mixing"] < SMALL_MIXING]
    rivals = "; ".join(f"{name} {_rms(errors)}" for name, errors in others.items())
    return Measurement(
        value=float(found["error"].max()),
        interval=value_range(found["error"], "data sets, with and without momentum"),
        note=f"{found['dataset'].nunique()} data sets, batches of {rows['batch_size'].max()}; worst "
        f"{_rms(found)}. {rivals.capitalize()}.",
    )


@batch_forecast.rival("Mini-batches make no difference to the mean time.")
def no_drift(runs: pd.DataFrame) -> pd.DataFrame:
    """No drift."""
    return runs.assign(drift=1.0)


@batch_forecast.rival("Each mode feels its own noise alone.")
def own_noise(runs: pd.DataFrame) -> pd.DataFrame:
    """Drift without repulsion of levels."""
    return runs.assign(drift=runs["rival_drift"])


@STUDY.claim(
    "practice_batch_limit",
    source="practice",
    statement="The same where κ > 0.3: image patches, batches of 32.",
    reads=RUNS,
    holds=at_most(0.03),
)
def batch_limit(runs: pd.DataFrame) -> Measurement | None:
    """Largest error where noise mixes modes: the law's limit, expected to fail."""
    rows = runs[runs["batch_size"] > 0]
    found = mean_errors(rows, "forecast·drift")
    found = found[found["mixing"] > LARGE_MIXING]
    if found.empty:
        return None
    listed = ", ".join(f"κ = {each.mixing:.2f}: {each.error:.3f}" for each in found.itertuples())
    below = mean_errors(rows, "forecast·drift")
    return Measurement(
        value=float(found["error"].max()),
        interval=value_range(found["error"], "data sets, with and without momentum"),
        in_scope=float(below[below["mixing"] < SMALL_MIXING]["error"].max()),
        scope=f"where κ < {SMALL_MIXING}",
        note=f"Not a claim that should hold: it marks where the law ends. Without momentum and "
        f"with it, {listed}.",
    )


@batch_limit.rival("Mini-batches make no difference to the mean time.")
def no_drift_either(runs: pd.DataFrame) -> pd.DataFrame:
    """No drift."""
    return runs.assign(drift=1.0)

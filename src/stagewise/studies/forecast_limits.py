"""What is the limit of vanishing starts where the moments do not commute?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.comparisons import forecast_errors, slope_over_scale, start_scatter
from stagewise.studies.common.conditions import at_least, at_most
from stagewise.studies.common.measures import share_confidence, value_range
from stagewise.studies.common.study import Interval, Measurement, Study, learning_times

STUDY = Study(
    __name__,
    order=95,
    question="What is the limit of vanishing starts where the moments do not commute?",
    title="Weak modes come early; training passes by reduced-rank regression if spectra fall like a power",
    caption="""\
{% set each = experiments.forecast -%}
Two-layer networks on moments that do not commute ({{ each.width | join(", ") }} hidden units, Gaussian start, step {{ each.step_size | join(", ") }}/max(λ₁, σ₁), {{ each.replicates }} seeds; protocol ours). (a) Iterations that a stage takes per unit of δ, between the two largest of δ = {{ each.delta | join(", ") }}, in units of the plain law's 1/ln(1 + ησ), means over seeds; filled: the same of the reduced-rank staged law, which for the gradient flow is, to our reading, the forecast of alternating gradient flows (Kunin et al. 2025). Weak modes come early where the moments do not commute, and no stage is late beyond the scatter of the seeds. (b) Smallest relative distance along training to reduced-rank regression of each rank below the last, mean over ranks and seeds at the largest δ, of sigma_x W and of W itself.""",
    alt="Iterations per unit of initial scale over the plain law by stage and data set, and "
    "distances of the visited points to reduced-rank regression in sigma_x W and in W.",
)
_MEASURED = ("response_values", "reduced_rank_distance", "reduced_rank_response_distance")
TIMES = learning_times("forecast", of=_MEASURED)
POWER_LAWS = learning_times("forecast", datasets=("power_law", "held_out_power_law"), of=_MEASURED)
COMMUTING = "rotated_0"
"""The data set whose moments commute."""


@STUDY.figure(TIMES)
def draw(times: pd.DataFrame) -> Figure:
    """Growth with delta by stage, then distances by data set."""
    figure = Figure(figsize=(style.TWO_COLUMNS, 3.0), layout="constrained")
    growth, distance = figure.subplots(1, 2)
    _growth(growth, times)
    style.panel_title(growth, "a", "iterations per unit of δ")
    _distances(distance, times[times["delta"] == times["delta"].max()])
    style.panel_title(distance, "b", "distance to regression of each rank")
    handles, labels = growth.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4)
    return figure


def _growth(axes: Axes, times: pd.DataFrame) -> None:
    measured = _slopes(times)
    predicted = _slopes(times.assign(learning_iteration=times["predicted_reduced_rank"]))
    names = list(dict.fromkeys(times["dataset"]))
    for index, (name, colour) in enumerate(
        zip(names, style.ordered_colours(len(names)), strict=True)
    ):
        for slopes, filled in ((measured, False), (predicted, True)):
            own = slopes[slopes["dataset"] == name].sort_values("mode")
            axes.plot(
                own["mode"],
                own["slope"] * np.log1p(own["step_size"] * own["sigma"]),
                linestyle="none" if filled else "-",
                linewidth=0.6,
                marker=style.MARKERS[index % len(style.MARKERS)],
                markersize=2 if filled else 3.6,
                markerfacecolor=colour if filled else "white",
                color=colour,
                label=None if filled else name.replace("_", " "),
            )
    axes.axhline(1, color=style.INK, linewidth=0.8)
    axes.set(xlabel="stage", ylabel="over the plain law")


def _distances(axes: Axes, times: pd.DataFrame) -> None:
    visits = _below_the_last(times).groupby("dataset", sort=False)
    kinds = (
        ("nearest_reduced_rank_response", r"$\Sigma_x W$"),
        ("nearest_reduced_rank", "$W$"),
    )
    for index, (column, label) in enumerate(kinds):
        mean = visits[column].mean()
        axes.plot(
            mean,
            range(len(mean)),
            linestyle="none",
            marker=style.MARKERS[index],
            markerfacecolor="white",
            color=style.distinct_colours()[index],
            label=label,
        )
    axes.set_yticks(range(len(visits)), [str(name).replace("_", " ") for name in visits.groups])
    axes.set(xscale="log", xlabel="relative distance")
    axes.legend(loc="upper left")


def _below_the_last(times: pd.DataFrame) -> pd.DataFrame:
    """Stages but the last, which ends at least squares, the regression of full rank, anyway."""
    return times[times["mode"] < times.groupby("dataset")["mode"].transform("max")]


@STUDY.claim(
    "forecast_upper_bound",
    source="ours",
    statement="As δ → ∞ the plain law is an upper bound: weak modes come early, not late (share of stages "
    "late beyond the scatter of the seeds, between the two largest δ).",
    reads=TIMES,
    holds=at_most(0),
)
def upper_bound(times: pd.DataFrame) -> Measurement | None:
    slopes = _slopes(times)
    if slopes.empty:
        return None
    ratio = slopes["slope"] * np.log1p(slopes["step_size"] * slopes["sigma"])
    beyond = ratio > 1 + 3 * slopes["scatter"]
    return Measurement(
        value=float(beyond.mean()),
        interval=Interval(
            0.0, float((ratio > 1).mean()), "range", "allowances for the scatter of seeds"
        ),
        note=f"Share of {len(ratio)} stages whose iterations per unit of δ, between the two largest "
        f"δ, exceed 1/ln(1 + ησ) by more than three times the scatter of the seeds; the interval "
        f"ends with the share that exceeds it at all. Largest ratio {ratio.max():.3f} (scatter "
        f"{slopes['scatter'].min():.3f} to {slopes['scatter'].max():.3f}), smallest "
        f"{ratio.min():.3f}.",
    )


@upper_bound.rival("Learning times are bounded by nine tenths of the plain law.")
def lower_bound(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times in the unit of that bound."""
    return times.assign(learning_iteration=1.1 * times["learning_iteration"])


def _slopes(times: pd.DataFrame) -> pd.DataFrame:
    """Iterations per unit of delta, per data set and stage, from means over seeds, with scatter."""
    if times["delta"].nunique() < 2:
        return times.iloc[:0].assign(slope=[])
    keys = ["dataset", "relative_step_size", "mode", "sigma", "step_size", "delta"]
    mean = times.groupby(keys)["learning_iteration"].mean().reset_index().assign(seed=0)
    parts = [
        slope_over_scale(group).assign(dataset=name) for name, group in mean.groupby("dataset")
    ]
    low, high = sorted(times["delta"].unique())[-2:]
    seeds, width = times["seed"].nunique(), int(times["width"].iloc[0])
    slopes = pd.concat(parts)
    log_scatter = start_scatter(width, slopes["mode"].to_numpy()) * np.sqrt(2 / seeds)
    return slopes.assign(scatter=log_scatter / (high - low))


@STUDY.claim(
    "forecast_limit",
    source="ours",
    statement="For generic moments the reduced-rank staged law is the limit δ → ∞, so at the largest δ it is closer than the plain law on every data set that does not commute.",
    reads=TIMES,
    holds=at_least(1),
)
def limit(times: pd.DataFrame) -> Measurement | None:
    errors = forecast_errors(times[times["delta"] == times["delta"].max()])
    if errors.empty:
        return None
    wide = errors.pivot(index="dataset", columns="law", values="error")
    wins = wide["reduced_rank"] < wide["discrete"]
    generic = wins[[name for name in wins.index if name != COMMUTING]]
    commuting = wide.loc[COMMUTING] if COMMUTING in wide.index else None
    note = "Share of the non-commuting data sets on which the reduced-rank law is closer than the "
    note += f"plain one at δ = {times['delta'].max():g}: {', '.join(generic.index[generic])}"
    note += f"; not: {', '.join(generic.index[~generic]) or 'none'}."
    if commuting is not None:
        note += (
            f" Commuting moments: plain {commuting['discrete']:.3f}, reduced rank "
            f"{commuting['reduced_rank']:.3f}."
        )
    interval = share_confidence(int(generic.sum()), len(generic))
    return Measurement(
        float(generic.mean()),
        interval,
        note,
    )


@limit.rival("The plain law is the limit.")
def plain_limit(times: pd.DataFrame) -> pd.DataFrame:
    """The two laws exchanged."""
    return _exchanged(times, "reduced_rank", "discrete")


def _exchanged(times: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    first, second = f"predicted_{one}", f"predicted_{other}"
    return times.rename(columns={first: second, second: first})


@STUDY.claim(
    "forecast_step_and_start",
    source="ours",
    statement="The step and the size of the start belong in the forecast: with both, the reduced-rank "
    "staged law is closer to trained networks than for a flow from a vanishing start (to our reading "
    "the forecast of Alternating Gradient Flows, Kunin et al. 2025), on every data set and at every δ "
    "(share of these pairs).",
    reads=TIMES,
    holds=at_least(1),
)
def step_and_start(times: pd.DataFrame) -> Measurement | None:
    if times.empty:
        return None
    laws = ("reduced_rank", "vanishing_flow", "integrated")
    wide = forecast_errors(times, laws).pivot(
        index=["dataset", "delta"], columns="law", values="error"
    )
    closer = wide["reduced_rank"] < wide["vanishing_flow"]
    by_delta = closer.groupby("delta")
    typical = wide.groupby("delta").median()
    tight = (wide["vanishing_flow"] / wide["reduced_rank"]).idxmin()
    rows = "; ".join(
        f"δ = {delta:g}: {int(by_delta.sum()[delta])} of {by_delta.size()[delta]} closer, "
        f"{row['reduced_rank']:.3f} against {row['vanishing_flow']:.3f} (integrated "
        f"{row['integrated']:.3f})"
        for delta, row in typical.iterrows()
    )
    return Measurement(
        value=float(closer.mean()),
        interval=share_confidence(int(closer.sum()), len(closer)),
        in_scope=float(by_delta.mean().iloc[-1]),
        scope=f"at the largest δ, {times['delta'].max():g}",
        note=f"Data sets where it is closer, and median root-mean-square log errors of the two. {rows}. "
        f"Tightest: {tight[0]} at δ = {tight[1]:g}, {wide['reduced_rank'][tight]:.3f} against "
        f"{wide['vanishing_flow'][tight]:.3f}.",
    )


@step_and_start.rival("Step and start only get in the way.")
def neither(times: pd.DataFrame) -> pd.DataFrame:
    """The two laws exchanged."""
    return _exchanged(times, "reduced_rank", "vanishing_flow")


@STUDY.claim(
    "forecast_reduced_rank_points",
    source="ours",
    statement="Without commutation the visited points are reduced-rank regression in sigma_x W "
    "(mean relative distance over ranks and seeds at the largest δ, worst data set, at most 0.1), "
    "and not in W.",
    reads=(TIMES, POWER_LAWS),
    holds=at_most(0.1),
)
def reduced_rank_points(times: pd.DataFrame, power_laws: pd.DataFrame) -> Measurement | None:
    times = times[(times["delta"] == times["delta"].max()) & (times["dataset"] != COMMUTING)]
    visits = _below_the_last(times).groupby("dataset")
    response, itself = (
        visits[name].mean() for name in ("nearest_reduced_rank_response", "nearest_reduced_rank")
    )
    if response.empty:
        return None
    nearer = response < itself
    spread_out = response[response.index.isin(power_laws["dataset"])]
    listed = "; ".join(f"{name} {response[name]:.3f} ({itself[name]:.3f})" for name in itself.index)
    return Measurement(
        value=float(response.max()),
        interval=value_range(response, "data sets"),
        in_scope=float(spread_out.max()) if len(spread_out) else None,
        scope="where the eigenvalues of sigma_x fall like a power" if len(spread_out) else "",
        note=f"Smallest relative distance of sigma_x W along training to that of reduced-rank "
        f"regression (of W itself in brackets): {listed}. "
        f"sigma_x W is nearer than W on {int(nearer.sum())} of {len(nearer)}, so that the second "
        "half of the claim does not hold in general.",
    )


@reduced_rank_points.rival("The visited points are no regression: W is far from all of them.")
def nowhere_near(
    times: pd.DataFrame, power_laws: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Distances of one half."""
    return times.assign(nearest_reduced_rank_response=0.5), power_laws

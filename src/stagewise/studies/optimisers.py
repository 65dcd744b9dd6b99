"""Do other update rules keep the stages? One growth function per rule tells when each comes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import within
from stagewise.studies.common.measures import share_confidence, value_range
from stagewise.studies.common.study import Measurement, Study, training
from stagewise.studies.common.training_slopes import slopes, worst

STUDY = Study(
    __name__,
    order=170,
    question="Do other update rules go through the same stages, and when?",
    title="One growth function per update rule gives learning times",
    caption="""\
{% set each = experiments.optimisers -%}
Two layers, σ = {{ each["sigma"] | join(", ") }}, {{ each["replicates"] }} Gaussian starts, δ = {{ each["delta"] | join(" and ") }} (parameters ours). (a) Iterations per unit of δ times the growth per iteration that a law says, for every rule, step and mode: filled, the rule's own growth function; hollow, the effective step η/(1 − β) for momentum and ln(1 + ησ) for the others. (b) L2 decay with three and four layers makes a threshold of the start: learning times diverge at δ_c (lines: theory), and beyond it the network dies (crosses). (c) How much longer the larger δ takes than the one before it, for rules outside the law (lines: as long, and in proportion to δ): a scheduled step and a clipped gradient follow it, but for Adam and normalised gradients a smaller start costs nothing, so there are no long plateaus.""",
    alt="Slopes over laws for seven update rules, learning times against the distance from the "
    "threshold of decay, and what a smaller start costs under each rule.",
)
RUNS = training("optimisers")

_NAMES = {
    "gradient_descent": "descent",
    "heavy_ball": "heavy ball",
    "nesterov": "Nesterov",
    "layers_in_turn": "layers in turn",
    "stale_gradient": "stale gradient",
    "l2_decay": "L2 decay",
    "decoupled_decay": "decoupled decay",
    "clipped": "clipped",
    "normalised": "normalised",
    "adam": "Adam",
}


def two_layers(runs: pd.DataFrame) -> pd.DataFrame:
    """Slopes of the rules that the claim of growth functions is about."""
    rows = runs[(runs["dataset"] == "diagonal") & runs["growth"].notna()]
    return slopes(rows[~rows["rule"].isin(["clipped", "scheduled"])])


@STUDY.figure(RUNS)
def draw(runs: pd.DataFrame) -> Figure:
    """Slopes over laws, the threshold of decay, rules outside the law."""
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.9), layout="constrained")
    first, second, third = figure.subplots(1, 3, width_ratios=[1.35, 1, 1])
    _laws(first, two_layers(runs))
    style.panel_title(first, "a", "slope times growth")
    _threshold(second, runs[runs["dataset"] == "threshold"])
    style.panel_title(second, "b", "decay, three and four layers")
    _outside(third, runs[runs["dataset"] == "diagonal"])
    return figure


def _laws(axes: Axes, found: pd.DataFrame) -> None:
    rules = [name for name in _NAMES if name in set(found["rule"])]
    for place, rule in enumerate(rules):
        rows = found[found["rule"] == rule]
        colour = style.distinct_colours()[place]
        x = place + np.linspace(-0.3, 0.3, len(rows)) if len(rows) > 1 else np.array([place])
        rival = np.abs(rows["over_rival"] - rows["over_law"]) > 1e-6
        axes.plot(x[rival], rows["over_rival"][rival], "o", color=colour, markerfacecolor="white")
        axes.plot(x, rows["over_law"], style.MARKERS[place % 6], color=colour, markersize=2.6)
    axes.axhline(1, color=style.MUTED, linewidth=0.7, zorder=0)
    axes.set(yscale="log", ylabel="slope × growth by the law")
    axes.set_yticks([0.75, 1, 1.5, 2, 3, 5], ["0.75", "1", "1.5", "2", "3", "5"])
    axes.yaxis.minorticks_off()
    names = [_NAMES[rule] for rule in rules]
    axes.set_xticks(range(len(rules)), names, rotation=40, ha="right", rotation_mode="anchor")


def _threshold(axes: Axes, runs: pd.DataFrame) -> None:
    for place, (depth, rows) in enumerate(runs.groupby("depth")):
        colour = style.distinct_colours()[place]
        offset = rows["delta"] - rows["threshold"]
        scale = rows["step_size"] * rows["decay"] * (depth - 2)
        learned = rows["learning_iteration"].notna()
        measured = (rows["learning_iteration"] * scale)[learned]
        axes.plot(
            offset[learned],
            measured,
            style.MARKERS[place],
            color=colour,
            markerfacecolor="white",
            label=f"L = {depth}",
        )
        axes.plot(offset[~learned], np.full((~learned).sum(), 4.4 - 0.3 * place), "x", color=colour)
        line = np.linspace(offset.min() * 1.1, -0.005, 300)
        axes.plot(line, -np.log(-np.expm1(line * (depth - 2))), color=colour, linewidth=0.9)
    axes.axvline(0, color=style.MUTED, linewidth=0.7, zorder=0)
    axes.set(xlabel=r"$\delta - \delta_c$", ylabel=r"iterations × $\eta\mu(L-2)$", ylim=(0, 4.8))
    axes.annotate("dies", (0.97, 0.74), xycoords="axes fraction", ha="right", color=style.INK)
    axes.legend(loc="center right")


def _outside(axes: Axes, runs: pd.DataFrame) -> None:
    low, high = np.sort(runs["delta"].unique())[-2:]
    keys = ["rule", "label", "setting"]
    chosen = runs[runs["rule"].isin(["clipped", "scheduled"]) | runs["growth"].isna()]
    first = runs[runs["rule"] == "gradient_descent"]["setting"].min()
    chosen = pd.concat([runs[runs["setting"] == first], chosen])
    wide = chosen.groupby([*keys, "mode", "delta"], observed=True, sort=False)["learning_iteration"]
    ratio = wide.mean().unstack("delta")
    ratio = (ratio[high] / ratio[low]).dropna().rename("ratio").reset_index()
    labels = []
    for place, ((rule, label, _), rows) in enumerate(
        ratio.groupby(keys, observed=True, sort=False)
    ):
        words = str(label).split()
        labels.append(f"{words[1]} schedule" if rule == "scheduled" else _NAMES.get(rule, words[0]))
        axes.plot(
            rows["ratio"],
            np.full(len(rows), place),
            style.MARKERS[place % 6],
            color=style.distinct_colours()[place],
            markerfacecolor="white",
        )
    for value in (1, high / low):
        axes.axvline(value, color=style.MUTED, linewidth=0.7, zorder=0)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xscale="log", xlabel="times as many iterations")
    axes.set_xticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    axes.xaxis.minorticks_off()
    axes.invert_yaxis()
    style.panel_title(axes, "c", rf"from $\delta={low:g}$ to ${high:g}$")


@STUDY.claim(
    "practice_growth_functions",
    source="practice",
    statement="Under heavy ball, Nesterov, L2 and decoupled decay, layers in turn and stale "
    "gradients, a mode is learned at δ/g(σ) with one growth function g per rule (slope over δ times "
    "g, the worst of all rules, steps and modes).",
    reads=RUNS,
    holds=within(1, 0.01),
)
def growth_functions(runs: pd.DataFrame) -> Measurement:
    """The slope times growth that is farthest from 1."""
    found = two_layers(runs)
    ball = found[found["rule"] == "heavy_ball"]
    large = ball[ball["step_size"] * ball["sigma"] >= 0.2 * (1 - ball["momentum"]) ** 2]
    others = slopes(runs[(runs["dataset"] == "diagonal") & (runs["growth"].notna())])
    scheduled = others[others["rule"] == "scheduled"]["over_law"]
    clipped = others[others["rule"] == "clipped"]["over_law"]
    outside = ", ".join(
        f"{name} {worst(values):.3f}"
        for name, values in (("a schedule", scheduled), ("a clipped gradient", clipped))
        if len(values)
    )
    return Measurement(
        value=worst(found["over_law"]),
        interval=value_range(found["over_law"], "rules, steps and modes"),
        note=f"{len(found)} pairs of a rule with its options and a mode, means over "
        f"{found['seeds'].max()} Gaussian starts. The effective step η/(1 − β) gives "
        f"{_span(large['over_rival'])} for heavy ball where ησ ≥ 0.2(1 − β)²."
        + (f" Outside the claim, worst: {outside}." if outside else ""),
    )


@growth_functions.rival("Momentum is gradient descent with the step η/(1 − β).")
def effective_step(runs: pd.DataFrame) -> pd.DataFrame:
    """The effective step's growth for heavy ball."""
    return runs.assign(
        growth=runs["growth"].mask(runs["rule"] == "heavy_ball", runs["rival_growth"])
    )


@STUDY.claim(
    "practice_decay_threshold",
    source="practice",
    statement="With three and more layers L2 decay makes a threshold of the start: a mode is learned "
    "iff δ < ln(σ/μ)/(L − 2) (share of aligned starts on the predicted side).",
    reads=RUNS,
    holds=within(1, 0.02),
)
def decay_threshold(runs: pd.DataFrame) -> Measurement:
    """Share of starts whose fate the threshold predicts."""
    starts = runs[runs["dataset"] == "threshold"]
    right = starts["learning_iteration"].notna() == (starts["delta"] < starts["threshold"])
    closest = (starts["delta"] - starts["threshold"]).abs().min()
    ratio = (starts["learning_iteration"] / starts["forecast"]).dropna()
    return Measurement(
        value=float(right.mean()),
        interval=share_confidence(int(right.sum()), len(right)),
        note=f"{len(right)} starts at L = {_listed(starts['depth'])}, the closest {closest:.2g} "
        f"from the threshold; those that learn take {_span(ratio)} of the time that the law says.",
    )


@decay_threshold.rival("Decay only slows learning: every start gets there.")
def all_learned(runs: pd.DataFrame) -> pd.DataFrame:
    """Some learning time for every start."""
    return runs.assign(learning_iteration=runs["learning_iteration"].fillna(1e6))


@STUDY.claim(
    "practice_deep_momentum",
    source="practice",
    statement="With three and more layers momentum only rescales time by 1 − β, up to a logarithm "
    "(difference of learning times of two scales over the law's, worst of depths and β).",
    reads=RUNS,
    holds=within(1, 0.02),
)
def deep_momentum(runs: pd.DataFrame) -> Measurement:
    """Difference of two learning times over that of the law."""
    rows = runs[runs["dataset"] == "deep_momentum"].sort_values("delta")
    columns = ["learning_iteration", "forecast"]
    gaps = rows.groupby(["depth", "momentum"])[columns].agg(
        lambda values: values.iloc[-1] - values.iloc[0]
    )
    ratio = gaps["learning_iteration"] / gaps["forecast"]
    listed = ", ".join(f"{value:.4f}" for value in ratio)
    return Measurement(
        value=worst(ratio),
        interval=value_range(ratio, "depths and β"),
        note=f"L = {_listed(rows['depth'])} and β = {_listed(rows['momentum'])} in turn: {listed}.",
    )


@deep_momentum.rival("The root z of two layers sets the step of deeper ones too.")
def two_layer_root(runs: pd.DataFrame) -> pd.DataFrame:
    """The two-layer root's times in place of the law's."""
    return runs.assign(forecast=runs["forecast"].mask(runs["depth"] > 2, runs["plain_forecast"]))


@STUDY.claim(
    "practice_decayed_end",
    source="practice",
    statement="Two layers trained to the end under L2 decay have the rank of nuclear-norm regression, "
    "whether or not the moments commute (share of random problems).",
    reads=RUNS,
    holds=within(1, 0.03),
)
def decayed_end(runs: pd.DataFrame) -> Measurement:
    """Share of problems whose rank at the end is the predicted one."""
    modes = runs[runs["dataset"] == "ends"]
    cases = modes.drop_duplicates("seed")
    agree = cases["rank"] == cases["predicted_rank"]
    above = _modes_above_decay(modes).reindex(cases["seed"]).to_numpy()
    return Measurement(
        value=float(agree.mean()),
        interval=share_confidence(int(agree.sum()), len(agree)),
        note=f"{len(cases)} problems whose moments do not commute. The number of σ above the decay "
        f"agrees in {np.mean(cases['rank'].to_numpy() == above):.3f} of them.",
    )


@decayed_end.rival("The rank is the number of σ above the decay.")
def count_above(runs: pd.DataFrame) -> pd.DataFrame:
    """That number as the predicted rank."""
    modes = runs[runs["dataset"] == "ends"]
    counts = modes["seed"].map(_modes_above_decay(modes))
    return runs.assign(
        predicted_rank=runs["predicted_rank"].where(runs["dataset"] != "ends", counts)
    )


def _modes_above_decay(modes: pd.DataFrame) -> pd.Series:
    above = modes["sigma"] > modes["decay"]
    return above.groupby(modes["seed"]).sum()


def _span(values: pd.Series) -> str:
    return f"{values.min():.3g} to {values.max():.3g}"


def _listed(values: pd.Series) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values.unique()))

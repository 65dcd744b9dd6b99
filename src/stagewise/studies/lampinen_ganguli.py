"""Does the theory of test error by Lampinen and Ganguli describe training?"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_least, at_most
from stagewise.studies.common.measures import value_range
from stagewise.studies.common.study import (
    Measurement,
    Study,
    teachers,
    trajectory_summary,
)
from stagewise.studies.common.teacher_curves import teacher_curves, teacher_misses

STUDY = Study(
    __name__,
    order=110,
    question="Does the theory of test error by Lampinen and Ganguli hold?",
    title="The theory of test error by Lampinen and Ganguli, against training",
    caption="""{% set own = experiments.lampinen_ganguli_own -%}
{% set each = experiments.lampinen_ganguli -%}
{% set task = datasets[own.datasets[0]] -%}
The set-up of Lampinen and Ganguli (2019): {{ task.dim_in }} one-hot inputs, {{ task.dim_out }} outputs and hidden units, a teacher of rank 1 or 3 with singular values m·(rank, …, 1), output noise of standard deviation {{ task.noise }}; product of the layers at 10⁻⁵ at first. (a–f) Their asymptotic theory (lines) and training as they do it (markers, mean and 5–95 %; step {{ own.step_size | join(", ") }} in this convention, one layer after the other, {{ own.iterations }} of their 10 000 epochs, {{ own.replicates }} draws of teacher and noise) from aligned and random orthogonal starts; test error is measured against the noiseless teacher; errors beyond the frame are not shown. Where the teacher drowns in the noise (m = 0.84) or nearly does (m = 2), draws scatter around the theory of infinitely many inputs. (g) Test error against time for steps that are not small and layers that are updated at once, and (h) the largest miss of the theory with the flow's growth and with that of descent, 2 ln(1 + ησ) a step. (i) Inputs whose variances fall like i^−{{ datasets.teacher_coloured.input_decay }}, against the theory for white inputs of the same mean variance.""",
    alt="Train and test error of noisy teachers over training, theory as lines and training as "
    "markers, by signal strength and start, for large steps and for coloured inputs.",
)
OWN = trajectory_summary("lampinen_ganguli_own", of=("test_error", "loss"))
OWN_THEORY = teachers("lampinen_ganguli_own")
CURVES = trajectory_summary("lampinen_ganguli", of=("test_error", "loss"))
THEORY = teachers("lampinen_ganguli")
STEPS = trajectory_summary("lampinen_ganguli_steps", of=("test_error", "loss"))
STEPS_THEORY = teachers("lampinen_ganguli_steps")
WELL_SEEN = 4
"""Strength from which a teacher stands well out of the noise; it drowns below A^¼ = 0.84."""


@STUDY.figure(OWN, OWN_THEORY, STEPS, STEPS_THEORY)
def draw(
    curves: pd.DataFrame,
    theory: pd.DataFrame,
    step_curves: pd.DataFrame,
    step_theory: pd.DataFrame,
) -> Figure:
    """A row a rank: test error from both starts and train error; then steps and coloured inputs."""
    curves = teacher_curves(curves, theory)
    figure = Figure(figsize=(style.TWO_COLUMNS, 6.6), layout="constrained")
    panels = figure.subplots(3, 3)
    letters = iter("abcdefghi")
    for row, rank in zip(panels, sorted(curves["teacher_rank"].unique()), strict=False):
        own = curves[curves["teacher_rank"] == rank]
        kinds = (
            ("test_error", "aligned", f"rank {rank}: test, aligned"),
            ("test_error", "orthogonal", f"rank {rank}: test, random"),
            ("train_error", "orthogonal", f"rank {rank}: train, random"),
        )
        for axes, (quantity, start, title) in zip(row, kinds, strict=True):
            some = own[(own["quantity"] == quantity) & (own["initialisation"] == start)]
            _errors(axes, some, quantity)
            style.panel_title(axes, next(letters), title)
    steps = teacher_curves(step_curves, step_theory)
    steps = steps[steps["quantity"] == "test_error"]
    white, coloured = (steps[steps["white"] == kind] for kind in (True, False))
    _steps(panels[2, 0], white)
    style.panel_title(panels[2, 0], next(letters), "white inputs, large steps")
    _misses(panels[2, 1], white)
    style.panel_title(panels[2, 1], next(letters), "two laws of growth")
    _steps(panels[2, 2], coloured)
    style.panel_title(panels[2, 2], next(letters), "inputs not white")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=6, title="teacher's strength m")
    return figure


def _errors(axes: Axes, curves: pd.DataFrame, quantity: str) -> None:
    strengths = sorted(curves["strength"].unique())
    for index, (strength, colour) in enumerate(
        zip(strengths, style.ordered_colours(len(strengths)), strict=True)
    ):
        curve = curves[curves["strength"] == strength]
        axes.plot(curve["iteration"], curve["theory"], color=colour, linewidth=0.9)
        style.measured_curve(
            axes, curve, 24, index, color=colour, label=f"{strength:g}", markersize=2.6
        )
    axes.axhline(1, color=style.MUTED, linewidth=0.6)
    axes.set(xscale="log", xlabel="epoch", ylabel=quantity.replace("_", " "))
    axes.set_xlim(250, None)
    axes.xaxis.set_minor_formatter(NullFormatter())
    if quantity == "test_error":
        axes.set(ylim=(0, 1.6))


def _steps(axes: Axes, curves: pd.DataFrame) -> None:
    if curves.empty:
        return
    for index, step in enumerate(sorted(curves["relative_step_size"].unique())):
        curve = curves[curves["relative_step_size"] == step]
        colour = style.distinct_colours()[index]
        time = curve.assign(iteration=curve["flow_time"])
        axes.plot(time["iteration"], curve["theory"], color=style.INK, linewidth=0.9)
        label = rf"$\eta\sigma_1={curve['fastest'].iloc[0]:.2g}$"
        style.measured_curve(axes, time, 14, index, color=colour, label=label)
    axes.set(xscale="log", xlabel="time (iterations × step)", ylabel="test error")
    learning = curve[curve["mean"] < 0.9]["flow_time"].min()
    axes.set(xlim=(0.4 * learning, 12 * learning), ylim=(0, 1.2))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(loc="upper right", handletextpad=0.1)


def _misses(axes: Axes, curves: pd.DataFrame) -> None:
    misses = teacher_misses(curves)
    if misses.empty:
        return
    for index, (law, name) in enumerate(
        (("theory", "flow, 2x an epoch"), ("theory_discrete", "2 ln(1 + x)"))
    ):
        axes.plot(
            misses["fastest"],
            misses[law],
            marker=style.MARKERS[index],
            linestyle=style.LINES[index],
            markerfacecolor="white",
            color=style.distinct_colours()[index],
            label=name,
        )
    axes.set(xscale="log", yscale="log", xlabel=r"growth per step $x=\eta\sigma_1$")
    axes.set(
        ylabel="largest miss in test error", ylim=(0.2 * misses["theory_discrete"].min(), None)
    )
    for axis, ticks in ((axes.xaxis, misses["fastest"]), (axes.yaxis, (0.01, 0.03, 0.1, 0.3))):
        axis.set_ticks(list(ticks), [f"{tick:.2g}" for tick in ticks])
    axes.minorticks_off()
    axes.legend(loc="lower right")


def _miss(
    own: pd.DataFrame,
    own_theory: pd.DataFrame,
    curves: pd.DataFrame,
    theory: pd.DataFrame,
    quantity: str,
) -> Measurement | None:
    own, curves = (
        teacher_curves(each, law, [quantity]) for each, law in ((own, own_theory), (curves, theory))
    )
    if own.empty or curves.empty:
        return None
    misses, ours = teacher_misses(own), teacher_misses(curves)
    worst = misses.loc[misses["theory_beyond"].idxmax()]
    seen = misses[misses["strength"] >= WELL_SEEN]
    seen_by_us = ours[ours["strength"] >= WELL_SEEN]
    return Measurement(
        value=float(worst["theory_beyond"]),
        interval=value_range(misses["theory_beyond"], "teachers and starts"),
        in_scope=float(seen["theory_beyond"].max()),
        scope=f"where the teacher stands well out of the noise (m ≥ {WELL_SEEN})",
        note=f"Largest distance of the asymptotic theory from the 5–95 % band of "
        f"{int(own['seeds'].min())} draws at any time, in units of the targets' size, or of the error "
        f"where it is larger; their step, ησ₁ up to {misses['fastest'].max():.2g}, one layer after the "
        f"other. Worst rank and start: {_by_strength(misses, 'theory_beyond')}. The finite theory, from "
        f"each draw's own singular values, is within {misses['finite_beyond'].max():.3f} of the band for "
        f"any teacher. With layers updated at once and ten times the step, ησ₁ up to "
        f"{ours['fastest'].max():.2g} and {int(curves['seeds'].min())} draws, the theory is off by up to "
        f"{seen_by_us['theory_beyond'].max():.3f} where m ≥ {WELL_SEEN}, and by "
        f"{seen_by_us['theory_discrete_beyond'].max():.3f} with the growth 2 ln(1 + ησ) of such steps.",
    )


def _by_strength(misses: pd.DataFrame, law: str) -> str:
    worst = misses.groupby("strength")[law].max()
    return ", ".join(f"{value:.3f} at m = {strength:g}" for strength, value in worst.items())


@STUDY.claim(
    "lampinen_test_error",
    source="lampinen2018",
    statement="The asymptotic theory gives the test error along training at their step and order of "
    "updates, for each of five signal-to-noise ratios (distance from the draws' band 0, worst).",
    reads=(OWN, OWN_THEORY, CURVES, THEORY),
    holds=at_most(0.02),
)
def test_error(
    own: pd.DataFrame, own_theory: pd.DataFrame, curves: pd.DataFrame, theory: pd.DataFrame
) -> Measurement | None:
    return _miss(own, own_theory, curves, theory, "test_error")


@STUDY.claim(
    "lampinen_train_error",
    source="lampinen2018",
    statement="It gives the training error too.",
    reads=(OWN, OWN_THEORY, CURVES, THEORY),
    holds=at_most(0.02),
)
def train_error(
    own: pd.DataFrame, own_theory: pd.DataFrame, curves: pd.DataFrame, theory: pd.DataFrame
) -> Measurement | None:
    return _miss(own, own_theory, curves, theory, "train_error")


def nothing_is_learned(
    own: pd.DataFrame, own_theory: pd.DataFrame, curves: pd.DataFrame, theory: pd.DataFrame
) -> tuple[pd.DataFrame, ...]:
    """Errors of the theory that stay at 1 throughout."""
    return own, own_theory.assign(test_error=1.0, train_error=1.0), curves, theory


test_error.rival("Nothing is learned: the error stays at 1.")(nothing_is_learned)
train_error.rival("Nothing is learned: the error stays at 1.")(nothing_is_learned)


@STUDY.claim(
    "ours_teacher_growth",
    source="ours",
    statement="For steps that are not small the growth 2 ln(1 + ησ) of descent is the better one: with "
    "it the theory misses the test error at most half as much as with the flow's growth (largest ratio "
    "over three steps).",
    reads=(STEPS, STEPS_THEORY),
    holds=at_most(0.5),
)
def teacher_growth(curves: pd.DataFrame, theory: pd.DataFrame) -> Measurement | None:
    curves = teacher_curves(curves, theory)
    curves = curves[(curves["quantity"] == "test_error") & curves["white"]]
    if curves.empty:
        return None
    misses = teacher_misses(curves).sort_values("fastest")
    ratio = misses["finite_discrete"] / misses["finite"]
    listed = ", ".join(
        f"{flow:.3f} and {discrete:.3f} at ησ₁ = {fastest:.2g}"
        for fastest, flow, discrete in zip(
            misses["fastest"], misses["finite"], misses["finite_discrete"], strict=True
        )
    )
    return Measurement(
        value=float(ratio.max()),
        interval=value_range(ratio, "steps"),
        note=f"Largest miss in test error of the finite theory with the growth 2 ln(1 + ησ) over that "
        f"with the flow's 2ησ, worst step. Misses with the flow's and with it: {listed}.",
    )


@teacher_growth.rival("The growth of the flow, 2ησ a step, is descent's too.")
def growth_of_the_flow(
    curves: pd.DataFrame, theory: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The theory with the growth of the flow under both names."""
    flow = theory[theory["law"] == "flow"]
    return curves, pd.concat([flow, flow.assign(law="discrete")])


@STUDY.claim(
    "ours_coloured_inputs",
    source="ours",
    statement="Whitening matters: where inputs are not white, a theory that takes their mean variance "
    "for all of them misses the test error by more than 0.05 of the targets' size, at each of three "
    "steps over the same flow time.",
    reads=(STEPS, STEPS_THEORY),
    holds=at_least(0.05),
)
def coloured_inputs(curves: pd.DataFrame, theory: pd.DataFrame) -> Measurement | None:
    curves = teacher_curves(curves, theory)
    curves = curves[(curves["quantity"] == "test_error") & ~curves["white"]]
    if curves.empty:
        return None
    # The same flow time for each step: the shortest of them.
    curves = curves[
        curves["flow_time"] <= curves.groupby("relative_step_size")["flow_time"].max().min()
    ]
    misses = teacher_misses(curves).sort_values("fastest")
    beyond = misses["theory_discrete_beyond"]
    return Measurement(
        value=float(beyond.min()),
        interval=value_range(beyond, "steps"),
        note=f"Largest distance from the 5–95 % band up to the flow time "
        f"{curves['flow_time'].max():.0f} of the theory that takes sigma_x for its mean times the "
        f"identity, with the growth of descent, smallest over steps; largest |theory − mean| "
        f"{misses['theory_discrete'].max():.3f}.",
    )


@coloured_inputs.rival(
    "Colour makes no difference: the theory is as close as it is for white inputs."
)
def as_white(curves: pd.DataFrame, theory: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs on white inputs at the smallest step taken for runs on coloured ones."""
    white = theory[theory["white"]]
    smallest = white[white["fastest"] == white["fastest"].min()]
    return curves, smallest.assign(white=False)

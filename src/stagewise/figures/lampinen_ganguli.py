"""Figure lampinen_ganguli: train and test error of a noisy teacher, theory against training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.teachers import teacher_curves, teacher_misses


def plot(aggregates: Aggregates) -> Figure:
    """A row a rank: test error from both starts and train error; then steps and coloured inputs."""
    curves = teacher_curves(aggregates, "lampinen_ganguli")
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
    steps = teacher_curves(aggregates, "lampinen_ganguli_steps")
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
        axes.plot(curve["iteration"], curve["theory_discrete"], color=colour, linewidth=0.9)
        axes.plot(curve["iteration"], curve["theory"], color=colour, linestyle=":", linewidth=0.9)
        style.measured_curve(
            axes, curve, 24, index, color=colour, label=f"{strength:g}", markersize=2.6
        )
    axes.axhline(1, color=style.MUTED, linewidth=0.6)
    axes.set(xscale="log", xlabel="iteration", ylabel=quantity.replace("_", " "))
    axes.set_xlim(25, None)
    axes.xaxis.set_minor_formatter(NullFormatter())
    if quantity == "test_error":
        axes.set(ylim=(0, 1.6))


def _steps(axes: Axes, curves: pd.DataFrame) -> None:
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

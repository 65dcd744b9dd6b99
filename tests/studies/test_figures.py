"""Every figure shows the data it is given, labelled, and the same bytes each time."""

import re
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.testing import assert_allclose

from stagewise.config.models import Experiment
from stagewise.data.datasets import draw_moments
from stagewise.pipeline.curves import summary_table
from stagewise.pipeline.forecasts import forecasts_table
from stagewise.pipeline.joining import with_forecasts
from stagewise.pipeline.learning_times import learning_times_table
from stagewise.pipeline.plateaus import plateaus_table
from stagewise.pipeline.references import references_table
from stagewise.pipeline.simulate import simulate
from stagewise.pipeline.stages import stages_table
from stagewise.pipeline.teachers import teachers_table
from stagewise.planning.checking import make_plan
from stagewise.planning.experiments import expand
from stagewise.store.files import write_table
from stagewise.store.formats import write_formats
from stagewise.studies.common import style
from stagewise.studies.common.depth import stage_counts
from stagewise.studies.common.judging import RunTables, judge
from stagewise.studies.common.judging import draw as draw_study
from stagewise.studies.common.registry import claims, load, outlines
from stagewise.studies.common.study import learning_times, plateaus, trajectory_summary
from stagewise.studies.stage_counts import STAGES
from stagewise.tables.assumption import assumption_table

from .common.vision import VISIONS, distance
from .given import in_its_interval

FIGURES = [
    name
    for name, study in outlines().items()
    if all(table.kind != "training" for table in study.figure_reads)
]

TINY = {
    "closed_form": {"delta": [2, 6], "replicates": 2},
    "autoencoder": {"replicates": 2, "modes": 4, "horizon_mode": 3},
    "autoencoder_data": {"replicates": 2, "modes": 3},
    "learning_times": {"delta": [4, 8], "step_size": [0.1, 0.5], "replicates": 3},
    "learning_times_limit": {"delta": [30], "step_size": [0.1, 0.5], "replicates": 2},
    "learning_times_limit_gaussian": {"delta": [30], "step_size": [0.1, 0.5], "replicates": 2},
    "step_size": {"step_size": [0.4, 0.7, 1.1], "replicates": 3},
    "stable_step": {"step_size": [0.1, 0.9], "replicates": 6},
    "stable_step_bracket": {"replicates": 2},
    "mode_order": {"delta": [3, 10], "replicates": 6},
    "real_data": {"delta": [3, 5], "replicates": 2},
    "real_data_uncentred": {"delta": [3, 5], "replicates": 2},
    "perturbation": {"delta": [2, 4], "replicates": 2},
    "perturbation_growth": {"delta": [3, 6], "replicates": 4, "step_size": [0.1]},
    "initialisation": {"delta": [3, 6], "replicates": 2},
    "reduced_rank_path": {"delta": [3], "replicates": 2},
    "generalisation": {"delta": [3], "replicates": 2, "horizon": 2},
    "lampinen_ganguli": {"replicates": 2, "iterations": 60},
    "lampinen_ganguli_own": {"replicates": 2, "iterations": 60},
    "lampinen_ganguli_steps": {"replicates": 2, "iterations": 60},
    "forecast": {"delta": [6, 9], "replicates": 2},
    "forecast_spiked": {"delta": [6, 9], "replicates": 2},
    "saddle_stages": {"product_scale": [1e-3], "replicates": 2},
    "stage_counts_2": {"replicates": 4},
    "stage_counts_3": {"product_scale": [1e-3], "replicates": 4},
    "stage_counts_3_50": {"product_scale": [1e-3], "replicates": 4},
    "stage_counts_4": {"product_scale": [1e-2], "replicates": 4},
    "stage_counts_4_50": {"product_scale": [1e-2], "replicates": 4},
    "stage_ratios_2": {"product_scale": [1e-2, 1e-6], "replicates": 4},
    "stage_ratios_3": {"product_scale": [1e-2, 1e-3], "replicates": 4},
    "stable_step_deep": {"product_scale": [1e-2], "step_size": [1.8, 2.2], "replicates": 2},
    "escape_times": {"product_scale": [1e-2, 1e-3], "replicates": 2},
    "depth_law": {"product_scale": [1e-2, 1e-3], "replicates": 2},
    "descent_separation": {"product_scale": [1e-2, 1e-3], "replicates": 2},
    "rmsprop": {"product_scale": [1e-2, 1e-3], "replicates": 2, "iterations": 800},
}
TINY_PLATEAUS = {
    "saddles": {"product_scale": [1e-2, 1e-3], "replicates": 2},
    "saddles_balanced": {"product_scale": [1e-2, 1e-3]},
    "completion_path": {"product_scale": [1e-2], "replicates": 2},
}
TINY_DATA = {
    "autoencoder": {"dim": 6, "rank": 3, "samples": 60},
    "spiked": {"draws": 2},
    "autoencoder_draws": {"dim": 6, "rank": 3, "samples": 60, "draws": 2},
    "matrices_20": {"dim_in": 6, "dim_out": 6, "rank": [1, 2], "observed": [1, 0.6], "draws": 1},
    "matrices_50": {"dim_in": 7, "dim_out": 7, "rank": [1, 2], "observed": [1, 0.6], "draws": 1},
    "matrices_ratios": {"dim_in": 6, "dim_out": 6, "ratio": [0.5, 0.9], "rank": [2], "draws": 2},
    "ladder": {"dim_in": 6, "dim_out": 6, "rank": [1, 2]},
    "factors": {"dim_in": 5, "dim_out": 5, "rank": [2], "draws": 2},
    "completions": {"dim_in": 6, "dim_out": 6, "rank": [2], "draws": 1},
}


@pytest.fixture(scope="module")
def aggregates(tmp_path_factory, default_config):
    style.apply()
    raw = default_config
    for name, spec in raw["datasets"].items():
        if name.startswith("teacher"):
            spec |= {"dim_in": 12, "dim_out": 6, "samples": 12, "noise": 0.3, "draws": 2}
    for name, changes in TINY_DATA.items():
        raw["datasets"][name] |= changes
    config = make_plan(raw).config
    experiments = {
        name: Experiment.model_validate(config.experiments[name].model_dump() | changes)
        for name, changes in TINY.items()
    }
    draws = {
        data: draw_moments(data, config.datasets[data], None)
        for data in {data for each in experiments.values() for data in each.datasets}
    }
    folder = tmp_path_factory.mktemp("aggregates")
    for name, changes in TINY_PLATEAUS.items():
        each = Experiment.model_validate(config.experiments[name].model_dump() | changes)
        own = {data: draw_moments(data, config.datasets[data], None) for data in each.datasets}
        write_table(plateaus_table(name, each, own), folder / f"plateaus/{name}.parquet")
    for name, each in experiments.items():
        for kind, table in tables_of(name, each, draws).items():
            write_table(table, folder / f"{kind}/{name}.parquet")
    firsts = {name: draws[name][0] for name in experiments["forecast"].datasets}
    write_formats(assumption_table(firsts), [folder / "tables/assumption.csv"])
    return RunTables(folder, [*TINY, *TINY_PLATEAUS])


def tables_of(name, each, draws):
    """All tables of one experiment, as the rules make them."""
    trajectories = simulate(expand(name, each), each, draws)
    times = learning_times_table([trajectories])
    if each.forecast:
        times = with_forecasts(times, forecasts_table(name, each, draws))
    tables = {"learning_times": times}
    if each.summarise:
        tables["trajectory_summary"] = summary_table([trajectories])
    if each.stages:
        tables["stages"] = stages_table([trajectories])
    if each.references:
        tables["references"] = references_table(name, each, draws)
    if each.teacher_theory:
        tables["teachers"] = teachers_table(name, each, draws)
    return tables


def draw(name, tables) -> Figure:
    """The figure from the tables that its study declares, as its rule gives them."""
    figure = draw_study(load(name), tables)
    FigureCanvasAgg(figure)
    return figure


@pytest.fixture(scope="module")
def figure_of(aggregates):
    """Figures by name, drawn once and laid out."""

    @cache
    def once(name) -> Figure:
        figure = draw(name, aggregates)
        figure.draw_without_rendering()
        return figure

    return once


@pytest.mark.parametrize("name", FIGURES)
def test_every_axis_is_labelled(name, figure_of):
    figure = figure_of(name)
    for axes in figure.axes:
        shared = axes.get_subplotspec().colspan.start > 0 and not axes.get_ylabel()
        assert axes.get_xlabel()
        assert axes.get_ylabel() or (shared and axes.get_shared_y_axes().get_siblings(axes))
        assert axes.get_title(loc="left")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_as_wide_as_two_columns_and_its_text_is_legible(name, figure_of):
    figure = figure_of(name)
    assert figure.get_size_inches()[0] in (style.ONE_COLUMN, style.TWO_COLUMNS)
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    assert min(sizes) >= 6.5


@pytest.mark.parametrize("name", FIGURES)
def test_saving_twice_gives_the_same_bytes_and_a_pdf_holds_the_fonts_that_it_uses(
    name, aggregates, tmp_path
):
    for attempt in ("a", "b"):
        style.save(draw(name, aggregates), tmp_path / f"{attempt}.pdf", tmp_path / f"{attempt}.png")
    for kind in ("pdf", "png"):
        first, second = ((tmp_path / f"{attempt}.{kind}").read_bytes() for attempt in "ab")
        assert first == second
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"CreationDate" not in content
    fonts = re.findall(rb"/Type /FontDescriptor.*?endobj", content, re.DOTALL)
    assert fonts
    assert all(re.search(rb"/FontFile[23]? \d+ 0 R", font) for font in fonts)
    assert b"/Subtype /Type3" not in content  # bitmaps or outlines that journals refuse


@pytest.mark.parametrize("name", FIGURES)
def test_no_label_lies_on_another(name, figure_of):
    figure = figure_of(name)
    renderer = figure.canvas.get_renderer()
    boxes = [
        (label.get_text(), label.get_window_extent(renderer))
        for axes in figure.axes
        for label in (axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title)
        if label.get_text()
    ]
    clashes = [
        (one, other)
        for index, (one, box) in enumerate(boxes)
        for other, second in boxes[index + 1 :]
        if box.overlaps(second)
    ]
    assert not clashes


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)
def test_a_measured_value_lies_in_its_interval(claim, aggregates):
    if aggregates.has(claim.reads):
        in_its_interval(judge(claim, aggregates))


def test_closed_form_draws_descent_as_markers_over_theory_as_lines(aggregates, figure_of):
    curves = aggregates.frame(
        trajectory_summary("closed_form", of=("trace_norm", "mode_strengths"))
    )
    axes = figure_of("closed_form").axes[1]
    rows = curves[
        (curves["depth"] == 2) & (curves["delta"] == 6) & (curves["quantity"] == "trace_norm")
    ]
    lines = [line for line in axes.lines if line.get_linestyle() == "-"]
    theory = lines[1].get_ydata()
    assert_allclose(theory, rows["predicted"].to_numpy()[: len(theory)])
    markers = next(line for line in axes.lines if line.get_label() == r"$\delta=6$")
    assert np.isin(markers.get_ydata(), rows["mean"]).all()
    assert markers.get_linestyle() == "None"


def test_learning_times_draws_every_mode_of_every_aligned_run(aggregates, figure_of):
    times = aggregates.frame(learning_times("learning_times", "learning_times_limit"))
    aligned = times[(times["initialisation"] == "aligned") & times["learning_iteration"].notna()]
    axes = figure_of("learning_times").axes[0]
    drawn = sum(len(line.get_xdata()) for line in axes.lines if line.get_label().startswith("$"))
    assert drawn == len(aligned)


def test_step_size_marks_every_run_by_its_outcome(aggregates, figure_of):
    times = aggregates.frame(learning_times("step_size", of=("mode_strengths",)))
    axes = figure_of("step_size").axes[0]
    drawn = {line.get_label(): len(line.get_xdata()) for line in axes.lines}
    assert drawn["from below"] == (times["outcome"] == "monotone").sum()
    assert drawn["does not converge"] == (times["outcome"] == "no convergence").sum()


def test_real_data_shows_measured_over_predicted(aggregates, figure_of):
    times = aggregates.frame(learning_times("real_data"))
    times = times[times["relative_step_size"] == times["relative_step_size"].min()]
    ratio = times["learning_iteration"] / times["predicted_discrete"]
    expected = ratio.groupby([times["delta"], times["mode"]]).mean()
    axes = figure_of("real_data").axes[1]
    shown = axes.containers[0].lines[0].get_ydata()
    assert_allclose(np.asarray(shown, dtype=float), expected[3.0].to_numpy(dtype=float))


def test_stage_counts_draws_the_mean_of_every_cell(aggregates, figure_of):
    counts = stage_counts(aggregates.frame(STAGES))
    axes = figure_of("stage_counts").axes[0]
    drawn = np.concatenate([each.lines[0].get_ydata() for each in axes.containers])
    expected = counts[counts["observed"] == 1]["stages"].astype(float)
    assert_allclose(np.sort(np.asarray(drawn, dtype=float)), np.sort(expected))


def test_saddle_curvature_shows_measurements_over_the_closed_form(aggregates, figure_of):
    axes = figure_of("saddle_curvature").axes[0]
    rows = aggregates.frame(plateaus("saddles_balanced"))
    first = rows[(rows["stage"] == 1) & (rows["depth"] == 3)].sort_values("delta")
    markers = next(
        line
        for line in axes.lines
        if line.get_marker() == style.MARKERS[1] and line.get_markersize() == 2
    )
    assert_allclose(np.sort(markers.get_ydata()), np.sort(-first["smallest_curvature"]))
    theory = [line for line in axes.lines if line.get_linestyle() == "-"]
    assert_allclose(np.sort(theory[1].get_ydata()), np.sort(-first["smallest_curvature"]), rtol=0.1)


def test_rmsprop_shows_every_optimiser_at_every_rate(aggregates, figure_of):
    figure = figure_of("rmsprop")
    rates = aggregates.frame(learning_times("rmsprop"))["relative_step_size"].nunique()
    for axes in figure.axes[:2]:
        assert len(axes.containers) == 2 * (2 * rates + 1)


def test_ordered_colours_differ_in_grey():
    grey = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in style.ordered_colours(4)]
    assert (np.diff(grey) > 0.05).all()


def series(axes):
    """Colour, and marker with line style, of every labelled series of a panel."""
    handles, labels = axes.get_legend_handles_labels()
    for handle, label in zip(handles, labels, strict=True):
        line = handle.lines[0] if isinstance(handle, ErrorbarContainer) else handle
        if isinstance(line, Line2D):
            drawn = line.get_marker(), line.get_linestyle(), line._dash_pattern
            hollow = line.get_markerfacecolor() == "white"
            colour = line.get_markeredgecolor() if drawn[1] == "None" else line.get_color()
            yield label, colour, (*map(str, drawn), hollow)


@pytest.mark.parametrize("name", FIGURES)
def test_series_differ_in_marker_or_line_or_in_colours_that_everyone_sees(name, figure_of):
    for axes in figure_of(name).axes:
        for (label, one, shape), (second, other, another) in combinations(series(axes), 2):
            if label != second and shape == another:
                seen = {vision: distance(one, other, vision) for vision in VISIONS}
                assert min(seen.values()) > 7, f"{label} and {second}: {seen}"

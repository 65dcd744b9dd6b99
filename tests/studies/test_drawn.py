"""Every figure shows exactly what its tables say: nothing left out, nothing else, nothing shifted.

A function each study says in a few lines of arithmetic what its panels must show, of tables of a
small run. Offsets that only keep marks apart are part of it; ticks, looks and words are not.
"""

import re
from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from stagewise.studies.common.comparisons import draws_apart, seed_floor
from stagewise.studies.common.depth import run_separation, staged_runs, with_product_scale
from stagewise.studies.common.measures import wilson_interval
from stagewise.studies.common.registry import load
from stagewise.studies.common.stability import with_stability
from stagewise.studies.common.teacher_curves import teacher_curves, teacher_misses
from stagewise.studies.generalisation import best_errors
from stagewise.studies.initialisation import out_of_order
from stagewise.studies.perturbation import deviations, growth_while_waiting
from stagewise.theory import descent_iteration, saddle_curvature, separating_scale, stable_step

from .drawn import Panel, assert_shows

RANGE = (0.0, 1.0)
LAWS = ("discrete", "reduced_rank", "staged", "integrated")


def only(frame, **values):
    """Rows with these values."""
    for name, value in values.items():
        frame = frame[frame[name] == value]
    return frame


def parts(frame, *keys):
    """Groups of rows with one value each, in ascending order."""
    return frame.groupby(keys[0] if len(keys) == 1 else list(keys))


def around(count, step):
    """Offsets of so many series, a step apart and zero in the middle."""
    return [step * (index - (count - 1) / 2) for index in range(count)]


def errors(times, law):
    """Root-mean-square log error over stages of means over seeds, by data set and delta."""
    mean = times.groupby(["dataset", "delta", "mode"])[["learning_iteration", law]].mean()
    square = np.log(mean["learning_iteration"] / mean[law]) ** 2
    return np.sqrt(square.groupby(["dataset", "delta"]).mean())


def autoencoder(curves, times, many):
    norm, error, scatter = panels = [Panel() for _ in range(3)]
    for panel, quantity in ((norm, "trace_norm"), (error, "loss")):
        shown = only(curves, quantity=quantity).query("iteration > 0")
        for _, rows in parts(shown, "depth"):
            panel.line(rows["iteration"], rows["predicted"])
            panel.curve(rows, 22)
    learned = times.query("depth == 2").dropna(subset="learning_iteration")
    norm.upright(*learned.drop_duplicates("mode")["predicted_discrete"], low=0.95)
    many = many.dropna(subset="learning_iteration")
    scatter.line(many["predicted_discrete"], many["learning_iteration"])
    scatter.line(*2 * [many["predicted_discrete"].agg(["min", "max"])])
    return panels


def deep_step_size(steps):
    panel = Panel()
    first = steps.query("mode == 1")
    for at, (_, rows) in enumerate(parts(first, "depth")):
        failed = rows["outcome"].eq("no convergence").groupby(rows["relative_step_size"]).mean()
        panel.line(failed.index, 100 - 100 * failed + 4 * (at - 1))
    panel.upright(2)
    return [panel]


def escape_times(times, law):
    scaling, ratio, overlap = panels = [Panel() for _ in range(3)]
    first = with_product_scale(times).query("mode == 1")
    for (depth, start), rows in parts(first, "depth", "initialisation"):
        scale, rate = rows["product_scale"], rows["step_size"] * rows["sigma"]
        values = (rows["learning_iteration"] * rate).groupby(scale)
        scaling.spread(list(values.groups), values, ends=RANGE)
        sigma, step = rows["sigma"].iloc[0], rows["step_size"].iloc[0]
        if start == "aligned":
            grid = np.geomspace(scale.min(), scale.max(), 60)
            closed = np.log((sigma - grid) / grid) / 2  # a logistic curve, at half its height
            if depth > 2:
                ones = np.ones(60)
                closed = descent_iteration(sigma, ones, -np.log(grid) / depth, step, depth)
                closed = closed * step * sigma
            scaling.line(grid, closed)
        values = rows["next_value_overlap"].groupby(scale)
        overlap.spread(list(values.groups), values, np.median, RANGE)
    own = with_product_scale(law).query("mode == 1 and mode_learning_iteration.notna()")
    for at, ((depth, _), rows) in enumerate(parts(own, "depth", "initialisation")):
        rate = rows["step_size"] * rows["sigma"]
        flow = rows["delta"] / rate
        if depth > 2:
            flow = np.exp(rows["delta"] * (depth - 2)) / ((depth - 2) * rate)
        values = (rows["mode_learning_iteration"] / flow).groupby(rows["product_scale"])
        ratio.spread([each * 1.3**at for each in values.groups], values, ends=RANGE)
    largest = (own["step_size"] * own["sigma"]).max()
    ratio.level(1, largest / np.log1p(largest))
    return panels


def forecast(times, table):
    panels = [Panel() for _ in range(6)]
    commuting = only(table, centred=True, completion="eigen").set_index("dataset")["delta_xy"]
    deltas, floor = sorted(times["delta"].unique()), seed_floor(times)
    names = list(dict.fromkeys(times["dataset"]))
    plain = [name for name in names if not name.startswith("rotated")]
    for panel, name in zip(panels, plain[:3], strict=False):
        own = times[(times["dataset"] == name) & (times["delta"] == deltas[1])]
        mean = own.groupby("mode").mean(numeric_only=True)
        for law, aside in zip(LAWS, around(4, 0.14), strict=True):
            panel.line(mean.index + aside, mean["learning_iteration"] / mean[f"predicted_{law}"])
        panel.level(1)
    rotated = sorted((name for name in names if name.startswith("rotated")), key=commuting.get)
    for panel, delta in ((panels[3], deltas[1]), (panels[4], deltas[-1])):
        for law in LAWS:
            panel.line(commuting[rotated], errors(times, f"predicted_{law}").loc[rotated, delta])
        panel.line(np.repeat(commuting[rotated], 4), np.full(4 * len(rotated), floor[delta]))
    for law in LAWS:
        panels[5].line(deltas, errors(times, f"predicted_{law}")[plain[0]])
    panels[5].line(deltas, floor)
    return panels


def forecast_limits(times):
    growth, distance = panels = [Panel(), Panel()]
    low, high = sorted(times["delta"].unique())[-2:]
    for name, column in product(
        dict.fromkeys(times["dataset"]), ("learning_iteration", "predicted_reduced_rank")
    ):
        own = times[times["dataset"] == name]
        mean = own.pivot_table(column, "mode", "delta")
        rate = np.log1p(own["step_size"] * own["sigma"]).groupby(own["mode"]).first()
        growth.line(mean.index, (mean[high] - mean[low]) / (high - low) * rate)
    growth.level(1)
    late = times[times["delta"] == high]
    for column in ("nearest_reduced_rank_response", "nearest_reduced_rank"):
        means = [
            own.loc[own["mode"] < own["mode"].max(), column].mean()
            for _, own in late.groupby("dataset", sort=False)
        ]
        distance.line(means, range(len(means)))
    return panels


def generalisation(curves, times, solved):
    panels = []
    best, names = best_errors(times, solved), list(dict.fromkeys(times["dataset"]))
    for name in names:
        panels.append(Panel())
        shown = only(curves, dataset=name, quantity="test_error").query("iteration > 0")
        for _, rows in parts(shown, "depth"):
            panels[-1].curve(rows, 20)
        for method in ("reduced_rank", "ridge"):
            rows = only(solved, dataset=name, method=method)
            panels[-1].level(rows.groupby("parameter")["test_error"].mean().min())
    last = Panel()
    methods = list(dict.fromkeys(best["method"]))
    for method, aside in zip(methods, around(len(methods), 0.16), strict=True):
        rows = best[best["method"] == method].set_index("dataset")["over_ridge"]
        last.spread(np.arange(len(names)) + aside, [(name, rows.loc[[name]]) for name in names])
    last.level(1)
    return [*panels, last]


def greedy_maps(rests):
    panel = Panel()
    rests = with_product_scale(rests).query("not at_end and learned > 0")
    shares = sorted(rests["observed"].unique())[::-1]
    smallest = rests.groupby("observed")["product_scale"].min()
    rests = rests[rests["product_scale"] == rests["observed"].map(smallest)]
    for at, depth in enumerate(sorted(rests["depth"].unique())):
        groups = rests[rests["depth"] == depth].groupby("observed")["greedy_distance"]
        places = [shares.index(share) + 0.15 * (at - 1) for share in groups.groups]
        panel.spread(places, groups, np.median)
    return [panel]


def initialisation(times, curves):
    starts, widths, alignment, order = panels = [Panel() for _ in range(4)]
    width = sorted(times["width"].unique())[times["width"].nunique() // 2]
    wide, deltas = times[times["width"] == width], np.array(sorted(times["delta"].unique()))
    kinds = list(dict.fromkeys(times["initialisation"]))
    for panel, rows, by in (
        (starts, wide, "initialisation"),
        (widths, times.query("initialisation == 'gaussian'"), "width"),
    ):
        values = list(dict.fromkeys(rows[by]))
        for value, aside in zip(values, around(len(values), 0.09), strict=True):
            own = rows[rows[by] == value]
            ratio = own["learning_iteration"] / own["predicted_discrete"]
            panel.spread(deltas * (1 + aside), ratio.groupby(own["delta"]))
        panel.level(1)
    wanted = curves[curves["width"] == width]
    wanted = wanted.query("quantity == 'alignment' and mode == 1 and iteration > 0")
    middle = min(deltas, key=lambda delta: abs(delta - curves["delta"].median()))
    for kind in kinds:
        rows = wanted[(wanted["delta"] == middle) & (wanted["initialisation"] == kind)]
        alignment.curve(rows, 18, band=kind == "gaussian")
    shares = out_of_order(wide)
    for kind, aside in zip(kinds, around(len(kinds), 0.09), strict=True):
        own = shares[shares["initialisation"] == kind]
        order.line(deltas * (1 + aside), own["share"])
        order.bar(deltas * (1 + aside), own["low"], own["high"])
    return panels


def joint_decomposition(table):
    panel = Panel()
    for column, completion in (
        ("delta_x", "eigen"),
        ("delta_xy", "eigen"),
        ("delta_xy", "random"),
    ):
        values = only(table, centred=True, completion=completion)[column]
        panel.line(values, range(len(values)))
    return [panel]


def lampinen_ganguli(curves, theory, step_curves, step_theory):
    panels = []
    found = teacher_curves(curves, theory)
    for _, own in parts(found, "teacher_rank"):
        for quantity, start in (
            ("test_error", "aligned"),
            ("test_error", "orthogonal"),
            ("train_error", "orthogonal"),
        ):
            panels.append(Panel())
            shown = only(own, quantity=quantity, initialisation=start)
            for _, rows in parts(shown, "strength"):
                panels[-1].line(rows["iteration"], rows["theory"])
                panels[-1].curve(rows, 24)
            panels[-1].level(1)
    panels += [Panel() for _ in range(9 - len(panels))]
    steps = teacher_curves(step_curves, step_theory).query("quantity == 'test_error'")
    for panel, white in ((panels[6], True), (panels[8], False)):
        for _, rows in parts(steps[steps["white"] == white], "relative_step_size"):
            panel.line(rows["flow_time"], rows["theory"])
            panel.curve(rows, 14, x="flow_time")
    misses = teacher_misses(steps[steps["white"]])
    for law in ("theory", "theory_discrete"):
        panels[7].line(misses["fastest"], misses[law])
    return panels


def learning_times(times):
    every, convergence = panels = [Panel(), Panel()]
    times = times.dropna(subset="learning_iteration")
    growth = times["step_size"] * times["sigma"]
    over_flow = times["learning_iteration"] * growth / times["delta"]
    for delta in sorted(times["delta"].unique()):
        own = (times["delta"] == delta) & (times["initialisation"] == "aligned")
        if own.any():
            every.line(growth[own], over_flow[own])
    grid = np.geomspace(0.8 * growth.min(), 1.1 * growth.max(), 200)
    every.line(grid, grid / np.log1p(grid))
    every.level(1)
    gaussian = times.query("initialisation == 'gaussian'")
    steps = sorted(gaussian["relative_step_size"].unique())
    for at, step in enumerate(dict.fromkeys((steps[0], steps[len(steps) // 2], steps[-1]))):
        own = gaussian[gaussian["relative_step_size"] == step]
        law = own["delta"] / np.log1p(own["step_size"] * own["sigma"])
        values = (own["learning_iteration"] / law).groupby(own["delta"])
        convergence.spread(np.array([*values.groups]) * (1 + 0.07 * (at - 1)), values)
    convergence.level(1)
    return panels


def perturbation(times, pairs):
    linear, growth, waiting = panels = [Panel() for _ in range(3)]
    runs = deviations(times)
    for delta in (runs["delta"].min(), runs["delta"].max()):
        for _, rows in parts(runs[runs["delta"] == delta], "dim_in", "seed"):
            rows = rows.sort_values("non_commuting")
            linear.line(rows["non_commuting"], rows["largest_deviation"])
    ends = runs["non_commuting"].agg(["min", "max"])
    linear.line(ends, ends * (runs["largest_deviation"] / runs["non_commuting"]).min() / 5)
    sizes, deltas = sorted(runs["dim_in"].unique()), np.array(sorted(runs["delta"].unique()))
    for size, aside in zip(sizes, around(len(sizes), 0.08), strict=True):
        own = runs[runs["dim_in"] == size]
        values = (own["largest_deviation"] / own["final_deviation"]).groupby(own["delta"])
        growth.spread(deltas * (1 + aside), values)
    growth.level(1)
    grid = np.geomspace(deltas[0], deltas[-1], 100)
    growth.line(grid, np.exp(0.01 * grid**2) / np.exp(0.01 * deltas[0] ** 2))
    found = growth_while_waiting(pairs)
    end = 1.05 * found["derived"].max()
    waiting.line([0, end], [0, end])
    for disagree in (False, True):
        own = found[found["disagree"] == disagree]
        waiting.line(own["derived"], own["measured"])
    return panels


def real_data(times, uncentred, curves, sets):
    learned, ratios, worst, by_set, beforehand = panels = [Panel() for _ in range(5)]
    (name,) = times["dataset"].unique()
    largest, step = times["delta"].max(), times["relative_step_size"].min()
    own = times[times["relative_step_size"] == step]
    shown = curves[(curves["relative_step_size"] == step) & (curves["delta"] == largest)]
    for mode, rows in parts(shown.query("quantity == 'response_value'"), "mode"):
        first = own[(own["mode"] == mode) & (own["delta"] == largest)].iloc[0]
        share = rows[["mean", "low", "high"]] / first["sigma"]
        learned.line(rows["iteration"], share["mean"])
        learned.band(rows["iteration"], share["low"], share["high"])
        learned.line([first["predicted_discrete"]], [0.5])
    deltas = sorted(own["delta"].unique())
    for delta, aside in zip(deltas, around(len(deltas), 0.2), strict=True):
        rows = own[own["delta"] == delta]
        values = (rows["learning_iteration"] / rows["predicted_discrete"]).groupby(rows["mode"])
        ratios.spread(np.array([*values.groups]) + aside, values)
    ratios.level(1)
    for kind in (own, uncentred[uncentred["dataset"] == name]):
        ratio = kind["learning_iteration"] / kind["predicted_discrete"]
        miss = ratio.groupby([kind["delta"], kind["mode"]]).mean().sub(1).abs().unstack("mode")
        worst.line(miss.index, miss.max(axis=1))
        worst.line(miss.index, miss.median(axis=1))
    ends = [
        rows[(rows["relative_step_size"] == rows["relative_step_size"].min())]
        for _, rows in sets.groupby("experiment", sort=False)
    ]
    ends = pd.concat([rows[rows["delta"] == rows["delta"].max()] for rows in ends])
    names = sorted(ends["dataset"].unique())
    for law in LAWS:
        by_set.line(errors(ends, f"predicted_{law}"), range(len(names)))
    turn = np.log(ends["predicted_staged"] / ends["predicted_discrete"]).abs()
    turn = turn.groupby(ends["dataset"]).max()
    beforehand.line(turn, errors(ends, "predicted_discrete"))
    beforehand.upright(0.05)
    return panels


def reduced_rank_path(curves):
    panels = []
    for name, quantity in (
        ("staircase", "reduced_rank_distance"),
        ("digits", "reduced_rank_response_distance"),
        ("misordered", "reduced_rank_distance"),
    ):
        panels.append(Panel())
        shown = curves[curves["delta"] == curves["delta"].max()]
        shown = only(shown, dataset=name, quantity=quantity).query("iteration > 0")
        for _, rows in parts(shown[shown["mode"] <= 6], "mode"):
            panels[-1].band(rows["iteration"], rows["low"], rows["high"])
            panels[-1].line(rows["iteration"], rows["mean"])
    return panels


def rmsprop(times):
    times = with_product_scale(times)
    depths = sorted(times["depth"].unique())
    panels = [Panel() for _ in range(len(depths) + 1)]
    for panel, depth in zip(panels, depths, strict=False):
        runs = run_separation(times[times["depth"] == depth])
        scales = sorted(runs["product_scale"].unique())[::-1]
        asides = dict(zip(scales, around(len(scales), 0.16), strict=True))
        by_rule = runs[runs["optimizer"] != "gradient_descent"]
        rates = sorted(by_rule["relative_step_size"].unique())
        for (rule, scale, rate), own in parts(
            runs, "optimizer", "product_scale", "relative_step_size"
        ):
            place = -1 if rule == "gradient_descent" else rates.index(rate)
            x = place + asides[scale] + (0.06 if rule == "rmsprop" else -0.06)
            panel.spread([x], [(rate, own["overlap"])], np.median)
        panel.level(0.1)
    rules = times[times["optimizer"] != "gradient_descent"]
    rules = rules[rules["product_scale"] == rules["product_scale"].min()]
    rules = rules[rules["mode"] == rules.groupby("run")["mode"].transform("max")]
    for _, own in parts(rules, "optimizer", "depth"):
        middle = own.groupby("relative_step_size")["learning_iteration"].median()
        panels[-1].line(middle.index, middle)
    for _ in depths:
        panels[-1].line([], [])  # entries of the legend
    return panels


def saddle_curvature_figure(rests, balanced):
    first, tolerance = panels = [Panel(), Panel()]
    rests, balanced = with_product_scale(rests), with_product_scale(balanced)
    for depth, rows in parts(rests, "depth"):
        own, exact = (
            only(frame, depth=depth, stage=1).assign(size=lambda each: -each["smallest_curvature"])
            for frame in (rests, balanced)
        )
        groups = own.groupby("product_scale")["size"]
        scales = np.array([*groups.groups])
        first.line(scales, -saddle_curvature(2.0 ** (own["rank"].max() - 1), scales, depth))
        first.spread(scales, groups, ends=RANGE)
        first.line(exact["product_scale"], exact["size"])
        passes = np.maximum(
            rows["gradient_norm"],
            np.where(rows["smallest_curvature"] < 0, rows["smallest_curvature"], 0) ** 2,
        )
        for end in (False, True):
            kept = rows["at_end"] == end
            most = passes[kept].groupby(rows["product_scale"][kept]).max()
            tolerance.line(most.index, most)
    return panels


def saddle_stages(curves, stages):
    panels = []
    curves = curves[curves["iteration"] > 0]
    for depth, own in parts(curves, "depth"):
        values, loss, gradient = more = [Panel() for _ in range(3)]
        panels += more
        top = own["rank"].max()
        for mode, rows in parts(only(own, quantity="response_value", rank=top), "mode"):
            values.level(2.0 ** (top - mode))
            values.line(rows["iteration"], rows["mean"])
        for at, rank in enumerate(sorted(own["rank"].unique())):
            found = only(stages, depth=depth, rank=rank)
            rows = only(own, quantity="loss", rank=rank)
            loss.line(rows["iteration"], rows["mean"])
            loss.level(*found["predicted_loss"][found["predicted_loss"] > 0])
            rows = only(own, quantity="gradient_norm", rank=rank)
            gradient.line(rows["iteration"], rows["mean"] / 100**at)
            found = found.dropna(subset="peak_iteration")
            gradient.line(found["peak_iteration"], found["peak_gradient_norm"] / 100**at)
    return panels


def spiked_spectra(times):
    shares, by_draw = panels = [Panel(), Panel()]
    apart = draws_apart(times)
    found = pd.DataFrame({law: errors(apart, f"predicted_{law}") for law in LAWS})
    for law in LAWS:
        beyond = (found[law] > 0.03).groupby("delta").mean()
        shares.line(beyond.index, beyond)
    for _, own in found.groupby("delta"):
        by_draw.line(own["integrated"], own["staged"])
    ends = [found[["integrated", "staged"]].to_numpy().min(), 1.3 * 0.03]
    by_draw.line(ends, ends)
    by_draw.level(0.03)
    by_draw.upright(0.03)
    return panels


def stage_counts(counted):
    runs = staged_runs(counted)
    shares = sorted(runs["observed"].unique())[::-1]
    panels = [Panel() for _ in range(2 * len(shares))]
    for share, above, below in zip(
        shares, panels[: len(shares)], panels[len(shares) :], strict=True
    ):
        own = runs[runs["observed"] == share]
        ranks = sorted(own["rank"].unique())
        above.line(ranks, ranks)
        series = [rows for _, rows in parts(own, "depth", "dim_in")]
        for rows, aside in zip(series, around(len(series), 0.11), strict=True):
            # A series goes through its scales and steps in turn, and at each through the ranks.
            cells = rows.groupby(["product_scale", "relative_step_size", "rank"])
            x = cells["rank"].first() + aside
            above.line(x, cells["stages"].mean())
            above.bar(x, cells["stages"].min(), cells["stages"].max())
            below.line(x, 100 * cells["recovered"].mean())
    return panels


def stage_ratios(counted):
    panels = []
    runs = staged_runs(counted).query("observed == 1")
    ratios = np.linspace(0.3, 0.999, 2000)
    for depth, own in parts(runs, "depth"):
        panels.append(Panel())
        scales = sorted(own["product_scale"].unique())[::-1]
        for scale, aside in zip(scales, around(len(scales), 0.006), strict=True):
            rows = own[own["product_scale"] == scale]
            share = rows.groupby(rows["sigma_ratio"].round(6))["clean"].mean()
            panels[-1].line(share.index + aside, 100 * share)
            separated = [ratio for ratio in ratios if separating_scale(ratio, depth) >= scale]
            panels[-1].upright(max(separated, default=0.3))
    return panels


def step_size(single, pairs, ordered):
    outcomes, endings, order = panels = [Panel() for _ in range(3)]
    for kind in ("monotone", "overshoot", "no convergence"):
        own = single[single["outcome"] == kind]
        if len(own):
            outcomes.line(own["relative_step_size"], own["lam"] / own["sigma"])
    outcomes.upright(0.5, 1)
    runs = with_stability(pairs)
    bounds = {
        run: rows["step_size"].iloc[0]
        / stable_step(rows["sigma"].to_numpy(), rows["lam"].to_numpy())
        for run, rows in pairs.groupby("run")
    }
    for kind in ("no convergence", "balanced", "unbalanced"):
        own = runs[runs["ending"] == kind]
        if len(own):
            endings.line(own["relative_step_size"], own["run"].map(bounds))
    endings.level(1)
    fast = ordered[ordered["relative_step_size"] == ordered["relative_step_size"].max()]
    for aside, name in ((-0.07, "pairs"), (0.07, "pairs_equal_lam")):
        own = fast[fast["dataset"] == name]
        late = own["mode_learning_iteration"].fillna(np.inf)
        late = own.assign(late=late).pivot(index=["delta", "run"], columns="mode", values="late")
        share = (late[1] > late[2]).groupby("delta").mean()
        runs_of = late.groupby("delta").size()
        ends = [
            wilson_interval(round(one * of), of) for one, of in zip(share, runs_of, strict=True)
        ]
        order.line(np.arange(len(share)) + aside, 100 * share)
        order.bar(np.arange(len(share)) + aside, *100 * np.transpose(ends))
    return panels


EXPECTED = {
    each.__name__.removesuffix("_figure"): each
    for each in (
        *(autoencoder, deep_step_size, escape_times, forecast, forecast_limits, generalisation),
        *(greedy_maps, initialisation, joint_decomposition, lampinen_ganguli, learning_times),
        *(perturbation, real_data, reduced_rank_path, rmsprop, saddle_curvature_figure),
        *(saddle_stages, spiked_spectra, stage_counts, stage_ratios, step_size),
    )
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_figure_shows_what_its_tables_say_and_nothing_else(name, aggregates, figure_of):
    tables = [aggregates.frame(table) for table in load(name).figure_reads]
    for axes, panel in zip(figure_of(name).axes, EXPECTED[name](*tables), strict=True):
        assert_shows(axes, panel)


def test_closed_form_draws_descent_as_markers_over_theory_as_lines(aggregates, figure_of):
    (curves,) = (aggregates.frame(table) for table in load("closed_form").figure_reads)
    curves = curves[curves["relative_step_size"] == curves["relative_step_size"].min()]
    last = only(curves, depth=2, quantity="mode_strength")
    last = last[last["delta"] == last["delta"].max()]
    limit = last.groupby("mode")["predicted"].max().cumsum()
    for axes, (depth, levels) in zip(
        figure_of("closed_form").axes, ((1, []), (2, [0, *limit])), strict=True
    ):
        own = only(curves, depth=depth, quantity="trace_norm")
        for at, (delta, rows) in enumerate(parts(own, "delta")):
            theory, markers = axes.lines[2 * at : 2 * at + 2]
            shown = rows[rows["flow_time"] <= 5 * delta]
            assert_allclose(theory.get_data(), [shown["flow_time"] / delta, shown["predicted"]])
            measured = {*zip(shown["flow_time"] / delta, shown["mean"], strict=True)}
            assert {*zip(*markers.get_data(), strict=True)} <= measured
            assert len(markers.get_xdata()) > 12
            assert np.diff(markers.get_xdata()).max() < 0.6
        assert [line.get_ydata()[0] for line in axes.lines[2 * (at + 1) :]] == pytest.approx(levels)


NUMBERED = {
    "saddle_stages": lambda curves, _: [
        f"{depth} layers, {what}"
        for depth, own in parts(curves, "depth")
        for what in (f"rank {own['rank'].max()}", *["every rank"] * 2)
    ],
    "stage_counts": lambda counted: (
        2
        * [
            f"{share:.0%} observed"
            for share in sorted(set(counted["observed"].round(2)), reverse=True)
        ]
    ),
    "rmsprop": lambda times: [f"{depth} layers" for depth in sorted(times["depth"].unique())],
    "stage_ratios": lambda counted: [f"{depth} layers" for depth in (2, 3)],
    "real_data": lambda times, *_: [r"digits: training, $\delta=5$", r"by data set, $\delta=5$"],
    "forecast": lambda times, _: [
        *(rf"{name}, $\delta=7$" for name in ("power law", "digits", "held out power law")),
        *(rf"fixed spectra, $\delta={delta}$" for delta in (7, 9)),
    ],
    "initialisation": lambda times, _: [
        f"law by start, width {sorted(times['width'].unique())[1]}",
        r"strongest mode turns in, $\delta=6$",
    ],
}


@pytest.mark.parametrize("name", NUMBERED)
def test_a_number_in_a_title_is_that_of_the_rows_below_it(name, aggregates, figure_of):
    tables = [aggregates.frame(table) for table in load(name).figure_reads]
    titles = [axes.get_title("left").partition("  ")[2] for axes in figure_of(name).axes]
    assert [each for each in titles if re.search(r"\d", each)] == NUMBERED[name](*tables)

"""Every figure of trained networks shows what its table says; see `test_drawn`."""

import numpy as np
import pytest

from stagewise.studies.common.registry import load
from stagewise.theory.minibatch import diffusion_peak

from .drawn import Panel, assert_shows
from .practice import batch_table, network_table, real_table, rule_table
from .test_drawn import only, parts

SETTING = ["setting", "mode"]


class Slopes:
    """Slopes between the two largest scales of some runs, a row a setting and mode."""

    def __init__(self, rows):
        self.low, self.high = np.sort(rows["delta"].unique())[-2:]
        keys = [*SETTING, "seed"]
        wide = rows.pivot_table("learning_iteration", keys, "delta", sort=False)
        self.each = (wide[self.high] - wide[self.low]) / (self.high - self.low)
        self.rows = only(rows, delta=self.high).set_index(keys)
        self.first = self.rows.groupby(SETTING, sort=False).first()
        groups = self.each.groupby(SETTING, sort=False)
        self.error = groups.sem() / groups.mean()

    def times(self, growth):
        """The slope times a growth, mean over seeds."""
        return (self.each * self.rows[growth]).groupby(SETTING, sort=False).mean()

    def points(self, panel, x, growth):
        """Markers of the slope times a growth with their bars."""
        panel.pointed(x, self.times(growth), self.times(growth) * self.error)


def optimisers(runs):
    laws, threshold, outside = panels = [Panel() for _ in range(3)]
    own = only(runs, dataset="diagonal")
    linear = own[own["growth"].notna() & ~own["rule"].isin(["clipped", "scheduled"])]
    for place, (_, rows) in enumerate(linear.groupby("rule", sort=False)):
        found = Slopes(rows)
        x = place + np.linspace(-0.3, 0.3, len(found.first))
        rival = found.first["rival_growth"] != found.first["growth"]
        laws.line(x[rival], found.times("rival_growth")[rival])
        laws.line(x, found.times("growth"))
    laws.level(1)
    for place, (depth, rows) in enumerate(parts(only(runs, dataset="threshold"), "depth")):
        offset, learned = rows["delta"] - rows["threshold"], rows["learning_iteration"].notna()
        rate = rows["step_size"] * rows["decay"] * (depth - 2)
        threshold.line(offset[learned], (rows["learning_iteration"] * rate)[learned])
        threshold.line(offset[~learned], [4.4 - 0.3 * place] * (~learned).sum())
        line = np.linspace(1.1 * offset.min(), -0.005, 300)
        threshold.line(line, np.log(1 / (1 - np.exp(line * (depth - 2)))))
    threshold.upright(0)
    for place, rule in enumerate(("gradient_descent", "clipped", "adam")):
        first = only(own, rule=rule)["setting"].min()
        mean = only(own, setting=first).pivot_table("learning_iteration", "mode", "delta")
        outside.line(mean[20.0] / mean[10.0], [place] * len(mean))
    outside.upright(1, 2)
    return panels


def minibatch(runs):
    slopes, scatter, shuffled, later = panels = [Panel() for _ in range(4)]
    two = only(runs, dataset="prescribed", depth=2)
    alone = two[two["setting"].isin([0, 1])]  # settings of one mode
    found = Slopes(only(alone, replacement=True))
    kappa = found.first["mixing"]
    found.points(slopes, kappa, "plain_growth")
    slopes.line(kappa, found.times("growth"))
    found.points(slopes, kappa, "exponent")
    slopes.level(1)
    late = only(two, mode=1, delta=two["delta"].max())
    spread = late.pivot_table("learning_iteration", "setting", "replacement", aggfunc="std")
    law = only(late, replacement=True).groupby("setting")[["mixing", "predicted_scatter"]].first()
    scatter.line(law["mixing"], spread[True] / law["predicted_scatter"])
    scatter.line(law["mixing"], spread[False] / spread[True])
    scatter.level(1)
    found = Slopes(only(alone, replacement=False))
    delay = 100 * found.times("plain_growth") - 100
    found.points(shuffled, delay, "rival_growth")
    found.points(shuffled, delay, "growth")
    shuffled.level(1)
    shuffled.upright(12)
    found = Slopes(only(two, replacement=True).query("mode > 1"))
    x = np.arange(len(found.first))
    later.line(x, found.times("plain_growth"))
    found.points(later, x, "rival_growth")
    found.points(later, x, "growth")
    later.level(1)
    return panels


def sgd_saddles(runs):
    delays, peaks = panels = [Panel(), Panel()]
    two = only(runs, dataset="prescribed", depth=2, replacement=True)
    found = Slopes(two[two["setting"].isin([0, 1])])
    delays.pointed(found.first["mixing"], found.times("plain_growth"), found.error)
    deep = only(runs, dataset="prescribed", depth=3)
    delay = deep["learning_iteration"] / deep["forecast"]
    delays.pointed([0.5], np.array([delay.mean()]), delay.sem())
    delays.level(1)
    for depth, own in parts(only(runs, dataset="diffusion"), "depth"):
        share = own["noise"] ** 2
        line = np.linspace(0, share.max(), 201)
        peaks.line(line, [diffusion_peak(depth, noise) for noise in line])
        peaks.line(share, own["peak_share"])
    peaks.level(0.9)
    return panels


def real_training(runs):
    full, small, drifts = panels = [Panel() for _ in range(3)]
    runs = runs.assign(drifted=runs["forecast"] * runs["drift"])
    names = list(dict.fromkeys(runs["dataset"]))
    for panel, rows, laws in (
        (full, only(runs, batch_size=0), ("plain_forecast", "forecast")),
        (small, runs.query("batch_size > 0"), ("forecast", "drifted")),
    ):
        for place, (_, own) in enumerate(parts(rows, "momentum")):
            for law in laws:
                mean = own.groupby(["dataset", "mode"])[["learning_iteration", law]].mean()
                gap = np.log(mean["learning_iteration"] / mean[law])
                error = np.sqrt((gap**2).groupby("dataset").mean())
                panel.line(error[names], np.arange(len(names)) + 0.24 * (place - 0.5))
        panel.upright(0.03)
    for name in ("diabetes_serum", "patches"):
        own = only(runs, dataset=name).query("batch_size > 0 and momentum > 0").groupby("mode")
        drifts.line(own["drift"].first().index, own["drift"].first())
        forecast = own["forecast"].first()
        time = own["learning_iteration"]
        drifts.pointed(forecast.index, time.mean() / forecast, time.sem() / forecast)
    drifts.level(1)
    return panels


def perceptron(runs):
    panels = [Panel() for _ in range(4)]
    kinds = [
        *(("tanh", "squared"), ("tanh", "cross_entropy")),
        *(("relu", "squared"), ("relu", "cross_entropy")),
    ]
    for panel, (activation, loss) in zip(panels, kinds[:3], strict=False):
        own = only(runs, activation=activation, loss=loss)
        for _, rows in parts(own, "mode"):
            at_scale = rows.groupby("delta")
            ratio = at_scale["learning_iteration"].mean() / at_scale["forecast"].first()
            panel.line(ratio.index, ratio)
        if activation == "tanh":
            for low, high, tolerance in ((1, 4, 0.1), (4, 8, 0.05)):
                panel.band([low, high], 2 * [1 - tolerance], 2 * [1 + tolerance])
        panel.level(1)
    for place, (activation, loss) in enumerate(kinds):
        found = Slopes(only(runs, activation=activation, loss=loss))
        x = found.first.index.get_level_values("mode") + 0.14 * (place - 1.5)
        panels[3].line(x, found.times("rival_growth"))
        found.points(panels[3], x, "growth")
    panels[3].level(1)
    return panels


@pytest.mark.parametrize(
    ("expected", "table"),
    [
        (optimisers, rule_table),
        (minibatch, batch_table),
        (sgd_saddles, batch_table),
        (real_training, real_table),
        (perceptron, network_table),
    ],
)
def test_a_figure_shows_what_its_table_says_and_nothing_else(expected, table):
    rows = table()
    # Laws hold exactly in these tables, where one could pass for another.
    rows["learning_iteration"] *= np.random.default_rng(3).normal(1, 0.01, len(rows))
    figure = load(expected.__name__).draw(rows)
    for axes, panel in zip(figure.axes, expected(rows), strict=True):
        assert_shows(axes, panel)


def test_rules_outside_the_law_are_compared_with_the_ratio_of_the_scales_that_were_run():
    rows = rule_table()
    rows["delta"] = rows["delta"].replace(20.0, 12.0)
    axes = load("optimisers").draw(rows).axes[2]
    # Where a title stands is a matter of the style, which this test does not set.
    title = axes.get_title("left") + axes.get_title("center")
    assert title.endswith(r"$\delta=10$ to $12$")
    assert [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "None"] == [1, 1.2]

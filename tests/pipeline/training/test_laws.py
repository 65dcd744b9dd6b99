"""Columns of the table `training` against recursions, roots and moments worked out here."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.config.training import MiniBatches
from stagewise.data.samples import load_samples
from stagewise.pipeline.training.mini_batches import prescribed_sample
from stagewise.pipeline.training.table import training_experiment, training_rows
from stagewise.store.training_schema import training_table


def rows_of(**section):
    table = training_table(training_rows("name", training_experiment(section))).to_pandas()
    categorical = table.select_dtypes("category").columns
    return table.astype(dict.fromkeys(categorical, "str"))


def root_growth(step_and_sigma, momentum):
    """Growth per iteration under heavy ball: logarithm of the larger root of z² − (1+β+x)z + β."""
    return np.log([max(np.roots([1, -(1 + momentum + x), momentum])) for x in step_and_sigma])


def half_learned(delta, depth, share, decay=0.0, momentum=0.0, step=0.2, sigma=0.8, lam=0.5):
    """Iterations of one balanced mode, as a recursion of numbers; NaN if it dies."""
    layer, velocity = np.exp(-delta), 0.0
    for iteration in range(200_000):
        if lam * layer**depth >= 0.5 * share * sigma:
            return iteration
        if layer < np.exp(-delta) / 2:
            return np.nan
        slope = layer ** (depth - 1) * (sigma - lam * layer**depth) - decay * layer
        velocity = momentum * velocity + step * slope
        layer += velocity
    return np.nan


@pytest.fixture(scope="module")
def deep():
    return rows_of(
        kind="update_rules",
        sigma=[0.8],
        lam=[0.5],
        width=2,
        delta=[3.0, 5.0],
        replicates=1,
        rules=[{"optimizer": "gradient_descent", "step_size": 0.3}],
        deep_decay=[0.05],
        deep_decay_offsets=[-0.3, -0.1, 0.1],
        deep_decay_step=0.1,
        deep_momentum=[0.5],
        end_cases=3,
        end_iterations=10_000,
    )


def test_decayed_deep_networks_learn_below_the_threshold_of_the_start_only(deep):
    rows = deep[deep["dataset"] == "threshold"]
    assert len(rows) == 6
    for _, row in rows.iterrows():
        depth, decay = row["depth"], row["decay"]
        # The slope of the amplitude vanishes there: σa^(L−2) = μ.
        assert 0.8 * np.exp(-(depth - 2) * row["threshold"]) == pytest.approx(decay)
        expected = half_learned(row["delta"], depth, 1 - decay / 0.8, decay=decay, step=0.1)
        assert np.isfinite(expected) == (row["delta"] < row["threshold"])
        assert np.isfinite(row["forecast"]) == np.isfinite(expected)
        assert_allclose(row["learning_iteration"], expected, rtol=5e-3, atol=1)


def test_deep_networks_with_momentum_and_their_rival_are_those_of_the_recursion(deep):
    rows = deep[deep["dataset"] == "deep_momentum"]
    assert list(rows["depth"]) == [3, 3, 4, 4]
    for _, row in rows.iterrows():
        depth, delta = row["depth"], row["delta"]
        expected = half_learned(delta, depth, 1.0, momentum=0.5, step=0.1)
        assert_allclose(row["learning_iteration"], expected, rtol=5e-3, atol=1)
        (growth,) = root_growth([0.1 * 0.8], 0.5)
        rival = np.exp((depth - 2) * delta) / ((depth - 2) * np.expm1(growth))
        assert_allclose(row["plain_forecast"], rival, rtol=1e-9)
    for _, pair in rows.groupby("depth"):
        ratio = np.diff(pair["learning_iteration"]) / np.diff(pair["forecast"])
        assert_allclose(ratio, 1, atol=0.02)


def test_rows_say_how_they_were_trained(deep):
    """Each of these networks has one hidden unit, as both of its ends are aligned with the mode."""
    shared = {"width": 1, "step_size": 0.1, "mode": 1, "seed": 0}
    for name, settings, own in (
        ("threshold", [0, 1, 2], {"rule": "l2_decay", "decay": 0.05}),
        ("deep_momentum", [0, 1], {"rule": "heavy_ball", "momentum": 0.5}),
    ):
        rows = deep[deep["dataset"] == name]
        assert list(rows["setting"]) == 2 * settings
        assert list(rows["depth"]) == np.repeat([3, 4], len(settings)).tolist()
        for column, value in (shared | own).items():
            assert (rows[column] == value).all(), column


def test_decayed_training_ends_at_the_rank_of_nuclear_norm_regression(deep):
    rows = deep[deep["dataset"] == "ends"]
    assert len(rows) == 12
    assert (rows["width"] == 6).all()  # as wide as either side, so that no rank is out of reach
    assert (rows[["setting", "delta"]] == 0).all(axis=None)
    assert (rows["rank"] == rows["predicted_rank"]).all()
    for _, case in rows.groupby("seed"):
        assert case["sigma"].is_monotonic_decreasing
        assert case["sigma"].min() < case["decay"].iloc[0] < case["sigma"].max()
        assert case["rank"].iloc[0] >= 1


def test_diffusion_peaks_where_its_closed_form_does():
    rows = rows_of(
        kind="mini_batches",
        sigma=[1.0],
        lam=[1.0],
        dim_out=1,
        width=1,
        delta=[2.0],
        replicates=1,
        settings=[{"samples": 4, "noise": 0.0, "step_size": 0.2, "batch_size": 4}],
        diffusion_noise=[0.0, 1.0],
        diffusion_samples=4000,
    )
    rows = rows[rows["dataset"] == "diffusion"]
    peaks = rows.set_index(["depth", "noise"])["peak_share"]
    assert peaks[2, 0.0] == pytest.approx(1 / 2, abs=0.006)
    assert peaks[3, 0.0] == pytest.approx(4 / 7, abs=0.006)
    assert peaks[2, 1.0] == peaks[3, 1.0] == 1
    assert_allclose(rows["predicted_peak_share"], rows["peak_share"], atol=0.006)
    columns = ["seed", "mode", "width", "batch_size", "delta", "sigma"]
    assert (rows[columns] == [0, 1, 1, 1, 0, 1]).all(axis=None)
    assert list(rows["setting"]) == list(range(4))


def test_problems_that_do_not_commute_are_learned_at_the_staged_rate():
    rows = rows_of(kind="staged_problems", cases=3, delta=[16.0, 32.0], modes=3, dim_in=4, width=4)
    assert_allclose(rows["sigma"], 0.6 ** (rows["mode"] - 1.0), rtol=1e-9)
    times = rows.pivot(index=["seed", "mode"], columns="delta", values="learning_iteration")
    laws = rows[rows["delta"] == 16.0].set_index(["seed", "mode"])
    slopes = (times[32.0] - times[16.0]) / 16 * laws["growth"]
    first = slopes.xs(1, level="mode")
    assert_allclose(first, 1, atol=0.01)
    assert_allclose(slopes, 1, atol=0.08)
    assert_allclose(laws["plain_growth"].xs(1, level="mode"), laws["growth"].xs(1, level="mode"))
    assert_allclose(laws["rival_growth"].xs(1, level="mode"), laws["growth"].xs(1, level="mode"))
    later = laws[laws.index.get_level_values("mode") > 1]
    assert (later["rival_growth"] < later["growth"]).all()  # whoever starts anew comes later


@pytest.fixture(scope="module")
def batches():
    section = {
        "kind": "mini_batches",
        "sigma": [1.0, 0.5],
        "lam": [0.8, 1.1, 0.6],
        "dim_out": 2,
        "width": 3,
        "delta": [6.0, 12.0],
        "replicates": 40,
        "settings": [
            {"samples": 40, "noise": 0.5, "step_size": 0.2, "batch_size": 4},
            {
                "samples": 40,
                "noise": 0.5,
                "step_size": 0.2,
                "batch_size": 4,
                "depth": 3,
                "delta": [4.0],
            },
        ],
    }
    experiment = MiniBatches.model_validate(section)
    inputs, outputs = prescribed_sample(experiment, experiment.settings[0], "name")
    # u₁ and v₁ are the first coordinates; the residual at the origin is the output.
    return rows_of(**section), float(np.var(inputs[:, 0] * outputs[:, 0]))


def test_batches_slow_learning_and_scatter_it_as_the_variance_of_the_gradient_says(batches):
    rows, variance = batches
    rows = rows[rows["depth"] == 2]
    drawn = rows[rows["replacement"] & (rows["delta"] == 12.0)]
    first = drawn.iloc[0]
    assert first["plain_growth"] == pytest.approx(np.log(1.2))
    assert first["growth"] == pytest.approx(np.log(1.2) - 0.04 * variance / (8 * 1.44), rel=1e-6)
    assert first["exponent"] == pytest.approx(first["growth"], rel=0.02)
    times = drawn["learning_iteration"]
    law = np.sqrt(times.mean() * 0.04 * variance / 4) / (1.2 * np.log(1.2))
    assert first["predicted_scatter"] == pytest.approx(law, rel=1e-6)
    assert times.std() == pytest.approx(law, rel=0.4)
    for replacement, some in rows.groupby("replacement"):
        mean = some.groupby("delta")["learning_iteration"].mean()
        slope = (mean[12.0] - mean[6.0]) / 6 * some["growth"].iloc[0]
        assert slope == pytest.approx(1, abs=0.05), replacement
    shuffled = rows[~rows["replacement"]].iloc[0]
    assert shuffled["growth"] < first["growth"]
    assert shuffled["rival_growth"] == pytest.approx(first["growth"])


def test_at_three_layers_scatter_and_drift_are_those_of_the_variance(batches):
    rows, variance = batches
    row = rows[(rows["depth"] == 3) & rows["replacement"]]
    (descent,) = row["forecast"].unique()  # of all samples, from the start that all seeds share
    assert 0.5 < descent / (np.exp(4) / 0.2) < 2
    mean, first = row["learning_iteration"].mean(), row.iloc[0]
    assert first["predicted_scatter"] == pytest.approx(np.sqrt(mean * variance / 4), rel=1e-6)
    assert first["drift"] == pytest.approx(1 + 4 * variance / (4 * first["forecast"]), rel=1e-6)
    assert first["rival_drift"] == pytest.approx(first["plain_growth"] / first["growth"])


def test_networks_learn_real_samples_when_their_laws_say():
    rows = rows_of(
        kind="networks",
        samples="wine",
        modes=2,
        activations=["tanh", "relu"],
        losses=["squared", "cross_entropy"],
        delta=[4.0, 6.0],
        step_size=0.02,
        width=8,
        batch_size=89,
        replicates=2,
    )
    inputs, outputs = load_samples("wine")
    centred = inputs - inputs.mean(axis=0)
    sigma = np.linalg.svd(centred.T @ outputs / len(inputs), compute_uv=False)[:2]
    momentum = rows["momentum"].iloc[0]
    tanh = rows[rows["activation"] == "tanh"]
    for mode, some in tanh.groupby("mode"):
        x = 0.02 * sigma[mode - 1] / sigma[0]
        assert_allclose(some["sigma"], sigma[mode - 1], rtol=1e-6)
        assert_allclose(some["step_size"], 0.02 / sigma[0], rtol=1e-6)
        assert_allclose(some["growth"], root_growth([x], momentum)[0], rtol=1e-6)
        assert_allclose(some["rival_growth"], root_growth([x / 2], momentum)[0], rtol=1e-6)
    assert_allclose(rows["plain_growth"], np.resize(tanh["growth"], len(rows)))
    first = rows[rows["mode"] == 1]
    mean = first.groupby(["activation", "loss", "delta"])["learning_iteration"].mean()
    growth = first.groupby(["activation", "loss"])["growth"].first()
    for (activation, loss), law in growth.items():
        slope = (mean[activation, loss, 6.0] - mean[activation, loss, 4.0]) / 2 * law
        assert slope == pytest.approx(1, abs=0.06), (activation, loss)


def test_networks_on_real_samples_with_and_without_momentum_and_batches():
    rows = rows_of(
        kind="real_samples",
        samples=[{"name": "wine", "modes": 2}],
        delta=14.0,
        batch_size=30,
        replicates=3,
    )
    inputs, outputs = (each - each.mean(axis=0) for each in load_samples("wine"))
    sigma = np.linalg.svd(inputs.T @ outputs / len(inputs), compute_uv=False)
    curvature = np.linalg.eigvalsh(inputs.T @ inputs / len(inputs))[-1]
    step = 0.25 / max(curvature, sigma[0])
    for momentum, factor in ((0.0, 1.0), (0.9, 0.2)):
        some = rows[rows["momentum"] == momentum]
        growth = root_growth(factor * step * sigma[:2], momentum)
        assert_allclose(some["step_size"], factor * step, rtol=1e-6)
        assert_allclose(some["plain_growth"], np.resize(growth, len(some)), rtol=1e-6)
        assert_allclose(some["plain_forecast"], np.resize(14 / growth, len(some)), rtol=0.1)
    full = rows[rows["batch_size"] == 0]
    assert (full[["drift", "rival_drift"]] == 1).all(axis=None)
    assert (full["mixing"] == 0).all()
    assert_allclose(full["learning_iteration"], full["forecast"], rtol=0.08)
    batched = rows[rows["batch_size"] == 30]
    assert (batched["drift"] > 1).all()
    assert (batched["mixing"] > 0).all()
    assert_allclose(batched["learning_iteration"], batched["forecast"], rtol=0.15)


def test_rules_have_the_growth_of_their_own_and_of_their_rivals():
    optimizers = [
        {"kind": "heavy_ball", "momentum": 0.5},
        {"kind": "l2_decay", "decay": 0.2},
        "adam",
    ]
    rows = rows_of(
        kind="update_rules",
        sigma=[0.8, 0.5],
        lam=[0.5, 1.0],
        width=3,
        delta=[6.0, 12.0],
        replicates=2,
        rules=[{"optimizer": each, "step_size": 0.2} for each in optimizers],
    )
    x = 0.2 * np.array([0.8, 0.5])
    expected = {
        "heavy_ball": (root_growth(x, 0.5), np.log1p(x / 0.5)),
        "l2_decay": (np.log1p(x - 0.04), np.log1p(x)),
    }
    for rule, (growth, rival) in expected.items():
        some = rows[rows["rule"] == rule].sort_values(["delta", "seed", "mode"])
        assert_allclose(some["growth"], np.resize(growth, len(some)), rtol=1e-6)
        assert_allclose(some["rival_growth"], np.resize(rival, len(some)), rtol=1e-6)
        assert_allclose(some["plain_growth"], np.resize(np.log1p(x), len(some)), rtol=1e-6)
        times = some.pivot(index=["seed", "mode"], columns="delta", values="learning_iteration")
        slope = (times[12.0] - times[6.0]) / 6
        assert_allclose(slope * np.resize(growth, len(slope)), 1, atol=0.01)
    adam = rows[rows["rule"] == "adam"]
    assert adam["growth"].isna().all()
    assert_allclose(adam["rival_growth"], np.resize(np.log1p(x), len(adam)), rtol=1e-6)


def test_under_a_schedule_the_growth_is_the_mean_of_the_steps_between_two_learning_times():
    rows = rows_of(
        kind="update_rules",
        sigma=[0.8, 0.5],
        lam=[1.0, 1.0],
        width=3,
        delta=[4.0, 8.0],
        replicates=2,
        rules=[
            {
                "optimizer": {"kind": "scheduled", "schedule": "levels", "length": 60},
                "step_size": 0.2,
            }
        ],
    )
    levels = np.repeat([1, 0.3, 0.1], [20, 20, 2000])
    for (seed, mode), own in rows.groupby(["seed", "mode"]):
        first, last = own.sort_values("delta")["learning_iteration"]
        grown = np.append(0, np.cumsum(np.log1p(0.2 * levels * own["sigma"].iloc[0])))
        start, end = np.interp([first, last], np.arange(len(grown)), grown)
        assert_allclose(own["growth"], (end - start) / (last - first))
        latest = int(rows["learning_iteration"].max())
        rival = np.log1p(0.2 * levels[:latest].mean() * own["sigma"])
        assert_allclose(own["rival_growth"], rival, err_msg=f"seed {seed}, mode {mode}")

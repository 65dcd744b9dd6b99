"""Tables of trained networks that obey their own laws."""

from itertools import product

import numpy as np

from stagewise.store.training_schema import training_table
from stagewise.theory.growth import DESCENT, HeavyBallGrowth


def frame(rows):
    table = training_table([{"experiment": "own", "width": 4} | row for row in rows]).to_pandas()
    categorical = table.select_dtypes("category").columns
    return table.astype(dict.fromkeys(categorical, "str"))


def timed(rows, delta, seeds=3, offset=7.0):
    """Rows at every delta and seed, learned when their growth says, give or take."""
    return [
        row
        | {
            "delta": scale,
            "seed": seed,
            "learning_iteration": scale / row["growth"] + offset + seed,
        }
        for row in rows
        for scale in delta
        for seed in range(seeds)
    ]


def rule_table():
    sigma, step = np.array([0.8, 0.5]), 0.1
    rows = []
    rules = (("gradient_descent", 0.0), ("heavy_ball", 0.9), ("gradient_descent", 0.0))
    for place, (kind, momentum) in enumerate(rules):
        law = HeavyBallGrowth(momentum) if momentum else DESCENT
        rival = np.log1p(law.speed(step) * sigma)
        for mode in range(2):
            rows.append(
                {
                    "setting": place,
                    "dataset": "diagonal",
                    "rule": kind,
                    "label": kind,
                    "momentum": momentum,
                    "step_size": step,
                    "mode": mode + 1,
                    "sigma": sigma[mode],
                    "growth": float(law.growth(step, sigma[mode])),
                    "plain_growth": float(DESCENT.growth(step, sigma[mode])),
                    "rival_growth": float(rival[mode]),
                }
            )
    table = timed(rows, (10.0, 20.0))
    for setting, rule in enumerate(("clipped", "adam"), start=3):
        outside = rows[0] | {"setting": setting, "rule": rule, "label": rule}
        growth = {"growth": outside["growth"] if rule == "clipped" else np.nan}
        table += [row | growth for row in timed([outside], (10.0, 20.0))]
    for depth, offset in product((3, 4), (-0.1, 0.1)):
        time = 50.0 if offset < 0 else np.nan
        table.append(
            {
                "setting": 0,
                "dataset": "threshold",
                "rule": "l2_decay",
                "decay": 0.1,
                "depth": depth,
                "step_size": 0.2,
                "delta": 2 + offset,
                "threshold": 2.0,
                "seed": 0,
                "mode": 1,
                "sigma": 0.8,
                "learning_iteration": time,
                "forecast": 50.0,
            }
        )
    for scale, time in ((4.0, 100.0), (5.0, 300.0)):
        table.append(
            {
                "setting": 0,
                "dataset": "deep_momentum",
                "rule": "heavy_ball",
                "momentum": 0.9,
                "depth": 3,
                "step_size": 0.1,
                "delta": scale,
                "seed": 0,
                "mode": 1,
                "sigma": 0.8,
                "learning_iteration": time,
                "forecast": time + 5,
                "plain_forecast": 2 * time,
            }
        )
    for case in range(40):
        for mode, sigma_k in enumerate((1.0, 0.5), start=1):
            table.append(
                {
                    "setting": 0,
                    "dataset": "ends",
                    "rule": "l2_decay",
                    "decay": 0.6,
                    "step_size": 0.1,
                    "delta": 0.0,
                    "seed": case,
                    "mode": mode,
                    "sigma": sigma_k,
                    "rank": 1 + case % 2,
                    "predicted_rank": 1 + case % 2,
                }
            )
    return frame(table)


def batch_table():
    rows = []
    for setting, (kappa, modes) in enumerate(((0.1, 1), (0.2, 1), (0.15, 3))):
        for mode in range(1, modes + 1):
            for replacement in (True, False):
                growth = 0.1 / mode * (1 if replacement else 0.94)
                rows.append(
                    {
                        "setting": setting,
                        "dataset": "prescribed",
                        "batch_size": 2,
                        "replacement": replacement,
                        "step_size": 0.1,
                        "samples": 100,
                        "noise": 1.0,
                        "mode": mode,
                        "sigma": 1.0 / mode,
                        "growth": growth,
                        "plain_growth": 0.104 / mode,
                        "rival_growth": 0.1 / mode * (1.06 if mode > 1 else 1.0),
                        "exponent": growth if replacement else np.nan,
                        "mixing": kappa,
                        "predicted_scatter": 1.0,
                    }
                )
    table = timed(rows, (8.0, 24.0))
    for seed in range(3):
        table.append(
            {
                "setting": 9,
                "dataset": "prescribed",
                "depth": 3,
                "batch_size": 1,
                "step_size": 0.2,
                "noise": 0.4,
                "delta": 5.5,
                "seed": seed,
                "mode": 1,
                "sigma": 1.0,
                "mixing": 0.5,
                "learning_iteration": 1008.0 + seed,
                "forecast": 1000.0,
                "drift": 1.008,
                "rival_drift": 1.2,
            }
        )
    for depth, noise, peak in ((2, 0.0, 0.5), (3, 0.0, 0.571), (2, 1.0, 1.0), (3, 1.0, 1.0)):
        table.append(
            {
                "setting": 9,
                "dataset": "diffusion",
                "depth": depth,
                "noise": noise,
                "batch_size": 1,
                "step_size": 0.1,
                "delta": 0.0,
                "seed": 0,
                "mode": 1,
                "sigma": 1.0,
                "peak_share": peak,
                "predicted_peak_share": peak,
            }
        )
    return frame(table)


def real_table():
    rows = []
    for dataset, kappa, miss in (
        ("digits", 0.05, 1.01),
        ("diabetes_serum", 0.05, 0.99),
        ("patches", 0.5, 0.7),
    ):
        for momentum in (0.0, 0.9):
            for size in (0, 32):
                for seed in range(2):
                    drift = 1.2 if size else 1.0
                    rows.append(
                        {
                            "setting": 0,
                            "dataset": dataset,
                            "momentum": momentum,
                            "batch_size": size,
                            "step_size": 0.1,
                            "delta": 12.0,
                            "seed": seed,
                            "mode": 1,
                            "sigma": 1.0,
                            "learning_iteration": 100.0 * drift * (miss if size else 1.01),
                            "forecast": 100.0,
                            "plain_forecast": 120.0,
                            "drift": drift,
                            "rival_drift": 1.05 if size else 1.0,
                            "mixing": kappa if size else 0.0,
                        }
                    )
    return frame(rows)


def network_table():
    rows = []
    kinds = list(product(("tanh", "relu"), ("squared", "cross_entropy")))
    for setting, (activation, loss) in enumerate(kinds):
        for mode in range(1, 5):
            growth = 0.1 / mode * (0.92 if activation == "relu" else 1)
            early = 0.8 if loss == "cross_entropy" and mode == 4 else 1.0
            for delta in (1.0, 2.0, 4.0, 8.0):
                for seed in range(3):
                    time = early * delta / growth + 0.01 * seed
                    rows.append(
                        {
                            "setting": setting,
                            "dataset": "digits",
                            "activation": activation,
                            "loss": loss,
                            "batch_size": 32,
                            "step_size": 0.1,
                            "delta": delta,
                            "seed": seed,
                            "mode": mode,
                            "sigma": 1.0 / mode,
                            "growth": growth,
                            "plain_growth": 0.1 / mode,
                            "rival_growth": 0.05 / mode,
                            "learning_iteration": time,
                            "forecast": time,
                            "plain_forecast": time / (1.5 if loss == "cross_entropy" else 1.0),
                        }
                    )
    return frame(rows)


def memory_table():
    rows = [
        {
            "setting": 0,
            "dataset": "random",
            "step_size": 0.3,
            "mode": mode,
            "sigma": 0.6**mode,
            "growth": 0.1 / mode,
            "plain_growth": 0.11 / mode,
            "rival_growth": 0.06 / mode,
        }
        for mode in (1, 2, 3)
    ]
    return frame(timed(rows, (16.0, 32.0)))

"""Where along its way a mode diffuses most: the variance over samples of one step."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.config.training import MiniBatches
from stagewise.seeds import generator
from stagewise.theory.minibatch import diffusion_peak

DEPTHS = (2, 3)
_SHARES = np.linspace(0.01, 1.0, 199)
_SMALL_STEP = 1e-4


def diffusion_rows(name: str, experiment: MiniBatches) -> list[dict[str, object]]:
    """Rows of the table `training`: one per number of layers and label noise."""
    draw = generator("diffusion", name)
    columns = draw.standard_normal((experiment.diffusion_samples, 2))
    inputs, errors = (each / np.sqrt(np.mean(each**2)) for each in columns.T)
    errors = errors - inputs * np.mean(inputs * errors)
    rows: list[dict[str, object]] = []
    for depth in DEPTHS:
        for noise in experiment.diffusion_noise:
            outputs = inputs + np.sqrt(noise) * errors
            spread = [_spread(inputs, outputs, share, depth) for share in _SHARES]
            rows.append(
                {
                    "experiment": name,
                    "setting": len(rows),
                    "dataset": "diffusion",
                    "depth": depth,
                    "width": 1,
                    "samples": len(inputs),
                    "noise": float(np.sqrt(noise)),
                    "batch_size": 1,
                    "step_size": _SMALL_STEP,
                    "delta": 0.0,
                    "seed": 0,
                    "mode": 1,
                    "sigma": 1.0,
                    "peak_share": float(_SHARES[int(np.argmax(spread))]),
                    "predicted_peak_share": diffusion_peak(depth, noise),
                }
            )
    return rows


def _spread(inputs: FloatArray, outputs: FloatArray, share: float, depth: int) -> float:
    """Variance of the change of the product over steps on one sample each, balanced layers."""
    layer = share ** (1 / depth)
    slopes = (layer**depth * inputs - outputs) * inputs * layer ** (depth - 1)
    return float(np.var((layer - _SMALL_STEP * slopes) ** depth))

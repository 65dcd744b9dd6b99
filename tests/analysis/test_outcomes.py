"""Outcomes of curves that are known."""

import numpy as np
import pytest

from stagewise.analysis import outcomes

TIME = np.arange(400)
RISE = 1 - np.exp(-0.1 * TIME)


@pytest.mark.parametrize(
    ("share", "name"),
    [
        (RISE, "monotone"),
        (RISE + 0.2 * np.exp(-((TIME - 60) ** 2) / 50), "overshoot"),
        (RISE + 1e-13, "monotone"),
        (1 + 0.5 * (-1.0) ** TIME, "no convergence"),
        (0.5 * RISE, "no convergence"),
        (np.append(RISE, np.nan), "no convergence"),
    ],
)
def test_a_curve_is_named_by_what_it_does(share, name):
    diverged = bool(np.isnan(share[-1]))
    records = len(share) - diverged
    padded = np.append(share, [np.nan] * 50)[None, :, None]
    found = outcomes(padded, np.array([records]), np.array([diverged]))
    assert found.tolist() == [[name]]

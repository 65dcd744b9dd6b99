"""Stages are counted right where their number is known because the trajectory was made so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import find_peaks

from stagewise.analysis import plateaus, prominent_peaks
from stagewise.analysis.stages import _rests

SIGMA = np.array([4.0, 2.0, 1.0])


def logistic(time, centre, width):
    return 1 / (1 + np.exp(-(time - centre) / width))


def trajectory(centres, widths=None, end=1000.0, records=1200, tail=0.0, noise=0.0, seed=0):
    """Gradient norm and singular values of modes that rise at `centres`, on a log grid of times.

    The gradient norm of a mode that rises logistically is proportional to the root of s(σ − s).
    """
    time = np.geomspace(1.0, end, records)
    widths = widths or [centre / 25 for centre in centres]
    shares = [logistic(time, c, w) for c, w in zip(centres, widths, strict=True)]
    values = np.stack([sigma * s for sigma, s in zip(SIGMA, shares, strict=False)], axis=1)
    rising = [sigma * np.sqrt(s * (1 - s)) for sigma, s in zip(SIGMA, shares, strict=False)]
    norm = np.sqrt(np.sum(np.square(rising), axis=0) + 1e-20) + tail / time
    jitter = np.random.default_rng(seed).uniform(-noise, noise, records)
    return norm * np.exp(jitter), values, SIGMA[: len(centres)]


def test_three_separate_rises_are_three_stages_of_one_rise_each():
    found = plateaus(*trajectory([30, 100, 400]))
    assert [each.rises for each in found] == [1, 1, 1, 0]
    assert [each.learned for each in found] == [0, 1, 2, 3]
    assert found[-1].peak is None


def test_a_singular_value_at_half_of_its_target_is_learned():
    norm, values, sigma = trajectory([30, 100, 400])
    found = plateaus(norm, np.where(values >= 0.5 * sigma, 0.5 * sigma, 0.0), sigma)
    assert [each.rises for each in found] == [1, 1, 1, 0]


def test_peaks_and_rests_lie_where_the_trajectory_was_made_to_have_them():
    time = np.geomspace(1.0, 1000.0, 1200)
    found = plateaus(*trajectory([30, 100, 400]))
    peaks = [time[each.peak] for each in found[:-1]]
    np.testing.assert_allclose(peaks, [30, 100, 400], rtol=0.02)
    rests = [time[each.record] for each in found[:-1]]
    assert rests[0] < 25
    assert 35 < rests[1] < 95
    assert 110 < rests[2] < 380


def test_a_trajectory_on_which_nothing_is_learned_has_no_stage():
    time = np.geomspace(1, 1000, 500)
    found = plateaus(1 / time, np.zeros((500, 3)), SIGMA)
    assert [(each.learned, each.rises, each.peak) for each in found] == [(0, 0, None)]
    assert found[0].record == 499


def test_modes_that_rise_together_are_one_merged_stage_with_two_rises():
    found = plateaus(*trajectory([30, 32, 400]))
    assert [each.rises for each in found] == [2, 1, 0]
    assert [each.learned for each in found] == [0, 2, 3]


def test_a_run_that_ends_during_a_rise_has_not_finished_that_stage():
    norm, values, sigma = trajectory([30, 100, 400], end=398.0)
    found = plateaus(norm, values, sigma)
    assert [each.rises for each in found] == [1, 1, 0]


def test_a_run_that_ends_on_a_plateau_counts_the_stages_it_had():
    found = plateaus(*trajectory([30, 100, 400], end=200.0))
    assert [each.learned for each in found] == [0, 1, 2]


def test_a_slow_tail_adds_no_stage():
    found = plateaus(*trajectory([30, 100, 400], end=1e5, records=2500, tail=1e-3))
    assert [each.rises for each in found] == [1, 1, 1, 0]


@pytest.mark.parametrize("seed", range(20))
def test_noise_of_fifteen_percent_adds_no_stage_and_hides_none(seed):
    found = plateaus(*trajectory([30, 100, 400], noise=0.15, seed=seed))
    assert [each.rises for each in found] == [1, 1, 1, 0]


def test_a_peak_of_the_gradient_without_a_rise_is_no_stage():
    norm, values, sigma = trajectory([30, 100, 400])
    time = np.geomspace(1.0, 1000.0, 1200)
    bump = 0.5 * np.exp(-(((time - 200) / 10) ** 2))
    found = plateaus(norm + bump, values, sigma)
    assert [each.rises for each in found] == [1, 1, 1, 0]


def test_rounding_at_the_end_is_no_stage():
    norm, values, sigma = trajectory([30, 100], end=1e5, records=2500)
    noisy = norm + 1e-14 * np.random.default_rng(0).uniform(0.01, 1, 2500)
    assert [each.rises for each in plateaus(noisy, values, sigma)] == [1, 1, 0]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(1, 4))
def test_prominent_peaks_are_those_that_scipy_finds_flat_tops_and_equal_heights_included(
    levels, prominence
):
    heights = np.array(levels, dtype=float)
    expected, _ = find_peaks(heights, prominence=prominence)
    assert prominent_peaks(heights, prominence).tolist() == expected.tolist()


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30), st.floats(0.1, 2))
def test_prominent_peaks_of_any_levels_are_those_that_scipy_finds(levels, prominence):
    heights = np.array(levels)
    expected, _ = find_peaks(heights, prominence=prominence)
    assert prominent_peaks(heights, prominence).tolist() == expected.tolist()


def test_a_rest_may_lie_right_before_a_peak():
    assert _rests(np.array([5.0, 1, 9, 2, 0.5, 7, 3]), np.array([2, 5])).tolist() == [1, 4, 6]

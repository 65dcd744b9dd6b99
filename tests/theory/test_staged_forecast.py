"""The staged law against the integrator, a network's response in full, and what it ascends."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.digits import DigitsData
from stagewise.data.kinds.low_rank_regression import LowRankRegressionData
from stagewise.data.kinds.power_law import PowerLawData
from stagewise.data.kinds.rotated import RotatedData
from stagewise.dynamics import quasi_adiabatic
from stagewise.problems.problem import Problem
from stagewise.theory.forecast_laws import PooledMoments, initial_amplitudes, plain_forecast
from stagewise.theory.growth import DESCENT, L2DecayGrowth
from stagewise.theory.nuclear_norm import nuclear_norm_regression
from stagewise.theory.schedules import Schedule
from stagewise.theory.staged_forecast import _Grid, _Learned, _shrinkage, staged_forecast

REGRESSION = LowRankRegressionData(
    kind="low_rank_regression", dim_in=60, dim_out=8, rank=8, input_decay=1.5, samples=1000
)


def problem_of(spec):
    return draw_moments("staged law", spec, None)[0].problem(centred=True)


def errors(problem, delta, stages=8):
    """Root-mean-square log error of the staged and the plain law against the integrator."""
    step = np.full(len(delta), 0.25 / max(problem.eigenvalues[-1], problem.modes.sigma[0]))
    pooled = PooledMoments.of(problem)
    plain = plain_forecast(pooled, step, delta, 10)[:, :stages]
    start = initial_amplitudes(delta, problem.dim_in, 10, min(pooled.stages, 10))
    followed = quasi_adiabatic(problem, start, step, 3 * plain[:, -1], stages=stages)
    assert followed.largest_curvature.max() < 2
    laws = (staged_forecast(pooled, step, delta, 10)[:, :stages], plain)
    gaps = [np.log(followed.learning_iterations / law) for law in laws]
    return [np.sqrt(np.mean(gap**2, axis=1)) for gap in gaps]


@pytest.mark.parametrize(
    ("spec", "plain_fails"),
    [
        (DigitsData(kind="digits"), False),
        (PowerLawData(kind="power_law", dim_in=100), True),
        (REGRESSION, True),
        (RotatedData(kind="rotated", angle=0, lam_range=[0.2, 1.0]), False),
        (RotatedData(kind="rotated", angle=0.2, lam_range=[0.2, 1.0]), False),
    ],
    ids=["digits", "power_law", "regression", "commuting", "rotated"],
)
def test_it_follows_the_integrator_at_every_scale(spec, plain_fails):
    staged, plain = errors(problem_of(spec), np.array([8.0, 16.0, 32.0]))
    assert (staged < 0.03).all()
    assert bool(plain[1:].min() > 0.07) is plain_fails


def test_a_single_mode_comes_when_the_closed_form_says():
    sigma, lam, step, delta = 0.6, 1.7, 0.3, 12.0
    pooled = PooledMoments.of(Problem(np.diag([lam, 0.0]), np.array([[sigma], [0.0]])))
    start = initial_amplitudes(np.array([delta]), 2, 4, 1)[0, 0]
    # w' = 2w(σ − λw) from a small w = e^{2a}/2 is σ/(2λ) where e^{2(a + σt)} = 2σ/λ.
    expected = (0.5 * np.log(2 * sigma / lam) - start) / np.log1p(step * sigma)
    found = staged_forecast(pooled, np.array([step]), np.array([delta]), 4)
    assert_allclose(found, [[expected]], rtol=1e-3)


@pytest.fixture
def learned(monkeypatch):
    """A problem, unpooled, and three learned directions of different exposures."""
    monkeypatch.setattr("stagewise.theory.forecast_laws.BIN_WIDTH", 1e-6)
    problem = problem_of(REGRESSION)
    pooled = PooledMoments.of(problem)
    exposures = np.array([90.0, 30.0, 8.0])
    basis = np.linalg.qr(np.random.default_rng(2).standard_normal((8, 3)))[0]
    return problem, _Learned.along(pooled, basis, exposures).turned(exposures)


def layers(problem, network):
    """S and e^{−ΛX}, as whole matrices: (dim_in, dim_out), (dim_in, k)."""
    target = problem.eigenvectors.T @ problem.sigma_xy
    return target, np.exp(-problem.eigenvalues[:, None] * network.exposures)


def test_strengths_are_the_norms_of_the_fitted_directions(learned):
    problem, network = learned
    target, unfitted = layers(problem, network)
    fitted = (1 - unfitted) / problem.eigenvalues[:, None] * (target @ network.directions)
    assert_allclose(network.strengths, np.linalg.norm(fitted, axis=0), rtol=1e-6)


def test_a_direction_is_half_learned_when_the_response_of_the_network_says_so(learned):
    problem, network = learned
    target, _ = layers(problem, network)
    free = np.eye(8) - network.directions @ network.directions.T
    new = np.linalg.svd(target @ free)[2][0]
    half = 0.4 * np.linalg.svd(target, compute_uv=False)[3]
    exposure = network.half_exposure(new, half, _Grid.of(network.pooled.eigenvalues))
    directions = np.column_stack([network.directions, new])
    exposures = np.append(network.exposures, exposure)
    share = 1 - np.exp(-problem.eigenvalues[:, None] * exposures)
    response = (share * (target @ directions)) @ directions.T
    assert np.linalg.svd(response, compute_uv=False)[3] == pytest.approx(half, rel=5e-3)


def test_turning_climbs_to_the_subspace_of_early_stopped_regression(learned):
    problem, network = learned
    target, _ = layers(problem, network)
    same = np.full(3, 20.0)
    fitted = (1 - np.exp(-20 * problem.eigenvalues)) / problem.eigenvalues
    values, vectors = np.linalg.eigh(target.T @ (fitted[:, None] * target))
    explained = []
    for _ in range(200):
        network = network.turned(same)
        shares = network.directions.T @ target.T @ (fitted[:, None] * target) @ network.directions
        explained.append(np.trace(shares))
    assert (np.diff(explained) >= -1e-12).all()
    assert explained[-1] == pytest.approx(values[-3:].sum(), rel=1e-8)
    assert_allclose(
        network.directions @ network.directions.T, vectors[:, -3:] @ vectors[:, -3:].T, atol=1e-3
    )


def test_decay_of_commuting_moments_is_less_of_every_singular_value():
    """d/dt of a mode with decay, σ − μ − λw, is that of the smaller σ without."""
    lam, sigma, decay = np.array([1.0, 0.6, 0.3]), np.array([0.5, 0.3, 0.2]), 0.12
    case = np.array([0.2]), np.array([16.0]), 3
    decayed, smaller = (
        staged_forecast(PooledMoments.of(Problem(np.diag(lam), np.diag(values))), *case, rule)
        for values, rule in ((sigma, L2DecayGrowth(decay)), (sigma - decay, DESCENT))
    )
    assert_allclose(decayed, smaller, rtol=2e-3)


def test_a_decayed_direction_ends_at_nuclear_norm_regression():
    """For one output the penalty is the length of W: W (Λ + u) = S with u|W| = μ."""
    draw = np.random.default_rng(3)
    basis = np.linalg.qr(draw.standard_normal((4, 4)))[0]
    sigma_x = (basis * [1.0, 0.5, 0.2, 0.1]) @ basis.T
    problem = Problem((sigma_x + sigma_x.T) / 2, draw.standard_normal((4, 1)))
    decay = 0.3 * problem.modes.sigma[0]
    pooled = PooledMoments.of(problem)
    own = pooled.blocks[:, 0, :]
    u = _shrinkage(pooled.eigenvalues, own, decay)[0]
    end = np.linalg.norm(nuclear_norm_regression(problem, decay))
    assert u == pytest.approx(decay / end, rel=1e-8)


def test_pieces_of_a_march_change_nothing_where_the_step_stays():
    pooled = PooledMoments.of(problem_of(PowerLawData(kind="power_law", dim_in=30)))
    case = pooled, np.array([0.2]), np.array([12.0]), 6
    cut = staged_forecast(*case, schedule=Schedule(lambda elapsed: 1.0, 900.0))
    assert_allclose(cut, staged_forecast(*case), rtol=0.02)  # small steps turn sooner

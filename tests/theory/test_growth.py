"""Growth functions against eigenvalues of the linearised recursions, limits, and higher precision."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.theory import learning_iteration
from stagewise.theory.growth import (
    DecayedGrowth,
    DecoupledDecayGrowth,
    DescentGrowth,
    HeavyBallGrowth,
    L2DecayGrowth,
    LayersInTurnGrowth,
    NesterovGrowth,
    StaleGradientGrowth,
    schedule_learning_iteration,
)

STEPS = [0.003, 0.1, 0.6, 1.1]
SIGMA = np.array([0.8, 0.5, 0.2])


def saddle(sigma, decay=0.0):
    """The symmetric matrix M of one mode, acting on (first layer, second layer), less the decay."""
    return np.array([[-decay, sigma], [sigma, -decay]])


def descent(step, sigma, decay=0.0):
    return np.eye(2) + step * saddle(sigma, decay)


def heavy_ball(step, sigma, momentum, decay=0.0):
    now = (1 + momentum) * np.eye(2) + step * saddle(sigma, decay)
    return np.block([[now, -momentum * np.eye(2)], [np.eye(2), np.zeros((2, 2))]])


def nesterov(step, sigma, momentum, decay=0.0):
    ahead = np.block([(1 + momentum) * np.eye(2), -momentum * np.eye(2)])
    return np.block([[descent(step, sigma, decay) @ ahead], [np.eye(2), np.zeros((2, 2))]])


def l2_decay(step, sigma, decay):
    return descent(step, sigma) - step * decay * np.eye(2)


def decoupled(step, sigma, decay):
    return (1 - step * decay) * descent(step, sigma)


def in_turn(step, sigma):
    second = np.array([[1.0, 0.0], [step * sigma, 1.0]])
    first = np.array([[1.0, step * sigma], [0.0, 1.0]])
    return first @ second


def stale(step, sigma, delay):
    blocks = np.eye(2 * (delay + 1), k=-2)
    blocks[:2, :2] += np.eye(2)
    blocks[:2, -2:] += step * saddle(sigma)
    return blocks


CASES = [
    (DescentGrowth(), descent, ()),
    *((HeavyBallGrowth(beta), heavy_ball, (beta,)) for beta in (0.0, 0.5, 0.9, 0.99)),
    *((NesterovGrowth(beta), nesterov, (beta,)) for beta in (0.0, 0.5, 0.9, 0.99)),
    (L2DecayGrowth(0.15), l2_decay, (0.15,)),
    (DecoupledDecayGrowth(0.15), decoupled, (0.15,)),
    (DecayedGrowth(DescentGrowth(), 0.15), descent, (0.15,)),
    (DecayedGrowth(HeavyBallGrowth(0.9), 0.15), heavy_ball, (0.9, 0.15)),
    (DecayedGrowth(NesterovGrowth(0.9), 0.15), nesterov, (0.9, 0.15)),
    (LayersInTurnGrowth(), in_turn, ()),
    *((StaleGradientGrowth(delay), stale, (delay,)) for delay in (1, 4, 16)),
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("rule", "matrix", "options"), CASES)
def test_growth_is_the_top_eigenvalue_of_the_recursion(rule, matrix, options, step):
    for sigma in SIGMA:
        eigenvalues = np.linalg.eigvals(matrix(step, sigma, *options))
        top = eigenvalues[np.argmax(eigenvalues.real)].real
        assert_allclose(np.exp(rule.growth(step, sigma)), top, rtol=1e-9)


@pytest.mark.parametrize(
    "rule", [HeavyBallGrowth(0.9), NesterovGrowth(0.9)], ids=["heavy ball", "Nesterov"]
)
@pytest.mark.parametrize("decay", [0.51, 0.6, 2.0])
def test_a_mode_weaker_than_decay_dies_as_fast_as_its_roots_are_large(rule, decay):
    """One scalar recursion at x = η(σ − μ); its roots are complex for the larger decays."""
    step, sigma = 0.1, 0.5
    x, beta = step * (sigma - decay), 0.9
    middle, product = (1 + beta + x, beta)
    if isinstance(rule, NesterovGrowth):
        middle, product = (1 + beta) * (1 + x), beta * (1 + x)
    expected = np.log(np.abs(np.roots([1, -middle, product])).max())
    assert_allclose(DecayedGrowth(rule, decay).growth(step, sigma), expected, rtol=1e-9)
    assert expected < 0


@pytest.mark.parametrize("momentum", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("x", [1e-12, 1e-6, 1e-4, 0.01, 0.3, 2.0])
def test_the_roots_of_momentum_keep_their_digits(momentum, x):
    with localcontext() as context:
        context.prec = 60
        beta, step = Decimal(momentum), Decimal(x)
        for rule, linear, constant in (
            (HeavyBallGrowth(momentum), 1 + beta + step, beta),
            (NesterovGrowth(momentum), (1 + beta) * (1 + step), beta * (1 + step)),
        ):
            z = (linear + (linear**2 - 4 * constant).sqrt()) / 2
            assert_allclose(rule.growth(x, 1.0), float(z.ln()), rtol=1e-13)


@pytest.mark.parametrize("delay", [1, 4, 16, 64])
def test_the_root_of_stale_gradients_keeps_its_digits(delay):
    for x in (1e-9, 1e-3, 0.4, 50.0):
        growth = float(StaleGradientGrowth(delay).growth(x, 1.0))
        with localcontext() as context:
            context.prec = 40
            z = Decimal(growth).exp()
            assert_allclose(float(z**delay * (z - 1)), x, rtol=1e-12)


@pytest.mark.parametrize("rule", [rule for rule, _, _ in CASES], ids=str)
def test_sensitivity_is_the_derivative_of_growth(rule):
    sigma, h = np.array([0.002, 0.1, 0.5]), 1e-6
    sigma = sigma + getattr(rule, "decay", 0.0)  # of modes that grow
    slope = (rule.growth(1.0, sigma + h) - rule.growth(1.0, sigma - h)) / (2 * h)
    assert_allclose(rule.sensitivity(1.0, sigma), slope, rtol=1e-5)


def test_the_effective_step_is_the_limit_of_small_steps_and_far_off_beyond():
    for rule in (HeavyBallGrowth(0.9), NesterovGrowth(0.9)):
        assert_allclose(rule.growth(1e-7, 1.0), np.log1p(rule.speed(1e-7)), rtol=1e-4)
        assert rule.growth(0.1, 1.0) < np.log1p(rule.speed(0.1)) / 2


def test_heavy_ball_at_a_tenth():
    z = np.exp(HeavyBallGrowth(0.9).growth(0.1, 1.0))
    assert z == pytest.approx(1 + np.sqrt(0.1))


def test_decay_ends_where_growth_stops():
    step = 0.6
    for rule in (L2DecayGrowth(0.15), DecoupledDecayGrowth(0.15)):
        lost = SIGMA - rule.end(step, SIGMA)
        assert_allclose(rule.growth(step, lost), 0, atol=1e-12)
    assert L2DecayGrowth(0.3).end(step, 0.2) == 0


@pytest.mark.parametrize(
    ("name", "rule", "act"),
    [
        ("l2", L2DecayGrowth(0.15), lambda w, d, s, m: w + s * (d - m * w)),
        ("decoupled", DecoupledDecayGrowth(0.15), lambda w, d, s, m: (1 - s * m) * (w + s * d)),
    ],
)
def test_a_scalar_network_ends_there_after_the_time_that_growth_says(name, rule, act):
    step, sigma, lam = 0.3, 0.8, 0.7
    times = []
    for delta in (20.0, 60.0):
        first = second = np.exp(-delta)
        wanted, iteration = float(rule.end(step, sigma)) / (2 * lam), 0
        while first * second < wanted:
            residual = sigma - lam * first * second
            first, second = (
                act(first, residual * second, step, 0.15),
                act(second, residual * first, step, 0.15),
            )
            iteration += 1
        times.append(iteration)
    assert_allclose(40.0 / (times[1] - times[0]), rule.growth(step, sigma), rtol=0.01)
    for _ in range(2000):
        residual = sigma - lam * first * second
        first, second = (
            act(first, residual * second, step, 0.15),
            act(second, residual * first, step, 0.15),
        )
    assert lam * first * second == pytest.approx(float(rule.end(step, sigma)), rel=1e-9)


def test_a_constant_schedule_is_the_plain_law():
    found = schedule_learning_iteration(SIGMA, 12.0, np.full(2000, 0.2))
    assert_allclose(found, learning_iteration(SIGMA, 12.0, 0.2), rtol=1e-12)


def test_a_schedule_counts_every_step_by_its_own_growth():
    steps = np.array([0.5, 0.1] * 500)
    pair = np.log1p(0.5 * 0.8) + np.log1p(0.1 * 0.8)
    assert schedule_learning_iteration(0.8, 10 * pair, steps) == pytest.approx(20)
    assert schedule_learning_iteration(0.8, 1e9, steps) == np.inf

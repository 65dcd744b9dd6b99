import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.kinds.aligned import AlignedData
from stagewise.data.kinds.autoencoder import AutoencoderData
from stagewise.data.kinds.low_rank_regression import LowRankRegressionData
from stagewise.data.kinds.random_modes import RandomModesData
from stagewise.data.synthetic import random_orthogonal
from stagewise.problems.problem import Problem

FRAMES = ["random", "coordinate"]


def off_diagonal(matrix: np.ndarray) -> float:
    return float(np.abs(matrix - np.diag(np.diag(matrix))).max())


def assert_commuting(problem: Problem) -> None:
    """Assumption 1 with B = 0: the left singular vectors diagonalise sigma_x."""
    left = problem.modes.left
    assert left.shape[1] == problem.dim_in
    assert off_diagonal(left.T @ problem.sigma_x @ left) < 1e-13 * problem.eigenvalues[-1]


@pytest.mark.parametrize("size", [1, 2, 20])
def test_a_random_orthogonal_matrix_is_orthogonal(size):
    matrix = random_orthogonal(size, np.random.default_rng(0))
    assert_allclose(matrix.T @ matrix, np.eye(size), atol=1e-14)


def test_random_orthogonal_matrices_follow_the_haar_measure():
    # Haar: entries of mean 0 and variance 1/n, and E(tr) = 0, E(tr²) = 1. Without the correction
    # of signs the diagonal of a QR factor is one-sided, which the trace shows.
    random = np.random.default_rng(1)
    matrices = np.array([random_orthogonal(3, random) for _ in range(4000)])
    traces = np.trace(matrices, axis1=1, axis2=2)
    assert abs(traces.mean()) < 5 / np.sqrt(4000)
    assert abs((traces**2).mean() - 1) < 5 * np.std(traces**2) / np.sqrt(4000)
    assert np.all(np.abs(matrices.mean(axis=0)) < 5 / np.sqrt(3 * 4000))
    assert_allclose((matrices**2).mean(axis=0), np.full((3, 3), 1 / 3), atol=0.03)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("lam", [None, [0.1, 4.0, 1.0]])
@pytest.mark.parametrize("sigma", [[1.0, 0.5, 0.25], [0.25, 1.0, 0.5]])
def test_aligned_moments_have_the_sigma_and_lam_prescribed_and_commute(frame, lam, sigma):
    spec = AlignedData(kind="aligned", sigma=sigma, lam=lam, frame=frame)
    moments = spec.draw(np.random.default_rng(2))
    problem = moments.problem(centred=True)
    order = np.argsort(sigma)[::-1]
    assert_allclose(problem.modes.sigma, np.array(sigma)[order], rtol=1e-13)
    assert_allclose(problem.modes.lam, np.array(lam or sigma)[order], rtol=1e-13)
    assert_commuting(problem)
    assert moments.n == 0


def test_the_coordinate_frame_gives_diagonal_matrices_exactly():
    spec = AlignedData(kind="aligned", sigma=[1.0, 0.5], lam=[2.0, 3.0], frame="coordinate")
    moments = spec.draw(np.random.default_rng(3))
    assert moments.sigma_x.tolist() == [[2.0, 0.0], [0.0, 3.0]]
    assert moments.sigma_xy.tolist() == [[1.0, 0.0], [0.0, 0.5]]


def test_random_frames_mix_all_coordinates_and_differ_from_draw_to_draw():
    spec = AlignedData(kind="aligned", sigma=[1.0, 0.5, 0.25])
    one, other = (spec.draw(np.random.default_rng(seed)) for seed in (4, 5))
    assert np.abs(one.sigma_x).min() > 1e-3
    assert np.abs(one.sigma_x - other.sigma_x).max() > 1e-2
    assert np.abs(one.sigma_xy - one.sigma_xy.T).max() > 1e-2


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("modes", [1, 2, 5])
@pytest.mark.parametrize("seed", range(5))
def test_random_modes_commute_and_lie_in_the_ranges_prescribed(frame, modes, seed):
    spec = RandomModesData(
        kind="random_modes", modes=modes, sigma_ratio=0.3, lam_range=[0.5, 2.0], frame=frame
    )
    problem = spec.draw(np.random.default_rng(seed)).problem(centred=True)
    sigma, lam = problem.modes.sigma, problem.modes.lam
    assert_commuting(problem)
    assert len(sigma) == modes
    assert_allclose(sigma[0], 1.0, rtol=1e-13)
    assert sigma.min() >= 0.3 * (1 - 1e-12)
    assert np.all((lam / sigma >= 0.5 * (1 - 1e-12)) & (lam / sigma <= 2.0 * (1 + 1e-12)))


@pytest.mark.parametrize("seed", range(5))
def test_random_modes_are_listed_strongest_first(seed):
    spec = RandomModesData(kind="random_modes", modes=4, frame="coordinate")
    strengths = np.diag(spec.draw(np.random.default_rng(seed)).sigma_xy)
    assert strengths[0] == 1.0
    assert (np.diff(strengths) < 0).all()


def test_sigma_is_uniform_and_lam_over_sigma_log_uniform():
    spec = RandomModesData(kind="random_modes", modes=3, sigma_ratio=0.2, lam_range=[0.2, 5.0])
    random = np.random.default_rng(6)
    modes = [spec.draw(random).problem(centred=True).modes for _ in range(600)]
    weaker = np.array([each.sigma[1:] for each in modes]).ravel()
    shares = np.sort((weaker - 0.2) / 0.8)
    logs = np.array([np.log(each.lam / each.sigma) for each in modes]).ravel()
    shares_of_logs = np.sort((logs - np.log(0.2)) / np.log(25.0))
    for values in (shares, shares_of_logs):
        # Kolmogorov–Smirnov distance from the uniform law; 1.95/√n is exceeded once in a thousand.
        steps = np.arange(1, len(values) + 1) / len(values)
        assert np.abs(values - steps).max() < 1.95 / np.sqrt(len(values))


def test_equal_lam_gives_all_modes_of_a_draw_one_lam_that_differs_between_draws():
    spec = RandomModesData(kind="random_modes", modes=3, equal_lam=True)
    random = np.random.default_rng(7)
    lams = [spec.draw(random).problem(centred=True).modes.lam for _ in range(2)]
    assert_allclose(lams[0], lams[0][0], rtol=1e-13)
    assert abs(lams[0][0] - lams[1][0]) > 1e-3


def test_an_autoencoder_has_its_inputs_as_outputs():
    spec = AutoencoderData(kind="autoencoder")
    moments = spec.draw(np.random.default_rng(8))
    assert moments.sigma_xy.tobytes() == moments.sigma_x.tobytes()
    assert moments.mean_y.tobytes() == moments.mean_x.tobytes()
    assert_allclose(moments.tr_yy, np.trace(moments.sigma_x), rtol=1e-13)
    assert moments.n == 1000


@pytest.mark.parametrize("centred", [True, False])
def test_sigma_equals_lam_in_an_autoencoder(centred):
    spec = AutoencoderData(kind="autoencoder", noise=0.1)
    problem = spec.draw(np.random.default_rng(9)).problem(centred)
    assert_allclose(problem.modes.lam, problem.modes.sigma, rtol=1e-9)
    assert_allclose(problem.modes.sigma, problem.eigenvalues[::-1], rtol=1e-9)
    assert_commuting(problem)


@pytest.mark.parametrize("noise", [1e-3, 1e-2])
def test_the_spectrum_of_an_autoencoder_is_its_rank_above_a_floor_of_noise(noise):
    spec = AutoencoderData(kind="autoencoder", noise=noise)
    problem = spec.draw(np.random.default_rng(10)).problem(centred=True)
    signal, floor = problem.modes.sigma[:10], problem.modes.sigma[10:]
    # Marchenko–Pastur for 10 of 20 dimensions: noise²·(1 ± √(10/1000))².
    edge = np.sqrt(10 / 1000)
    assert np.all(floor > noise**2 * (1 - 1.5 * edge) ** 2)
    assert np.all(floor < noise**2 * (1 + 1.5 * edge) ** 2)
    assert len(floor) == 10
    assert signal[-1] > 2 * floor[0]


def test_the_spectrum_of_an_autoencoder_is_that_of_mixed_factors_with_halving_variances():
    spec = AutoencoderData(kind="autoencoder", samples=100_000, dim=6, rank=3, noise=0.0)
    problem = spec.draw(np.random.default_rng(11)).problem(centred=True)
    mixing = np.random.default_rng(11).uniform(size=(6, 3))
    expected = mixing @ np.diag([4.0, 2.0, 1.0]) @ mixing.T
    assert_allclose(problem.sigma_x, expected, rtol=0.03)
    assert len(problem.modes.sigma) == 3


@pytest.mark.parametrize(("dim_in", "dim_out", "rank"), [(8, 5, 3), (4, 6, 4), (5, 5, 1)])
def test_a_regression_has_the_teacher_as_its_limit(dim_in, dim_out, rank):
    def teacher_of(samples: int) -> np.ndarray:
        spec = LowRankRegressionData(
            kind="low_rank_regression", dim_in=dim_in, dim_out=dim_out, rank=rank, samples=samples
        )
        drawn = spec.draw(np.random.default_rng(12))
        return drawn.problem(centred=False).least_squares

    # The teacher is drawn before the samples, so that both sizes share it; the error of one
    # entry is noise/√samples.
    rough, fine = teacher_of(1000), teacher_of(100_000)
    strengths = np.linalg.svd(fine, compute_uv=False)
    assert_allclose(strengths[:rank], np.arange(rank, 0, -1), atol=5e-3)
    assert np.all(strengths[rank:] < 5e-3)
    assert np.abs(rough - fine).max() < 5 * 0.1 / np.sqrt(1000)


@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0])
def test_input_coordinates_of_a_regression_have_the_variances_prescribed(decay):
    spec = LowRankRegressionData(
        kind="low_rank_regression", dim_in=6, dim_out=3, samples=100_000, input_decay=decay
    )
    sigma_x = spec.draw(np.random.default_rng(13)).sigma_x
    expected = np.arange(1, 7) ** -decay
    assert_allclose(np.diag(sigma_x), expected, rtol=0.02)
    scaled = sigma_x / np.sqrt(np.outer(expected, expected))
    assert off_diagonal(scaled) < 5 / np.sqrt(100_000)


def test_what_the_teacher_leaves_of_a_regression_is_noise_of_the_size_prescribed():
    spec = LowRankRegressionData(
        kind="low_rank_regression", dim_in=6, dim_out=4, samples=50_000, noise=0.3
    )
    moments = spec.draw(np.random.default_rng(14))
    fit = moments.problem(centred=False).least_squares
    left = moments.tr_yy - np.sum(moments.sigma_xy * fit)
    assert_allclose(left / 4, 0.3**2, rtol=0.02)


def test_without_noise_a_regression_is_the_teacher_exactly():
    spec = LowRankRegressionData(
        kind="low_rank_regression", dim_in=6, dim_out=4, samples=50, noise=0.0
    )
    moments = spec.draw(np.random.default_rng(15))
    strengths = np.linalg.svd(moments.problem(centred=False).least_squares, compute_uv=False)
    assert_allclose(strengths, [3.0, 2.0, 1.0, 0.0], atol=1e-12)

"""Descent against closed forms, an independent recursion, and its own invariances."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stagewise.data.synthetic import aligned, random_orthogonal
from stagewise.dynamics import (
    gradient_descent,
    mode_recursion,
)
from stagewise.dynamics.first_weights import initial_weights, layer_shapes
from stagewise.dynamics.observables import OBSERVABLES
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem
from stagewise.theory import linear_model, two_layer_flow

SIGMA = np.array([1.0, 0.6, 0.3])
LAM = np.array([0.8, 1.1, 0.5])


def problem(seed=0, frame="random"):
    moments = aligned(SIGMA, LAM, frame, np.random.default_rng(seed))
    return Problem(moments.sigma_x, moments.sigma_xy)


def generic_problem(seed, dim_in=6, dim_out=4):
    generator = np.random.default_rng(seed)
    inputs = generator.standard_normal((40, dim_in))
    outputs = inputs @ generator.standard_normal((dim_in, dim_out))
    return Problem(inputs.T @ inputs / 40, inputs.T @ outputs / 40)


def plain_descent(task, weights, step_size, steps):
    """Independent implementation in the problem's own coordinates."""
    weights = [each.copy() for each in weights]
    for _ in range(steps):
        product = np.linalg.multi_dot(weights) if len(weights) > 1 else weights[0]
        residual = task.sigma_xy - task.sigma_x @ product
        updates = []
        for position in range(len(weights)):
            before, after = np.eye(task.dim_in), np.eye(task.dim_out)
            for layer in weights[:position]:
                before = before @ layer
            for layer in reversed(weights[position + 1 :]):
                after = layer @ after
            updates.append(before.T @ residual @ after.T)
        weights = [old + step_size * new for old, new in zip(weights, updates, strict=True)]
    return np.linalg.multi_dot(weights) if len(weights) > 1 else weights[0]


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_the_batched_engine_is_plain_gradient_descent(depth):
    task = generic_problem(depth)
    generator = np.random.default_rng(depth)
    weights = [0.5 * generator.standard_normal(shape) for shape in layer_shapes(6, 4, 5, depth)]
    trajectory = gradient_descent(task, weights, 0.02, [0, 7, 30], keep_products=True)
    for record, steps in enumerate((0, 7, 30)):
        place = np.flatnonzero(trajectory.iterations == steps)[0]
        expected = plain_descent(task, weights, 0.02, steps)
        assert_allclose(trajectory.products[place], expected, rtol=1e-11, atol=1e-12), record


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("width", [3, 5])
def test_an_aligned_start_reduces_to_the_mode_recursion(depth, width):
    task = problem(frame="coordinate")
    delta = 3.0 if depth == 2 else 1.0
    weights = initial_weights(task, "aligned", depth, width, delta, np.random.default_rng(1))
    records = np.arange(0, 400, 5)
    trajectory = gradient_descent(task, weights, 0.1, records)
    recursion = mode_recursion(SIGMA, LAM, delta, 0.1, depth, records)
    assert_allclose(trajectory.mode_strengths, recursion, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_random_frames_change_nothing(seed):
    delta, records = 3.0, np.arange(0, 300, 10)
    task = problem(seed)
    weights = initial_weights(task, "aligned", 2, 3, delta, np.random.default_rng(seed))
    trajectory = gradient_descent(task, weights, 0.1, records)
    recursion = mode_recursion(SIGMA, LAM, delta, 0.1, 2, records)
    assert_allclose(trajectory.mode_strengths, recursion, rtol=1e-9)


def deviation_from_flow(step_size):
    task = problem()
    weights = initial_weights(task, "aligned", 2, 3, 2.0, np.random.default_rng(2))
    records = np.round(np.linspace(0, 12, 40) / step_size).astype(int)
    trajectory = gradient_descent(task, weights, step_size, records)
    flow = two_layer_flow(SIGMA, LAM, 2.0, trajectory.iterations * step_size)
    return np.abs(trajectory.mode_strengths - flow).max()


def test_descent_converges_to_the_closed_form_at_first_order_in_the_step():
    errors = np.array([deviation_from_flow(step) for step in (0.04, 0.02, 0.01, 0.005)])
    orders = np.log2(errors[:-1] / errors[1:])
    assert_allclose(orders, 1.0, atol=0.05)


def test_one_layer_is_the_linear_model_in_closed_form():
    task = generic_problem(5)
    start = np.random.default_rng(0).standard_normal((6, 4))
    records = np.array([0, 1, 10, 100, 1000])
    trajectory = gradient_descent(task, [start], 0.1, records, keep_products=True)
    assert_allclose(
        trajectory.products, linear_model(task, start, 0.1, records), rtol=1e-10, atol=1e-12
    )


def test_recorded_scalars_are_what_their_names_say():
    task = generic_problem(3)
    generator = np.random.default_rng(3)
    weights = [0.4 * generator.standard_normal(shape) for shape in layer_shapes(6, 4, 4, 3)]
    trajectory = gradient_descent(task, weights, 0.01, [0, 20], keep_products=True)
    product = trajectory.products[-1]
    fit = task.least_squares

    def loss(matrix):
        return 0.5 * np.trace(matrix.T @ task.sigma_x @ matrix) - np.sum(task.sigma_xy * matrix)

    values = np.linalg.svd(product, compute_uv=False)
    assert_allclose(trajectory.loss[-1], loss(product) - loss(fit), rtol=1e-10)
    assert_allclose(trajectory.trace_norm[-1], values.sum(), rtol=1e-12)
    responses = np.linalg.svd(task.sigma_x @ product, compute_uv=False)
    assert_allclose(trajectory.response_values[-1], responses, rtol=1e-10)
    strengths = np.diag(task.modes.left.T @ product @ task.modes.right)
    assert_allclose(trajectory.mode_strengths[-1], strengths, rtol=1e-10)


def test_the_gradient_norm_agrees_with_finite_differences():
    task = generic_problem(4)
    generator = np.random.default_rng(4)
    weights = [0.5 * generator.standard_normal(shape) for shape in layer_shapes(6, 4, 3, 3)]

    def loss(layers):
        product = np.linalg.multi_dot(layers)
        return 0.5 * np.sum(product * (task.sigma_x @ product)) - np.sum(task.sigma_xy * product)

    total, width = 0.0, 1e-5
    for layer in range(3):
        for place in np.ndindex(weights[layer].shape):
            moved = [[each.copy() for each in weights] for _ in range(2)]
            moved[0][layer][place] += width
            moved[1][layer][place] -= width
            total += ((loss(moved[0]) - loss(moved[1])) / (2 * width)) ** 2
    trajectory = gradient_descent(task, weights, 0.01, [0])
    assert_allclose(trajectory.gradient_norm[0], np.sqrt(total), rtol=1e-8)


@pytest.mark.parametrize(("dim_in", "dim_out", "width"), [(2, 2, 2), (7, 3, 4), (20, 20, 20)])
def test_a_run_is_the_same_bits_alone_and_in_any_batch(dim_in, dim_out, width):
    tasks = [generic_problem(seed, dim_in, dim_out) for seed in range(5)]
    runs = [
        initial_weights(task, "gaussian", 2, width, 2.0, np.random.default_rng(seed))
        for seed, task in enumerate(tasks)
    ]
    steps = np.array([0.02, 0.03, 0.01, 0.02, 0.015])
    ends = np.array([400, 300, 400, 100, 250])
    records = np.array([0, 1, 5, 20, 100, 150, 250, 300, 400])

    def train(chosen):
        layers = [np.stack([runs[run][layer] for run in chosen]) for layer in range(2)]
        picked = [tasks[run] for run in chosen]
        return gradient_descent(picked, layers, steps[chosen], records, stop_at=ends[chosen])

    together = train([3, 1, 4, 0, 2])
    for place, run in enumerate([3, 1, 4, 0, 2]):
        alone = train([run])
        for name in ("iterations", "loss", "gradient_norm", "mode_strengths", "response_values"):
            mine, batched = getattr(alone, name)[0], getattr(together, name)[place]
            assert_array_equal(batched[: len(mine)], mine, err_msg=name)


def test_records_asked_for_do_not_depend_on_which_others_are():
    task = problem()
    weights = initial_weights(task, "gaussian", 2, 3, 4.0, np.random.default_rng(7))
    dense = gradient_descent(task, weights, 0.1, np.arange(0, 301, 10))
    sparse = gradient_descent(task, weights, 0.1, [0, 50, 300])
    for iteration in (0, 50, 300):
        mine = dense.loss[dense.iterations == iteration]
        assert_array_equal(mine, sparse.loss[sparse.iterations == iteration])


def test_records_are_exactly_those_asked_for_and_the_same_bits_while_learning_times_are_located():
    task = problem()
    weights = initial_weights(task, "gaussian", 2, 3, 10.0, np.random.default_rng(0))
    records = [7, 100, 1000, 2000]
    located, plain = (
        gradient_descent(task, weights, 0.05, records, refine=refine) for refine in (True, False)
    )
    assert_array_equal(located.iterations, records)
    for name in ("loss", "gradient_norm", "response_values", "mode_strengths"):
        assert_array_equal(getattr(located, name), getattr(plain, name))
    every = gradient_descent(task, weights, 0.05, np.arange(2001))
    assert_allclose(located.learning_iteration, every.learning_iteration, atol=0.5, rtol=2e-3)
    assert np.abs(plain.learning_iteration - every.learning_iteration).max() > 10


def test_one_run_has_no_axis_of_runs_and_a_batch_of_one_has():
    task = problem()
    weights = initial_weights(task, "gaussian", 2, 3, 4.0, np.random.default_rng(0))
    alone = gradient_descent(task, weights, 0.1, [0, 10], keep_products=True, keep_weights=True)
    batch = gradient_descent(
        task, [each[None] for each in weights], 0.1, [0, 10], keep_products=True, keep_weights=True
    )
    assert str(alone.status) == "ok"
    for name, value in vars(batch).items():
        mine = getattr(alone, name)
        for one, many in zip(mine, value, strict=True) if name == "weights" else [(mine, value)]:
            assert many.shape[0] == 1, name
            assert_array_equal(one, many[0])


def test_what_is_not_asked_for_is_nan_in_the_same_shape():
    task = problem()
    weights = initial_weights(task, "gaussian", 2, 3, 4.0, np.random.default_rng(0))
    few = gradient_descent(task, weights, 0.1, [0, 10], observables=["mode_strengths"])
    every = gradient_descent(task, weights, 0.1, [0, 10])
    for name in OBSERVABLES:
        assert getattr(few, name).shape == getattr(every, name).shape
        assert np.isnan(getattr(few, name)).all() == (name != "mode_strengths")
    assert_array_equal(few.mode_strengths, every.mode_strengths)


def test_a_diverging_run_ends_with_its_status_and_leaves_the_others_alone():
    task = problem()
    weights = [
        np.stack(layers)
        for layers in zip(
            *(
                initial_weights(task, "gaussian", 2, 3, 1.0, np.random.default_rng(seed))
                for seed in range(2)
            ),
            strict=True,
        )
    ]
    both = gradient_descent(task, weights, np.array([0.1, 5.0]), [0, 10, 100, 1000])
    alone = gradient_descent(task, [each[0] for each in weights], 0.1, [0, 10, 100, 1000])
    assert both.status.tolist() == ["ok", "diverged"]
    assert_array_equal(both.loss[0][: len(alone.loss)], alone.loss)
    recorded = both.iterations[1] >= 0
    assert np.isfinite(both.loss[1][recorded]).all()
    assert both.iterations[1][recorded].max() < 1000


def test_rank_deficient_inputs_keep_what_the_data_do_not_see():
    generator = np.random.default_rng(8)
    inputs = generator.standard_normal((3, 6))
    outputs = generator.standard_normal((3, 2))
    task = Problem(inputs.T @ inputs / 3, inputs.T @ outputs / 3)
    start = generator.standard_normal((6, 2))
    end = gradient_descent(task, [start], 0.1, [0, 2000], keep_products=True).products[-1]
    unseen = random_orthogonal(6, generator)[:, :0]
    unseen = np.linalg.svd(inputs)[2][3:].T
    assert_allclose(unseen.T @ end, unseen.T @ start, atol=1e-10)
    assert_allclose(inputs @ end, outputs, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"record_at": [5, 3]}, "ascending iterations"),
        ({"record_at": []}, "ascending iterations"),
        ({"record_at": [0.5, 1]}, "ascending iterations"),
        ({"step_size": 0.0}, "step_size is 0.0; it must be one positive number"),
        ({"step_size": np.ones(2)}, "or one per run"),
        ({"observables": ["losses"]}, "'losses' is no observable; there are loss, "),
        ({"weights": [np.zeros((6, 3)), np.zeros((2, 4))]}, "their product must be"),
        ({"weights": [np.zeros((5, 3)), np.zeros((3, 4))]}, "their product must be"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_in_a_sentence(change, sentence):
    given = {
        "weights": [np.zeros((6, 3)), np.zeros((3, 4))],
        "step_size": 0.1,
        "record_at": [0, 1],
    } | change
    with pytest.raises(StagewiseError, match=sentence):
        gradient_descent(generic_problem(0), **given)


def test_one_problem_too_few_is_refused():
    with pytest.raises(StagewiseError, match="2 problems and 3 runs"):
        gradient_descent([generic_problem(0)] * 2, [np.zeros((3, 6, 4))], 0.1, [0])

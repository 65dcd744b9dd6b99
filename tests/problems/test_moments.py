import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments, stream_moments

FIELDS = ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n")


def data(count: int = 40, dim_in: int = 4, dim_out: int = 3, seed: int = 0):
    random = np.random.default_rng(seed)
    return random.uniform(size=(count, dim_in)), random.normal(2.0, 1.0, (count, dim_out))


def assert_same(one: Moments, other: Moments) -> None:
    for field in FIELDS:
        assert_allclose(getattr(one, field), getattr(other, field), rtol=1e-12, err_msg=field)


def test_the_moments_of_a_block_are_their_definitions():
    inputs, outputs = data()
    moments = Moments.of_block(inputs, outputs)
    assert_allclose(moments.sigma_x, np.einsum("ni,nj->ij", inputs, inputs) / 40, rtol=1e-13)
    assert_allclose(moments.sigma_xy, np.einsum("ni,nj->ij", inputs, outputs) / 40, rtol=1e-13)
    assert_allclose(moments.mean_x, inputs.sum(axis=0) / 40, rtol=1e-13)
    assert_allclose(moments.mean_y, outputs.sum(axis=0) / 40, rtol=1e-13)
    assert_allclose(moments.tr_yy, np.trace(outputs.T @ outputs) / 40, rtol=1e-13)
    assert moments.n == 40


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_any_split_merged_in_any_order_gives_the_same_moments(sizes, choices):
    inputs, outputs = data(sum(sizes))
    cuts = np.cumsum(sizes)[:-1]
    parts = [
        Moments.of_block(*block)
        for block in zip(np.split(inputs, cuts), np.split(outputs, cuts), strict=True)
    ]
    while len(parts) > 1:
        one = parts.pop(choices.draw(st.integers(0, len(parts) - 1)))
        other = parts.pop(choices.draw(st.integers(0, len(parts) - 1)))
        parts.append(one.merged(other))
    assert_same(parts[0], Moments.of_block(inputs, outputs))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 50), st.integers(1, 60))
def test_streaming_blocks_of_any_size_gives_the_same_moments(count, size):
    inputs, outputs = data(count)
    starts = range(0, count, size)
    streamed = stream_moments((inputs[at : at + size], outputs[at : at + size]) for at in starts)
    assert_same(streamed, Moments.of_block(inputs, outputs))


def test_streaming_takes_blocks_one_by_one():
    inputs, outputs = data(6)
    taken: list[int] = []

    def blocks():
        for at in range(6):
            taken.append(at)
            yield inputs[at : at + 1], outputs[at : at + 1]
            assert taken == list(range(at + 1))

    assert stream_moments(blocks()).n == 6


@pytest.mark.parametrize("dim_out", [1, 3])
@pytest.mark.parametrize("dim_in", [1, 4])
def test_centring_moments_equals_centring_the_data(dim_in, dim_out):
    inputs, outputs = data(40, dim_in, dim_out)
    centred = Moments.of_block(inputs, outputs).problem(centred=True)
    explicit = Moments.of_block(inputs - inputs.mean(axis=0), outputs - outputs.mean(axis=0))
    assert_allclose(centred.sigma_x, explicit.sigma_x, atol=1e-14)
    assert_allclose(centred.sigma_xy, explicit.sigma_xy, atol=1e-14)


def test_without_centring_the_problem_has_the_raw_moments():
    inputs, outputs = data()
    raw = Moments.of_block(inputs, outputs).problem(centred=False)
    assert_allclose(raw.sigma_x, inputs.T @ inputs / 40, rtol=1e-13)
    assert_allclose(raw.sigma_xy, inputs.T @ outputs / 40, rtol=1e-13)


def test_shifting_the_data_changes_no_centred_moment():
    inputs, outputs = data()
    one = Moments.of_block(inputs, outputs).problem(centred=True)
    other = Moments.of_block(inputs + 5.0, outputs - 3.0).problem(centred=True)
    assert_allclose(one.sigma_x, other.sigma_x, atol=1e-12)
    assert_allclose(one.sigma_xy, other.sigma_xy, atol=1e-12)


def test_prescribed_moments_have_no_samples_no_means_and_an_exact_fit():
    sigma_x, sigma_xy = np.diag([2.0, 0.5]), np.array([[1.0, 0.0, 0.0], [0.0, 0.25, 0.0]])
    moments = Moments.prescribed(sigma_x, sigma_xy)
    assert moments.n == 0
    assert_allclose(moments.mean_x, np.zeros(2))
    assert_allclose(moments.mean_y, np.zeros(3))
    # The fit is y = Wᵀx with W = diag(.5, .5), so that tr E[yyᵀ] = tr Wᵀ sigma_x W.
    assert_allclose(moments.tr_yy, 0.5**2 * 2.0 + 0.5**2 * 0.5, rtol=1e-14)


@pytest.mark.parametrize("centred", [True, False])
def test_prescribed_moments_are_the_problem_centred_or_not(centred):
    problem = Moments.prescribed(np.diag([2.0, 0.5]), np.eye(2)).problem(centred)
    assert problem.sigma_x.tolist() == [[2.0, 0.0], [0.0, 0.5]]
    assert problem.sigma_xy.tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("inputs", "outputs", "sentence"),
    [
        (
            np.ones((3, 2)),
            np.ones((4, 1)),
            "Inputs have shape (3, 2) and outputs (4, 1); they must be (n, dim_in) and "
            "(n, dim_out) with the same n.",
        ),
        (
            np.ones(3),
            np.ones((3, 1)),
            "Inputs have shape (3,) and outputs (3, 1); they must be (n, dim_in) and "
            "(n, dim_out) with the same n.",
        ),
        (
            np.ones((3, 2)),
            np.ones(3),
            "Inputs have shape (3, 2) and outputs (3,); they must be (n, dim_in) and "
            "(n, dim_out) with the same n.",
        ),
        (
            np.ones((0, 2)),
            np.ones((0, 1)),
            "A block of data holds no samples; at least one is needed.",
        ),
    ],
)
def test_blocks_that_do_not_fit_are_refused_in_a_sentence(inputs, outputs, sentence):
    with pytest.raises(StagewiseError) as caught:
        Moments.of_block(inputs, outputs)
    assert str(caught.value) == sentence


def test_a_stream_without_blocks_is_refused_in_a_sentence():
    with pytest.raises(StagewiseError) as caught:
        stream_moments([])
    assert str(caught.value) == "The data set holds no samples; at least one is needed."


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("other", ["data", "prescribed"])
def test_prescribed_moments_cannot_be_merged(other, order):
    prescribed = Moments.prescribed(np.eye(4), np.ones((4, 3)))
    partner = Moments.of_block(*data()) if other == "data" else prescribed
    one, two = (prescribed, partner)[::order]
    with pytest.raises(StagewiseError) as caught:
        one.merged(two)
    assert str(caught.value) == ("Prescribed moments carry no sample count and cannot be merged.")


@pytest.mark.parametrize("shape", [{"dim_in": 1}, {"dim_out": 1}, {"dim_in": 5}])
def test_moments_of_other_dimensions_cannot_be_merged(shape):
    with pytest.raises(StagewiseError, match="dim"):
        Moments.of_block(*data()).merged(Moments.of_block(*data(**shape)))

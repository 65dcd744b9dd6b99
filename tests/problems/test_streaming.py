import tracemalloc
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments, stream_moments

FIELDS = ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n")


def blocks(sizes: list[int], dim_in: int = 5, dim_out: int = 3):
    random = np.random.default_rng(0)
    for size in sizes:
        yield random.uniform(size=(size, dim_in)), random.standard_normal((size, dim_out))


def assert_same(one: Moments, other: Moments) -> None:
    for field in FIELDS:
        assert_allclose(getattr(one, field), getattr(other, field), rtol=1e-12, atol=1e-14)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(1, 7), st.data())
def test_streams_equal_merged_blocks_and_merged_shards_to_rounding(sizes, dim_in, data):
    parts = list(blocks(sizes, dim_in))
    streamed = stream_moments(parts)
    assert_same(streamed, reduce(Moments.merged, [Moments.of_block(*part) for part in parts]))
    shards = data.draw(st.lists(st.integers(0, 2), min_size=len(parts), max_size=len(parts)))
    dealt = [
        [part for part, at in zip(parts, shards, strict=True) if at == one] for one in range(3)
    ]
    assert_same(streamed, reduce(Moments.merged, [stream_moments(each) for each in dealt if each]))


@pytest.mark.parametrize("dim_in", [1, 2, 63, 64, 65, 300])
def test_streamed_moments_are_symmetric_to_the_last_bit(dim_in):
    sigma_x = stream_moments(blocks([3, 50, 1], dim_in)).sigma_x
    assert (sigma_x == sigma_x.T).all()
    inputs = np.vstack([each for each, _ in blocks([3, 50, 1], dim_in)])
    assert_allclose(sigma_x, np.einsum("ni,nj->ij", inputs, inputs) / 54, rtol=1e-12)


@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_are_not_written_to_and_may_have_any_layout(order):
    parts = [tuple(np.array(each, order=order) for each in part) for part in blocks([6, 2, 9])]
    for part in parts:
        for each in part:
            each.setflags(write=False)
    assert_same(stream_moments(parts), stream_moments(blocks([6, 2, 9])))
    strided = [(inputs[::2, ::-1], outputs[::2]) for inputs, outputs in parts]
    copied = [(inputs.copy(), outputs.copy()) for inputs, outputs in strided]
    assert_same(stream_moments(strided), stream_moments(copied))


def test_a_block_may_be_reused_for_the_next_one():
    inputs, outputs = np.empty((4, 5)), np.empty((4, 3))

    def reused():
        for new_inputs, new_outputs in blocks([4, 4, 4]):
            inputs[:], outputs[:] = new_inputs, new_outputs
            yield inputs, outputs

    assert_same(stream_moments(reused()), stream_moments(blocks([4, 4, 4])))


def test_integers_are_summed_as_numbers_that_do_not_overflow():
    inputs, outputs = np.full((300, 2), 255, dtype=np.int64), np.ones((300, 1), dtype=np.int64)
    moments = stream_moments([(inputs, outputs)] * 2)
    assert moments.sigma_x.tolist() == [[65025.0, 65025.0]] * 2
    assert moments.mean_x.tolist() == [255.0, 255.0]


@pytest.mark.parametrize("shape", [{"dim_in": 1}, {"dim_in": 6}, {"dim_out": 1}])
def test_blocks_of_other_columns_are_refused_in_a_sentence(shape):
    with pytest.raises(StagewiseError) as caught:
        stream_moments([*blocks([4]), *blocks([2], **shape)])
    dim_in, dim_out = shape.get("dim_in", 5), shape.get("dim_out", 3)
    assert str(caught.value) == (
        f"A block has inputs of shape (2, {dim_in}) and outputs of shape (2, {dim_out}) after "
        "blocks with 5 inputs and 3 outputs; every block must have the same columns."
    )


@pytest.mark.parametrize("after", [[], [4]])
def test_an_empty_block_is_refused_in_a_sentence(after):
    with pytest.raises(StagewiseError, match="A block of data holds no samples"):
        stream_moments(blocks([*after, 0]))


def peak_memory(count: int) -> int:
    tracemalloc.start()
    try:
        stream_moments(blocks([32] * count, dim_in=300))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_samples():
    few, many = peak_memory(4), peak_memory(400)
    assert many < 1.05 * few
    assert few < 300 * 300 * 8 + 10 * 32 * 300 * 8

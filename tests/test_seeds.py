import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stagewise.seeds import generator

NAMES = st.lists(
    st.text(max_size=4) | st.integers(-3, 3) | st.floats(-3, 3, allow_nan=False), max_size=4
).map(tuple)


def draw(*names: str | int | float) -> list[int]:
    return generator(*names).integers(0, 2**62, 4).tolist()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("weights", "x", 1, 2.0), [526387, 551482, 335384]),
        (("dataset", "modes", 0), [743512, 221963, 368391]),
    ],
)
def test_names_give_the_same_draws_on_every_machine_and_in_every_version(names, expected):
    assert generator(*names).integers(0, 10**6, 3).tolist() == expected


def test_a_generator_starts_afresh_whatever_was_drawn_before():
    first = draw("a", 1)
    generator("a", 1).standard_normal(1000)
    generator("b", 2).standard_normal(1000)
    assert draw("a", 1) == first


@pytest.mark.parametrize(
    "other",
    [
        ("a", 1, 2.5, 1),
        ("a", 1, 2.5, 0, 0),
        ("a", 1, 2.5),
        (1, "a", 2.5, 0),
        ("a", "1", 2.5, 0),
        ("a", 1.0, 2.5, 0),
        ("a", 1, 2.5000000000000004, 0),
        ("a", 1, 2.5, -0.0),
        ("a ", 1, 2.5, 0),
    ],
    ids=str,
)
def test_any_difference_in_the_names_gives_another_stream(other):
    assert draw(*other) != draw("a", 1, 2.5, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [(("ab", "c"), ("a", "bc")), (('a", "b',), ("a", "b")), (("a, b",), ("a", "b")), ((), ("",))],
)
def test_names_do_not_run_into_each_other(one, other):
    assert draw(*one) != draw(*other)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(NAMES, NAMES)
def test_streams_are_equal_exactly_when_the_names_are(one, other):
    same = [(type(name), repr(name)) for name in one] == [
        (type(name), repr(name)) for name in other
    ]
    assert (draw(*one) == draw(*other)) == same


def test_streams_of_neighbouring_names_are_independent():
    draws = np.array([generator("run", replicate).standard_normal(50) for replicate in range(400)])
    assert abs(draws.mean()) < 5 / np.sqrt(draws.size)
    assert abs(draws.std() - 1) < 5 / np.sqrt(2 * draws.size)
    neighbours = (draws[1:] * draws[:-1]).mean()
    assert abs(neighbours) < 5 / np.sqrt(draws[1:].size)

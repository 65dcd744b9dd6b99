import math

import pytest

from stagewise.studies.common.conditions import at_least, at_most, between, within


@pytest.mark.parametrize(
    ("condition", "meets", "misses"),
    [
        (within(1, 0.05), (0.95, 1.0, 1.05), (0.9499, 1.0501)),
        (between(0.05, 1), (0.05, 0.5, 1.0), (0.0499, 1.001)),
        (at_most(0.15), (-3.0, 0.0, 0.15), (0.1501, math.inf)),
        (at_least(0.95), (0.95, 7.0), (0.9499, -math.inf)),
    ],
)
def test_a_condition_holds_on_its_range_ends_included(condition, meets, misses):
    assert [condition.holds_for(value) for value in meets] == [True] * len(meets)
    assert [condition.holds_for(value) for value in misses] == [False] * len(misses)


@pytest.mark.parametrize("condition", [within(1, 0.5), between(0, 1), at_most(1), at_least(0)])
def test_a_missing_value_meets_no_condition(condition):
    assert not condition.holds_for(math.nan)


@pytest.mark.parametrize(
    ("condition", "words", "expected", "tolerance"),
    [
        (within(1, 0.05), "1 ± 0.05", 1, 0.05),
        (between(0.25, 1), "0.25 to 1", 0.625, 0.375),
        (at_most(0.15), "at most 0.15", 0.15, None),
        (at_least(0.95), "at least 0.95", 0.95, None),
    ],
)
def test_a_condition_says_what_it_means(condition, words, expected, tolerance):
    assert (condition.words, condition.expected) == (words, expected)
    assert condition.tolerance == (None if tolerance is None else pytest.approx(tolerance))


def test_a_condition_that_nothing_could_meet_is_refused():
    with pytest.raises(ValueError, match=r"the first value must be the smaller one"):
        between(1, 0)
    with pytest.raises(ValueError, match=r"tolerance is 0; it must be positive"):
        within(1, 0)

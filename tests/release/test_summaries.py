"""A summary tells what has changed in a table, to rounding."""

import numpy as np
import pandas as pd
import pytest

from stagewise.release.summaries import STATISTICS, digest_of_labels, summary

TABLE = pd.DataFrame(
    {
        "experiment": ["a", "a", "a", "b"],
        "quantity": ["loss", "loss", "gap", "loss"],
        "mean": [1.0, -3.0, np.nan, 5.0],
        "mode": [1, 2, 1, 1],
    }
)


def statistics(table, **place):
    found = summary("t", table)
    for key, value in place.items():
        found = found[found[key] == value]
    (row,) = found[list(STATISTICS)].to_numpy().tolist()
    return row


def test_each_experiment_and_quantity_has_its_own_numbers():
    place = {"experiment": "a", "quantity": "loss", "column": "mean"}
    assert statistics(TABLE, **place) == pytest.approx([2, -3, 1, 2, (1 * 1 - 3 * 2) / 2 / 2])
    place["quantity"] = "gap"
    assert statistics(TABLE, **place) == [1, 0, 0, 0, 0]


def test_values_that_change_places_are_seen():
    swapped = TABLE.assign(mean=[-3.0, 1.0, np.nan, 5.0])
    place = {"experiment": "a", "quantity": "loss", "column": "mean"}
    before, after = statistics(TABLE, **place), statistics(swapped, **place)
    assert before[:-1] == after[:-1]
    assert before[-1] != after[-1]


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"mean": [1.5, -3.0, np.nan, 5.0]}, True),
        ({"mean": [1.0, -3.0, 2.0, 5.0]}, False),
        ({"mean": [1.0, -3.0, np.nan, np.inf]}, False),
        ({"quantity": ["loss", "loss", "gap", "gap"]}, False),
    ],
)
def test_labels_and_missing_values_have_a_digest_of_their_own(changes, same):
    assert (digest_of_labels(TABLE.assign(**changes)) == digest_of_labels(TABLE)) is same

"""A summary tells what has changed in a table, to rounding."""

import numpy as np
import pandas as pd
import pytest

from stagewise.release.fingerprints import STATISTICS, digest_of_labels, digest_of_rows, summary

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
    ("changes", "rows", "labels"),
    [
        ({"mean": [1.5, -3.0, np.nan, 5.0]}, True, True),
        ({"mean": [1.0, -3.0, 2.0, 5.0]}, True, False),
        ({"mean": [1.0, -3.0, np.nan, np.inf]}, True, False),
        ({"outcome": ["monotone", "monotone", "overshoot", "monotone"]}, True, False),
        ({"quantity": ["loss", "loss", "gap", "gap"]}, False, True),
    ],
)
def test_what_rows_are_about_and_what_follows_from_numbers_have_digests_of_their_own(
    changes, rows, labels
):
    before = TABLE.assign(outcome="monotone")
    after = before.assign(**changes)
    assert (digest_of_rows(after) == digest_of_rows(before)) is rows
    assert (digest_of_labels(after) == digest_of_labels(before)) is labels

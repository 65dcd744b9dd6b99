"""What the page draws of real data is what the run's tables say."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stagewise.release.page_data import recorded
from stagewise.store.parquet import write_table


def test_the_smallest_start_of_the_run_is_drawn_with_means_over_runs(page):
    found = recorded(page.aggregates)
    assert (found["dataset"], found["delta"], found["seeds"]) == ("made up", 16.0, 2)
    assert found["sigma"] == [0.5, 0.2]
    assert found["lam"] == [0.4, 0.4]
    first, second = found["modes"]
    assert first["measured"] == pytest.approx(16 / 0.5 + 0.5)
    assert first["forecasts"] == pytest.approx([32, 33, 34, 35])
    assert second["forecasts"] == pytest.approx([80, 81, 82, 83])


def test_courses_are_shares_of_their_mode_in_the_order_of_iterations(page):
    for mode in recorded(page.aggregates)["modes"]:
        assert mode["iteration"] == sorted(mode["iteration"])
        assert 0 < mode["mean"][0] < 0.01
        assert mode["mean"][-1] > 0.9
        for low, mean, high in zip(mode["low"], mode["mean"], mode["high"], strict=True):
            assert (low, high) == pytest.approx((0.9 * mean, 1.1 * mean), rel=1e-4)


def test_a_mode_that_was_never_learned_has_no_number(page, tmp_path):
    times, curves = page.aggregates
    frame = pq.read_table(times).to_pandas()
    frame.loc[frame["mode"] == 2, "learning_iteration"] = None
    without = tmp_path / times.name
    write_table(pa.Table.from_pandas(frame), without)
    first, second = recorded([without, curves])["modes"]
    assert first["measured"] is not None
    assert second["measured"] is None


def test_a_run_without_real_data_draws_nothing(page, tmp_path):
    times, curves = page.aggregates
    assert recorded([times]) is None
    empty = tmp_path / curves.name
    write_table(pq.read_table(curves).slice(0, 0), empty)
    assert recorded([times, empty]) is None

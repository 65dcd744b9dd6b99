"""Tables in three formats, and what they hold."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from stagewise.problems.moments import Moments
from stagewise.store.formats import escaped, latex, markdown, write_formats
from stagewise.tables.assumption import assumption_table
from stagewise.tables.learning_times import learning_times_summary

TABLE = pd.DataFrame({"name": ["a_b", "c|d"], "value": [0.123456, np.nan]})


def test_markdown_escapes_bars_and_leaves_missing_values_blank():
    assert markdown(TABLE) == ("| name | value |\n| --- | --- |\n| a_b | 0.1235 |\n| c\\|d |  |\n")


def test_latex_escapes_what_latex_would_interpret():
    assert "a\\_b & 0.1235" in latex(TABLE)
    assert escaped("50 % of δ_1 & more") == r"50 \% of $\delta$\_1 \& more"


def test_all_formats_are_written(tmp_path):
    paths = [tmp_path / f"table.{kind}" for kind in ("csv", "md", "tex")]
    write_formats(TABLE, paths)
    assert_allclose(pd.read_csv(paths[0])["value"], TABLE["value"])
    assert all(path.stat().st_size for path in paths)


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"tables are \.csv, \.md or \.tex, not \.xls"):
        write_formats(TABLE, [tmp_path / "table.xls"])


def test_the_assumption_holds_for_an_autoencoder_and_not_for_generic_data():
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((200, 6)) @ generator.standard_normal((6, 6)) + 1.0
    outputs = inputs @ generator.standard_normal((6, 3)) + 1.0
    table = assumption_table(
        {"same": Moments.of_block(inputs, inputs), "other": Moments.of_block(inputs, outputs)}
    )
    centred = table[table["centred"]].set_index(["dataset", "completion"])
    assert centred.loc[("same", "eigen"), "delta_xy"] < 1e-6
    assert centred.loc[("other", "eigen"), "delta_xy"] > 0.01
    wide = table.pivot(index=["dataset", "centred"], columns="completion", values="delta_xy")
    assert (wide["eigen"] <= wide["random"]).all()
    assert len(table) == 8


def test_the_summary_of_learning_times_averages_measured_over_predicted():
    times = pd.DataFrame(
        {
            "experiment": "trial",
            "dataset": "data",
            "depth": 2,
            "initialisation": "aligned",
            "delta": 4.0,
            "run": [0, 0, 1, 1],
            "status": ["ok", "ok", "ok", "not_reached"],
            "learning_iteration": [10.0, 40.0, 12.0, np.nan],
            "mode_learning_iteration": 1.0,
            "predicted_discrete": [10.0, 20.0, 10.0, 20.0],
            "predicted_flow": [5.0, 10.0, 5.0, 10.0],
        }
    )
    unseen = times.assign(experiment="unseen", status="", learning_iteration=np.nan)
    strengths = times.assign(
        experiment="strengths",
        mode_learning_iteration=times["learning_iteration"],
        learning_iteration=np.nan,
    )
    table = learning_times_summary(pd.concat([times, unseen, strengths]))
    assert table["experiment"].tolist() == ["strengths", "trial"]
    assert_allclose(table["over_discrete"], (1 + 2 + 1.2) / 3)
    row = learning_times_summary(times).iloc[0]
    assert row["runs"] == 2
    assert row["learned"] == 0.75
    assert_allclose(row["over_discrete"], (1 + 2 + 1.2) / 3)
    assert_allclose(row["over_flow"], 2 * (1 + 2 + 1.2) / 3)

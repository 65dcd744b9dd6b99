"""An edit, a changed parameter or a lost file reruns what depends on it and nothing else."""

import json

import pytest

from .working_copy import (
    FIGURES,
    RESULTS,
    append,
    build,
    built_files,
    change_config,
    fingerprints,
    planned,
    replace,
)

EVERY_MOMENTS = [
    f"Moments of the data set {name}" for name in ("autoencoder", "digits", "staircase")
]
EVERY_SHARD = [
    f"Training shard {shard} of {name}" for shard in (0, 1) for name in ("closed_form", "real_data")
]
EVERY_FIGURE = ["Figure closed_form", "Figure real_data"]
FORECASTS = "Forecasts of real_data"
STATISTICS = [f"Statistics of {name}" for name in ("closed_form", "real_data")]
ASSUMPTION_TABLE = "Table: assumption"
VERDICTS, INDEX = "Verdicts", "Index page"
JOINED = [
    "Aggregates of all experiments",
    *("Table: learning times", "Table: stage counts", VERDICTS, INDEX),
]
AFTER_SHARDS = [*STATISTICS, *EVERY_FIGURE, *JOINED]


@pytest.mark.parametrize(
    ("module", "rerun"),
    [
        ("figures/style.py", [*EVERY_FIGURE, INDEX]),
        ("figures/closed_form.py", ["Figure closed_form", INDEX]),
        ("dynamics/batch.py", [*EVERY_SHARD, FORECASTS, *AFTER_SHARDS]),
        ("dynamics/gradient_descent.py", [*EVERY_SHARD, FORECASTS, *AFTER_SHARDS]),
        (
            "problems/synthetic.py",
            [*EVERY_MOMENTS, ASSUMPTION_TABLE, *EVERY_SHARD, FORECASTS, *AFTER_SHARDS],
        ),
        ("pipeline/statistics.py", AFTER_SHARDS),
        ("claims/ours.py", [VERDICTS, INDEX]),
        ("report/index.html.j2", [INDEX]),
    ],
)
def test_an_edit_of_code_reruns_the_rules_that_depend_on_it_and_no_others(built, module, rerun):
    added = "<!-- added -->\n" if module.endswith(".j2") else "\n\nADDED = 1\n"
    append(built / "src" / "stagewise" / module, added)
    assert planned(built) == sorted(rerun)


def test_an_edit_of_comments_docstrings_and_layout_reruns_nothing(built):
    package = built / "src" / "stagewise"
    append(package / "figures" / "style.py", "\n\n# A remark.\n")
    append(package / "dynamics" / "batch.py", "\n\n\n\n# Another.\n")
    replace(package / "figures" / "style.py", "One look for all figures", "The look of figures")
    replace(package / "claims" / "ours.py", "\n\n\nCLAIMS = (\n", "\n\n\n\nCLAIMS = (\n\n")
    assert planned(built) == []


def test_an_edit_takes_effect_in_the_copy_where_it_is_made(built):
    before = built_files(built)
    edited = "An edited statement."
    module = built / "src" / "stagewise" / "claims" / "ours.py"
    append(
        module,
        "\n\nfrom dataclasses import replace as _replaced  # noqa: E402\n\n"
        f'CLAIMS = (_replaced(CLAIMS[0], statement="{edited}"), *CLAIMS[1:])\n',
    )
    assert build(built).jobs == sorted([VERDICTS, INDEX])
    claims = json.loads((built / RESULTS / "claims.json").read_text(encoding="utf-8"))
    assert edited in [claim["statement"] for claim in claims]
    assert edited in (built / FIGURES / "index.html").read_text(encoding="utf-8")
    after = built_files(built)
    unchanged = [path for path in before if "trajectories" in path or path.endswith(".png")]
    assert unchanged
    assert all(before[path] == after[path] for path in unchanged)


def test_a_parameter_of_an_experiment_reruns_that_experiment_and_what_reads_it(built):
    change_config(built, {"experiments": {"real_data": {"delta": [5]}}})
    assert planned(built) == sorted(
        [
            "Training shard 0 of real_data",
            "Training shard 1 of real_data",
            FORECASTS,
            "Statistics of real_data",
            "Figure real_data",
            *JOINED,
        ]
    )


def test_a_parameter_of_a_data_set_reruns_it_and_the_experiments_that_read_it(built):
    change_config(built, {"datasets": {"staircase": {"sigma": [1.0, 0.6, 0.3]}}})
    assert planned(built) == sorted(
        [
            "Moments of the data set staircase",
            "Training shard 0 of closed_form",
            "Training shard 1 of closed_form",
            "Statistics of closed_form",
            "Figure closed_form",
            *JOINED,
        ]
    )


def test_a_parameter_of_the_table_reruns_the_table_and_what_reads_it(built):
    change_config(built, {"random_completions": 4})
    assert planned(built) == sorted([ASSUMPTION_TABLE, VERDICTS, INDEX])


def test_the_order_of_figures_concerns_the_page_only(built):
    change_config(built, {"figures": ["real_data", "closed_form"]})
    assert planned(built) == [INDEX]


@pytest.mark.parametrize(
    ("lost", "rerun"),
    [
        (f"{FIGURES}/closed_form.png", ["Figure closed_form", INDEX]),
        (f"{RESULTS}/tables/assumption.csv", [ASSUMPTION_TABLE, VERDICTS, INDEX]),
        (f"{RESULTS}/claims.json", [VERDICTS, INDEX]),
        (
            f"{RESULTS}/trajectories/real_data/1.parquet",
            [
                "Training shard 1 of real_data",
                "Statistics of real_data",
                "Figure real_data",
                *JOINED,
            ],
        ),
    ],
)
def test_a_lost_file_is_made_again_with_what_reads_it_only(built, lost, rerun):
    (built / lost).unlink()
    assert planned(built) == sorted(rerun)


def test_lost_files_come_back_the_same(built):
    before = fingerprints(built)
    (built / FIGURES / "real_data.pdf").unlink()
    (built / RESULTS / "tables" / "assumption.tex").unlink()
    build(built)
    assert fingerprints(built) == before

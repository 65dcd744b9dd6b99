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
STUDIES = ["Study closed_form", "Study real_data"]
OF_THE_TABLE = "Study joint_decomposition"
FORECASTS = "forecasts of real_data"
STATISTICS = [f"Statistics of {name}" for name in ("closed_form", "real_data")]
ASSUMPTION_TABLE = "Table assumption"
JUDGED = ["Verdicts", "Table claims", "Page"]
JOINED = ["Tables of all experiments", "Table learning_times", "Table stage_counts", *JUDGED]
REAL_DATA = [
    *(shard for shard in EVERY_SHARD if shard.endswith("real_data")),
    *(FORECASTS, STATISTICS[1], STUDIES[1]),
]
AFTER_SHARDS = [*STATISTICS, *STUDIES, *JOINED]


@pytest.mark.parametrize(
    ("module", "rerun"),
    [
        ("studies/common/style.py", [*STUDIES, OF_THE_TABLE, *JUDGED]),
        ("studies/closed_form.py", ["Study closed_form", *JUDGED]),
        ("dynamics/batch.py", [*EVERY_SHARD, FORECASTS, *AFTER_SHARDS]),
        (
            "data/kinds/digits.py",
            [
                "Moments of the data set digits",
                *(ASSUMPTION_TABLE, OF_THE_TABLE, *REAL_DATA, *JOINED),
            ],
        ),
        ("dynamics/optimisers/heavy_ball.py", []),
        ("pipeline/learning_times.py", AFTER_SHARDS),
        ("tables/stage_counts.py", ["Table stage_counts", "Page"]),
        ("release/page.html.j2", ["Page"]),
    ],
)
def test_an_edit_of_code_reruns_the_rules_that_depend_on_it_and_no_others(built, module, rerun):
    added = "<!-- added -->\n" if module.endswith(".j2") else "\n\nADDED = 1\n"
    append(built / "src" / "stagewise" / module, added)
    assert planned(built) == sorted(rerun)


def test_an_edit_of_comments_docstrings_words_and_layout_reruns_nothing_that_computes(built):
    package = built / "src" / "stagewise"
    append(package / "studies" / "common" / "style.py", "\n\n# A remark.\n")
    append(package / "dynamics" / "batch.py", "\n\n\n\n# Another.\n")
    replace(package / "studies/common/style.py", "One look for all figures", "The look of figures")
    replace(package / "config" / "models.py", 'description="', 'description="In other words: ')
    assert planned(built) == []
    replace(package / "studies/closed_form.py", 'title="Two layers', 'title="In short, two layers')
    assert planned(built) == ["Page"]


def test_an_edit_of_a_statement_takes_effect_in_the_copy_where_it_is_made(built):
    before = built_files(built)
    module = built / "src" / "stagewise" / "studies" / "closed_form.py"
    replace(module, 'statement="', 'statement="In other words: ')
    assert build(built).jobs == sorted(JUDGED)
    claims = json.loads((built / RESULTS / "claims.json").read_text(encoding="utf-8"))
    edited = [each["statement"] for each in claims if each["figure"] == "closed_form"]
    assert all(each.startswith("In other words: ") for each in edited)
    assert "In other words: " in (built / FIGURES / "index.html").read_text(encoding="utf-8")
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
            "Study real_data",
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
            "Study closed_form",
            *JOINED,
        ]
    )


def test_a_parameter_of_the_table_reruns_the_table_and_what_reads_it(built):
    change_config(built, {"assumption": ["digits"]})
    assert planned(built) == sorted([ASSUMPTION_TABLE, OF_THE_TABLE, *JUDGED])


@pytest.mark.parametrize(
    ("lost", "rerun"),
    [
        (f"{FIGURES}/closed_form.png", ["Study closed_form", *JUDGED]),
        (f"{RESULTS}/tables/assumption.csv", [ASSUMPTION_TABLE, OF_THE_TABLE, *JUDGED]),
        (f"{RESULTS}/claims.json", JUDGED),
        (
            f"{RESULTS}/trajectories/real_data/1.parquet",
            [
                "Training shard 1 of real_data",
                "Statistics of real_data",
                "Study real_data",
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

"""A damaged result is named with its remedy, and the remedy works."""

import re

import pytest

from .working_copy import RESULTS, build, fingerprints, run_snakemake

SHARD = f"{RESULTS}/trajectories/closed_form/0.parquet"


@pytest.mark.parametrize(
    ("damaged", "targets"),
    [
        (f"{RESULTS}/trajectories/closed_form/1.parquet", ()),
        (f"{RESULTS}/claims.json", ()),
        *(
            pytest.param(*each, marks=pytest.mark.release)
            for each in (
                (f"{RESULTS}/moments/staircase.npz", (SHARD,)),
                (f"{RESULTS}/learning_times.parquet", (f"{RESULTS}/tables/learning_times.csv",)),
                (f"{RESULTS}/tables/assumption.csv", ("claims",)),
            )
        ),
    ],
    ids=["trajectories", "verdicts", "moments", "aggregate", "table"],
)
def test_a_truncated_file_is_named_with_the_remedy_and_the_remedy_works(
    built, baseline, damaged, targets
):
    # Truncated after it was made: newer than what it was made from, so Snakemake trusts it.
    path = built / damaged
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    outcome = run_snakemake(built, *targets)
    assert outcome.returncode != 0
    assert re.search(rf"{damaged} (cannot be read|is damaged)", outcome.output)
    assert "Delete it and run the same command again." in outcome.output
    assert "Traceback" not in outcome.output
    path.unlink()
    build(built, *targets)
    assert fingerprints(built) == fingerprints(baseline)

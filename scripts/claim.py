"""Rule judge_one_claim: the verdict on one claim, from the tables of the experiments it reads."""

from pathlib import Path

from stagewise.claims import claim_named, judge
from stagewise.claims.tables import write_claims
from stagewise.pipeline.rule import logged
from stagewise.store.aggregates import Aggregates

with logged(snakemake):
    aggregates = Aggregates(
        {name: [Path(path) for path in paths] for name, paths in snakemake.params.tables.items()}
    )
    verdict = judge(claim_named(snakemake.wildcards.claim), aggregates)
    write_claims([verdict], Path(snakemake.output[0]))

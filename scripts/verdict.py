"""Rule verdict: judge one claim by itself."""

from pathlib import Path

from stagewise.pipeline.rule import logged
from stagewise.studies.common.judging import RunTables, judge
from stagewise.studies.common.ledger import write_claims
from stagewise.studies.common.registry import claim_named

with logged(snakemake):
    tables = RunTables(Path(snakemake.params.results), snakemake.params.experiments)
    claim = claim_named(snakemake.wildcards.claim)
    write_claims([judge(claim, tables)], Path(snakemake.output[0]))

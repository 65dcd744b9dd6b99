"""Rule verdict: one claim, or the claims of a study whose figure this run does not draw."""

from pathlib import Path

from stagewise.pipeline.job import logged
from stagewise.studies.common.judging import RunTables, judge
from stagewise.studies.common.ledger import write_claims
from stagewise.studies.common.registry import load

with logged(snakemake):
    tables = RunTables(Path(snakemake.output[0]).parents[1], snakemake.params.experiments)
    claims = load(snakemake.params.study).claims
    verdicts = [judge(claim, tables) for claim in claims if claim.id in snakemake.params.claims]
    write_claims(verdicts, Path(snakemake.output[0]))

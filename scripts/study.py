"""Rule study: draw one study's figure, judge its claims, and say what both were made from."""

from pathlib import Path

from stagewise.pipeline.rule import logged
from stagewise.release.provenance import write_sidecar
from stagewise.studies.common import style
from stagewise.studies.common.judging import RunTables, draw, judge
from stagewise.studies.common.ledger import write_claims
from stagewise.studies.common.registry import load

with logged(snakemake):
    style.apply()
    study = load(snakemake.wildcards.study)
    tables = RunTables(Path(snakemake.params.results), snakemake.params.experiments)
    style.save(draw(study, tables), Path(snakemake.output.pdf), Path(snakemake.output.png))
    write_claims([judge(claim, tables) for claim in study.claims], Path(snakemake.output.verdicts))
    files = [Path(path) for path in snakemake.input]
    write_sidecar(snakemake.params.config, files, Path(snakemake.output.sidecar))

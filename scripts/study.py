"""Rule study: the figure of one study and the verdicts on its claims."""

from pathlib import Path

from stagewise.pipeline.job import logged
from stagewise.release.provenance import write_sidecar
from stagewise.studies.common import style
from stagewise.studies.common.drawing import draw
from stagewise.studies.common.judging import RunTables, judge
from stagewise.studies.common.ledger import write_claims
from stagewise.studies.common.registry import load

with logged(snakemake):
    study, out = load(snakemake.wildcards.study), snakemake.output
    tables = RunTables(Path(out.verdicts).parents[1], snakemake.params.experiments)
    style.apply()
    style.save(draw(study, tables), Path(out.pdf), Path(out.png))
    read = sorted({path for table in study.figure_reads for path in tables.files(table)})
    write_sidecar(snakemake.params.config, read, Path(out.sidecar))
    write_claims([judge(claim, tables) for claim in study.claims], Path(out.verdicts))

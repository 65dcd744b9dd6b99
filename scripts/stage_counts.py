"""Rule stage_counts: stages counted per rank, depth and observed share as a table."""

from pathlib import Path

from stagewise.pipeline.rule import logged
from stagewise.store.formats import write_formats
from stagewise.studies.common.depth import stage_counts
from stagewise.studies.common.judging import read_frame

with logged(snakemake):
    stages = read_frame("stages", Path(snakemake.input[0]))
    write_formats(stage_counts(stages), [Path(path) for path in snakemake.output])

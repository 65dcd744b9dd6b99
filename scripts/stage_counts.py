"""Rule stage_counts: stages counted per rank, depth and observed share as a table."""

from pathlib import Path

from stagewise.pipeline.rule import logged
from stagewise.store.aggregates import Aggregates
from stagewise.store.formats import write_formats
from stagewise.studies.common.depth import stage_counts

with logged(snakemake):
    stages = Aggregates({"stages": [Path(snakemake.input[0])]}).stages
    write_formats(stage_counts(stages), [Path(path) for path in snakemake.output])

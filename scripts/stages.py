"""Rule stages: the stages of escape from saddles in recorded runs."""

from pathlib import Path

from stagewise.files import read_table, write_table
from stagewise.pipeline.rule import logged
from stagewise.pipeline.stages import stages_table

with logged(snakemake):
    table = stages_table(read_table(Path(path)) for path in snakemake.input)
    write_table(table, Path(snakemake.output[0]))

"""Rule learning_times: when every mode of every run was learned."""

from pathlib import Path

from stagewise.files import read_table, write_table
from stagewise.pipeline.rule import logged
from stagewise.pipeline.statistics import learning_times_table

with logged(snakemake):
    shards = (read_table(Path(path)) for path in snakemake.input)
    write_table(learning_times_table(shards), Path(snakemake.output[0]))

"""Rule joined: one table of each kind for all experiments."""

from pathlib import Path

from stagewise.pipeline.job import logged
from stagewise.pipeline.joining import joined
from stagewise.store.parquet import write_table

with logged(snakemake):
    for name, output in snakemake.output.items():
        write_table(joined(name, map(Path, snakemake.input[name])), Path(output))

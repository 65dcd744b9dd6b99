"""Rule joined: one table of each kind for all experiments."""

from pathlib import Path

from stagewise.pipeline.aggregates import joined
from stagewise.pipeline.rule import logged
from stagewise.store.files import write_table

with logged(snakemake):
    for name, output in snakemake.output.items():
        write_table(joined(name, map(Path, snakemake.input[name])), Path(output))

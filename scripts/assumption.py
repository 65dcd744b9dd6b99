"""Rule assumption: how far the moments are from the theory's assumptions."""

from pathlib import Path

from stagewise.data.npz import read_moments
from stagewise.pipeline.rule import logged
from stagewise.pipeline.tables import assumption_table
from stagewise.store.formats import write_formats

with logged(snakemake):
    datasets = {Path(path).stem: read_moments(Path(path))[0] for path in snakemake.input}
    table = assumption_table(datasets, snakemake.params.random_completions)
    write_formats(table, [Path(path) for path in snakemake.output])

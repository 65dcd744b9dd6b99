"""Rule table: one table in every format."""

from importlib import import_module
from pathlib import Path

from stagewise.pipeline.job import logged
from stagewise.store.formats import write_formats

with logged(snakemake):
    module = import_module(snakemake.params.module)
    table = module.table([Path(path) for path in snakemake.input])
    write_formats(table, [Path(path) for path in snakemake.output])

"""Rule figure: draw one figure from the aggregates, and say what it was made from."""

from importlib import import_module
from pathlib import Path

from stagewise.pipeline.rule import logged
from stagewise.release.provenance import write_sidecar
from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style

with logged(snakemake):
    style.apply()
    aggregates = Aggregates(
        {name: [Path(path) for path in paths] for name, paths in snakemake.input.items()}
    )
    module = import_module(snakemake.params.module)
    style.save(module.plot(aggregates), Path(snakemake.output.pdf), Path(snakemake.output.png))
    tables = [path for paths in aggregates.paths.values() for path in paths]
    write_sidecar(snakemake.params.config, tables, Path(snakemake.output.sidecar))

"""Rule figure: draw one figure from the aggregates."""

from importlib import import_module
from pathlib import Path

from stagewise.aggregates import Aggregates
from stagewise.figures import style
from stagewise.pipeline.rule import logged

with logged(snakemake):
    style.apply()
    aggregates = Aggregates(
        {name: [Path(path) for path in paths] for name, paths in snakemake.input.items()}
    )
    module = import_module(snakemake.params.module)
    style.save(module.plot(aggregates), Path(snakemake.output.pdf), Path(snakemake.output.png))

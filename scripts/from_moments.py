"""Rule from_moments: what follows for one experiment from the moments alone."""

from importlib import import_module
from pathlib import Path

from stagewise.config.models import Experiment
from stagewise.data.npz import read_moments
from stagewise.pipeline.job import logged
from stagewise.store.parquet import write_table

with logged(snakemake):
    kind = snakemake.wildcards.kind
    table = getattr(import_module(snakemake.params.module), f"{kind}_table")
    experiment = Experiment.model_validate(snakemake.params.experiment)
    datasets = {Path(path).stem: read_moments(Path(path)) for path in snakemake.input}
    write_table(
        table(snakemake.wildcards.experiment, experiment, datasets), Path(snakemake.output[0])
    )

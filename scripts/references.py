"""Rule references: held-out error of reduced-rank regression and ridge regression."""

from pathlib import Path

from stagewise.config.models import Experiment
from stagewise.data.npz import read_moments
from stagewise.pipeline.references import references_table
from stagewise.pipeline.rule import logged
from stagewise.store.files import write_table

with logged(snakemake):
    experiment = Experiment.model_validate(snakemake.params.experiment)
    datasets = {Path(path).stem: read_moments(Path(path)) for path in snakemake.input}
    table = references_table(snakemake.wildcards.experiment, experiment, datasets)
    write_table(table, Path(snakemake.output[0]))

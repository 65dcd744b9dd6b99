"""Rule forecasts: learning times of one experiment from the moments alone."""

from pathlib import Path

from stagewise.config.models import Experiment
from stagewise.data.npz import read_moments
from stagewise.pipeline.forecasts import forecast_table
from stagewise.pipeline.rule import logged
from stagewise.store.files import write_table

with logged(snakemake):
    experiment = Experiment.model_validate(snakemake.params.experiment)
    datasets = {Path(path).stem: read_moments(Path(path)) for path in snakemake.input}
    table = forecast_table(snakemake.wildcards.experiment, experiment, datasets)
    write_table(table, Path(snakemake.output[0]))

"""Rule forecasts: learning times from the moments alone."""

from pathlib import Path

from stagewise.config import Experiment
from stagewise.files import write_table
from stagewise.pipeline.forecasts import forecast_table
from stagewise.pipeline.rule import logged
from stagewise.problems.npz import read_moments

with logged(snakemake):
    experiments = {
        name: Experiment.model_validate(each) for name, each in snakemake.params.experiments.items()
    }
    datasets = {Path(path).stem: read_moments(Path(path)) for path in snakemake.input}
    write_table(forecast_table(experiments, datasets), Path(snakemake.output[0]))

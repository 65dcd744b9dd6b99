"""Rule teachers: theory of test and train error of noisy teachers."""

from pathlib import Path

from stagewise.config.models import Experiment
from stagewise.data.npz import read_moments
from stagewise.pipeline.rule import logged
from stagewise.pipeline.teachers import teachers_table
from stagewise.store.files import write_table

with logged(snakemake):
    experiment = Experiment.model_validate(snakemake.params.experiment)
    datasets = {Path(path).stem: read_moments(Path(path)) for path in snakemake.input}
    table = teachers_table(snakemake.wildcards.experiment, experiment, datasets)
    write_table(table, Path(snakemake.output[0]))

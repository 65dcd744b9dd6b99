"""Rule teachers: theory of test and train error of noisy teachers."""

from pathlib import Path

from stagewise.config import Experiment
from stagewise.files import write_table
from stagewise.pipeline.rule import logged
from stagewise.pipeline.teachers import teachers_table
from stagewise.problems.npz import read_moments

with logged(snakemake):
    experiment = Experiment.model_validate(snakemake.params.experiment)
    datasets = {Path(path).stem: read_moments(Path(path)) for path in snakemake.input}
    table = teachers_table(snakemake.wildcards.experiment, experiment, datasets)
    write_table(table, Path(snakemake.output[0]))

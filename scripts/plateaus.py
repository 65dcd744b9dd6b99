"""Rule plateaus: curvature and nearest map of low rank where the runs of one experiment rest."""

from pathlib import Path

from stagewise.config import Experiment
from stagewise.files import write_table
from stagewise.imports import spare_linear_algebra
from stagewise.pipeline.plateaus import plateaus_table
from stagewise.pipeline.rule import logged
from stagewise.problems.npz import read_moments

with logged(snakemake):
    spare_linear_algebra()
    experiment = Experiment.model_validate(snakemake.params.experiment)
    datasets = {Path(path).stem: read_moments(Path(path)) for path in snakemake.input}
    table = plateaus_table(snakemake.wildcards.experiment, experiment, datasets)
    write_table(table, Path(snakemake.output[0]))

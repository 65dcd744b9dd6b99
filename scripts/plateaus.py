"""Rule plateaus: curvature and nearest map of low rank where the runs of one experiment rest."""

from pathlib import Path

from stagewise.config.models import Experiment
from stagewise.data.npz import read_moments
from stagewise.pipeline.plateaus import plateaus_table
from stagewise.pipeline.rule import logged
from stagewise.planning.imports import spare_linear_algebra
from stagewise.store.files import write_table

with logged(snakemake):
    spare_linear_algebra()
    experiment = Experiment.model_validate(snakemake.params.experiment)
    datasets = {Path(path).stem: read_moments(Path(path)) for path in snakemake.input}
    table = plateaus_table(snakemake.wildcards.experiment, experiment, datasets)
    write_table(table, Path(snakemake.output[0]))

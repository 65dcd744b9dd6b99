"""Rule plateaus: curvature and nearest map of low rank where training rests."""

from pathlib import Path

from stagewise.config import Experiment
from stagewise.files import write_table
from stagewise.pipeline.plateaus import plateaus_tables
from stagewise.pipeline.rule import logged
from stagewise.problems.npz import read_moments

with logged(snakemake):
    experiments = {
        name: Experiment.model_validate(each) for name, each in snakemake.params.experiments.items()
    }
    datasets = {Path(path).stem: read_moments(Path(path)) for path in snakemake.input}
    write_table(plateaus_tables(experiments, datasets), Path(snakemake.output[0]))

"""Rule simulate: train one shard of an experiment's runs."""

from pathlib import Path

from stagewise.config.models import Experiment
from stagewise.data.npz import read_moments
from stagewise.pipeline.job import logged
from stagewise.pipeline.simulate import simulated
from stagewise.planning.experiments import shard
from stagewise.store.parquet import write_tables

with logged(snakemake):
    experiment = Experiment.model_validate(snakemake.params.experiment)
    runs = shard(snakemake.wildcards.experiment, experiment, int(snakemake.wildcards.shard))
    draws = [read_moments(Path(path)) for path in snakemake.input]
    datasets = dict(zip(experiment.datasets, draws, strict=True))
    write_tables(simulated(runs, experiment, datasets), Path(snakemake.output[0]))

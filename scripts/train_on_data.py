"""Rule train_on_data: runs on samples, or under other update rules."""

from pathlib import Path

from stagewise.pipeline.job import logged
from stagewise.pipeline.training.table import training_experiment, training_rows
from stagewise.store.parquet import write_table
from stagewise.store.training_schema import training_table

with logged(snakemake):
    experiment = training_experiment(snakemake.params.experiment)
    rows = training_rows(snakemake.wildcards.experiment, experiment, snakemake.params.data_dir)
    write_table(training_table(rows), Path(snakemake.output[0]))

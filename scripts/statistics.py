"""Rule statistics: learning times, curves over training and stages of one experiment."""

from pathlib import Path

from stagewise.pipeline.curves import summary_table
from stagewise.pipeline.job import logged
from stagewise.pipeline.joining import with_forecasts
from stagewise.pipeline.learning_times import learning_times_table
from stagewise.pipeline.shards import Shards
from stagewise.pipeline.stages import stages_table
from stagewise.store.parquet import read_table, write_table

with logged(snakemake):
    shards = Shards([Path(path) for path in snakemake.input.shards])
    times = learning_times_table(shards.each())
    for path in snakemake.input.forecasts:
        times = with_forecasts(times, read_table(Path(path)))
    asked_for = snakemake.params.asked_for
    summary = summary_table(shards.by_points(times) if asked_for["summarise"] else [])
    stages = stages_table(shards.each() if asked_for["stages"] else [])
    write_table(times, Path(snakemake.output.times))
    write_table(summary, Path(snakemake.output.summary))
    write_table(stages, Path(snakemake.output.stages))

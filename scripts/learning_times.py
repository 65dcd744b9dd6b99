"""Rule locate_learning_times: when every mode of every run was learned."""

from pathlib import Path

from stagewise.files import read_table, write_table
from stagewise.pipeline.forecasts import with_forecasts
from stagewise.pipeline.rule import logged
from stagewise.pipeline.statistics import learning_times_table

with logged(snakemake):
    times = learning_times_table(read_table(Path(path)) for path in snakemake.input.shards)
    forecasts = read_table(Path(snakemake.input.forecasts))
    write_table(with_forecasts(times, forecasts), Path(snakemake.output[0]))

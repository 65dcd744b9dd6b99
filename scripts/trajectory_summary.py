"""Rule trajectory_summary: curves over training, mean and band over seeds."""

from pathlib import Path

from stagewise.files import read_table, write_table
from stagewise.pipeline.rule import logged
from stagewise.pipeline.statistics import summary_table

with logged(snakemake):
    groups = [
        [path for path in snakemake.input if Path(path).parent.name == name]
        for name in snakemake.params.experiments
    ]
    experiments = ((read_table(Path(path)) for path in group) for group in groups)
    write_table(summary_table(experiments), Path(snakemake.output[0]))

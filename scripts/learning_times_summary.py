"""Rule learning_times_summary: learning times per experiment as a table."""

from pathlib import Path

from stagewise.pipeline.rule import logged
from stagewise.pipeline.tables import learning_times_summary
from stagewise.store.formats import write_formats
from stagewise.studies.common.judging import read_frame

with logged(snakemake):
    times = read_frame("learning_times", Path(snakemake.input[0]))
    write_formats(learning_times_summary(times), [Path(path) for path in snakemake.output])

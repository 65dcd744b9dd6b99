"""Rule moments: the second moments of one data set."""

from pathlib import Path

from pydantic import TypeAdapter

from stagewise.data.datasets import draw_moments
from stagewise.data.kinds import DataSpec
from stagewise.data.npz import write_moments
from stagewise.pipeline.job import logged

with logged(snakemake):
    spec = TypeAdapter(DataSpec).validate_python(snakemake.params.spec)
    draws = draw_moments(snakemake.wildcards.dataset, spec, snakemake.params.data_dir)
    write_moments(draws, Path(snakemake.output[0]))

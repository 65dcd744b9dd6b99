"""Rule moments: the second moments of one data set."""

from pathlib import Path

from pydantic import TypeAdapter

from stagewise.config import DataSpec
from stagewise.pipeline.rule import logged
from stagewise.problems.datasets import draw_moments
from stagewise.problems.npz import write_moments

with logged(snakemake):
    spec = TypeAdapter(DataSpec).validate_python(snakemake.params.spec)
    draws = draw_moments(snakemake.wildcards.dataset, spec, snakemake.params.data_dir)
    write_moments(draws, Path(snakemake.output[0]))

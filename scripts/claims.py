"""Rule claims: a verdict with a measured number for every claim, as JSON, tables and macros."""

from pathlib import Path

from stagewise.claims import judge_all
from stagewise.claims.tables import claims_table, macros, terminal_text, write_claims
from stagewise.pipeline.rule import logged
from stagewise.store.aggregates import Aggregates
from stagewise.store.files import write_text
from stagewise.store.formats import write_formats

with logged(snakemake):
    aggregates = Aggregates({name: [Path(path)] for name, path in snakemake.input.items()})
    verdicts = judge_all(aggregates)
    write_claims(verdicts, Path(snakemake.output.json))
    write_text(terminal_text(verdicts, snakemake.params.notice), Path(snakemake.output.text))
    write_text(macros(verdicts), Path(snakemake.output.macros))
    write_formats(claims_table(verdicts), [Path(path) for path in snakemake.output.tables])

"""Rule verdicts: those of all studies, as JSON, text and macros."""

from pathlib import Path

from stagewise.pipeline.job import logged
from stagewise.store.files import write_text
from stagewise.studies.common.ledger import gathered, macros, terminal_text, write_claims

with logged(snakemake):
    verdicts = gathered([Path(path) for path in snakemake.input])
    write_claims(verdicts, Path(snakemake.output.json))
    write_text(terminal_text(verdicts, snakemake.params.notice), Path(snakemake.output.text))
    write_text(macros(verdicts), Path(snakemake.output.macros))

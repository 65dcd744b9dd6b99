"""Rule claims: the verdicts of all studies, as JSON, text and macros."""

from pathlib import Path

from stagewise.pipeline.rule import logged
from stagewise.store.files import write_text
from stagewise.studies.common.verdicts import (
    gathered,
    macros,
    read_claims,
    terminal_text,
    write_claims,
)

with logged(snakemake):
    known = [each for path in snakemake.input for each in read_claims(Path(path))]
    verdicts = gathered(known)
    write_claims(verdicts, Path(snakemake.output.json))
    write_text(terminal_text(verdicts, snakemake.params.notice), Path(snakemake.output.text))
    write_text(macros(verdicts), Path(snakemake.output.macros))

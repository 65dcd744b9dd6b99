"""Rule page: the one page to read."""

from pathlib import Path

from stagewise.pipeline.job import logged
from stagewise.release.page import Page, render
from stagewise.store.files import write_text
from stagewise.studies.common.captions import rendered

with logged(snakemake):
    config = snakemake.params.config
    page = Page(
        claims=Path(snakemake.input.claims),
        figures=[Path(path) for path in snakemake.input.figures],
        sidecars=[Path(path) for path in snakemake.input.sidecars],
        captions=[rendered(each, config) for each in snakemake.params.captions],
        titles=snakemake.params.titles,
        questions=snakemake.params.questions,
        alts=snakemake.params.alts,
        tables=[Path(path) for path in snakemake.input.tables],
        aggregates=[Path(path) for path in snakemake.input.aggregates],
        config=config,
    )
    html, provenance = render(page)
    write_text(provenance, Path(snakemake.output.provenance))
    write_text(html, Path(snakemake.output.html))

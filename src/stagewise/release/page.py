"""The one self-contained page: verdicts, figures, tables, configuration, provenance."""

import base64
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import yaml

from stagewise.release.provenance import provenance
from stagewise.store.formats import cell, read_csv
from stagewise.studies.common.ledger import interval_text, read_claims
from stagewise.studies.common.study import SOURCES


@dataclass(frozen=True)
class Page:
    """What the page is made from; figures, sidecars, captions and titles in the order of the config."""

    claims: Path
    figures: list[Path]
    sidecars: list[Path]
    captions: list[str]
    titles: list[str]
    tables: list[Path]
    aggregates: list[Path]
    config: Mapping[str, Any]


def render(page: Page) -> tuple[str, str]:
    """The page as HTML, and its provenance as JSON."""
    origin = provenance(page.config, page.aggregates)
    claims = read_claims(page.claims)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["cell"] = cell
    environment.filters["interval"] = interval_text
    template = environment.from_string(
        files("stagewise.release").joinpath("page.html.j2").read_text(encoding="utf-8")
    )
    html = template.render(
        sources=SOURCES,
        claims=claims,
        counts=Counter(each.verdict for each in claims),
        figures=[
            {
                "name": path.stem,
                "title": title,
                "image": base64.b64encode(path.read_bytes()).decode(),
                "caption": caption,
                "origin": json.loads(sidecar.read_text(encoding="utf-8")),
            }
            for path, sidecar, caption, title in zip(
                page.figures, page.sidecars, page.captions, page.titles, strict=True
            )
        ],
        tables=[
            (path.stem.replace("_", " "), read_csv(path))
            for path in page.tables
            if path.stem != "claims"
        ],
        config=yaml.safe_dump(dict(page.config), sort_keys=False, default_flow_style=None),
        provenance=origin,
        run=page.config["run"],
        config_notice=page.config["notice"],
    )
    return html, json.dumps(origin, indent=2) + "\n"

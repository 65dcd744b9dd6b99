"""The one self-contained page: what happens, an explorer, the studies, and every verdict."""

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

from stagewise.release.page_data import recorded
from stagewise.release.pictures import embedded
from stagewise.release.provenance import provenance
from stagewise.store.formats import cell, read_csv
from stagewise.studies.common.judging import Judgement
from stagewise.studies.common.ledger import interval_text, read_claims
from stagewise.studies.common.study import SOURCES

TEMPLATE, SCRIPT = "page.html.j2", "explorer.js"
WORDS = {
    "supported": "held",
    "qualified": "only in a limit or setting",
    "refuted": "refuted",
    "not run": "not run",
}
"""Verdicts as the page says them, in its order."""
SURPRISES = [
    (
        "ours_discrete_law",
        "supported",
        "A mode takes δ/ln(1 + ησ) iterations: at ησ = ½ a quarter more than δ/(ησ).",
    ),
    (
        "forecast_plain_fails",
        "refuted",
        "Where moments do not commute, this law stays wrong however small the start is made.",
    ),
    (
        "cao_rmsprop_stages",
        "refuted",
        "RMSProp on two layers does not keep the stages: it starts the next before one is learned.",
    ),
    (
        "ours_orientation",
        "supported",
        "A square start whose determinant has the wrong sign takes three times as long for its last mode.",
    ),
    (
        "practice_tanh_times",
        "supported",
        "Second moments alone tell when a tanh network learns its first three modes.",
    ),
]
"""Findings of the first screen: a claim, the verdict that the sentence tells, and the sentence."""


@dataclass(frozen=True)
class Page:
    """What the page is made from; one entry a study, in the order of the page.

    aggregates : tables of the run; their digests are shown, and the page draws from two of them.
    """

    claims: Path
    figures: list[Path]
    sidecars: list[Path]
    captions: list[str]
    titles: list[str]
    questions: list[str]
    alts: list[str]
    tables: list[Path]
    aggregates: list[Path]
    config: Mapping[str, Any]


def render(page: Page) -> tuple[str, str]:
    """The page as HTML, and its provenance as JSON."""
    origin = provenance(page.config, page.aggregates)
    claims = read_claims(page.claims)
    beside = files("stagewise.release")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["cell"] = cell
    environment.filters["interval"] = interval_text
    html = environment.from_string(beside.joinpath(TEMPLATE).read_text(encoding="utf-8")).render(
        sources=SOURCES,
        words=WORDS,
        claims=claims,
        counts=Counter(each.verdict for each in claims),
        surprises=_surprises(claims),
        studies=_studies(page, claims),
        recorded=recorded(page.aggregates),
        script=beside.joinpath(SCRIPT).read_text(encoding="utf-8"),
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


def _surprises(claims: list[Judgement]) -> list[tuple[Judgement, str]]:
    """The findings that this run's verdicts bear out."""
    found = {each.id: each for each in claims}
    return [
        (found[name], sentence)
        for name, verdict, sentence in SURPRISES
        if name in found and found[name].verdict == verdict
    ]


def _studies(page: Page, claims: list[Judgement]) -> list[dict[str, Any]]:
    return [
        {
            "name": path.stem,
            "question": question,
            "title": title,
            "alt": alt,
            "caption": caption,
            "image": base64.b64encode(embedded(path)).decode(),
            "origin": json.loads(sidecar.read_text(encoding="utf-8")),
            "claims": [each for each in claims if each.figure == path.stem],
        }
        for path, sidecar, question, title, alt, caption in zip(
            page.figures,
            page.sidecars,
            page.questions,
            page.titles,
            page.alts,
            page.captions,
            strict=True,
        )
    ]

"""The page says everything and needs nothing beside itself."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from stagewise.config.sentences import parse_config
from stagewise.release.page import Page, render
from stagewise.release.provenance import content_hash, git_commit, write_sidecar
from stagewise.store.files import canonical_hash, write_table
from stagewise.studies.common.judging import Judgement
from stagewise.studies.common.ledger import write_claims
from stagewise.studies.common.registry import study_names

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(default_config):
    return parse_config(default_config).model_dump()


def judgement(name, source, statement, verdict, measured, interval):
    return Judgement(
        name,
        source,
        statement,
        "closed_form",
        1.0,
        0.1,
        measured,
        interval,
        verdict,
        "a note",
        "1 ± 0.1",
    )


def write_aggregate(path, value):
    write_table(pa.table({"value": [value]}), path)
    return path


@pytest.fixture
def page(tmp_path, config):
    claims = [
        judgement("a", "ours", "x < y & z", "supported", 1.05, (1.0, 1.1)),
        judgement("b", "reviews", "second", "refuted", 2.0, (2.0, 2.0)),
        judgement("c", "gidel2019", "third", "not run", None, None),
    ]
    write_claims(claims, tmp_path / "claims.json")
    figures, sidecars = [], []
    for name in study_names():
        figures.append(tmp_path / f"{name}.png")
        figures[-1].write_bytes(b"picture of " + name.encode())
        sidecars.append(tmp_path / f"{name}.json")
        table = write_aggregate(tmp_path / f"of_{name}.parquet", float(len(name)))
        write_sidecar({"experiments": [name]}, [table], sidecars[-1])
    pd.DataFrame({"dataset": ["digits"], "delta_x": [0.52271]}).to_csv(tmp_path / "assumption.csv")
    write_table(pa.table({"value": [1.0]}), tmp_path / "learning_times.parquet")
    return Page(
        claims=tmp_path / "claims.json",
        figures=figures,
        sidecars=sidecars,
        captions=[f"caption of {name}" for name in study_names()],
        titles=[f"title of {name}" for name in study_names()],
        tables=[tmp_path / "assumption.csv"],
        aggregates=[tmp_path / "learning_times.parquet"],
        config=config,
    )


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.sources, self.targets, self.ids, self.open = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.add(attributes.get("id"))
        self.sources += [value for name, value in attrs if name == "src"]
        self.targets += [value for name, value in attrs if name == "href"]
        if tag not in {"meta", "link", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(html):
    links = Links()
    links.feed(html)
    assert not links.open
    return links


def test_the_page_is_well_formed_and_self_contained(page):
    html, _ = render(page)
    links = parsed(html)
    assert len(links.sources) == len(study_names())
    assert all(source.startswith("data:image/png;base64,") for source in links.sources)
    outside = [target for target in links.targets if re.match(r"(https?:)?//", target)]
    assert not outside
    anchors = [target[1:] for target in links.targets if target.startswith("#")]
    assert anchors
    assert set(anchors) <= links.ids


def test_every_verdict_is_shown_with_its_numbers_and_text_is_escaped(page):
    html, _ = render(page)
    assert "x &lt; y &amp; z" in html
    assert "<b>1.05</b>" in html
    for verdict in ("1 supported", "1 refuted", "1 not run"):
        assert verdict in html


def test_tables_config_and_provenance_are_on_the_page(page):
    html, provenance = render(page)
    assert "0.5227" in html
    assert "replicates: 20" in html
    digest = canonical_hash(pa.table({"value": [1.0]}))
    assert digest[:16] in html
    assert json.loads(provenance)["aggregates"] == {"learning_times.parquet": digest}


@pytest.mark.parametrize("name", study_names())
def test_each_figure_says_what_it_was_made_from(page, name):
    html, _ = render(page)
    _, _, rest = html.partition(f'id="figure-{name}"')
    figure, _, _ = rest.partition("</figure>")
    origin = json.loads(next(path for path in page.sidecars if path.stem == name).read_text())
    folder = page.sidecars[0].parent
    digest = content_hash(folder / f"of_{name}.parquet")
    assert origin["aggregates"] == {f"of_{name}.parquet": digest}
    for shown in (digest[:16], origin["config"][:16], origin["commit"], origin["machine"]["blas"]):
        assert shown in figure


def test_what_a_figure_was_made_from_tells_tables_by_their_content(tmp_path):
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text("a\n1\n")
    other.write_text("a\n2\n")
    assert content_hash(one) != content_hash(other)
    table = pa.table({"a": [1.0, 2.0]})
    write_table(table, tmp_path / "one.parquet")
    assert content_hash(tmp_path / "one.parquet") == canonical_hash(table)


def test_the_page_is_the_same_each_time(page):
    assert render(page) == render(page)


def test_outside_of_git_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit() == "unknown"

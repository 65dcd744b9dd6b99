"""The page says everything and needs nothing beside itself."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest

from stagewise.release.page import SURPRISES, WORDS, render
from stagewise.release.provenance import content_hash, git_commit
from stagewise.store.parquet import canonical_hash, write_table
from stagewise.studies.common.judging import Verdict
from stagewise.studies.common.ledger import read_claims
from stagewise.studies.common.registry import study_names

ROOT = Path(__file__).resolve().parents[2]


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.sources, self.targets, self.ids, self.open = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.add(attributes.get("id"))
        self.sources += [value for name, value in attrs if name == "src"]
        self.targets += [value for name, value in attrs if name == "href"]
        if tag not in {"meta", "link", "img", "br", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(html):
    links = Links()
    links.feed(html)
    assert not links.open
    return links


def test_the_page_is_well_formed_and_self_contained(rendered):
    html, _ = rendered
    links = parsed(html)
    assert len(links.sources) == len(study_names())
    assert all(source.startswith("data:image/png;base64,") for source in links.sources)
    outside = [target for target in links.targets if re.match(r"(https?:)?//", target)]
    assert not outside
    anchors = [target[1:] for target in links.targets if target.startswith("#")]
    assert anchors
    assert set(anchors) <= links.ids


def test_every_verdict_is_shown_with_its_numbers_and_text_is_escaped(rendered):
    html, _ = rendered
    assert "x &lt; y &amp; z" in html
    assert "<b>1.05</b>" in html
    for verdict in ("1 held", "1 refuted", "1 not run"):
        assert f">{verdict}<" in html


@pytest.mark.parametrize("symbol", ["δ", "η", "σ", "λ", "w", "ε", "m", "L", "n", "F", "Q"])
def test_symbols_are_explained_before_the_first_claim(rendered, symbol):
    ledger = (ROOT / "docs/claims.md").read_text(encoding="utf-8")
    for text, start, end in (
        (ledger, "*Notation:*", "| claim |"),
        (rendered[0], 'class="notation"', "studies"),
    ):
        place = text.index(start)
        assert place < text.index(end, place)
        explained = re.sub(r"<.*?>", "", text[place : text.index("\n", place)])
        assert re.search(rf"\b{symbol}\b", explained)
        assert "overlap" in explained
        assert "balanced" in explained


def test_tables_config_and_provenance_are_on_the_page(page, rendered):
    html, provenance = rendered
    assert "0.5227" in html
    assert "replicates: 20" in html
    digests = {path.name: content_hash(path) for path in page.aggregates}
    assert all(digest[:16] in html for digest in digests.values())
    assert json.loads(provenance)["aggregates"] == digests


@pytest.mark.parametrize("name", study_names())
def test_each_figure_says_what_it_was_made_from(page, rendered, name):
    html, _ = rendered
    _, _, rest = html.partition(f'id="figure-{name}"')
    figure, _, _ = rest.partition("</figure>")
    assert f'alt="alt of {name}"' in figure
    assert f"caption of {name}" in figure
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


def test_the_page_is_the_same_each_time(page, rendered):
    assert render(page) == rendered


def test_outside_of_git_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit() == "unknown"


def test_a_study_has_its_question_and_its_own_claims_beneath_its_figure(rendered):
    html, _ = rendered
    for name in study_names():
        _, _, rest = html.partition(f'<section aria-labelledby="question-{name}">')
        section, _, _ = rest.partition("</section>")
        assert f"question of {name}?" in section
        claims = re.findall(r'class="claim" id="of-(\w+)"', section)
        assert claims == (["a", "b", "c"] if name == "closed_form" else [])


def test_every_verdict_has_a_word_for_readers():
    assert set(WORDS) == set(Verdict.__args__)


def test_the_findings_of_the_first_screen_have_the_verdicts_that_they_tell():
    verdicts = {each.id: each.verdict for each in read_claims(ROOT / "reference" / "claims.json")}
    assert len(SURPRISES) == 5
    for name, verdict, _ in SURPRISES:
        assert verdicts[name] == verdict, name


def test_a_finding_is_left_out_where_the_run_has_another_verdict(page, rendered, tmp_path):
    html, _ = rendered
    assert "What surprised" not in html
    name, _, sentence = next(each for each in SURPRISES if each[1] == "refuted")
    text = page.claims.read_text(encoding="utf-8").replace('"id": "a"', f'"id": "{name}"')
    other = replace(page, claims=tmp_path / "claims.json")
    other.claims.write_text(text, encoding="utf-8")
    assert sentence not in render(other)[0]
    other.claims.write_text(text.replace('"supported"', '"refuted"'), encoding="utf-8")
    assert sentence in render(other)[0]


def luminance(colour):
    """Relative luminance of #rrggbb or #rgb (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    values = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_stand_out_from_their_ground(rendered, theme):
    html, _ = rendered
    block = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[theme]
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", block))
    words = ("ink", "muted", "accent", "supported", "qualified", "refuted", "none")
    low = {
        (word, ground): contrast(colours[word], colours[ground])
        for word in words
        for ground in ("paper", "soft")
    }
    assert min(low.values()) >= 4.5, low
    lines = [contrast(colours[f"c{k}"], colours["soft"]) for k in range(1, 10)]
    assert min(lines) >= 3


def test_the_page_of_the_default_run_is_small():
    path = ROOT / "figures/index.html"
    if not path.is_file():
        pytest.skip("the default run has not been built here")
    assert path.stat().st_size < 3e6

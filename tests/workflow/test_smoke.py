"""The overlay config/smoke.yaml runs every kind of rule, and its page needs nothing but itself."""

import base64
import json
import re
from html.parser import HTMLParser

import pytest

from stagewise.config.loading import read_plan
from stagewise.release.pictures import embedded
from stagewise.studies.common.registry import claims

from .working_copy import REPOSITORY, planned, run_snakemake

PLAN = read_plan([REPOSITORY / "config/smoke.yaml"], REPOSITORY)
FIGURES = list(PLAN.studies)


class _Page(HTMLParser):
    """Collects tags with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def values(self, *names: str) -> list[str]:
        """Values of attributes, wherever they occur."""
        return [
            value
            for _, attributes in self.tags
            for name, value in attributes.items()
            if name in names and value
        ]


@pytest.fixture
def html(smoke):
    return (smoke / "figures" / "smoke" / "index.html").read_text(encoding="utf-8")


def test_smoke_runs_every_rule_and_leaves_out_nothing_but_figures(smoke):
    listed = run_snakemake(smoke, "--list-rules", "--configfile", "config/smoke.yaml")
    rules = set(re.findall(r"^([a-z]\w*)(?: \(.*\))?$", listed.output, re.MULTILINE))
    printed = (smoke / "smoke.txt").read_text(encoding="utf-8")
    ran = set(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)$", printed, re.MULTILINE))
    assert {"moments", "simulate", "statistics", "verdict", "verdicts", "page"} <= rules
    assert rules - set(PLAN.targets()) - {"job"} <= ran  # those are for who asks for less
    kinds = {path.parent.name for path in (smoke / PLAN.results).glob("*/*.parquet")}
    assert {"forecasts", "references", "teachers", "plateaus", "training"} <= kinds


def test_what_was_read_of_sources_is_kept_for_the_next_start(smoke):
    text = (smoke / ".snakemake" / "stagewise" / "digests.json").read_text(encoding="utf-8")
    kept = {path.partition("src/stagewise/")[2] for path in json.loads(text)["files"]}
    read = {"simulate", "learning_times", "plateaus", "training/networks", "training/update_rules"}
    assert {f"pipeline/{name}.py" for name in read} <= kept
    assert {"tables/assumption.py", "release/page.py", f"studies/{FIGURES[0]}.py"} <= kept


@pytest.mark.parametrize("figure", FIGURES)
def test_smoke_draws_its_figures_as_pdf_and_png(smoke, figure):
    path = smoke / "figures" / "smoke" / figure
    assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG\r\n")


def test_smoke_touches_no_other_run(smoke):
    for folder in ("results", "figures"):
        built = {path.name for path in (smoke / folder).iterdir()} - {"README.md"}
        assert built == {"smoke"}
    assert {path.name for path in (smoke / "logs" / "results").iterdir()} == {"smoke"}


def test_smoke_leaves_nothing_to_do_for_itself_and_everything_for_the_default_run(smoke):
    assert planned(smoke, "--configfile", "config/smoke.yaml") == []
    assert "Page" in planned(smoke)


def test_the_page_loads_nothing_from_elsewhere(smoke, html):
    folder = smoke / "figures" / "smoke"
    page = _Page(html)
    for address in page.values("src", "href", "srcset", "poster", "data", "action"):
        inside = address.startswith(("data:", "#")) or (folder / address).is_file()
        assert inside, address
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"iframe", "object", "embed", "base"}
    assert not re.search(r"@import|url\(", html)
    assert "Content-Security-Policy\" content=\"default-src 'none'" in html


def test_the_links_within_the_page_lead_somewhere(html):
    page = _Page(html)
    targets = [address[1:] for address in page.values("href") if address.startswith("#")]
    assert targets
    assert set(targets) <= set(page.values("id"))


@pytest.mark.parametrize("figure", FIGURES)
def test_the_page_embeds_the_figures_that_were_drawn(smoke, html, figure):
    image = embedded(smoke / "figures" / "smoke" / f"{figure}.png")
    assert f"data:image/png;base64,{base64.b64encode(image).decode()}" in html
    assert f'id="figure-{figure}"' in html


def test_the_page_has_a_row_for_every_claim(html):
    page = _Page(html)
    rows = [attributes.get("id") for tag, attributes in page.tags if tag == "tr"]
    assert sorted(row for row in rows if row) == sorted(claim.id for claim in claims())


def test_snakemake_s_own_report_has_every_figure_with_its_caption(smoke, tmp_path):
    """As `make report` makes it."""
    report = tmp_path / "report.html"
    done = run_snakemake(smoke, "--configfile", "config/smoke.yaml", "--report", str(report))
    assert done.returncode == 0, done.output
    html = report.read_text(encoding="utf-8")
    for name in FIGURES:
        assert f"{name}.png" in html
    assert "Gidel, Bach, Lacoste-Julien" in html

"""A page from verdicts, pictures and tables made up for the tests."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from stagewise.config.sentences import parse_config
from stagewise.release.page import Page, render
from stagewise.release.provenance import write_sidecar
from stagewise.store.parquet import write_table
from stagewise.studies.common.judging import Judgement
from stagewise.studies.common.ledger import write_claims
from stagewise.studies.common.registry import study_names

SETTING = {"experiment": "real_data", "dataset": "made up", "relative_step_size": 0.25}
SIGMA = {1: 0.5, 2: 0.2}


def learning_times():
    """Two runs of two modes at two scales; times and forecasts that tell mode and scale apart."""
    rows = [
        SETTING
        | {"delta": delta, "run": run, "mode": mode, "sigma": sigma, "lam": 0.4, "step_size": 0.3}
        | {"learning_iteration": delta / sigma + run}
        | {f"predicted_{law}": delta / sigma + k for k, law in enumerate(LAWS)}
        for delta in (4.0, 16.0)
        for run in (0, 1)
        for mode, sigma in SIGMA.items()
    ]
    other = rows[0] | {"experiment": "another", "delta": 99.0}
    return pd.DataFrame([*rows, other])


LAWS = ("discrete", "reduced_rank", "staged", "integrated")


def trajectory_summary():
    """A rising share of every mode, in units of its σ, recorded every tenth iteration."""
    rows = [
        SETTING
        | {"delta": delta, "quantity": "response_value", "mode": mode, "iteration": iteration}
        | {"mean": sigma * share, "low": 0.9 * sigma * share, "high": 1.1 * sigma * share}
        for delta in (4.0, 16.0)
        for mode, sigma in SIGMA.items()
        for iteration in np.arange(0.0, 120.0, 10.0).tolist()
        for share in [1 / (1 + np.exp(delta / 2 - sigma * iteration / 2))]
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def page(tmp_path_factory, config):
    """Made once: who changes a file changes a copy of it."""
    tmp_path = tmp_path_factory.mktemp("page")
    claims = [
        judgement("a", "ours", "x < y & z", "supported", 1.05, (1.0, 1.1)),
        judgement("b", "reviews", "second", "refuted", 2.0, (2.0, 2.0)),
        judgement("c", "gidel2019", "third", "not run", None, None),
    ]
    write_claims(claims, tmp_path / "claims.json")
    figures, sidecars = [], []
    for name in study_names():
        figures.append(tmp_path / f"{name}.png")
        Image.new("RGB", (1300, 200), (len(name), 90, 160)).save(figures[-1])
        sidecars.append(tmp_path / f"{name}.json")
        table = write_aggregate(tmp_path / f"of_{name}.parquet", float(len(name)))
        write_sidecar({"experiments": [name]}, [table], sidecars[-1])
    pd.DataFrame({"dataset": ["digits"], "delta_x": [0.52271]}).to_csv(tmp_path / "assumption.csv")
    aggregates = [tmp_path / f"{kind}.parquet" for kind in ("learning_times", "trajectory_summary")]
    for table, path in zip((learning_times(), trajectory_summary()), aggregates, strict=True):
        texts = dict.fromkeys(table.columns[table.dtypes == "str"], "category")
        write_table(pa.Table.from_pandas(table.astype(texts)), path)
    return Page(
        claims=tmp_path / "claims.json",
        figures=figures,
        sidecars=sidecars,
        captions=[f"caption of {name}" for name in study_names()],
        titles=[f"title of {name}" for name in study_names()],
        questions=[f"question of {name}?" for name in study_names()],
        alts=[f"alt of {name}" for name in study_names()],
        tables=[tmp_path / "assumption.csv"],
        aggregates=aggregates,
        config=config,
    )


@pytest.fixture(scope="module")
def rendered(page):
    """The page as HTML, and its provenance as JSON."""
    return render(page)

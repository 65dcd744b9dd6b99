"""Tables as programs and people write them: the same answer, or a sentence that can be followed."""

import bz2
import gzip
import io
import json
import lzma
import re
import shlex
import zipfile

import numpy as np
import pandas as pd
import pyarrow.feather
import pytest

TARGETS = ("--targets", "u,v")
HEAD = [*"abcd", "u", "v"]


@pytest.fixture(scope="module")
def rows():
    """Cells of six columns with four decimals, the last two a map of the first four and noise."""
    generator = np.random.default_rng(3)
    x = generator.standard_normal((40, 4)) * [2, 1.5, 1, 0.7]
    y = x @ generator.standard_normal((4, 2)) + 0.3 * generator.standard_normal((40, 2))
    return [[f"{value:.4f}" for value in row] for row in np.hstack([x, y])]


@pytest.fixture(scope="module")
def right(rows):
    """Share that least squares explains, and the same columns scaled as the plain law wants them."""
    values = np.array(rows, dtype=float)
    values -= values.mean(axis=0)
    x, y = values[:, :4], values[:, 4:]
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    sigma = np.linalg.svd(x.T @ y / len(x), compute_uv=False)
    return 1 - (residual**2).sum() / (y**2).sum(), sigma


@pytest.fixture
def asked(command, tmp_path):
    """Write text or bytes to a file and ask for its forecast by the plain law."""

    def ask(content, *options, name="table.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return command("--data", path, "--method", "plain", "--json", *(options or TARGETS))

    return ask


def assert_right(answer, right):
    code, out, err = answer
    assert (code, err) == (0, "")
    report = json.loads(out)
    share, sigma = right
    assert report["dim_in"] == 4
    assert report["explained_variance"] == pytest.approx(share, rel=1e-8)
    iterations = [stage["iteration"] for stage in report["stages"]]
    expected = report["delta"] / np.log1p(report["step_size"] * sigma)
    np.testing.assert_allclose(iterations, expected, rtol=1e-8)


def text(rows, separator=",", head=HEAD, end="\n"):
    return "".join(separator.join(row) + end for row in ([head] if head else []) + rows)


def numbered(rows, values):
    return [[str(value), *row] for value, row in zip(values, rows, strict=True)]


ORDER = np.random.default_rng(1).permutation(40)
WRITTEN = {
    "semicolons": lambda rows: text(rows, ";"),
    "tabs": lambda rows: text(rows, "\t"),
    "bars": lambda rows: text(rows, "|"),
    "blanks": lambda rows: text(rows, " "),
    "many blanks": lambda rows: text(rows, "    "),
    "a blank behind each comma": lambda rows: text(rows, ", "),
    "columns flush right": lambda rows: text([[f"{cell:>12}" for cell in row] for row in [HEAD, *rows]], "", None),
    "decimal commas between semicolons": lambda rows: text(rows, ";").replace(".", ","),
    "decimal commas between tabs": lambda rows: text(rows, "\t").replace(".", ","),
    "decimal commas in quotes": lambda rows: text([[f'"{cell}"' for cell in row] for row in rows]).replace(".", ","),
    "numbers in quotes": lambda rows: text([[f'"{cell}"' for cell in row] for row in rows]),
    "a mark of UTF-8": lambda rows: "\ufeff" + text(rows),
    "ends of lines of Windows": lambda rows: text(rows, end="\r\n"),
    "ends of lines of old Macs": lambda rows: text(rows, end="\r"),
    "blank lines": lambda rows: "\n\n" + text(rows, end="\n\n"),
    "comments": lambda rows: "# made by hand\n% in metres\n" + text(rows) + "# end\n",
    "names in a comment, as numpy.savetxt writes": lambda rows: "# " + text(rows, " "),
    "a title": lambda rows: "Measurements of 2020\n" + text(rows),
    "a title above decimal commas": lambda rows: "Title\n" + text(rows, ";").replace(".", ","),
    "the separator in the first line, as Excel wants it": lambda rows: "sep=;\n" + text(rows, ";"),
    "a separator at the end of every line": lambda rows: text(rows, end=",\n"),
    "a separator at the end of all lines but the first": lambda rows: ",".join(HEAD) + "\n" + text(rows, head=None, end=",\n"),
    "row names without a name, as R writes": lambda rows: " ".join(f'"{name}"' for name in HEAD) + "\n" + text([[f'"{cell}"' if not place else cell for place, cell in enumerate(row)] for row in numbered(rows, range(1, 41))], " ", None),
    "two indices without names": lambda rows: text(numbered(numbered(rows, ORDER % 8), ORDER // 8), head=["", "", *HEAD]),
    "an index that comes twice": lambda rows: text(numbered(rows, np.arange(40) % 20), head=["", *HEAD]),
    "index": lambda rows: text(numbered(rows, ORDER), head=["index", *HEAD]),
    "an index saved twice": lambda rows: text(numbered(numbered(rows, ORDER), ORDER), head=["Unnamed: 0.1", "Unnamed: 0", *HEAD]),
    "an index of floats": lambda rows: text(numbered(rows, np.arange(40.0)), head=["", *HEAD]),
    "an index of dates": lambda rows: text(numbered(rows, pd.date_range("2020-01-01", periods=40)), head=["", *HEAD]),
    "Id from 1": lambda rows: text(numbered(rows, ORDER + 1), head=["Id", *HEAD]),
    "row": lambda rows: text(numbered(rows, ORDER), head=["row", *HEAD]),
    "No.": lambda rows: text(numbered(rows, ORDER + 1), head=["No.", *HEAD]),
    "Case #": lambda rows: text(numbered(rows, ORDER), head=["Case #", *HEAD]),
    "S. No.": lambda rows: text(numbered(rows, ORDER), head=["S. No.", *HEAD]),
    "Nummer": lambda rows: text(numbered(rows, ORDER), head=["Nummer", *HEAD]),
    "lines of blanks at the end": lambda rows: text(rows) + "\n  \n",
    "patient_id": lambda rows: text(numbered(rows, 5000 + 7 * ORDER), head=["patient_id", *HEAD]),
    "sampleId below zero": lambda rows: text(numbered(rows, ORDER - 40), head=["sampleId", *HEAD]),
}  # fmt: skip


@pytest.mark.parametrize("how", WRITTEN)
def test_the_same_table_in_whatever_writing(how, rows, right, asked):
    assert_right(asked(WRITTEN[how](rows)), right)


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "shift_jis"]
)
def test_the_same_table_in_whatever_encoding(encoding, rows, right, asked):
    name = "温度" if encoding == "shift_jis" else "größe"
    assert_right(asked(text(rows, head=[name, *HEAD[1:]]), encoding=encoding), right)


def test_a_name_is_known_whatever_its_umlauts_are_put_together_from(rows, right, asked):
    content = text(rows, head=[*"abcd", "u\u0308", "v"])
    assert_right(asked(content, "--targets", "\u00fc,v"), right)


def zipped(content, *others):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("table.csv", "__MACOSX/._table.csv", *others):
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zipped])
@pytest.mark.parametrize("name", ["table.csv.gz", "table.zip", "table.csv", "table.data"])
def test_what_a_file_is_packed_by_is_seen_in_it(pack, name, rows, right, asked):
    assert_right(asked(pack(text(rows).encode()), name=name), right)


def test_a_file_of_arrow_is_read(rows, right, tmp_path, command):
    frame = pd.DataFrame(np.array(rows, dtype=float), columns=HEAD)
    pyarrow.feather.write_feather(frame, tmp_path / "table.feather")
    options = ("--method", "plain", "--json", *TARGETS)
    assert_right(command("--data", tmp_path / "table.feather", *options), right)


def test_a_folder_may_hold_other_files_and_whole_numbers_in_one_part(tmp_path, command):
    generator = np.random.default_rng(2)
    frame = pd.DataFrame(generator.standard_normal((40, 3)), columns=["a", "b", "u"])
    whole = frame.head(20).assign(a=np.arange(20) % 3)
    for folder, first in (("whole", whole), ("fractions", whole.astype(float))):
        (tmp_path / folder).mkdir()
        first.to_parquet(tmp_path / folder / "0.parquet")
        frame.tail(20)[["u", "b", "a"]].to_parquet(tmp_path / folder / "1.parquet")
        (tmp_path / folder / "README.md").write_text("Two parts.")
        (tmp_path / folder / "_SUCCESS").touch()
    options = ("--targets", "u", "--json", "--method", "plain")
    answers = [json.loads(command("--data", tmp_path / each, *options)[1])["stages"] for each in ("whole", "fractions")]  # fmt: skip
    assert answers[0] == answers[1]


def test_keys_of_folders_are_inputs_as_in_one_file_and_are_spoken_of(
    rows, asked, tmp_path, command
):
    frame = pd.DataFrame(np.array(rows, dtype=float), columns=HEAD).assign(a=np.arange(40) % 3)
    frame.to_parquet(tmp_path / "parts", partition_cols=["a"], index=False)
    answers = [asked(frame.to_csv(index=False)), command("--data", tmp_path / "parts", "--method", "plain", "--json", *TARGETS)]  # fmt: skip
    one, parts = (json.loads(out) for _, out, _ in answers)
    found = [[stage["iteration"] for stage in report["stages"]] for report in (one, parts)]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-8)
    assert "'a' comes from the names of folders" in parts["notes"][0]
    assert parts["notes"][0].endswith("say --drop a")


REFUSED = {
    "thousands": (lambda rows: text([["1,234,567" if not place else cell for place, cell in enumerate(row)] for row in rows], ";"), "without separators of thousands"),
    "thousands of Germany": (lambda rows: text([["1.234,5", *row[1:]] for row in rows], ";"), "without separators of thousands"),
    "a mark of what is missing": (lambda rows: text([["?", *rows[0][1:]], *rows[1:]]), "stands for a missing value"),
    "an error of Excel in the first column": (lambda rows: text([*rows, ["#N/A", *rows[0][1:]]]), "1 value missing or not finite, the first in column 'a' (row 41)"),
    "another one": (lambda rows: text([*rows, ["#DIV/0!", *rows[0][1:]]]), "'#DIV/0!' in row 41"),
    "per cent": (lambda rows: text([[f"{row[0]} %", *row[1:]] for row in rows]), "without signs of units"),
    "a price": (lambda rows: text([[f"€{row[0]}", *row[1:]] for row in rows]), "without signs of units"),
    "names in capitals": (lambda rows: text(rows, head=[*"abcdUV"]), "Did you mean 'U', 'V'?"),
    "a date": (lambda rows: text([["01.02.2020", *row[1:]] for row in rows]), "--drop a"),
    "a line of units": (lambda rows: text([["m"] * 6, *rows]), "40 of its 41 rows hold numbers"),
    "a total": (lambda rows: text([*rows, ["Total", *rows[0][1:]]]), "'Total' in row 41"),
    "a row too long": (lambda rows: text([*rows, [*rows[0], "1"]]), "Row 41 has 7 columns"),
    "colons": (lambda rows: text(rows, ":"), "columns must be separated by"),
    "an unbreakable blank": (lambda rows: text([["\u00a0" + row[0], *row[1:]] for row in rows]), r"'\xa0"),
    "a first line without names": (lambda rows: text([["?", *rows[0][1:]], *rows[1:]], head=None), "--no-header"),
    "a workbook called .csv": (lambda rows: zipped("x", "xl/workbook.xml")[:0] + zipped("", "b.csv"), "it must hold one text table"),
}  # fmt: skip


@pytest.mark.parametrize("how", REFUSED)
def test_what_cannot_be_meant_is_refused_with_what_to_do(how, rows, asked):
    write, said = REFUSED[how]
    code, out, err = asked(write(rows))
    assert (code, out) == (2, "")
    assert said in err


def test_row_numbers_under_any_other_name_are_an_input_that_is_spoken_of(rows, asked):
    code, out, _ = asked(text(numbered(rows, ORDER), head=["rank", *HEAD]))
    assert code == 0
    assert json.loads(out)["dim_in"] == 5
    assert "'rank' counts the rows; if it is no input, say --drop rank" in out


@pytest.mark.parametrize("levels", [(8, 5), (2, 4, 5)])
def test_levels_of_an_index_that_a_csv_file_does_not_tell_are_spoken_of(levels, rows, asked):
    grid = np.stack(np.unravel_index(ORDER, levels), axis=1).astype(str).tolist()
    names = ["site", "visit", "hour"][: len(levels)]
    content = text([[*place, *row] for place, row in zip(grid, rows, strict=True)], head=[*names, *HEAD])  # fmt: skip
    said = f"count the rows together; if they are no input, say --drop {','.join(names)}"
    assert said in asked(content)[1]
    grid[0] = grid[1]
    other = text([[*place, *row] for place, row in zip(grid, rows, strict=True)], head=[*names, *HEAD])  # fmt: skip
    assert "count the rows" not in asked(other)[1]


STANDING_IN = {
    "-999": 5,
    "-99.9": 2,
    "9999": 1,
    "1e20": 3,
    "-1e30": 1,
    "32767": 2,
    "-200": 3,
    "99": 3,
}


@pytest.mark.parametrize("value", STANDING_IN)
@pytest.mark.parametrize("column", [1, 4])
def test_what_seems_to_stand_for_a_missing_value_is_spoken_of(value, column, rows, asked):
    count = STANDING_IN[value]
    spoilt = [[value if (place == column and row < count) else cell for place, cell in enumerate(cells)] for row, cells in enumerate(rows)]  # fmt: skip
    answer = asked(text(spoilt))
    said = f"{float(value):.7g} lies far from all other values of '{HEAD[column]}' ({count} value"
    assert said in answer[1] + answer[2]


def test_values_that_are_only_large_are_not_spoken_of(rows, asked):
    values = np.array(rows, dtype=float)
    values[0, 0], values[1:, 1] = 99, np.arange(39) % 2  # one pixel, and a count with an outlier
    values[0, 1], values[:, 2], values[:3, 3] = 300, values[:, 2] ** 3, values[:, 3].max()
    assert "far from" not in asked(text(values.astype(str).tolist()))[1]


@pytest.mark.parametrize("name", ["paid", "grid", "acid", "valid"])
def test_a_name_that_only_ends_like_an_identifier_is_an_input(name, rows, asked):
    code, out, _ = asked(text(numbered(rows, 3 * ORDER), head=[name, *HEAD]))
    assert (code, json.loads(out)["dim_in"]) == (0, 5)


@pytest.mark.parametrize("name", ['a, "b"', "a\nb", " a ", "$HOME", "-x", "it's", "", "*"])
def test_the_advice_to_drop_a_column_works_when_it_is_pasted(name, rows, asked):
    quoted = '"' + name.replace('"', '""') + '"'
    content = text(numbered(rows, ["x"] * 40), head=[quoted, *HEAD])
    code, _, err = asked(content, *TARGETS, "--keep-index")
    assert code == 2
    (advice,) = re.findall(r"(--drop .*?), or encode", err, re.DOTALL)
    assert asked(content, *TARGETS, *shlex.split(advice))[0] == 0
    content = text(numbered(rows, ["x", "y"] * 20), head=[quoted, *HEAD])
    (advice,) = re.findall(r"(--label .*)[.]$", asked(content, f"--targets={quoted}")[2], re.DOTALL)
    assert asked(content, *shlex.split(advice))[0] == 0

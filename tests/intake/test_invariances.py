"""What must not matter does not: the order of rows, units, offsets, the container of a file."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INPUTS = [*"abcde"]
TARGETS = [*"uvw"]
QUICK = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def drawn(seed, rows=60):
    """Inputs of different sizes, targets that a map of them and noise give."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((rows, 5)) * [2, 1.5, 1, 0.7, 0.5]
    y = x @ generator.standard_normal((5, 3)) + 0.3 * generator.standard_normal((rows, 3))
    return pd.DataFrame(np.hstack([x, y]), columns=[*INPUTS, *TARGETS])


def least_squares(frame):
    """Percentage of the outputs' variance that least squares explains, by another route."""
    x, y = frame[INPUTS].to_numpy(), frame[TARGETS].to_numpy()
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    scaled = x / x.std(axis=0)
    residual = y - scaled @ np.linalg.lstsq(scaled, y, rcond=None)[0]
    return 1 - (residual**2).sum() / (y**2).sum()


@pytest.fixture
def answer(command, tmp_path):
    """What the command says of a frame saved in a container, as JSON, and its notes."""

    def ask(frame, container="csv", *options, **how):
        path = tmp_path / f"table.{container}"
        if container == "npz":
            np.savez(path, X=frame[INPUTS], y=frame[TARGETS])
            named = ()
        elif container == "folder":
            path.mkdir(exist_ok=True)
            for part, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
                frame.iloc[rows].to_parquet(path / f"{part}.parquet", **how)
            named = ("--targets", ",".join(TARGETS))
        else:
            writer = frame.to_parquet if container == "parquet" else frame.to_csv
            writer(path, **({"index": False} | how))
            named = ("--targets", ",".join(TARGETS))
        code, out, err = command("--data", path, "--json", "--method", "staged", *named, *options)
        assert code == 0, err
        return json.loads(out)

    return ask


def numbers(report):
    return np.array([stage["iteration"] for stage in report["stages"]])


@QUICK
@given(st.integers(0, 1000), st.sampled_from(["csv", "csv.gz", "parquet", "folder"]))
def test_the_container_does_not_matter(answer, seed, container):
    frame = drawn(seed)
    arrays, table = answer(frame, "npz"), answer(frame, container)
    np.testing.assert_allclose(numbers(table), numbers(arrays), rtol=1e-8)
    assert table["explained_variance"] == pytest.approx(arrays["explained_variance"], rel=1e-8)
    assert table["explained_variance"] == pytest.approx(least_squares(frame), rel=1e-8)


@QUICK
@given(st.integers(0, 1000), st.sampled_from(["csv", "parquet", "folder"]), st.booleans())
def test_the_index_of_a_saved_table_is_no_input_in_whatever_order(
    answer, seed, container, shuffled
):
    frame = drawn(seed)
    given_frame = frame.sample(frac=1, random_state=seed) if shuffled else frame
    with_index = answer(given_frame, container, index=True)
    np.testing.assert_allclose(numbers(with_index), numbers(answer(frame, "npz")), rtol=1e-8)


@QUICK
@given(
    st.integers(0, 1000),
    st.sampled_from(["npz", "parquet"]),
    st.sampled_from(INPUTS),
    st.sampled_from([1e-7, 1e-3, 1e5, 1e7]),
)
def test_shares_do_not_depend_on_the_unit_of_a_column(answer, seed, container, column, unit):
    frame = drawn(seed)
    scaled = frame.assign(**{column: unit * frame[column]})
    assert answer(scaled, container)["explained_variance"] == pytest.approx(
        least_squares(frame), rel=1e-8
    )
    standardised = [numbers(answer(each, container, "--standardise")) for each in (frame, scaled)]
    np.testing.assert_allclose(standardised[1], standardised[0], rtol=1e-7)


@QUICK
@given(
    st.integers(0, 1000),
    st.sampled_from(["npz", "parquet"]),
    st.sampled_from([*INPUTS, *TARGETS]),
    st.sampled_from([-1e8, -3.0, 1e4, 1e7]),
)
def test_offsets_change_nothing(answer, seed, container, column, offset):
    # Numbers that a float holds with and without the offset.
    frame = (drawn(seed) * 2**20).round() / 2**20
    shifted = frame.assign(**{column: frame[column] + offset})
    before, after = answer(frame, container), answer(shifted, container)
    np.testing.assert_allclose(numbers(after), numbers(before), rtol=1e-8)
    assert after["explained_variance"] == pytest.approx(before["explained_variance"], rel=1e-8)
    assert 0 <= after["explained_variance"] <= 1


@QUICK
@given(st.integers(0, 1000), st.integers(2, 12))
def test_classes_are_classes_in_every_container_and_type(command, tmp_path_factory, seed, classes):
    folder = tmp_path_factory.mktemp("labels")
    generator = np.random.default_rng(seed)
    labels = np.arange(120) % classes
    x = generator.standard_normal((120, 4)) + np.eye(classes, 4)[labels]
    path = folder / "classes.npz"
    found = []
    for kind in (
        labels,
        labels[:, None],
        labels.astype(float),
        labels.astype("uint8"),
        np.array([f"kind {label:02d}" for label in labels]),
    ):
        np.savez(path, X=x, y=kind)
        code, out, err = command("--data", path, "--json")
        assert code == 0, err
        found.append(numbers(json.loads(out)))
    for each in found[1:]:
        np.testing.assert_allclose(each, found[0], rtol=1e-8)
    assert len(found[0]) == min(4, classes - 1)


def test_five_hundred_damaged_files_end_in_an_answer_or_a_sentence(command, tmp_path, capsys):
    frame = drawn(1, rows=30)
    frame.to_csv(tmp_path / "good.csv", index=False)
    frame.to_parquet(tmp_path / "good.parquet")
    np.savez(tmp_path / "good.npz", X=frame[INPUTS], y=frame[TARGETS])
    generator = np.random.default_rng(500)
    refused = 0
    for trial in range(500):
        ending = ("csv", "parquet", "npz")[trial % 3]
        content = bytearray((tmp_path / f"good.{ending}").read_bytes())
        for _ in range(generator.integers(1, 6)):
            place = int(generator.integers(len(content)))
            match generator.integers(4):
                case 0:
                    content[place] = int(generator.integers(256))
                case 1:
                    del content[place:]
                case 2:
                    del content[place : place + 7]
                case _:
                    content[place:place] = generator.bytes(5)
            content = content or bytearray(b"\0")
        path = tmp_path / f"bad.{ending}"
        path.write_bytes(bytes(content))
        named = () if ending == "npz" else ("--targets", "u,v,w")
        code, out, err = command("--data", path, "--method", "plain", "--json", *named)
        assert code in (0, 2)
        assert "Traceback" not in err
        if code == 2:
            refused += 1
            assert err.strip()
            assert not out.strip()
        else:
            assert 0 <= json.loads(out)["explained_variance"] <= 1
    assert refused > 200

"""Arrays under the names, in the shapes and of the types that people save."""

import json

import numpy as np
import pytest

GENERATOR = np.random.default_rng(4)
X = GENERATOR.standard_normal((60, 6)) * [2, 1.5, 1.2, 1, 0.8, 0.5]
LABELS = np.arange(60) % 3
Y = X @ GENERATOR.standard_normal((6, 2)) + 0.3 * GENERATOR.standard_normal((60, 2))


@pytest.fixture
def asked(command, tmp_path):
    def ask(arrays, *options):
        np.savez(tmp_path / "data.npz", **arrays)
        return command("--data", tmp_path / "data.npz", "--method", "plain", "--json", *options)

    return ask


def explained(x, y):
    """By least squares, and the singular values of the covariance."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    sigma = np.linalg.svd(x.T @ y / len(x), compute_uv=False)
    return 1 - (residual**2).sum() / (y**2).sum(), sigma


def assert_right(answer, x, y):
    code, out, err = answer
    assert (code, err) == (0, "")
    report, (share, sigma) = json.loads(out), explained(x, y)
    assert report["explained_variance"] == pytest.approx(share, rel=1e-8)
    expected = report["delta"] / np.log1p(report["step_size"] * sigma)
    iterations = [stage["iteration"] for stage in report["stages"]]
    np.testing.assert_allclose(iterations, expected[: len(iterations)], rtol=1e-7)
    return report


@pytest.mark.parametrize(
    "names",
    [
        "x,y",
        "X,Y",
        "x_train,y_train",
        "X_train,Y_train",
        "Xtrain,ytrain",
        "trainX,trainY",
        "Xtr,Ytr",
        "x_tr,y_tr",
        "data,target",
        "DATA,TARGET",
        "features,labels",
        "arr_0,arr_1",
    ],
)
def test_names_that_people_give(names, asked):
    inputs, outputs = names.split(",")
    others = dict.fromkeys(("X_test", "y_te", "val_x"), X[:9]) if "tr" in names.lower() else {}
    report = assert_right(asked({inputs: X, outputs: Y} | others), X, Y)
    assert repr(inputs) in report["notes"][0]


@pytest.mark.parametrize(
    "turn",
    [
        lambda array: array.astype(">f4").astype(np.longdouble),
        np.asfortranarray,
        lambda array: np.ma.masked_less(array, -99),
        lambda array: array.astype(np.float16),
        lambda array: (array * 100).round().astype(np.int8),
        lambda array: array > 0,
    ],
)
def test_types_of_inputs(turn, asked):
    kept = np.asarray(turn(X), dtype=float)
    assert_right(asked({"X": turn(X), "y": Y}), kept, Y)


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        LABELS + 1,
        10 * LABELS,
        LABELS - 1,
        LABELS.astype(np.float16),
        LABELS[:, None].astype(float),
        LABELS.astype(np.uint8),
        LABELS.astype(str),
        LABELS.astype("S3"),
        np.array(["ä", "b ", " c"])[LABELS],
        np.eye(3)[LABELS],
        np.eye(3, dtype=bool)[LABELS],
        np.eye(3, dtype=np.uint8)[LABELS],
    ],
)
def test_labels_of_every_type_are_classes(labels, asked):
    report = assert_right(asked({"X": X, "y": labels}), X, np.eye(3)[LABELS])
    assert report["classes"] == 3


@pytest.mark.parametrize("two", [LABELS > 0, np.where(LABELS > 0, 1.0, -1.0), 3 + (LABELS > 0)])
def test_two_classes(two, asked):
    report = assert_right(asked({"X": X, "y": two}), X, np.eye(2)[(LABELS > 0).astype(int)])
    assert report["classes"] == 2


@pytest.mark.parametrize(
    "numbers", [np.eye(3)[LABELS] / 2, LABELS / 2, np.stack([LABELS, LABELS**2], 1)]
)
def test_numbers_that_look_a_little_like_classes(numbers, asked):
    report = assert_right(asked({"X": X, "y": numbers}), X, numbers.reshape(60, -1))
    assert report["classes"] == 0


def test_one_hot_outputs_are_numbers_where_that_is_said(asked):
    assert json.loads(asked({"X": X, "y": np.eye(3)[LABELS]}, "--numbers")[1])["classes"] == 0


def test_seven_hundred_whole_numbers_are_a_quantity_and_can_be_followed_as_classes(asked):
    whole = GENERATOR.integers(0, 700, 20000)
    arrays = {"X": GENERATOR.standard_normal((20000, 3)), "y": whole}
    report = json.loads(asked(arrays)[1])
    assert (report["classes"], report["dim_out"]) == (0, 1)
    assert "700 different whole numbers" in report["notes"][0]
    report = assert_right(asked(arrays, "--classes"), arrays["X"], np.eye(700)[whole])
    assert (report["classes"], report["width"], len(report["stages"])) == (700, 3, 3)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"X": X.T, "y": Y}, "Was X.T meant?"),
        ({"X": X, "y": LABELS[None]}, "Was y.T meant?"),
        ({"X": X.T, "y": Y.T}, "Was X.T with y.T meant?"),
        ({"X": X.T.reshape(2, 3, 60), "y": LABELS}, "Was np.moveaxis(X, -1, 0) meant?"),
        ({"X": X + 0j, "y": Y}, "of type complex128"),
        ({"X": X.astype("M8[s]"), "y": Y}, "of type datetime64[s]"),
        ({"X": X[:0], "y": Y[:0]}, "samples, inputs and outputs are needed"),
        ({"X": X[:1], "y": Y[:1]}, "1 row"),
        ({"X": X[:, :0], "y": Y}, "samples, inputs and outputs are needed"),
        ({"X": np.where(X > 2, np.nan, X), "y": Y}, "missing or not finite"),
        ({"A": X, "b": Y}, "holds the arrays A, b"),
        ({"X": X, "y": Y[:, 0].round(1).astype(str)}, "save it as numbers, not as text"),
        ({"X": np.rec.fromarrays(X.T), "y": Y}, "it must hold numbers"),
        ({"X": X, "y": np.where(LABELS > 1, np.nan, LABELS)}, "the first in column 'y' (row 3)"),
    ],
)
def test_arrays_that_tell_nothing_are_refused_with_what_was_meant(arrays, said, asked):
    code, out, err = asked(arrays)
    assert (code, out) == (2, "")
    assert said in err

"""Archived moments: a rotation of the inputs loses nothing that the theory speaks of."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import commutation
from stagewise.cli import main
from stagewise.config.sentences import parse_config
from stagewise.data import images
from stagewise.data.archiving import write_archive
from stagewise.data.compact_moments import (
    FOLDER,
    TOLERANCE,
    archive_names,
    difference,
    read_archive,
    reduced,
)
from stagewise.data.kinds.archived_moments import ArchivedMomentsData
from stagewise.data.kinds.mnist import MnistData
from stagewise.dynamics import gradient_descent
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments

ROOT = Path(__file__).resolve().parents[2]
MNIST_FOLDERS = filter(None, (os.environ.get("STAGEWISE_DATA"), ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="module")
def moments() -> Moments:
    random = np.random.default_rng(0)
    inputs = 1 + random.standard_normal((50, 6)) * [3, 2, 1, 1, 0.5, 0.1]
    return Moments.of_block(inputs, inputs[:, :3] ** 2)


def archived(name: str) -> Moments:
    return ArchivedMomentsData(kind="archived_moments", name=name).moments("any", Path("none"))[0]


@pytest.mark.parametrize("centred", [True, False])
def test_what_no_rotation_changes_is_kept(centred, moments):
    before, after = (each.problem(centred) for each in (moments, reduced(moments).moments()))
    assert_allclose(after.eigenvalues, before.eigenvalues, rtol=1e-10)
    assert_allclose(after.modes.sigma, before.modes.sigma, rtol=1e-12)
    assert_allclose(after.modes.lam, before.modes.lam, rtol=1e-12)
    one, other = (commutation(each) for each in (before, after))
    assert_allclose(other.delta_x, one.delta_x, rtol=1e-12)
    assert_allclose(other.delta_xy_eigen, one.delta_xy_eigen, rtol=1e-10)
    explained = [np.sum(each.sigma_xy * each.least_squares) for each in (before, after)]
    assert_allclose(explained[1], explained[0], rtol=1e-10)


def test_training_from_rotated_weights_takes_the_same_course(moments):
    before, after = (each.problem(True) for each in (moments, reduced(moments).moments()))
    random = np.random.default_rng(2)
    first, second = 0.1 * random.standard_normal((6, 4)), 0.1 * random.standard_normal((4, 3))
    frame = before.eigenvectors
    signs = np.sign(np.sum((frame.T @ before.sigma_xy) * after.sigma_xy, axis=1))
    one = gradient_descent(before, [first, second], 0.01, [0, 50, 500])
    other = gradient_descent(after, [(frame * signs).T @ first, second], 0.01, [0, 50, 500])
    assert_allclose(other.loss, one.loss, rtol=1e-10)
    assert_allclose(other.singular_values, one.singular_values, rtol=1e-9)


def test_archives_are_written_and_read_back(moments, tmp_path):
    write_archive(reduced(moments), "mine", tmp_path / "archived", {"made by": "a test"})
    assert "mine" in archive_names(tmp_path)
    assert difference(read_archive("mine", tmp_path), reduced(moments)) == 0
    assert json.loads((tmp_path / "archived/mine.json").read_text()) == {"made by": "a test"}


def test_the_order_and_signs_of_directions_make_no_difference_but_values_do(moments):
    one = reduced(moments)
    turned = replace(one, lam=one.lam[::-1], sigma_xy=-one.sigma_xy[::-1], mean_x=-one.mean_x[::-1])
    assert difference(one, turned) < 1e-13
    assert difference(one, replace(one, mean_x=None, mean_y=None)) == 0
    for changed in (
        replace(one, lam=one.lam * (1 + 1e-8)),
        replace(one, sigma_xy=one.sigma_xy * (1 + 1e-8)),
        replace(one, sigma_xy=one.sigma_xy[::-1]),
        replace(one, mean_x=one.mean_x * (1 + 1e-8)),
        replace(one, tr_yy=one.tr_yy * (1 + 1e-8)),
        replace(one, n=one.n + 1),
        replace(one, sigma_xy=one.sigma_xy[:, :2]),
    ):
        assert difference(one, changed) > TOLERANCE


def test_mnist_is_as_far_from_the_assumptions_as_is_known_from_elsewhere():
    moments = archived("mnist")
    assert moments.n == 60_000
    measured = commutation(moments.problem(True))
    assert abs(measured.delta_x - 0.6333) < 1e-4
    assert abs(measured.delta_xy_eigen - 0.1327) < 1e-4
    assert abs(measured.delta_xy_random - 0.2743) < 1e-4
    assert len(moments.problem(False).modes.sigma) == 10
    assert_allclose(moments.tr_yy, 1, rtol=1e-12)


def test_cifar10_is_as_far_from_the_assumption_as_is_known_from_elsewhere():
    moments = archived("cifar10")
    assert moments.n == 50_000
    problem = moments.problem(True)
    left, scaled = problem.modes.left, moments.sigma_x / np.linalg.norm(moments.sigma_x)
    inside = left.T @ scaled @ left
    across = np.sum((scaled @ left) ** 2) - np.sum(inside**2)
    fixed = np.sum(inside**2) - np.sum(np.diag(inside) ** 2) + 2 * across
    delta_x = np.linalg.norm(scaled - np.eye(3072) / np.sqrt(3072))
    assert abs(np.sqrt(fixed) / delta_x - 0.39) < 0.005


def test_where_the_means_are_not_known_there_is_no_uncentred_problem():
    moments = archived("cifar10")
    assert not moments.means_known
    with pytest.raises(StagewiseError, match="centred moments only; set centred to true"):
        moments.problem(False)


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_archives_say_where_they_come_from(name):
    told = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert "stagewise archive-moments" in told["made by"]
    assert any("SHA-256" in text for text in told.values())


def test_an_experiment_that_is_not_centred_is_refused_where_means_are_unknown():
    section = {"datasets": ["it"], "delta": [1.0], "step_size": [0.1], "centred": False}
    raw = {
        "assumption": ["it"],
        "datasets": {"it": {"kind": "archived_moments", "name": "cifar10"}},
        "experiments": {"e": section},
    }
    with pytest.raises(StagewiseError, match=r"experiments\.e is not centred, but of it only cent"):
        parse_config(raw)
    raw["datasets"]["it"]["name"] = "mnist"
    parse_config(raw)


def test_an_archive_that_is_not_there_is_told_the_others():
    with pytest.raises(StagewiseError, match="named 'nope'; there are cifar10, mnist"):
        archived("nope")


def test_the_command_names_what_can_be_archived(capsys):
    assert main(["archive-moments", "nope"]) == 2
    assert "it must be one of cifar10, fashion_mnist, imagenet64, mnist" in capsys.readouterr().err


@pytest.fixture
def mnist_folder() -> Path:
    for folder in MNIST_FOLDERS:
        if (Path(folder) / "mnist").is_dir():
            return Path(folder)
    pytest.skip("the MNIST files are neither in STAGEWISE_DATA nor in ../shared/data")


def test_the_archive_of_mnist_agrees_with_its_images(mnist_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(images, "BLOCK", 1500)  # other sums, other rounding
    spec = MnistData(kind="mnist", download=False)
    (moments,) = spec.moments("mnist", mnist_folder)
    assert difference(read_archive("mnist", tmp_path), reduced(moments)) < TOLERANCE

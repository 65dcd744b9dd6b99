import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import commutation
from stagewise.data import images
from stagewise.data.datasets import data_directory, draw_moments
from stagewise.data.images import image_moments
from stagewise.data.kinds import DataSpec, mnist
from stagewise.data.kinds.aligned import AlignedData
from stagewise.data.kinds.autoencoder import AutoencoderData
from stagewise.data.kinds.digits import DigitsData
from stagewise.data.kinds.low_rank_regression import LowRankRegressionData
from stagewise.data.kinds.mnist import MnistData
from stagewise.data.kinds.npz import NpzData
from stagewise.data.kinds.random_modes import RandomModesData
from stagewise.data.kinds.spiked import SpikedData
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments

ROOT = Path(__file__).resolve().parents[2]
FIELDS = ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n")


def synthetic(draws: int) -> list[DataSpec]:
    return [
        AlignedData(kind="aligned", sigma=[1.0, 0.5], draws=draws),
        RandomModesData(kind="random_modes", draws=draws),
        AutoencoderData(kind="autoencoder", dim=4, rank=2, samples=20, draws=draws),
        LowRankRegressionData(kind="low_rank_regression", samples=20, draws=draws),
        SpikedData(kind="spiked", draws=draws),
    ]


def bits(moments: Moments) -> list[bytes]:
    return [np.asarray(getattr(moments, field)).tobytes() for field in FIELDS]


@pytest.mark.parametrize("spec", synthetic(draws=3), ids=lambda spec: spec.kind)
def test_a_synthetic_data_set_has_as_many_different_draws_as_asked_for(spec):
    drawn = [tuple(bits(each)) for each in draw_moments("name", spec, None)]
    assert len(drawn) == len(set(drawn)) == 3


@pytest.mark.parametrize("index", range(5), ids=[spec.kind for spec in synthetic(1)])
def test_more_draws_keep_those_there_were(index):
    few, many = (draw_moments("name", synthetic(draws)[index], None) for draws in (2, 5))
    assert [bits(each) for each in many[:2]] == [bits(each) for each in few]


@pytest.mark.parametrize("spec", synthetic(draws=1), ids=lambda spec: spec.kind)
def test_draws_are_seeded_by_the_name_of_the_data_set(spec):
    (one,), (same,), (other,) = (draw_moments(name, spec, None) for name in ("a", "a", "b"))
    assert bits(one) == bits(same)
    assert bits(one) != bits(other)


@pytest.fixture(scope="module")
def digits() -> Moments:
    (moments,) = draw_moments("digits", DigitsData(kind="digits"), None)
    return moments


def test_the_digits_are_1797_images_of_64_pixels_in_10_classes(digits):
    assert digits.n == 1797
    assert digits.sigma_x.shape == (64, 64)
    assert digits.sigma_xy.shape == (64, 10)


def test_the_pixels_of_the_digits_are_scaled_to_one_and_their_labels_one_hot(digits):
    assert_allclose(digits.mean_x.mean(), 0.30526, atol=1e-5)
    assert digits.sigma_x.max() <= 1.0
    assert digits.sigma_x.max() > 0.5
    assert_allclose(digits.tr_yy, 1.0, rtol=1e-12)
    counts = np.array([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert_allclose(digits.mean_y * 1797, counts, rtol=1e-12)


@pytest.mark.parametrize(("centred", "modes"), [(True, 9), (False, 10)])
def test_centring_takes_one_mode_from_the_digits(centred, modes, digits):
    assert len(digits.problem(centred).modes.sigma) == modes


@pytest.mark.parametrize("block", [1, 7, 4096])
def test_images_are_scaled_to_one_and_labels_one_hot_whatever_the_block(block, monkeypatch):
    monkeypatch.setattr(images, "BLOCK", block)
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (23, 3, 2), dtype=np.uint8)
    labels = random.integers(0, 4, 23, dtype=np.uint8)
    expected = Moments.of_block(pixels.reshape(23, 6) / 255, np.eye(5)[labels])
    moments = image_moments(pixels, labels, classes=5)
    for field in FIELDS:
        assert_allclose(getattr(moments, field), getattr(expected, field), rtol=1e-12)


def test_images_and_labels_that_do_not_belong_together_are_refused():
    with pytest.raises(StagewiseError) as caught:
        image_moments(np.zeros((3, 2, 2), np.uint8), np.zeros(4, np.uint8), classes=10)
    assert str(caught.value) == (
        "There are 3 images but 4 labels; the files do not belong together."
    )


def test_a_label_beyond_the_classes_is_refused():
    with pytest.raises(StagewiseError) as caught:
        image_moments(np.zeros((2, 2, 2), np.uint8), np.array([0, 10], np.uint8), classes=10)
    assert str(caught.value) == "A label is 10; with 10 classes they go from 0 to 9."


def test_a_data_set_without_images_is_refused():
    with pytest.raises(StagewiseError, match="The data set holds no samples"):
        image_moments(np.zeros((0, 2, 2), np.uint8), np.zeros(0, np.uint8), classes=10)


def test_a_data_set_of_the_user_is_read_from_its_path(tmp_path):
    path = tmp_path / "mine.npz"
    inputs = np.random.default_rng(1).standard_normal((5, 2))
    np.savez(path, X=inputs, y=inputs)
    (moments,) = draw_moments("mine", NpzData(kind="npz", path=str(path)), None)
    assert_allclose(moments.sigma_xy, inputs.T @ inputs / 5, rtol=1e-12)


@pytest.mark.parametrize(
    ("configured", "variable", "cache", "expected"),
    [
        ("here", "there", "cache", "here"),
        (None, "there", "cache", "there"),
        (None, None, "cache", "cache/stagewise"),
        (None, "", "cache", "cache/stagewise"),
        ("~/here", None, None, "home/here"),
        (None, "~/there", None, "home/there"),
        (None, None, None, "home/.cache/stagewise"),
    ],
)
def test_data_lie_where_the_config_says_else_the_variable_else_the_user_cache(
    configured, variable, cache, expected, monkeypatch
):
    monkeypatch.setenv("HOME", "home")
    for name, value in (("STAGEWISE_DATA", variable), ("XDG_CACHE_HOME", cache)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert data_directory(configured) == Path(expected)


def test_missing_mnist_files_are_looked_for_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("STAGEWISE_DATA", str(tmp_path))
    with pytest.raises(StagewiseError) as caught:
        draw_moments("mnist", MnistData(kind="mnist", download=False), None)
    assert str(caught.value).startswith(str(tmp_path / "mnist"))


@pytest.fixture
def real_data() -> str:
    """Folder of the real MNIST files, if this machine has them."""
    for folder in filter(None, (os.environ.get("STAGEWISE_DATA"), ROOT.parent / "shared" / "data")):
        if all(any(Path(folder, "mnist").glob(f"{name}*")) for name in mnist.FILES):
            return str(folder)
    pytest.skip("the MNIST files are neither in STAGEWISE_DATA nor in ../shared/data")


def test_mnist_is_as_far_from_the_assumptions_as_known(real_data):
    (moments,) = draw_moments("mnist", MnistData(kind="mnist", download=False), real_data)
    assert moments.n == 60_000
    assert abs(moments.mean_x.mean() - 0.1307) < 5e-5
    problem = moments.problem(centred=True)
    assert len(problem.modes.sigma) == 9
    measured = commutation(problem)
    assert abs(measured.delta_x - 0.6333) < 0.001
    assert abs(measured.delta_xy_eigen - 0.1327) < 0.001
    assert abs(measured.delta_xy_random - 0.274) < 0.001


def test_spiked_targets_rest_on_the_weak_inputs():
    spec = SpikedData(kind="spiked", spikes=2, dim_in=400, dim_out=300, output_decay=1)
    (moments, *_) = draw_moments("spiked", spec, None)
    lam = np.diag(moments.sigma_x)
    teacher = moments.sigma_xy / lam[:, None]
    assert (lam[:2] == 1).all()
    assert 0.01 <= lam[2:].min() < 0.011
    assert 0.045 < lam[2:].max() <= 0.05
    assert_allclose([teacher[:2].std(), teacher[2:].std()], [0.1, 1.0], rtol=0.1)


def test_spikes_leave_weak_inputs():
    with pytest.raises(ValueError, match="spikes is 5 but dim_in is 5; use fewer spikes"):
        SpikedData(kind="spiked", spikes=5, dim_in=5)

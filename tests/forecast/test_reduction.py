"""Wide data in few coordinates: the learning times of all coordinates, and what it will take."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.forecast import reduction, sources
from stagewise.forecast.laws import forecast
from stagewise.intake.streamed_moments import statistics_of


@pytest.mark.parametrize("rows", [40, 90, 400])
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_few_coordinates_have_the_times_of_all(rows, centred, decay, monkeypatch):
    generator = np.random.default_rng(rows)
    x = 0.3 + generator.standard_normal((rows, 120)) * np.arange(1, 121) ** -decay
    y = x @ generator.standard_normal((120, 2)) + generator.standard_normal((rows, 2))
    found = statistics_of([(x, y)])
    whole = reduction.reduced(found, centred)
    monkeypatch.setattr(reduction, "SMALL", 60)
    few = reduction.reduced(found, centred)
    assert few.dim_in < whole.dim_in
    step_size = 0.25 / max(whole.eigenvalues[-1], whole.modes.sigma[0])
    times = [reduction._times(each, 120)[:-1] for each in (whole, few)]
    assert_allclose(times[1], times[0], rtol=1e-6)
    assert_allclose(few.eigenvalues[-1], whole.eigenvalues[-1], rtol=1e-8)
    plain = [forecast(each, step_size, 8.0, 2, "plain") for each in (whole, few)]
    assert_allclose(plain[1], plain[0], rtol=1e-8)


@pytest.mark.parametrize(("long", "said"), [(0.0, "4 inputs and about 50 samples take"), (1e9, "")])
def test_what_takes_long_is_said_beforehand(long, said, command, tmp_path, monkeypatch):
    x = np.random.default_rng(0).standard_normal((50, 5))
    np.savez(tmp_path / "data.npz", X=x[:, :4], y=x.sum(axis=1))
    monkeypatch.setattr(sources, "_LONG", long)
    code, _, err = command("--data", tmp_path / "data.npz", "--method", "plain")
    assert code == 0
    assert err.startswith(said)
    assert bool(err) == bool(said)


def test_work_grows_with_each_size_and_rows_beyond_the_inputs_count_once():
    work = reduction.operations
    assert work(6000, 4000, 3) < work(6000, 4000, 300)
    assert work(300, 4000, 3) < work(6000, 4000, 3) / 10
    assert work(20_000, 4000, 3) < 4 * work(6000, 4000, 3)

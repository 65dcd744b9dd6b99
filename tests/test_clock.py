"""What a job cost, as its log says."""

from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest

from stagewise import clock
from stagewise.clock import cost, read_cost, stepping
from stagewise.dynamics import gradient_descent
from stagewise.dynamics.on_data import Network, train_on_data
from stagewise.problems import Problem


@pytest.fixture
def steps_of(monkeypatch):
    """Seconds that a call counts as steps, where each look at the clock is a second after the last."""
    seconds = count()
    monkeypatch.setattr(clock, "time", SimpleNamespace(process_time=lambda: next(seconds)))

    def counted(work):
        before = read_cost(cost())[1]
        work()
        return read_cost(cost())[1] - before

    return counted


def test_only_what_is_done_in_the_block_counts(steps_of):
    def work():
        clock.time.process_time()
        with stepping():
            clock.time.process_time()

    assert steps_of(work) == pytest.approx(2)


def test_a_block_that_fails_counts_too(steps_of):
    def work():
        with pytest.raises(KeyError), stepping():
            raise KeyError

    assert steps_of(work) == pytest.approx(1)


WEIGHTS = [np.full((2, 2), 0.1), np.eye(2)]


@pytest.mark.parametrize("records", [1, 4])
def test_training_counts_its_way_to_each_record(records, steps_of):
    problem = Problem(np.eye(2), np.diag([1.0, 0.5]))
    at = [10 * (each + 1) for each in range(records)]
    assert steps_of(lambda: gradient_descent(problem, WEIGHTS, 0.1, at)) == pytest.approx(records)


@pytest.mark.parametrize("records", [1, 4])
def test_training_on_samples_counts_its_way_to_each_record(records, steps_of):
    samples, weights = np.eye(2), [each[None] for each in WEIGHTS]
    at = 10 * np.arange(1, records + 1)

    def work():
        train_on_data(Network(), samples, samples, weights, 0.1, at, lambda *_: False)

    assert steps_of(work) == pytest.approx(records)


def test_the_cost_is_positive_and_a_log_without_an_end_has_none():
    assert read_cost("Training\n") is None
    seconds, _, megabytes = read_cost(f"Training\n{cost()}")
    assert seconds > 0
    assert 10 < megabytes < 100_000

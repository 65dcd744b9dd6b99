"""The loop of training: every run goes from record to record, each to its own next one."""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import AnyArray, BoolArray, FloatArray, IntArray
from stagewise.dynamics import locating
from stagewise.dynamics.batch import Batch, Layers
from stagewise.dynamics.hidden_rotation import rotate_hidden
from stagewise.dynamics.recording import Recorder
from stagewise.problems.learned import LEARNED_SHARE, crossing_fraction

Measured = dict[str, AnyArray]


@dataclass
class _Progress:
    """Where every run is. now, position : its iteration, and the next of the records asked for.

    limit : iteration of a record before that one, which locates a learning time. share, learned :
    (runs, curves), learned shares at the last record, and whether they have been at one half before.
    """

    now: IntArray
    position: IntArray
    limit: IntArray
    share: FloatArray
    learned: BoolArray


def take_course(
    batch: Batch,
    layers: Layers,
    recorder: Recorder,
    records: IntArray,
    ends: IntArray,
    rotate: BoolArray,
    refine: bool,
) -> None:
    """Train and record. records : ascending. ends : (runs,), no record after it is made. rotate :
    (runs,), whose hidden directions are kept apart.

    Iterations that are recorded have the same bits whatever is recorded between them.
    """
    count = len(ends)
    runs = np.flatnonzero(records[0] <= ends)
    at = _Progress(
        now=np.zeros(count, dtype=np.int64),
        position=np.zeros(count, dtype=np.int64),
        # Crossings before the first record asked for are seen from the start only.
        limit=np.full(count, 0 if refine else locating.NEVER),
        share=np.full(batch.full_value.shape, np.nan),
        learned=np.zeros(batch.full_value.shape, dtype=bool),
    )
    while len(runs):
        stop = np.minimum(records[at.position[runs]], at.limit[runs])
        before = [layer[runs] for layer in layers] if refine else []
        batch.advance(layers, runs, stop - at.now[runs], at.now[runs])
        measured = batch.measure(layers, runs)
        arrived = runs
        if refine:
            kept = ~_went_too_far(at, layers, runs, stop, measured, before)
            if not kept.all():
                arrived, stop = runs[kept], stop[kept]
                measured = {name: each[kept] for name, each in measured.items()}
        asked = stop == records[at.position[arrived]]
        recorder.add(arrived, stop, asked, measured)
        recorder.diverged[arrived[~measured["finite"]]] = True
        _arrive(at, recorder, arrived, stop, measured, batch.depth if refine else None)
        at.position[arrived] += asked
        turned = arrived[asked & measured["finite"] & rotate[arrived]]
        if len(turned):
            turning = layers[0][turned], layers[1][turned]
            layers[0][turned], layers[1][turned] = rotate_hidden(*turning)
        runs = runs[~recorder.diverged[runs] & (at.position[runs] < len(records))]
        runs = runs[records[at.position[runs]] <= ends[runs]]


def _went_too_far(
    at: _Progress,
    layers: Layers,
    runs: IntArray,
    stop: IntArray,
    measured: Measured,
    before: Layers,
) -> BoolArray:
    """Runs that stepped over a crossing from too far away; they are put back, to hop less far."""
    steps, share = stop - at.now[runs], measured["learned_share"]
    crossed = _crossed(at, runs, measured)
    far = crossed.any(axis=1) & (steps > locating.close_enough(stop))
    if far.any():
        back = runs[far]
        for layer, saved in zip(layers, before, strict=True):
            layer[back] = saved[far]
        places = crossing_fraction(at.share[back], share[far])
        first = np.where(crossed[far], places, np.inf).min(axis=1)
        at.limit[back] = locating.shorter_hop(at.now[back], steps[far], first)
    return far


def _arrive(
    at: _Progress,
    recorder: Recorder,
    runs: IntArray,
    stop: IntArray,
    measured: Measured,
    depth: int | None,
) -> None:
    """Note what was learned on the way; where learning times are located, say where to go next.

    depth : number of layers, or None where they are not located. The first crossing counts: a mode
    may fall below one half again.
    """
    steps, share, before = stop - at.now[runs], measured["learned_share"], at.share[runs]
    run, curve = np.nonzero(_crossed(at, runs, measured))
    on_the_way = crossing_fraction(before[run, curve], share[run, curve]) * steps[run]
    from_start = np.isnan(before[run, curve])
    found = np.where(from_start, stop[run], at.now[runs][run] + on_the_way)
    recorder.learned_at[runs[run], curve] = found
    at.learned[runs[run], curve] = True
    if depth is not None:
        left = locating.remaining(share, before, steps, depth, at.learned[runs])
        at.limit[runs] = locating.hop(stop, left)
    at.now[runs], at.share[runs] = stop, share


def _crossed(at: _Progress, runs: IntArray, measured: Measured) -> BoolArray:
    """Curves (runs, curves) that are at one half now and never were before."""
    reached: BoolArray = (measured["learned_share"] >= LEARNED_SHARE) & ~at.learned[runs]
    return reached & measured["finite"][:, None]

"""The hot loop: full-batch gradient descent on many small deep linear networks.

Each run is copied into a padded image, advanced through all its steps while the image sits in
the nearest cache, and copied back. Every matrix product of a step goes through one register-tiled
routine for ``base + scale * (left @ right)``, so that forming the residual and updating the
weights cost no passes of their own. A matrix is a triple (start, row stride, column stride) of
positions in one flat array. Padding never reaches a result: sums run over true sizes only.

Of Numba it uses `njit`, `intrinsic`, `register_jitable` and three internals: `cgutils.for_range`,
`cgutils.alloca_once` and `cgutils.get_or_insert_function`; of llvmlite the IR builder with typed pointers.
"""

# The compiler's own interface carries no types.
# mypy: disable-error-code="call-arg, import-untyped, no-untyped-call, untyped-decorator"

from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from stagewise.arrays import FloatArray, IntArray

TRIED = ("0.61", "0.68")
"""Oldest and newest minor version of Numba that the tests of this module have passed with."""

# Four rows of three vectors make twelve running sums: enough of them to hide the latency
# of multiply-adds, few enough to leave registers for the operands among sixteen.
LANES = 4
TILE_ROWS = 4
TILE_VECTORS = 3
# A strip of the right factor (DEPTH_BLOCK rows, three vectors wide) leaves room in a
# 32 KiB cache, a block of the left factor (ROW_BLOCK by DEPTH_BLOCK) in a 512 KiB one.
DEPTH_BLOCK = 128
ROW_BLOCK = 128
# Bounds the memory taken by images, in numbers, whatever the count of runs.
IMAGE_BUDGET = 1 << 21
# Images start on cache lines so that no vector straddles two.
LINE = 8

_INTEGER = ir.IntType(64)
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_VIEW = types.UniTuple(types.int64, 3)


def _vector_at(builder: Any, numbers: Any, view: Any, row: int, vector: int = 0) -> Any:
    """Point at one vector of a matrix whose columns are contiguous."""
    start, row_stride = (builder.extract_value(view, part) for part in range(2))
    offset = builder.add(start, builder.mul(row_stride, _INTEGER(row)))
    place = builder.gep(numbers, [builder.add(offset, _INTEGER(LANES * vector))])
    return builder.bitcast(place, _VECTOR.as_pointer())


def _load(builder: Any, numbers: Any, view: Any, row: int, vector: int = 0) -> Any:
    return builder.load(_vector_at(builder, numbers, view, row, vector), align=8)


def _shuffle(builder: Any, first: Any, second: Any, order: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), order)
    return builder.shuffle_vector(first, second, mask)


def _make_tile(vectors: int) -> Any:
    """Make the product routine for one tile of four rows by `vectors` vectors."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        numbers = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        left, right, base, scale, out, depth = arguments[1:]
        # Unlike llvm.fma, this rounds twice rather than calling a library where the
        # processor has no fused instruction.
        multiply_add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), "llvm.fmuladd.v4f64"
        )
        cells = [(row, vector) for row in range(TILE_ROWS) for vector in range(vectors)]
        sums = {cell: cgutils.alloca_once(builder, _VECTOR) for cell in cells}
        zero = _VECTOR([0.0] * LANES)
        for total in sums.values():
            builder.store(zero, total)
        start, row_stride, depth_stride = (builder.extract_value(left, part) for part in range(3))
        right_start, right_stride = (builder.extract_value(right, part) for part in range(2))
        with cgutils.for_range(builder, depth, intp=_INTEGER) as loop:
            here = builder.add(right_start, builder.mul(loop.index, right_stride))
            right_row = builder.insert_value(right, here, 0)
            strip = [_load(builder, numbers, right_row, 0, vector) for vector in range(vectors)]
            here = builder.add(start, builder.mul(loop.index, depth_stride))
            for row in range(TILE_ROWS):
                offset = builder.add(here, builder.mul(row_stride, _INTEGER(row)))
                number = builder.load(builder.gep(numbers, [offset]))
                lone = builder.insert_element(zero, number, ir.IntType(32)(0))
                spread = _shuffle(builder, lone, zero, [0] * LANES)
                for vector in range(vectors):
                    total = sums[row, vector]
                    term = [spread, strip[vector], builder.load(total)]
                    builder.store(builder.call(multiply_add, term), total)
        for cell in cells:
            factor, added = (_load(builder, numbers, view, *cell) for view in (scale, base))
            result = builder.call(multiply_add, [factor, builder.load(sums[cell]), added])
            builder.store(result, _vector_at(builder, numbers, out, *cell), align=8)
        return context.get_dummy_value()

    @intrinsic
    def tile(
        typing: Any, memory: Any, left: Any, right: Any, base: Any, scale: Any, out: Any, depth: Any
    ) -> Any:
        return types.void(memory, *[_VIEW] * 5, types.int64), generate

    return tile


_tile_1, _tile_2, _tile_3 = _make_tile(1), _make_tile(2), _make_tile(3)


@intrinsic
def _transpose_square(typing: Any, memory: Any, source: Any, out: Any) -> Any:
    """Copy the transpose of one square of four by four."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        numbers = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        source, out = arguments[1:]
        rows = [_load(builder, numbers, source, row) for row in range(4)]
        # Halves are exchanged between rows two apart first: crossing the middle of a vector
        # is the slow move, and this way it happens once.
        for column, half in ((0, [0, 1, 4, 5]), (2, [2, 3, 6, 7])):
            pair = [_shuffle(builder, rows[row], rows[row + 2], half) for row in range(2)]
            for parity, order in enumerate(([0, 4, 2, 6], [1, 5, 3, 7])):
                place = _vector_at(builder, numbers, out, column + parity)
                builder.store(_shuffle(builder, *pair, order), place, align=8)
        return context.get_dummy_value()

    return types.void(memory, _VIEW, _VIEW), generate


@register_jitable
def _shift(view: Any, row: int, column: int) -> Any:
    # Only left factors are ever transposed; a product with a stride of one would cost time.
    return view[0] + row * view[1] + column, view[1], view[2]


@register_jitable
def _stride(columns: int) -> int:
    """Row stride of a padded matrix."""
    padded = -(-columns // LANES) * LANES
    # Strides divisible by a large power of two would crowd the rows into few cache sets.
    return padded + LANES if padded % 16 == 0 else padded


# Plain constants would have the compiler make a variant of each routine for each of them.
@register_jitable
def _matrix(start: int, columns: int) -> Any:
    return start, _stride(columns), np.int64(1)


@register_jitable
def _repeated_row(start: int) -> Any:
    return np.int64(start), np.int64(0), np.int64(1)


@njit(cache=True, nogil=True)
def _transpose(memory: Any, source: Any, out: Any, rows: int, columns: int) -> None:
    for row in range(0, rows, LANES):
        for column in range(0, columns, LANES):
            _transpose_square(memory, _shift(source, row, column), _shift(out, column, row))


@njit(cache=True, nogil=True)
def _multiply(
    memory: Any, left: Any, right: Any, base: Any, scale: Any, out: Any, shape: Any
) -> None:
    """Set out = base + scale * (left @ right); shape is (rows, terms in a sum, columns)."""
    rows, depth, columns = shape
    for first_row in range(0, rows, ROW_BLOCK):
        start = base
        for first in range(0, depth, DEPTH_BLOCK):
            terms = min(DEPTH_BLOCK, depth - first)
            column = 0
            while column < columns:
                vectors = (columns - column + LANES - 1) // LANES
                # Two strips of two hide latency better than one of three and one of one.
                vectors = 2 if vectors == TILE_VECTORS + 1 else min(vectors, TILE_VECTORS)
                strip = _shift(right, first, column)
                for row in range(first_row, min(first_row + ROW_BLOCK, rows), TILE_ROWS):
                    a = left[0] + row * left[1] + first * left[2], left[1], left[2]
                    b, s = _shift(start, row, column), _shift(scale, row, column)
                    o = _shift(out, row, column)
                    if vectors == 3:
                        _tile_3(memory, a, strip, b, s, o, terms)
                    elif vectors == 2:
                        _tile_2(memory, a, strip, b, s, o, terms)
                    else:
                        _tile_1(memory, a, strip, b, s, o, terms)
                column += LANES * vectors
            start = out


# With its types given it is loaded when this module is imported, once for all jobs of a run.
@njit("void(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", cache=True, nogil=True)
def _advance_images(
    memory: Any, step_size: Any, steps: Any, sizes: Any, parts: Any, scratch: Any
) -> None:
    """Advance every image by its number of steps, one image after the other.

    The parts of an image are the weights, the target and minus the curvature. The parts of
    the scratch are, for each layer, the product of the weights before it, then for each
    layer the gradient of the product up to it, then a transposed weight.
    """
    depth = len(sizes) - 1
    inputs, outputs, widest = sizes[0], sizes[depth], scratch[0] // 3
    zeros, ones, rates = _repeated_row(0), _repeated_row(widest), _repeated_row(2 * widest)
    memory[widest : 2 * widest] = 1.0
    for run in range(len(step_size)):
        memory[2 * widest : 3 * widest] = step_size[run]
        part = scratch[-1] + run * parts[-1] + parts
        first = _matrix(part[0], sizes[1])
        target, curvature = _matrix(part[depth], outputs), _matrix(part[depth + 1], outputs)
        for _ in range(steps[run]):
            if depth == 1:
                for i in range(parts[1]):
                    weight = memory[part[0] + i]
                    residual = memory[part[1] + i] + memory[part[2] + i] * weight
                    memory[part[0] + i] = weight + step_size[run] * residual
                continue
            product = first
            for layer in range(1, depth):
                rows, columns = sizes[layer], sizes[layer + 1]
                following = _matrix(part[layer], columns)
                base, scale, out = zeros, ones, _matrix(scratch[layer + 1], columns)
                if layer == depth - 1:
                    base, scale, out = target, curvature, _matrix(scratch[depth + layer], columns)
                _multiply(memory, product, following, base, scale, out, (inputs, rows, columns))
                product = out
            gradient = product
            for layer in range(depth - 1, 0, -1):
                rows, columns = sizes[layer], sizes[layer + 1]
                own = _matrix(part[layer], columns)
                # The step back below must see this weight as it was before its update.
                transposed = _matrix(scratch[2 * depth], rows)
                _transpose(memory, own, transposed, rows, columns)
                before = first if layer == 1 else _matrix(scratch[layer], rows)
                flipped = before[0], before[2], before[1]
                _multiply(memory, flipped, gradient, own, rates, own, (rows, inputs, columns))
                earlier = _matrix(scratch[depth + layer - 1], rows)
                base, scale, out = (first, rates, first) if layer == 1 else (zeros, ones, earlier)
                _multiply(memory, gradient, transposed, base, scale, out, (inputs, columns, rows))
                gradient = out


def _padded_length(rows: int, columns: int) -> int:
    return -(-rows // TILE_ROWS) * TILE_ROWS * _stride(columns)


def advance(
    weights: list[FloatArray],
    target: FloatArray,
    curvature: FloatArray,
    step_size: FloatArray,
    steps: int | IntArray,
) -> None:
    """Advance runs of gradient descent in place.

    With W the product of a run's weights, descent follows ``target - curvature * W`` (elementwise)
    and updates all layers from the same point. A run's result does not depend, to the last bit, on
    other runs or on how steps are split into calls. Diverging runs quietly become infinite or NaN.

    Parameters
    ----------
    weights : list of arrays, one a layer, shape (runs, n[l - 1], n[l]), overwritten
    target, curvature : arrays, shape (runs, n[0], n[-1])
    step_size : array, shape (runs,)
    steps : int, or array, shape (runs,)
    """
    runs, inputs = weights[0].shape[:2]
    sizes = [inputs, *(weight.shape[2] for weight in weights)]
    shapes = [*pairwise(sizes), (inputs, sizes[-1]), (inputs, sizes[-1])]
    parts = list(accumulate((_padded_length(*shape) for shape in shapes), initial=0))
    scratch_lengths = [_padded_length(inputs, size) for size in [*sizes[:-1], *sizes[1:]]]
    scratch_lengths.append(max(_padded_length(columns, rows) for rows, columns in shapes))
    constants = 3 * max(_padded_length(1, size) for size in sizes)
    scratch = list(accumulate(scratch_lengths, initial=constants))
    layout = [np.array(numbers, dtype=np.int64) for numbers in (sizes, parts, scratch)]
    taken = np.broadcast_to(np.asarray(steps, dtype=np.int64), (runs,))
    chosen = np.flatnonzero(taken)
    count = max(1, min(len(chosen), IMAGE_BUDGET // parts[-1]))
    memory = np.zeros(scratch[-1] + count * parts[-1] + LINE)
    memory = memory[-(memory.ctypes.data // memory.itemsize) % LINE :]
    images = memory[scratch[-1] :][: count * parts[-1]].reshape(count, parts[-1])
    views = []
    for (rows, columns), part in zip(shapes, parts[:-1], strict=True):
        padded = images[:, part : part + rows * _stride(columns)]
        views.append(padded.reshape(count, rows, _stride(columns))[:, :, :columns])
    for first in range(0, len(chosen), count):
        batch = chosen[first : first + count]
        for view, numbers in zip(views, [*weights, target, curvature], strict=True):
            view[: len(batch)] = numbers[batch]
        np.negative(views[-1], out=views[-1])
        _advance_images(memory, step_size[batch], taken[batch], *layout)
        for view, weight in zip(views, weights, strict=False):
            weight[batch] = view[: len(batch)]

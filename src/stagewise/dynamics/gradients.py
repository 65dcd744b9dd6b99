"""Gradients of all layers from that of their product."""

from stagewise.arrays import FloatArray


def descent_directions(residual: FloatArray, layers: list[FloatArray]) -> list[FloatArray]:
    """Minus the gradient of every layer, in the layers' order.

    residual : (runs, dim_in, dim_out), minus the gradient with respect to the product. layers : each
    (runs, rows, columns). Source: the chain rule, W_before^T · residual · W_after^T.
    """
    before = [layers[0]]
    for layer in layers[1:-1]:
        before.append(before[-1] @ layer)
    directions = []
    back = residual
    for position in range(len(layers) - 1, -1, -1):
        directions.append(back if position == 0 else before[position - 1].transpose(0, 2, 1) @ back)
        if position:
            back = back @ layers[position].transpose(0, 2, 1)
    return directions[::-1]

"""Simulation: gradient descent and its exact reductions. Predicts nothing."""

from stagewise.dynamics.flow import linear_flow, linear_model, two_layer_flow
from stagewise.dynamics.gradient_descent import Trajectory, gradient_descent
from stagewise.dynamics.modes import mode_recursion

__all__ = [
    "Trajectory",
    "gradient_descent",
    "linear_flow",
    "linear_model",
    "mode_recursion",
    "two_layer_flow",
]

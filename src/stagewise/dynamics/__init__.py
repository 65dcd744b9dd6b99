"""Simulation: gradient descent and its exact reductions. Predicts nothing."""

from stagewise.dynamics.flow import linear_flow, linear_model, two_layer_flow
from stagewise.dynamics.gradient_descent import Trajectory, gradient_descent
from stagewise.dynamics.modes import mode_recursion
from stagewise.dynamics.quasi_adiabatic import Integration, quasi_adiabatic
from stagewise.dynamics.rmsprop import RMSProp

__all__ = [
    "Integration",
    "RMSProp",
    "Trajectory",
    "gradient_descent",
    "linear_flow",
    "linear_model",
    "mode_recursion",
    "quasi_adiabatic",
    "two_layer_flow",
]

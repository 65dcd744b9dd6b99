"""Simulation: gradient descent and its exact reductions. Predicts nothing."""

from stagewise.dynamics.gradient_descent import Trajectory, gradient_descent
from stagewise.dynamics.modes import mode_recursion
from stagewise.dynamics.quasi_adiabatic import Integration, quasi_adiabatic
from stagewise.dynamics.rmsprop import RMSProp

__all__ = [
    "Integration",
    "RMSProp",
    "Trajectory",
    "gradient_descent",
    "mode_recursion",
    "quasi_adiabatic",
]

from stagewise.dynamics.adiabatic import Integration as Integration
from stagewise.dynamics.adiabatic import quasi_adiabatic as quasi_adiabatic
from stagewise.dynamics.modes import mode_recursion as mode_recursion
from stagewise.dynamics.recording import Trajectory as Trajectory
from stagewise.dynamics.training import gradient_descent as gradient_descent
from stagewise.dynamics.training import train as train

from stagewise import analysis as analysis
from stagewise import dynamics as dynamics
from stagewise import problems as problems
from stagewise import theory as theory
from stagewise.analysis.learning_times import LearningTimes as LearningTimes
from stagewise.analysis.learning_times import learning_times as learning_times
from stagewise.dynamics.recording import Trajectory as Trajectory
from stagewise.dynamics.training import gradient_descent as gradient_descent
from stagewise.dynamics.training import train as train
from stagewise.errors import StagewiseError as StagewiseError
from stagewise.forecast import forecast as forecast
from stagewise.problems.problem import Completion as Completion
from stagewise.problems.problem import Problem as Problem
from stagewise.theory.learning_times import learning_iteration as learning_iteration
from stagewise.theory.reduced_rank import reduced_rank_regression as reduced_rank_regression

__version__: str

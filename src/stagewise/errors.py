"""The one exception that carries a sentence meant for the person at the keyboard."""


class StagewiseError(ValueError):
    """Bad input, said as: what was given, what is allowed, what to do. Ends with exit code 2."""

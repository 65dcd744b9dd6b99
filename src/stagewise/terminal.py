"""Output for terminals that lack a character, and for readers that leave early."""

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PLAIN = str.maketrans(
    {
        **{"×": "x", "·": "*", "–": "-", "—": "-", "−": "-", "→": "->", "…": "...", "½": "1/2"},
        **{
            "≤": "<=",
            "≥": ">=",
            "±": "+-",
            "∞": "inf",
            "√": "sqrt",
            "‖": "|",
            "∂": "d",
            "Δ": "Delta_",
        },
        **{"σ": "sigma", "η": "eta", "δ": "delta", "λ": "lambda", "ε": "epsilon", "κ": "kappa"},
        **{
            "“": '"',
            "”": '"',
            "‘": "'",
            "’": "'",
            "²": "^2",
            "₁": "_1",
            "₂": "_2",
            "ₖ": "_k",
            "ᵢ": "_i",
        },
    }
)


def _in_plain_characters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode(error.encoding, "replace").decode(error.encoding), error.end


codecs.register_error("plain", _in_plain_characters)


@contextmanager
def written_for_everyone() -> Iterator[None]:
    """Within the block, characters that a terminal lacks are written in plain ones.

    A reader that leaves early, as `head` does, ends the process quietly with exit code 1.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer has nowhere to go; Python would complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)

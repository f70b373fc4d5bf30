"""The exceptions whose message is all that a user needs to see."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """A message of one line: what is wrong and what to do. The command line prints it and exits with code 2."""


class Failure(RuntimeError):
    """A message of one line: what went wrong on the way, and what is safe. The command line exits with code 1."""


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """One line for a name that does not exist, with the nearest one that does."""
    known = list(known)
    near = get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}" if known else "there are none"
    return f"no {kind} named {name!r}: {hint}"

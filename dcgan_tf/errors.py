"""The exceptions whose message is all that a user needs to see."""


class UserError(ValueError):
    """A message of one line: what is wrong and what to do. The command line prints it and exits with code 2."""


class Failure(RuntimeError):
    """A message of one line: what went wrong on the way, and what is safe. The command line exits with code 1."""

"""The one exception for what a user can put right."""


class UserError(ValueError):
    """A message of one line: what is wrong and what to do. The command line prints it and exits with code 2."""

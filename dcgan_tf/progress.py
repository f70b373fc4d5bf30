"""Progress bars."""

import sys

from tqdm import tqdm


def bar(things=None, **options):
    """A tqdm bar on stdout; where that is a file or a log, in which each state stays, one state every 15 seconds."""
    return tqdm(things, file=sys.stdout, mininterval=0.5 if sys.stdout.isatty() else 15, **options)

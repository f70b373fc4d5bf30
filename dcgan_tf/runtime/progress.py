"""Progress bars."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def bar(things: Iterable | None = None, disable: bool = False, **options: Any) -> tqdm:
    """A tqdm bar on stdout; where that is a file or a log, which keeps every update, it is updated every 15 seconds.

    TQDM_DISABLE=1 in the environment leaves all of them out.
    """
    if disable:
        options["disable"] = True
    return tqdm(things, file=sys.stdout, mininterval=0.5 if sys.stdout.isatty() else 15, **options)

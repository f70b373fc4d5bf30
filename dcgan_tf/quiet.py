"""TensorFlow without its start-up chatter, which no setting of its own turns off."""

import os
import sys
import tempfile
from functools import cache


@cache
def tensorflow():
    """Import TensorFlow and return it; what it writes to stderr meanwhile is shown only if the import fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # silences what comes later, but not the import itself
    with tempfile.TemporaryFile() as noise:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(noise.fileno(), 2)
        try:
            import tensorflow
        except BaseException:
            noise.seek(0)
            os.write(stderr, noise.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
    return tensorflow

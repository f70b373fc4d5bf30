"""TensorFlow without the messages that it prints while it starts, for which it has no setting."""

import os
import sys
import tempfile
from functools import cache
from types import ModuleType

from dcgan_tf.errors import UserError


@cache
def tensorflow() -> ModuleType:
    """Import TensorFlow and return it; what it writes to stderr meanwhile is shown only if the import fails.

    Raises:
        UserError: Keras has been told to use another backend.
    """
    if (backend := os.environ.setdefault("KERAS_BACKEND", "tensorflow")) != "tensorflow":
        raise UserError(f"KERAS_BACKEND is {backend!r}: this package trains with TensorFlow alone, so unset it")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # a GPU's memory as it is needed, not all at once
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

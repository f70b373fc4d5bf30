"""Images: `load` the known sets, `from_folder` for your own, `batches` to train on."""

from dcgan_tf.data.batches import (
    Mirrored,
    Rows,
    batches,
    check,
    fingerprint,
    hold_out,
    normalise,
    on_white,
    permutation,
    shrink,
    to_uint8,
)
from dcgan_tf.data.folder import Folder, from_folder
from dcgan_tf.data.sets import SHA256, fetch, labels, load, names, where

__all__ = [
    "SHA256",
    "Folder",
    "Mirrored",
    "Rows",
    "batches",
    "check",
    "fetch",
    "fingerprint",
    "from_folder",
    "hold_out",
    "labels",
    "load",
    "names",
    "normalise",
    "on_white",
    "permutation",
    "shrink",
    "to_uint8",
    "where",
]

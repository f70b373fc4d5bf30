"""Images: `load` the known sets, `from_folder` for your own, `batches` to train on."""

from dcgan_tf.datasets.batches import (
    Rows,
    batches,
    fingerprint,
    hold_out,
    normalise,
    on_white,
    permutation,
    require_images,
    to_uint8,
)
from dcgan_tf.datasets.folder import Folder, from_folder
from dcgan_tf.datasets.sets import HAIR_COLORS, SHA256, fetch, is_set, labels, load, names, where

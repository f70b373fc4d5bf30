"""Weight files."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgan_tf import models, weights
from dcgan_tf.errors import UserError
from dcgan_tf.runtime import files


def test_weights_survive_their_file_to_within_float16(tmp_path):
    one, two = models.mnist_discriminator(), models.mnist_discriminator()
    weights.save(one, tmp_path / "d.npz")
    weights.load(two, tmp_path / "d.npz")
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-6)
        assert b.dtype == np.float32


def test_weights_of_another_network_are_refused(tmp_path):
    weights.save(models.mnist_discriminator(), tmp_path / "d.npz")
    with pytest.raises(UserError, match="another network"):
        weights.load(models.mnist_generator(), tmp_path / "d.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x93NUMPY"])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as weights"):
        weights.load(models.mnist_discriminator(), tmp_path / "d.npz")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4), st.floats(0.1, 1))
def test_no_damage_is_more_than_one_line(tmp_path_factory, changes, length):
    path = tmp_path_factory.mktemp("damaged") / "d.npz"
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    weights.save(network, path)
    data = bytearray(path.read_bytes())
    for where, value in changes:
        data[int(where * (len(data) - 1))] = value
    path.write_bytes(data[: int(length * len(data))])
    try:
        weights.load(network, path)
    except UserError as error:
        assert "\n" not in str(error)
    files.load_arrays(path)  # None, or the arrays: nothing is raised


def test_pickled_weights_are_refused(tmp_path):
    np.savez(tmp_path / "d.npz", a=np.array([{}], dtype=object))
    with pytest.raises(UserError, match="cannot be read as weights"):
        weights.load(models.mnist_discriminator(), tmp_path / "d.npz")

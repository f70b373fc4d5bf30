"""Shared by all tests and notebooks: the smoke profile, run folders in a temporary place, no progress bars."""

import os
import shutil
import tempfile

import pytest

FOLDERS = {
    "DCGAN_TF_CACHE": tempfile.mkdtemp(prefix="dcgan_tf_cache_"),  # nothing fetched, nothing kept
    "DCGAN_TF_RUNS": tempfile.mkdtemp(prefix="dcgan_tf_runs_"),  # where the notebooks under test write
}
os.environ |= {"DCGAN_TF_PROFILE": "smoke", "TQDM_DISABLE": "1", **FOLDERS}


def pytest_unconfigure():
    for folder in FOLDERS.values():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def gan():
    """A GAN of the MNIST preset, small in batch, in float32."""
    import dcgan_tf

    return dcgan_tf.GAN.from_preset("mnist", "float32")


@pytest.fixture
def digits():
    """96 real digits, uint8 [96, 28, 28, 1]."""
    from dcgan_tf import datasets

    return datasets.load("mnist", "test")[:96]

"""Generators for elsewhere: what was written, read again without the package, makes the same images."""

import json
import logging
import subprocess
import sys
import zipfile

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from dcgan_tf import cli, export, models
from dcgan_tf.errors import UserError
from dcgan_tf.runtime.fast_layers import accelerate
from dcgan_tf.sampling import generate, latents

Z = latents(3, 100)


@pytest.mark.slow
def test_a_keras_file_needs_no_package(tmp_path):
    np.save(tmp_path / "z.npy", Z)
    expected = {}
    for build in (models.mnist_generator, models.pokemon_generator, models.face_generator, models.hero_generator):
        generator = build()
        expected[export(generator, tmp_path / f"{generator.name}.keras").stem] = generate(generator, Z)
    script = """
import pathlib, sys, numpy, keras
for path in pathlib.Path.cwd().glob("*.keras"):
    model = keras.saving.load_model(path, safe_mode=True)
    numpy.save(path.with_suffix(".npy"), model(numpy.load("z.npy")))
assert not any(name.startswith("dcgan_tf") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    for name, images in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), images, atol=1e-5)


@pytest.mark.parametrize("build", [models.mnist_generator, models.hero_generator])
def test_a_keras_file_holds_layers_that_every_backend_knows(build, tmp_path):
    """JAX and PyTorch refuse a batch normalisation that is synchronised, as training has it."""
    path = export(accelerate(build()), tmp_path / "generator.keras")
    with zipfile.ZipFile(path) as file:
        config = json.loads(file.read("config.json"))
    layers = config["config"]["layers"]
    assert {layer["module"] for layer in layers} <= {"keras.layers"}
    assert "dcgan_tf" not in json.dumps(config)
    norms = [layer["config"] for layer in layers if layer["class_name"] == "BatchNormalization"]
    assert norms and not any(norm.get("synchronized") for norm in norms)


@pytest.mark.slow
def test_a_saved_model_serves_the_same_images_and_replaces_the_one_before(tmp_path, caplog):
    caplog.set_level(logging.INFO)  # as notebooks have it
    for _ in range(2):
        generator = models.mnist_generator()
        served = tf.saved_model.load(export(generator, tmp_path / "served"))
        np.testing.assert_allclose(served.serve(Z), generate(generator, Z), atol=1e-5)
    assert [found.name for found in tmp_path.iterdir()] == ["served"]
    assert "Assets written" not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("build", [models.face_generator, models.hero_generator])
def test_onnx_makes_the_same_images(build, tmp_path):
    generator = build()
    session = onnxruntime.InferenceSession(export(generator, tmp_path / "generator.onnx"))
    made = session.run(None, {session.get_inputs()[0].name: Z})[0]
    np.testing.assert_allclose(made, generate(generator, Z), atol=1e-4)


def test_without_the_converter_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(UserError, match="pip install tf2onnx"):
        export(models.mnist_generator(), tmp_path / "generator.onnx")
    assert not list(tmp_path.iterdir())


def test_the_command_line_exports(tmp_path, capsys):
    assert cli.main(["export", "mnist", "--out", str(tmp_path / "mnist.keras")]) == 0
    assert "mnist.keras" in capsys.readouterr().out
    assert (tmp_path / "mnist.keras").stat().st_size > 1_000_000

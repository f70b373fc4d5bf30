"""Networks that are told labels: built, trained, resumed, asked, exported."""

from dataclasses import replace

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

import dcgan_tf as dcgan
from dcgan_tf import GAN, cli, datasets, labels, models, presets
from dcgan_tf.errors import UserError
from dcgan_tf.sampling import generate, inputs, latents

PRESET = replace(presets.get("mnist-conditional"), batch_size=8)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist")[:96], datasets.labels("mnist")[:96]


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels") / "run"
    dcgan.train(GAN.from_preset(PRESET, "mixed_bfloat16"), *digits[:1], 4, run=folder, labels=digits[1], progress=False)
    return folder


@pytest.mark.parametrize("name", ["mnist", "face", "image"])
def test_a_label_is_a_row_of_the_first_layer_and_a_logit_of_the_last(name):
    plain, told = (
        [builders[name](**options) for builders in (models.GENERATORS, models.DISCRIMINATORS)]
        for options in ({}, {"classes": 5})
    )
    assert told[0].input_shape == (None, 105) and told[1].output_shape == (None, 5)
    assert [labels.classes(network) for network in (*plain, *told)] == [0, 0, 5, 5]
    first, last = (network.count_params() for network in plain)
    kernel = next(layer.kernel for layer in plain[0].layers if hasattr(layer, "kernel"))
    assert told[0].count_params() - first == 5 * np.prod(kernel.shape) // 100
    head = plain[1].layers[-1] if name == "mnist" else plain[1].layers[-2]
    assert told[1].count_params() - last == 4 * head.count_params()


def test_the_number_of_labels_is_kept_with_a_network(tmp_path):
    gan = GAN.from_preset(PRESET, "float32")
    assert gan.classes == 10 and gan.latent_dim == 100
    gan.average.save(tmp_path / "generator.keras")
    again = keras.saving.load_model(tmp_path / "generator.keras")
    assert [labels.classes(network) for network in (gan.generator, gan.discriminator, gan.average, again)] == [10] * 4


def test_networks_that_do_not_fit_each_other_are_refused():
    with pytest.raises(ValueError, match="knows 10 labels.* 10 logits, not 1"):
        GAN(models.mnist_generator(classes=10), models.mnist_discriminator())


def test_the_same_seed_has_the_same_latents_for_every_label():
    generator = models.mnist_generator(classes=10)
    found = inputs(generator, 12, seed=3, label=7)
    np.testing.assert_array_equal(found[:, :100], latents(12, 100, seed=3))
    np.testing.assert_array_equal(found[:, 100:], np.eye(10)[[7] * 12])
    np.testing.assert_array_equal(inputs(generator, 12, seed=3)[:, 100:].argmax(1), [*range(10), 0, 1])
    np.testing.assert_array_equal(inputs(generator, 2, label=[4, 2])[:, 100:].argmax(1), [4, 2])


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (10, "there is no label 10: .* 0 to 9"),
        (-1, "there is no label -1"),
        ([1, 2, 3], "3 labels .* of 2 images"),
        ([0.5, 2], "integers"),
    ],
)
def test_a_label_that_does_not_exist_is_refused(label, message):
    with pytest.raises(UserError, match=message):
        dcgan.sample(models.mnist_generator(classes=10), 2, label=label)


def test_a_generator_without_labels_cannot_be_asked_for_one():
    with pytest.raises(UserError, match="trained without"):
        dcgan.sample(models.mnist_generator(), 2, label=1)


def test_batches_keep_each_label_with_its_image():
    images = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    names = 100 - np.arange(20)
    stream = iter(datasets.batches(images, 6, seed=1, labels=names))
    pairs = [next(stream) for _ in range(20)]
    for batch, own in pairs:
        np.testing.assert_array_equal(np.rint((batch[:, 0, 0, 0] + 1) * 127.5), 100 - own)
    later = next(iter(datasets.batches(images, 6, seed=1, start=13, labels=names)))
    for found, expected in zip(later, pairs[13], strict=True):
        np.testing.assert_array_equal(found, expected)
    alone = next(iter(datasets.batches(images, 6, seed=1)))
    np.testing.assert_array_equal(alone, pairs[0][0])


def test_the_step_takes_the_logit_of_each_images_own_label(digits):
    gan = GAN.from_preset(replace(PRESET, r1_every=1), "float32")
    real, own = datasets.normalise(digits[0][:8]), digits[1][:8].astype(np.int32)
    z = np.concatenate([gan.latents(8), np.eye(10, dtype=np.float32)[own]], 1)
    fake = gan.generator(z, training=True)
    pick = np.arange(8), own
    on_real, on_fake = (gan.discriminator(images, training=True).numpy()[pick] for images in (real, fake))
    results = gan.train_step(real, labels=own)
    assert float(results["g_loss"]) == pytest.approx(np.log1p(np.exp(-on_fake)).mean(), abs=1e-5)
    assert float(results["d_loss_real"]) == pytest.approx(np.log1p(np.exp(-on_real)).mean(), abs=1e-5)
    assert float(results["d_loss_fake"]) == pytest.approx(np.log1p(np.exp(on_fake)).mean(), abs=1e-5)


def test_a_label_that_no_image_has_is_not_trained(digits):
    gan = GAN.from_preset(PRESET, "float32")
    before = [gan.discriminator.layers[-1].kernel.numpy(), gan.generator.layers[0].kernel.numpy()[100:].T]
    gan.train_step(datasets.normalise(digits[0][:8]), labels=np.full(8, 3, np.int32))
    after = [gan.discriminator.layers[-1].kernel.numpy(), gan.generator.layers[0].kernel.numpy()[100:].T]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal((old != new).any(0), np.arange(10) == 3)


def test_a_run_with_labels_resumes_to_the_bit(digits, run, tmp_path):
    for steps in (2, 4):
        gan = GAN.from_preset(PRESET, "mixed_bfloat16")
        dcgan.train(gan, digits[0], steps, run=tmp_path, labels=digits[1], progress=False)
    for found, expected in zip(gan.average.get_weights(), dcgan.load_generator(run).get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_labels_that_do_not_fit_are_refused(digits, run):
    images, own = digits

    def train(preset=PRESET, **options):
        dcgan.train(GAN.from_preset(preset, "float32"), images, 5, run=run, progress=False, **options)

    with pytest.raises(UserError, match="know 10 labels: give the labels"):
        train()
    with pytest.raises(UserError, match="know no labels"):
        train(replace(PRESET, classes=0), labels=own)
    with pytest.raises(UserError, match="not one integer for each of 96 images"):
        train(labels=own[:95])
    with pytest.raises(UserError, match="from 1 to 10, the networks know 0 to 9"):
        train(labels=own + 1)
    with pytest.raises(UserError, match="trained with other labels"):
        train(labels=np.roll(own, 1))


def test_the_grid_of_samples_has_a_column_for_each_label(run):
    with dcgan.figures.Image.open(run / "samples" / "step_0000004.png") as grid:
        assert grid.size == (2 * (10 * 29 - 1), 2 * (6 * 29 - 1))


def test_the_command_line_draws_what_is_asked_for(run, tmp_path, capsys):
    assert cli.main(["generate", str(run), "--label", "7", "--count", "3", "--out", str(tmp_path / "seven")]) == 0
    found = np.stack([np.asarray(dcgan.figures.Image.open(path)) for path in sorted((tmp_path / "seven").iterdir())])
    np.testing.assert_array_equal(found, datasets.to_uint8(dcgan.sample(run, 3, label=7))[..., 0])
    assert cli.main(["generate", str(run), "--label", "2-4", "--count", "4", "--out", str(tmp_path / "a.png")]) == 0
    rows = np.concatenate([dcgan.sample(run, 4, label=label) for label in (2, 3, 4)])
    found = np.asarray(dcgan.figures.Image.open(tmp_path / "a.png"))
    np.testing.assert_array_equal(found, dcgan.figures.grid(rows, 4))
    assert cli.main(["interpolate", str(run), "--walks", "2", "--frames", "2", "--out", str(tmp_path / "w.png")]) == 0
    capsys.readouterr()
    for wrong, message in (
        ("12", "there is no label 12"),
        ("5-3", "invalid label"),
        ("7-", "invalid label"),
        ("seven", "invalid label"),
    ):
        assert cli.main(["generate", str(run), "--label", wrong, "--out", str(tmp_path / "b.png")]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    assert cli.main(["generate", "mnist", "--label", "1", "--out", str(tmp_path / "b.png")]) == 2
    assert "trained without" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["generator.onnx", "generator.keras", "saved_model"])
def test_an_export_takes_latents_and_label_apart(run, tmp_path, name):
    generator, z = dcgan.load_generator(run), latents(4, 100, seed=5)
    expected, own = generate(generator, inputs(generator, 4, 5, [0, 3, 3, 9])), np.array([0, 3, 3, 9], np.int32)
    path = dcgan.export(run, tmp_path / name)
    if name.endswith(".onnx"):
        session = onnxruntime.InferenceSession(path)
        assert {value.name: value.type for value in session.get_inputs()} == {
            "latents": "tensor(float)",
            "label": "tensor(int32)",
        }
        (found,) = session.run(None, {"latents": z, "label": own})
    elif name.endswith(".keras"):
        found = keras.saving.load_model(path, safe_mode=True)([z, own])
    else:
        served = tf.saved_model.load(path)
        found = served.serve([z, own])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_chapters_own_preset_trains_from_the_command_line(tmp_path):
    arguments = ["--profile", "smoke", "--steps", "2", "--run", str(tmp_path / "run")]
    assert cli.main(["train", "mnist-conditional", *arguments]) == 0
    assert dcgan.load_generator(tmp_path / "run").input_shape == (None, 110)
    assert "as_asked" in (tmp_path / "run" / "metrics.json").read_text()


def test_each_walk_keeps_to_a_label():
    generator = models.mnist_generator(classes=10)
    _, second = dcgan.sampling.walks(generator, 2, stops=3, frames=2, seed=4)
    path = dcgan.latent.walk(latents(6, 100, seed=4)[3:], 2)
    expected = generate(generator, labels.beside(path, np.full(6, 1), 10))
    np.testing.assert_allclose(second, expected, atol=1e-5)


def test_what_was_asked_for_is_counted_by_class():
    images, own = datasets.load("mnist", "test")[:300], datasets.labels("mnist", "test")[:300]
    judge = dcgan.extractors.extractor("mnist")
    asked = np.where(own == 4, 9, own)  # every 4 was to be a 9
    asked[np.flatnonzero(own == 9)[:5]] = 4  # and five 9s were to be a 4
    seen = judge(images).probabilities.argmax(1)
    scores = dcgan.metrics.compare(images, images, judge, ("is",), asked=asked)
    expected = [np.sum((asked == label) & (seen == label)) / np.sum(asked == label) for label in range(10)]
    assert scores["as_asked"] == pytest.approx(expected) and scores["as_asked"][4] == 0
    assert "recognised as asked" in dcgan.metrics.report(scores)
    assert "as_asked" not in dcgan.metrics.compare(images, images, judge, ("is",))


def test_directions_are_those_of_the_latent_alone():
    generator = models.mnist_generator(classes=10)
    found = dcgan.latent.directions(generator, 4)
    kernel = generator.layers[0].kernel.numpy()[:100].astype(np.float64)
    values, vectors = np.linalg.eigh(kernel @ kernel.T)
    assert found.shape == (4, 100)
    np.testing.assert_allclose(np.abs((found * vectors[:, ::-1].T[:4]).sum(1)), 1, atol=1e-4)


@pytest.mark.slow
def test_the_labels_of_a_preset_are_the_field_that_it_names(tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr(dcgan.trainer, "fit", lambda run, callbacks: given.update(labels=run.labels))
    command = ["train", "anime-conditional", "--profile", "smoke", "--run", str(tmp_path / "run")]
    assert cli.main(command) == 2  # nothing has been trained, so nothing can be judged
    np.testing.assert_array_equal(given["labels"], datasets.labels("anime")["hair_color"])


def test_a_preset_and_networks_that_disagree_are_refused(digits):
    with pytest.raises(ValueError, match="the preset has 5 classes, but the networks know 0"):
        GAN.from_preset(replace(presets.get("heroes"), classes=5), "float32")
    gan = GAN(models.mnist_generator(classes=10), models.mnist_discriminator(classes=10), batch_size=8)
    assert gan.preset.classes == 10
    with pytest.raises(ValueError, match="give those of the images"):
        gan.train_step(datasets.normalise(digits[0][:8]))

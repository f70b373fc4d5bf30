"""Networks that are told labels: built, trained, resumed, asked, exported."""

import json
from dataclasses import replace

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from PIL import Image

import dcgan_tf as dcgan
from dcgan_tf import GAN, cli, datasets, metrics, models, presets
from dcgan_tf.errors import UserError
from dcgan_tf.sampling import beside, directions, generate, inputs, latents, walk, walks

PRESET = replace(presets.get("mnist-conditional"), batch_size=8)
IMAGES, LABELS = datasets.load("mnist")[:96], datasets.labels("mnist")[:96]


def trained(run, steps, preset=PRESET, images=IMAGES, labels=LABELS, **options):
    schedule = presets.Schedule(steps, sample_every=2, checkpoint_every=2, evaluate_every=2)
    dcgan.train(GAN.from_preset(preset, "mixed_bfloat16"), images, labels, run=run, schedule=schedule, **options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels") / "run"
    trained(folder, 4)
    return folder


@pytest.fixture(scope="module")
def told():
    """A generator that knows ten labels, not trained."""
    return GAN.from_preset(PRESET, "float32").average


@pytest.mark.parametrize("name", ["mnist", "face", "image"])
def test_a_label_is_a_row_of_the_first_layer_and_a_logit_of_the_last(name):
    plain, told = (
        [builders[name](**options) for builders in (models.GENERATORS, models.DISCRIMINATORS)]
        for options in ({}, {"classes": 5})
    )
    assert told[0].input_shape == (None, 105) and told[1].output_shape == (None, 5)
    first, last = (network.count_params() for network in plain)
    kernel = next(layer.kernel for layer in plain[0].layers if hasattr(layer, "kernel"))
    assert told[0].count_params() - first == 5 * np.prod(kernel.shape) // 100
    head = plain[1].layers[-1] if name == "mnist" else plain[1].layers[-2]
    assert told[1].count_params() - last == 4 * head.count_params()


def test_networks_that_do_not_fit_their_classes_are_refused():
    generator, discriminator = models.mnist_generator(classes=10), models.mnist_discriminator(classes=10)
    gan = GAN(generator, discriminator, classes=10, batch_size=8)
    assert (gan.classes, gan.latent_dim) == (10, 100)
    assert [dcgan.sampling.classes(network) for network in (gan.generator, gan.average)] == [10, 10]
    with pytest.raises(ValueError, match="give those of the images"):
        gan.train_step(datasets.normalise(IMAGES[:8]))
    with pytest.raises(ValueError, match="10 logits, not 1"):
        GAN(generator, models.mnist_discriminator(), classes=10)
    with pytest.raises(ValueError, match="1 logits, not 10"):
        GAN(generator, discriminator)
    with pytest.raises(ValueError, match="5 logits, not 1"):  # a hero takes no label
        GAN.from_preset(replace(presets.get("heroes"), classes=5), "float32")


def test_the_same_seed_has_the_same_latents_for_every_label(told):
    found = inputs(told, 12, seed=3, label=7)
    np.testing.assert_array_equal(found, beside(latents(12, 100, seed=3), np.full(12, 7), 10))
    np.testing.assert_array_equal(found[:, 100:], np.eye(10)[[7] * 12])
    np.testing.assert_array_equal(inputs(told, 12, seed=3)[:, 100:].argmax(1), [*range(10), 0, 1])
    np.testing.assert_array_equal(inputs(told, 2, label=[4, 2])[:, 100:].argmax(1), [4, 2])


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (10, "there is no label 10: .* 0 to 9"),
        (-1, "there is no label -1"),
        ([1, 2, 3], "3 labels .* of 2 images"),
        ([0.5, 2], "integers"),
    ],
)
def test_a_label_that_does_not_exist_is_refused(label, message, told):
    with pytest.raises(UserError, match=message):
        dcgan.sample(told, 2, label=label)
    with pytest.raises(UserError, match="trained without labels"):
        dcgan.sample(models.mnist_generator(), 2, label=label)


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


def test_the_step_takes_the_logit_of_each_images_own_label():
    gan = GAN.from_preset(replace(PRESET, r1_every=1), "float32")
    real, own = datasets.normalise(IMAGES[:8]), LABELS[:8].astype(np.int32)
    fake = gan.generator(beside(gan.latents(8), own, 10), training=True)
    pick = np.arange(8), own
    on_real, on_fake = (gan.discriminator(images, training=True).numpy()[pick] for images in (real, fake))
    results = gan.train_step(real, labels=own)
    assert float(results["g_loss"]) == pytest.approx(np.log1p(np.exp(-on_fake)).mean(), abs=1e-5)
    assert float(results["d_loss_real"]) == pytest.approx(np.log1p(np.exp(-on_real)).mean(), abs=1e-5)
    assert float(results["d_loss_fake"]) == pytest.approx(np.log1p(np.exp(on_fake)).mean(), abs=1e-5)


def test_a_label_that_no_image_has_is_not_trained():
    gan = GAN.from_preset(PRESET, "float32")

    def of_each_label():
        return [gan.discriminator.layers[-1].kernel.numpy(), gan.generator.layers[0].kernel.numpy()[100:].T]

    before = of_each_label()
    gan.train_step(datasets.normalise(IMAGES[:8]), labels=np.full(8, 3, np.int32))
    for old, new in zip(before, of_each_label(), strict=True):
        np.testing.assert_array_equal((old != new).any(0), np.arange(10) == 3)


def made_older(run, **recipe):
    """Bring a run into the form that it had until version 0.9, with fields of its recipe that there are no more."""
    for path in run.glob("*/step_*/networks.json"):
        facts = json.loads(path.read_text())
        for role in ("generator", "discriminator"):
            path.with_name(f"{role}.json").write_text(facts[role])
        path.rename(path.with_name("plan.json"))
        path.with_name(".dcgan_tf").unlink()
    for readme in run.glob("best/*/README.txt"):
        readme.rename(run / "best" / "README.txt")
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "recipe": config["recipe"] | recipe}))


def test_a_run_of_an_older_version_is_loaded_and_resumed_to_the_bit(run, tmp_path, monkeypatch):
    kids = iter([0.5, 0.2])
    monkeypatch.setattr(metrics, "compare", lambda *_, **__: {"fid": 1.0, "kid": next(kids), "kid_error": 0.1})
    options = {"run": tmp_path, "held_out": IMAGES[:40]}
    trained(steps=2, **options)
    made_older(tmp_path, noisy_labels=False, enlarge="smooth", balance=False, sizes=[])
    for source in (tmp_path, tmp_path / "best", tmp_path / "checkpoints" / "step_0000002"):
        assert dcgan.sampling.classes(dcgan.load_generator(source)) == 10
    trained(steps=4, **options)
    for role in (dcgan.load_generator, dcgan.load_discriminator):
        for found, expected in zip(role(tmp_path).get_weights(), role(run).get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["step_0000004"]  # 0.2 is better than 0.5
    made_older(tmp_path, noisy_labels=True)
    with pytest.raises(UserError, match="was trained with noisy_labels True"):
        trained(steps=6, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": None}, "know 10 labels: give the labels"),
        ({"preset": replace(PRESET, classes=0)}, "know no labels"),
        ({"labels": LABELS[:95]}, "not one integer for each of 96 images"),
        ({"labels": LABELS / 2}, "not one integer for each of 96 images"),
        ({"labels": LABELS + 1}, "from 1 to 10, the networks know 0 to 9"),
        ({"labels": np.roll(LABELS, 1)}, "trained with other labels"),
    ],
)
def test_labels_that_do_not_fit_are_refused(run, options, message):
    with pytest.raises(UserError, match=message):
        trained(run, 5, **options)


def test_the_grid_of_samples_has_a_column_for_each_label(run):
    with Image.open(run / "samples" / "step_0000004.png") as grid:
        assert grid.size == (2 * (10 * 29 - 1), 2 * (6 * 29 - 1))


def test_the_command_line_draws_what_is_asked_for(run, tmp_path, capsys):
    command, grid = ["generate", str(run), "--label"], ["--out", str(tmp_path / "a.png")]
    assert cli.main([*command, "7", "--count", "3", "--out", str(tmp_path / "seven")]) == 0
    found = np.stack([np.asarray(Image.open(path)) for path in sorted((tmp_path / "seven").iterdir())])
    np.testing.assert_array_equal(found, datasets.to_uint8(dcgan.sample(run, 3, label=7))[..., 0])
    assert cli.main([*command, "2-4", "--count", "4", *grid]) == 0
    rows = np.concatenate([dcgan.sample(run, 4, label=label) for label in (2, 3, 4)])
    np.testing.assert_array_equal(Image.open(tmp_path / "a.png"), dcgan.figures.grid(rows, 4))
    capsys.readouterr()
    for wrong, message in (("12", "there is no label 12"), *((text, "label") for text in ("5-3", "7-", "seven"))):
        assert cli.main([*command, wrong, *grid]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    assert cli.main(["generate", "mnist", "--label", "1", *grid]) == 2
    assert "trained without" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["generator.onnx", "generator.keras", "saved_model"])
def test_an_export_takes_latents_and_label_apart(run, tmp_path, name):
    generator, z = dcgan.load_generator(run), latents(4, 100, seed=5)
    expected, own = generate(generator, inputs(generator, 4, 5, [0, 3, 3, 9])), np.array([0, 3, 3, 9], np.int32)
    path = dcgan.export(run, tmp_path / name)
    if name.endswith(".onnx"):
        session = onnxruntime.InferenceSession(path)
        types = {value.name: value.type for value in session.get_inputs()}
        assert types == {"latents": "tensor(float)", "label": "tensor(int32)"}
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


def test_the_labels_of_a_preset_are_the_field_that_it_names(tmp_path, monkeypatch):
    def no_training(gan, images, labels, *others, **options):
        np.testing.assert_array_equal(labels, datasets.labels("anime")["hair_color"])
        raise UserError("that is all")

    monkeypatch.setattr(dcgan, "train", no_training)
    command = ["train", "anime-conditional", "--profile", "smoke", "--run", str(tmp_path / "run")]
    assert cli.main(command) == 2


def test_each_walk_keeps_to_a_label(told):
    _, second = walks(told, 2, stops=3, frames=2, seed=4)
    path = walk(latents(6, 100, seed=4)[3:], 2)
    np.testing.assert_allclose(second, generate(told, beside(path, np.full(6, 1), 10)), atol=1e-5)


def test_directions_are_those_of_the_latent_alone(told):
    kernel = told.layers[0].kernel.numpy()[:100].astype(np.float64)
    vectors = np.linalg.eigh(kernel @ kernel.T)[1][:, ::-1].T
    np.testing.assert_allclose(np.abs((directions(told, 4) * vectors[:4]).sum(1)), 1, atol=1e-4)


def test_what_was_asked_for_is_counted_by_class():
    images, own = datasets.load("mnist", "test")[:300], datasets.labels("mnist", "test")[:300]
    judge = metrics.extractor("mnist")
    asked = np.where(own == 4, 9, own)  # every 4 was to be a 9
    asked[np.flatnonzero(own == 9)[:5]] = 4  # and five 9s were to be a 4
    seen = judge(images).probabilities.argmax(1)
    scores = metrics.compare(images, images, judge, ("is",), asked=asked)
    expected = [np.sum((asked == label) & (seen == label)) / np.sum(asked == label) for label in range(10)]
    assert scores["as_asked"] == pytest.approx(expected) and scores["as_asked"][4] == 0
    assert "recognised as asked" in metrics.report(scores)
    assert "as_asked" not in metrics.compare(images, images, judge, ("is",))

"""Images of every size, shape and number of channels: trained on, resumed, drawn, judged, exported."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import onnxruntime
import pytest
from PIL import Image

import dcgan_tf as dcgan
from dcgan_tf import cli, datasets, gif, metrics, models, presets
from dcgan_tf.errors import UserError

SHAPES = [(32, 32, 1), (64, 96, 3), (96, 64, 4), (256, 256, 3)]


@pytest.mark.parametrize("shape", [*SHAPES, (28, 28, 1), (48, 48, 3), (128, 128, 3), (224, 160, 4)])
def test_the_pair_has_the_shape_asked_for_and_about_the_cost_of_64_pixels(shape):
    generator = models.image_generator(shape[:2], shape[2], width=16)
    discriminator = models.image_discriminator(shape[:2], shape[2], width=16)
    assert generator.output_shape == (None, *shape) and discriminator.input_shape == (None, *shape)
    assert discriminator.output_shape == (None, 1)
    assert generator.count_params() < 1.4 * models.image_generator(64, 3, width=16).count_params()


def test_at_64_pixels_the_pair_is_that_of_the_faces():
    def layers(model):
        return [(type(layer), layer.output.shape, layer.count_params()) for layer in model.layers]

    assert layers(models.image_generator(64)) == layers(models.face_generator())
    for norm in ("batch", "none"):
        assert layers(models.image_discriminator(64, norm=norm)) == layers(models.face_discriminator(norm=norm))


@pytest.mark.parametrize(
    ("size", "expected"),
    [(28, ((7, 7), 2)), (64, ((4, 4), 4)), (96, ((3, 3), 5)), (224, ((7, 7), 5)), ((64, 96), ((4, 6), 4))],
)
def test_the_stem_is_the_smallest_of_at_least_three(size, expected):
    assert models.sizes.stem(size) == expected


@pytest.mark.parametrize(
    ("size", "near"),
    [(50, "48x48 and 56x56"), (100, "96x96 and 112x112"), ((64, 100), "64x96 and 64x112"), (5, "12x12 and 16x16")],
)
def test_a_size_that_does_not_fit_is_refused_with_the_nearest_two(size, near):
    with pytest.raises(UserError, match=near):
        models.sizes.stem(size)


@pytest.mark.parametrize("builder", [models.image_generator, models.image_discriminator])
def test_two_channels_are_refused(builder):
    with pytest.raises(UserError, match="not 2"):
        builder(64, channels=2)


def answer(*arguments):
    """The exit code of a command line."""
    return cli.main([str(argument) for argument in arguments])


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape_is_trained_resumed_drawn_judged_and_exported(tmp_path, shape):
    images, run = np.random.default_rng(0).integers(0, 256, (60, *shape), dtype=np.uint8), tmp_path / "run"
    preset = presets.get("monsters").for_images(shape[:2], shape[2], width=8, batch_size=4)
    preset = replace(preset, augment="color,translation,cutout")
    schedule = presets.Schedule(3, 1, 1, log_every=1, evaluate_on=20)
    for steps in (2, 3):
        gan = dcgan.GAN.from_preset(preset)
        history = dcgan.train(gan, images[:40], steps=steps, run=run, held_out=images[40:], schedule=schedule)
        assert history["step"].tolist() == list(range(1, steps + 1)) and not np.isnan(history["kid"][-1])
    assert answer("generate", run, "--count", "3", "--out", tmp_path / "drawn") == 0
    with Image.open(tmp_path / "drawn" / "0002.png") as single:
        pixels = np.array(single)
    np.testing.assert_array_equal(pixels.reshape(shape), datasets.to_uint8(dcgan.sample(run, 3))[2])
    with Image.open(run / "training.gif") as animation:
        scale = max(1, 600 // (8 * (shape[1] + 1) - 1))
        assert animation.size == tuple(scale * (8 * (side + 1) - 1) for side in (shape[1], shape[0]))
        assert animation.n_frames == len(gif.thinned(dcgan.run_folder.taken(run, "samples"), 9)) == 4
    generator = dcgan.load_generator(run)
    judged = ("coverage", *(["diversity"] if shape[0] <= 64 else []))  # which takes its time
    scores = metrics.evaluate(generator, images[40:], "imagenet", 30, progress=False, metrics=judged)
    assert 0 <= scores["coverage"] <= 1 and -1 <= scores.get("pair_similarity", 0) <= 1
    if shape[0] == shape[1] > 32:  # the exporter takes ten seconds; rectangles and grey are enough
        return
    session = onnxruntime.InferenceSession(dcgan.export(run, tmp_path / "g.onnx"))
    z = np.random.default_rng(1).standard_normal((3, 100), np.float32)
    (again,) = session.run(None, {session.get_inputs()[0].name: z})
    np.testing.assert_allclose(again, generator(z).numpy(), atol=1e-4)


@pytest.fixture
def folder(tmp_path):
    """120 creatures on transparent ground, wide and high ones in turn."""
    path = tmp_path / "mine"
    path.mkdir()
    for i, image in enumerate(datasets.load("monsters")[:120]):
        alpha = np.where((image > 250).all(-1), 0, 255).astype(np.uint8)
        size = (60, 40) if i % 2 else (40, 60)
        Image.fromarray(np.dstack([image, alpha])).resize(size, Image.Resampling.NEAREST).save(path / f"{i:03}.png")
    return path


@pytest.mark.slow
def test_a_folder_is_trained_on_at_its_own_size_held_out_resumed_and_judged(folder, tmp_path, capsys):
    (folder / "broken.png").write_text("x")
    (folder / "copy.png").write_bytes((folder / "007.png").read_bytes())
    run = tmp_path / "run"
    command = ["train", "custom", "--images", folder, "--alpha", "--fit", "pad", "--run", run]
    command += ["--width", "8", "--batch-size", "4", "--no-flip", "--augment", "none"]
    assert answer(*command, "--size", "48x32", "--steps", "2") == 0
    printed = capsys.readouterr().out
    for words in (
        f"skipped {folder / 'broken.png'}", "is the same image as", "got a border", "Recipe of 'heroes', for fewer",
        "101 images to train on, 20 held out", "samples against 20 held-out images, judged by 'imagenet'",
    ):  # fmt: skip
        assert words in printed
    assert json.loads((run / "config.json").read_text())["recipe"]["dataset"] == ""
    assert answer(*command, "--size", "48x32", "--steps", "3") == 0 and "Resuming" in capsys.readouterr().out
    assert answer("evaluate", run, "--images", folder, "--samples", "30", "--metrics", "kid") == 0
    assert (run / "neighbours.png").exists()
    for wrong, message in (
        ((*command, "--size", "32", "--steps", "4"), "was trained with image_size 48x32, not 32x32"),
        (("evaluate", run / "best"), "give the run folder itself"),
        (("evaluate", run), "trained on images of your own"),
    ):
        assert answer(*wrong) == 2 and message in capsys.readouterr().err


@pytest.mark.slow
def test_an_archive_is_trained_on_in_grey_by_a_recipe_named_and_goes_through_every_command(folder, tmp_path, capsys):
    archive, run = shutil.make_archive(str(tmp_path / "mine"), "zip", folder), tmp_path / "run"
    command = ["train", "custom", "--images", archive, "--grey", "--size", "32", "--like", "faces", "--run", run]
    assert answer(*command, "--width", "8", "--batch-size", "4", "--steps", "2") == 0
    printed = capsys.readouterr().out
    assert "Recipe of" not in printed and "120 of 120 images were cropped to 32x32" in printed
    config = json.loads((run / "config.json").read_text())["recipe"]
    assert (config["image_size"], config["channels"], config["augment"]) == ([32, 32], 1, presets.get("faces").augment)
    assert answer("generate", run, "--count", "4", "--out", tmp_path / "grid.png") == 0
    assert answer("interpolate", run, "--walks", "2", "--out", tmp_path / "walk.gif") == 0
    assert answer("gif", run, "--out", tmp_path / "training.gif") == 0
    assert answer("evaluate", run, "--images", archive, "--samples", "20") == 0
    assert "nearest training image" in capsys.readouterr().out
    assert answer("export", run, "--out", tmp_path / "model.keras") == 0
    for name in ("grid.png", "walk.gif", "training.gif", "model.keras"):
        assert (tmp_path / name).exists()


@pytest.mark.slow
def test_a_mirror_image_of_a_training_image_is_found_where_mirror_images_were_trained_on(tmp_path):
    images = datasets.load("monsters")
    mirrored = images[7, :, ::-1].astype(np.float32) / 127.5 - 1
    generator = keras.Sequential(
        [
            keras.Input((100,)),
            keras.layers.Dense(mirrored.size, kernel_initializer="zeros"),
            keras.layers.Reshape(mirrored.shape),
            keras.layers.Activation("tanh"),
        ]
    )
    generator.layers[0].bias.assign(np.arctanh(0.99 * mirrored.ravel()))
    preset = replace(presets.get("monsters"), batch_size=4)
    gan = dcgan.GAN(generator, models.image_discriminator(64, 3, width=8), preset)
    dcgan.train(gan, images, steps=1, run=tmp_path)
    assert answer("evaluate", tmp_path, "--samples", "20", "--metrics", "neighbours") == 0
    scores = json.loads((tmp_path / "metrics.json").read_text())
    assert scores["to_training"] < 5 < 50 < scores["held_out_to_training"]
    with Image.open(tmp_path / "neighbours.png") as picture:
        nearest = np.asarray(picture)[65:129, :64]
    np.testing.assert_array_equal(nearest, images[7])

"""Images of every size, shape and number of channels: read, trained on, resumed, drawn, judged, exported."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import onnxruntime
import pytest
from PIL import Image

import dcgan_tf as dcgan
from dcgan_tf import cli, datasets, figures, gif, metrics, models, presets, sizes, trainer
from dcgan_tf.errors import UserError

SHAPES = [(32, 32, 1), (48, 48, 3), (64, 96, 3), (96, 64, 4), (128, 128, 3), (256, 256, 3)]
IDS = ["x".join(map(str, shape)) for shape in SHAPES]


@pytest.mark.parametrize("shape", [*SHAPES, (28, 28, 1), (112, 112, 3), (224, 160, 4)])
def test_the_pair_has_the_shape_asked_for_and_about_the_cost_of_64_pixels(shape):
    generator = models.image_generator(shape[:2], shape[2], width=16)
    discriminator = models.image_discriminator(shape[:2], shape[2], width=16)
    assert generator.output_shape == (None, *shape) and discriminator.input_shape == (None, *shape)
    assert discriminator.output_shape == (None, 1)
    usual = models.image_generator(64, 3, width=16).count_params()
    assert generator.count_params() < 1.4 * usual


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
    assert sizes.stem(size) == expected


@pytest.mark.parametrize(
    ("size", "near"),
    [(50, "48x48 and 56x56"), (100, "96x96 and 112x112"), ((64, 100), "64x96 and 64x112"), (5, "12x12 and 16x16")],
)
def test_a_size_that_does_not_fit_is_refused_with_the_nearest_two(size, near):
    with pytest.raises(UserError, match=near):
        sizes.stem(size)


@pytest.mark.parametrize("builder", [models.image_generator, models.image_discriminator])
def test_two_channels_are_refused(builder):
    with pytest.raises(UserError, match="1 channel .grey., 3 .RGB. or 4 .RGB and alpha., not 2"):
        builder(64, channels=2)


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


@pytest.mark.parametrize(("height", "width"), [(40, 40), (32, 64)])
def test_cropping_cuts_the_middle_and_says_how_much(tmp_path, height, width):
    image = np.random.default_rng(0).integers(0, 256, (40, 80, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    found = datasets.from_folder(tmp_path, (height, width), progress=False)
    if height == 40:
        np.testing.assert_array_equal(found.images[0], image[:, 20:60])
    assert found.images.shape == (1, height, width, 3)
    assert found.cropped == (height == 40) and found.cut == pytest.approx(0.5 if height == 40 else 0)


def test_padding_keeps_all_of_the_image_on_the_colour_of_its_edge(tmp_path):
    image = np.full((20, 40, 3), 255, np.uint8)
    image[5:15, 5:35] = np.random.default_rng(0).integers(0, 256, (10, 30, 3), dtype=np.uint8)
    image[[0, -1]] = image[:, [0, -1]] = (10, 20, 30)
    Image.fromarray(image).save(tmp_path / "a.png")
    found = datasets.from_folder(tmp_path, 40, fit="pad", progress=False)
    np.testing.assert_array_equal(found.images[0, 10:30], image)
    assert (found.images[0, :10] == (10, 20, 30)).all() and (found.images[0, 30:] == (10, 20, 30)).all()
    assert (found.padded, found.cropped, found.enlarged) == (1, 0, 0)


def test_pixel_art_is_enlarged_by_whole_pixels(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    found = datasets.from_folder(tmp_path, 64, enlarge="nearest", progress=False)
    np.testing.assert_array_equal(found.images[0], image.repeat(4, 0).repeat(4, 1))
    assert found.enlarged == 1


def test_alpha_is_kept_and_what_cannot_be_seen_is_white(folder):
    found = datasets.from_folder(folder, (60, 40), 4, progress=False, fit="pad")
    assert found.images.shape == (120, 60, 40, 4) and found.transparent == 120
    with Image.open(folder / "000.png") as image:
        pixels = np.array(image)
    clear = pixels[..., 3] == 0
    assert (found.images[0][clear] == (255, 255, 255, 0)).all()
    np.testing.assert_array_equal(found.images[0][~clear], pixels[~clear])
    shown = datasets.on_white(found.images[:1])
    flat = datasets.from_folder(folder, (60, 40), 3, progress=False, fit="pad")
    np.testing.assert_array_equal(shown[0], flat.images[0])


def test_an_opaque_alpha_channel_is_no_transparency(tmp_path):
    image = datasets.load("monsters")[0]
    for name, alpha in (("opaque", 255), ("faint", 254)):
        path = tmp_path / name
        path.mkdir()
        Image.fromarray(np.dstack([image, np.full((64, 64), alpha, np.uint8)])).save(path / "a.png")
        assert datasets.from_folder(path, 64, 4, progress=False).transparent == (alpha < 255)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_every_shape_is_trained_resumed_drawn_judged_and_exported(tmp_path, shape, monkeypatch):
    monkeypatch.setattr(trainer, "WATCHED", 30)
    images = np.random.default_rng(0).integers(0, 256, (60, *shape), dtype=np.uint8)
    preset = presets.get("monsters").for_images(shape[:2], shape[2], width=8, batch_size=4, extractor="random")
    preset = replace(preset, augment="color,translation,cutout")
    options = {"run": tmp_path / "run", "log_every": 1, "progress": False}
    for steps in (2, 3):
        history = dcgan.train(dcgan.GAN.from_preset(preset), images[:40], steps=steps, held_out=images[40:], **options)
        assert history["step"].tolist() == list(range(1, steps + 1))
    assert cli.main(["generate", str(tmp_path / "run"), "--count", "3", "--out", str(tmp_path / "drawn")]) == 0
    drawn = dcgan.sample(tmp_path / "run", 3)
    with Image.open(tmp_path / "drawn" / "0002.png") as single:
        pixels = np.array(single)
    np.testing.assert_array_equal(pixels.reshape(shape), datasets.to_uint8(drawn)[2])
    assert figures.grid(drawn, 3, 1).shape[:2] == (shape[0], 3 * shape[1] + 2)
    with Image.open(gif.from_run(tmp_path / "run", tmp_path / "corner.gif", corner=(2, 3))) as animation:
        scale = max(1, 600 // (8 * (shape[1] + 1) - 1))
        assert animation.size == (scale * (2 * shape[1] + 1), scale * (3 * shape[0] + 2))
    generator = dcgan.load_generator(tmp_path / "run")
    judged = ("kid", "coverage", *(["diversity"] if shape[0] <= 64 else []))  # which takes its time
    scores = metrics.evaluate(generator, images[40:], "imagenet", 30, progress=False, metrics=judged)
    assert np.isfinite([scores["kid"], scores.get("pair_similarity", 0.0), scores["coverage"]]).all()
    if shape[0] == shape[1] > 32:  # the exporter takes ten seconds; rectangles and grey are enough
        return
    session = onnxruntime.InferenceSession(dcgan.export(tmp_path / "run", tmp_path / "g.onnx"))
    z = np.random.default_rng(1).standard_normal((3, 100), np.float32)
    (again,) = session.run(None, {session.get_inputs()[0].name: z})
    np.testing.assert_allclose(again, generator(z).numpy(), atol=1e-4)


def answer(*arguments):
    """The exit code of a command line."""
    return cli.main([str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("custom",), "train custom needs images"),
        (("mnist", "--size", "32"), "--size is for images of your own"),
        (("heroes", "--alpha"), "--alpha is for images of your own"),
        (("heroes", "--no-flip"), "--flip and --no-flip are for images of your own"),
        (("mnist", "--images", ".", "--width", "8"), "the networks of mnist have one width"),
        (("custom", "--images", ".", "--size", "100"), "96x96 and 112x112"),
        (("custom", "--images", ".", "--size", "64x"), "128, or 64x96"),
        (("custom", "--images", ".", "--size", "big"), "128, or 64x96"),
        (("custom", "--images", ".", "--augment", "colour"), "color,translation,cutout"),
        (("custom", "--images", ".", "--like", "nosuch"), "no preset named 'nosuch'"),
        (("mnist", "--images", ".", "--like", "anime"), "--like is for `train custom`"),
        (("custom", "--images", ".", "--grey", "--alpha"), "not allowed with"),
    ],
)
def test_what_does_not_fit_is_one_line(arguments, message, capsys, tmp_path):
    assert answer("train", *arguments, "--run", tmp_path) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


def test_a_judge_of_other_images_is_refused_in_one_line(capsys):
    assert answer("evaluate", "heroes", "--extractor", "mnist", "--samples", "20", "--metrics", "kid") == 2
    assert "'mnist' judges images of 28x28x1, not of 64x64x3" in capsys.readouterr().err


@pytest.mark.slow
def test_a_folder_is_trained_on_at_its_own_size_and_another_size_is_refused(folder, tmp_path, capsys):
    command = ["train", "custom", "--images", folder, "--alpha", "--fit", "pad", "--run", tmp_path / "run"]
    command += ["--width", "8", "--batch-size", "4", "--no-flip", "--augment", "none", "--profile", "smoke"]
    assert answer(*command, "--size", "48x32", "--steps", "2") == 0
    printed = capsys.readouterr().out
    assert "Recipe of 'heroes', for fewer than 3,000 images" in printed and "got a border" in printed
    assert answer(*command, "--size", "48x32", "--steps", "3") == 0
    assert "Resuming" in capsys.readouterr().out
    assert answer(*command, "--size", "32", "--steps", "4") == 2
    assert "was trained with image_size 48x32, not 32x32" in capsys.readouterr().err
    assert answer("evaluate", tmp_path / "run", "--images", folder, "--samples", "30", "--metrics", "kid") == 0
    assert "against 20 held-out images" in capsys.readouterr().out


@pytest.mark.slow
def test_an_archive_is_trained_on_in_grey_by_a_recipe_named_and_goes_through_every_command(folder, tmp_path, capsys):
    archive = shutil.make_archive(tmp_path / "mine", "zip", folder)
    run = tmp_path / "run"
    command = ["train", "custom", "--images", archive, "--grey", "--size", "32", "--like", "faces", "--run", run]
    assert answer(*command, "--width", "8", "--batch-size", "4", "--steps", "2", "--profile", "smoke") == 0
    printed = capsys.readouterr().out
    assert "Recipe of" not in printed and "120 of 120 images were cropped to 32x32" in printed
    config = json.loads((run / "config.json").read_text())["recipe"]
    assert (config["image_size"], config["channels"], config["augment"]) == ([32, 32], 1, presets.get("faces").augment)
    assert answer("generate", run, "--count", "4", "--out", tmp_path / "grid.png") == 0
    assert answer("interpolate", run, "--walks", "2", "--stops", "2", "--frames", "2", "--out", tmp_path / "w.gif") == 0
    assert answer("gif", run, "--out", tmp_path / "training.gif") == 0
    assert answer("evaluate", run, "--images", archive, "--samples", "20") == 0
    assert "nearest training image" in capsys.readouterr().out  # among mirror images too, as faces are mirrored
    assert answer("export", run, "--out", tmp_path / "model.keras") == 0
    for name in ("grid.png", "w.gif", "training.gif", "model.keras"):
        assert (tmp_path / name).exists()


@pytest.mark.slow
def test_few_images_and_images_all_alike_and_alpha_for_none_are_said(tmp_path, capsys):
    for i, image in enumerate(datasets.load("heroes")[:30]):
        figures.save_png(image // 64 + 100, tmp_path / "same" / f"{i}.png")
    command = ["train", "custom", "--images", tmp_path / "same", "--steps", "1", "--width", "8", "--batch-size", "4"]
    assert answer(*command, "--profile", "smoke", "--run", tmp_path / "run") == 0
    printed = capsys.readouterr().out
    assert "Only 30 images" in printed and "nearly all alike" in printed
    assert answer(*command, "--alpha", "--run", tmp_path / "other") == 2
    assert "has transparent pixels: leave --alpha out" in capsys.readouterr().err


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
    dcgan.train(gan, images, steps=1, run=tmp_path, progress=False)
    assert answer("evaluate", tmp_path, "--samples", "20", "--metrics", "neighbours") == 0
    scores = json.loads((tmp_path / "metrics.json").read_text())
    assert scores["to_training"] < 5 < 50 < scores["held_out_to_training"]
    with Image.open(tmp_path / "neighbours.png") as picture:
        nearest = np.asarray(picture)[65:129, :64]
    np.testing.assert_array_equal(nearest, images[7, :, ::-1])

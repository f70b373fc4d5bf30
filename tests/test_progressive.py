"""Progressive growing: what is carried over, what is frozen, and a run that is cut off in the middle of it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import dcgan_tf as dcgan
from dcgan_tf import models, presets, progressive
from dcgan_tf.training import loop
from dcgan_tf.training.progressive import Stage

pytestmark = pytest.mark.slow

PRESET = replace(presets.GROWING, width=4, batch_size=4, shares=(0.2, 0.3, 0.5), frozen=0.2)
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)


def test_stages_divide_the_run():
    found = progressive.stages((16, 32, 64), (0.2, 0.3, 0.5), 0.4, 1_000)
    assert found == (
        Stage(0, 16),
        Stage(200, 32, frozen=True),
        Stage(320, 32),
        Stage(500, 64, frozen=True),
        Stage(700, 64),
    )
    at = {step: progressive.stage_of(found, step) for step in (0, 1, 200, 201, 320, 321, 500, 1_000)}
    assert [stage.size for stage in at.values()] == [16, 16, 16, 32, 32, 32, 32, 64]
    assert [stage.frozen for stage in at.values()] == [False, False, False, True, True, False, False, False]


@pytest.mark.parametrize("steps", [6, 7, 10, 99])
def test_short_runs_go_through_every_size(steps):
    found = progressive.stages((16, 32, 64), (0.2, 0.3, 0.5), 0.2, steps)
    assert {progressive.stage_of(found, step).size for step in range(1, steps + 1)} == {16, 32, 64}


def test_the_next_size_begins_with_the_layers_of_the_last():
    for build, kept in (
        (models.hero_generator, {"stem", "stem_norm", "up_8", "up_16", "norm_16"}),
        (models.hero_discriminator, {"down_8", "down_4", "logit"}),
    ):
        small, large = build(32), build(64)
        names = progressive.carry(small, large)
        assert kept <= set(names)
        for name in kept:
            for ours, theirs in zip(small.get_layer(name).weights, large.get_layer(name).weights, strict=True):
                np.testing.assert_array_equal(ours, theirs)
        assert not [name for name in names if "image" in name]


def frozen_gan():
    gan = dcgan.GAN.from_preset(PRESET, "float32")
    gan.enter(Stage(0, 16))
    gan.train_step(dcgan.datasets.normalise(progressive.shrink(IMAGES[:4], 16)))
    gan.enter(Stage(1, 32, frozen=True))
    return gan


def weights(network):
    return {
        f"{layer.name}/{weight.name}": weight.numpy().copy() for layer in network.layers for weight in layer.weights
    }


def test_frozen_layers_do_not_move_and_the_new_ones_do():
    gan = frozen_gan()
    before = weights(gan.generator), weights(gan.discriminator)
    for _ in range(3):
        gan.train_step(dcgan.datasets.normalise(progressive.shrink(IMAGES[:4], 32)))
    for network, old in zip((gan.generator, gan.discriminator), before, strict=True):
        same = {name.split("/")[0]: True for name in old}
        for name, value in weights(network).items():
            same[name.split("/")[0]] &= np.array_equal(value, old[name])
        frozen = {"stem", "stem_norm", "up_8", "norm_8"} if network is gan.generator else {"down_4", "logit"}
        assert {layer for layer, unchanged in same.items() if unchanged} == frozen


def test_after_the_thaw_all_layers_learn():
    gan = frozen_gan()
    gan.enter(Stage(1, 32))
    before = weights(gan.generator), weights(gan.discriminator)
    gan.train_step(dcgan.datasets.normalise(progressive.shrink(IMAGES[:4], 32)))
    for network, old in zip((gan.generator, gan.discriminator), before, strict=True):
        for name, value in weights(network).items():
            assert not np.array_equal(value, old[name]), name


def test_the_grown_generator_still_makes_something_of_the_same_latents():
    gan = frozen_gan()
    assert gan.generate(3).shape == (3, 32, 32, 3)
    assert gan.average.get_layer("stem").kernel.shape == (100, 4 * 4 * 8 * PRESET.width)
    new = [network.get_layer("to_image_32").kernel for network in (gan.average, gan.generator)]
    np.testing.assert_array_equal(*new)


def test_shrinking_averages_and_enlarging_repeats():
    small = progressive.shrink(IMAGES, 16)
    assert small.shape == (16, 16, 16, 3)
    assert small[3, 2, 1, 0] == np.rint(IMAGES[3, 8:12, 4:8, 0].mean())
    large = progressive.enlarge(small, 64)
    assert large.shape == IMAGES.shape
    np.testing.assert_array_equal(large[:, ::4, ::4], small)
    np.testing.assert_array_equal(progressive.shrink(large, 16), small)


STEPS = 10  # stages: 16 to step 2, 32 frozen to 3, 32 to 5, 64 frozen to 6, 64 to 10


def trained(run):
    gan = dcgan.GAN.from_preset(PRESET, "float32")
    history = dcgan.train(gan, IMAGES, steps=STEPS, run=run, log_every=1, sample_every=2, progress=False)
    return gan, history


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = tmp_path_factory.mktemp("whole")
    return run, *trained(run)


def test_sizes_and_frozen_stretches_are_recorded(whole):
    _, _, history = whole
    assert history["size"].tolist() == [16, 16, 32, 32, 32, 64, 64, 64, 64, 64]
    assert history["frozen"].tolist() == [0, 0, 1, 0, 0, 1, 0, 0, 0, 0]


def test_samples_of_all_sizes_make_one_gif(whole):
    run, *_ = whole
    sizes = {Image.open(path).size for path in (run / "samples").glob("*.png")}
    assert len(sizes) == 1
    assert Image.open(run / "training.gif").n_frames == len(list((run / "samples").glob("*.png")))


def test_the_bounds_of_the_stages_are_those_that_the_run_began_with(tmp_path, whole):
    run = shutil.copytree(whole[0], tmp_path / "longer")
    stages = json.loads((run / "config.json").read_text())["stages"]
    assert [stage["first"] for stage in stages] == [0, 2, 3, 5, 6]
    gan = dcgan.GAN.from_preset(PRESET, "float32")
    history = dcgan.train(gan, IMAGES, steps=STEPS + 2, run=run, log_every=1, progress=False)
    assert history["size"].tolist() == [16, 16, 32, 32, 32, 64, 64, 64, 64, 64, 64, 64]


def test_a_run_that_stands_at_a_small_size_can_be_looked_at(tmp_path, monkeypatch):
    def interrupted(gan):
        if int(gan.step) == 4:
            raise KeyboardInterrupt
        return ()

    monkeypatch.setattr(dcgan.GAN, "update_schedule", interrupted)
    trained(tmp_path)
    assert dcgan.load_generator(tmp_path).output_shape == (None, 32, 32, 3)


def test_the_rates_rise_anew_after_each_change_of_the_networks():
    assert loop.warm_up(1, None) == loop.warm_up(1, Stage(0, 16)) == 1
    rises = [loop.warm_up(step, Stage(500, 32)) for step in (501, 600, 700, 5_000)]
    assert rises == [1 / loop.WARM_UP, 0.5, 1, 1]

"""The released networks: their files, and that weights, card and recipe hold together."""

import inspect
import json
import re
import tomllib
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import dcgan_tf as dcgan
from dcgan_tf import datasets, figures, metrics, models, presets, released, sampling
from dcgan_tf.errors import UserError
from dcgan_tf.runtime import files

NAMES = released.names()
PROJECT = tomllib.loads((released.FOLDER.parent / "pyproject.toml").read_text())
SHIPPED = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"])


def card_of(name):
    return released.file(name).with_suffix(".md").read_text()


def test_a_network_survives_its_file_to_within_float16(tmp_path):
    network = models.mnist_generator(classes=10)
    network.classes = 10
    released.save(network, tmp_path / "g.npz")
    again = released.load(tmp_path / "g.npz")
    assert sampling.classes(again) == 10 and again.to_json() == network.to_json()
    for theirs, ours in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)
        assert ours.dtype == np.float32


@pytest.mark.parametrize(
    "write",
    [
        lambda path: None,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PK\x03\x04 not a zip"),
        lambda path: path.write_bytes(b"\x93NUMPY"),
        lambda path: np.savez(path, a=np.zeros(3)),
        lambda path: np.savez(path, a=np.array([{}], dtype=object)),  # a pickle could run anything
        lambda path: np.savez(path, architecture="{}", classes=0),
        lambda path: np.savez(path, architecture=models.mnist_generator().to_json(), classes=0, a=np.zeros(3)),
    ],
    ids=["missing", "empty", "no zip", "no array", "no network", "pickle", "no architecture", "other weights"],
)
def test_a_file_that_holds_no_network_is_refused_in_one_line(tmp_path, write):
    write(tmp_path / "d.npz")
    with pytest.raises(UserError, match="d.npz cannot be read as a network") as error:
        released.load(tmp_path / "d.npz")
    assert "\n" not in str(error.value)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4), st.floats(0.1, 1))
def test_no_damage_is_more_than_one_line(tmp_path_factory, changes, length):
    path = tmp_path_factory.mktemp("damaged") / "d.npz"
    released.save(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), path)
    data = bytearray(path.read_bytes())
    for where, value in changes:
        data[int(where * (len(data) - 1))] = value
    path.write_bytes(data[: int(length * len(data))])
    try:
        released.load(path)
    except UserError as error:
        assert "\n" not in str(error)
    files.load_arrays(path)  # None, or the arrays: nothing is raised


def test_what_may_not_be_passed_on_is_not_in_the_wheel_and_says_so():
    stems = {Path(file).stem for file in SHIPPED if file.startswith("weights/")}
    assert stems >= set(NAMES) - {"pokemon", "faces"} and not stems & {"pokemon", "faces"}
    for name in ("pokemon", "faces"):
        assert "Not for passing on" in card_of(name)
    assert {f"datasets/{name}.npz" for name in ("mnist", "monsters", "anime", "heroes")} <= SHIPPED


def test_stored_results_that_chapters_show_are_in_the_wheel_and_nothing_is_fetched():
    shown = set()
    for path in (released.FOLDER.parent / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        assert "urllib" not in code and "urlopen" not in code, path.name
        shown |= set(re.findall(r'stored\("([^"]+)"\)', code))
    assert shown and all((released.FOLDER.parent / "benchmarks" / name).exists() for name in shown)
    missing = {name for name in shown if f"benchmarks/{name}" not in SHIPPED}
    assert missing == {"own_photographs.png"}, "which may not be passed on"


def test_released_files_are_small():
    assert all(path.stat().st_size < 8_000_000 for kind in ("npz", "png") for path in released.FOLDER.glob(f"*.{kind}"))
    assert released.file("mnist_classifier").stat().st_size < 1_000_000


def test_every_chapters_generator_is_released():
    assert set(NAMES) == set(presets.PRESETS)


@pytest.mark.parametrize("name", NAMES)
def test_the_grid_of_the_card_is_made_by_the_weights(name):
    """To one grey level: what another machine's float32 may round to the other side."""
    generator = dcgan.load_generator(name)
    grid = figures.grid(dcgan.sample(generator, 64), sampling.classes(generator) or None)
    with Image.open(released.file(name).with_suffix(".png")) as image:
        shown = np.asarray(image)
    assert shown.shape == grid.shape
    assert np.abs(shown.astype(int) - grid).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_card_tells_the_recipe_and_how_to_load_it_and_what_it_is_for(name):
    card, preset, generator = card_of(name), presets.get(name), dcgan.load_generator(name)
    builder, arguments = re.search(r"`models\.(\w+)_generator\((.*?)\)`", card).groups()
    built = models.GENERATORS[builder](**{key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", arguments)})
    assert builder == preset.architecture and built.count_params() == generator.count_params()
    assert f"`{preset.dataset}`" in card and f"{generator.count_params():,} weights" in card
    assert f"batch_size {preset.batch_size}," in card and f"r1_weight {preset.r1_weight}," in card
    assert f"{preset.schedule('short').steps:,} steps with batches of {preset.batch_size}" in card
    for option, builders in (("norm", "DISCRIMINATORS"), ("dropout", "DISCRIMINATORS"), ("width", "GENERATORS")):
        taken = inspect.signature(getattr(models, builders)[preset.architecture]).parameters
        assert (f" {option} " in card.split("**Recipe:**")[1].split("\n")[0]) == (option in taken), option
    assert re.search(r"FID +\d", card) and re.search(r"Known failures:\*\* \w", card)
    shape = ", ".join(map(str, generator.output_shape[1:]))
    assert f'dcgan.sample("{name}", 16, seed=0)  # float32 [16, {shape}]' in card
    assert f'dcgan.load_generator("{name}")' in card
    assert "**Intended use:**" in card and "**What it knows:**" in card
    assert "the floor" in card and "not with published FIDs" in card


def test_a_name_may_be_a_path_and_what_is_not_there_is_refused():
    assert dcgan.load_generator(Path("heroes")).count_params() == dcgan.load_generator("heroes").count_params()
    with pytest.raises(UserError, match="0 images cannot be drawn"):
        dcgan.sample("heroes", 0)
    with pytest.raises(UserError, match="no run folder or released discriminator named 'nosuch'"):
        dcgan.load_discriminator("nosuch")


@pytest.mark.parametrize("name", [name for name in NAMES if presets.get(name).classes])
def test_what_is_asked_for_is_drawn(name):
    generator, preset = dcgan.load_generator(name), presets.get(name)
    held_out = datasets.load(preset.dataset, "test")[:64]
    scores = metrics.evaluate(generator, held_out, preset.extractor, 320, metrics=("is",), progress=False)
    assert np.mean(scores["as_asked"]) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("name", released.names("discriminator"))
def test_a_released_discriminator_tells_real_images_from_fakes(name):
    discriminator = dcgan.load_discriminator(name)
    fakes = datasets.normalise(metrics.draw(dcgan.load_generator(name), 256, progress=False))
    real, fake = (discriminator.predict(images, verbose=0) for images in (_reals(name), fakes))
    assert (real[:, 0] > np.median(fake)).mean() > 0.6


def _reals(name):
    return datasets.normalise(datasets.load(name)[:256])

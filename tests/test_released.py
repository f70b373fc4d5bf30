"""The released generators: weights, card and builder hold together."""

import inspect
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan_tf import datasets, figures, labels, load_discriminator, load_generator, models, presets, sample, weights
from dcgan_tf.errors import UserError
from dcgan_tf.evaluation import draw, evaluate
from dcgan_tf.sampling import generate, inputs

NAMES = weights.released()


def test_what_may_not_be_passed_on_is_not_in_the_wheel_and_says_so():
    project = tomllib.loads((weights.FOLDER.parent / "pyproject.toml").read_text())
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    stems = {Path(file).stem for file in shipped if file.startswith("weights/")}
    assert stems >= set(NAMES) - {"pokemon", "faces"} and not stems & {"pokemon", "faces"}
    for name in ("pokemon", "faces"):
        assert "Not for passing on" in weights.file(name).with_suffix(".md").read_text()
    assert {f"datasets/{name}.npz" for name in ("mnist", "monsters", "anime", "heroes")} <= set(shipped)


def test_every_chapters_generator_is_released_with_its_card():
    assert set(NAMES) == set(presets.PRESETS)
    for name in NAMES:
        assert weights.file(name).with_suffix(".md").exists() and weights.file(name).with_suffix(".png").exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_grid_of_the_card_is_made_by_the_weights(name):
    """To one grey level: what another machine's float32 may round to the other side."""
    generator = load_generator(name)
    grid = figures.grid(generate(generator, inputs(generator, 64)), labels.classes(generator) or None)
    with Image.open(weights.file(name).with_suffix(".png")) as image:
        shown = np.asarray(image)
    assert shown.shape == grid.shape
    assert np.abs(shown.astype(int) - grid).max() <= 1


def test_a_name_may_be_a_path_and_no_images_are_refused():
    assert load_generator(Path("heroes")).count_params() == load_generator("heroes").count_params()
    with pytest.raises(UserError, match="0 images cannot be drawn"):
        sample("heroes", 0)


@pytest.mark.parametrize("name", [name for name in NAMES if presets.get(name).classes])
def test_what_is_asked_for_is_drawn(name):
    scores = evaluate(
        load_generator(name),
        datasets.load(presets.get(name).dataset, "test")[:64],
        presets.get(name).extractor,
        320,
        metrics=("is",),
        progress=False,
    )
    assert np.mean(scores["as_asked"]) >= 0.98


@pytest.mark.parametrize("name", NAMES)
def test_the_card_tells_the_recipe_of_the_preset(name):
    card, preset = weights.file(name).with_suffix(".md").read_text(), presets.get(name)
    builder, arguments = re.search(r"`models\.(\w+)_generator\((.*?)\)`", card).groups()
    built = models.GENERATORS[builder](**{key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", arguments)})
    assert f"`{preset.dataset}`" in card and builder == preset.architecture
    assert (
        f"{load_generator(name).count_params():,} weights" in card
        and built.count_params() == load_generator(name).count_params()
    )
    assert f"batch_size {preset.batch_size}," in card and f"r1_weight {preset.r1_weight}," in card
    assert re.search(r"FID +\d", card) and re.search(r"Known failures:\*\* \w", card)
    for option, builder in (("norm", "DISCRIMINATORS"), ("dropout", "DISCRIMINATORS"), ("width", "GENERATORS")):
        taken = inspect.signature(getattr(models, builder)[preset.architecture]).parameters
        assert (f" {option} " in card.split("**Recipe:**")[1].split("\n")[0]) == (option in taken), option
    assert f"{preset.schedule('cpu').steps:,} steps with batches of {preset.batch_size}" in card


def test_released_files_are_small():
    files = [*weights.FOLDER.glob("*.npz"), *weights.FOLDER.glob("*.png")]
    assert all(path.stat().st_size < 8_000_000 for path in files)
    assert weights.file("mnist_classifier").stat().st_size < 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", weights.released("discriminator"))
def test_a_released_discriminator_tells_real_images_from_fakes(name):
    discriminator = load_discriminator(name)
    real = discriminator.predict(datasets.normalise(datasets.load(name)[:256]), verbose=0)
    fake = discriminator.predict(datasets.normalise(draw(load_generator(name), 256, progress=False)), verbose=0)
    assert (real[:, 0] > np.median(fake)).mean() > 0.6


def test_a_name_without_a_released_discriminator_is_refused():
    assert "anime" in weights.released("discriminator")
    with pytest.raises(UserError, match="no run folder or released discriminator named 'nosuch'"):
        load_discriminator("nosuch")


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_how_to_load_it_what_it_is_for_and_what_to_compare_with(name):
    card, shape = weights.file(name).with_suffix(".md").read_text(), load_generator(name).output_shape[1:]
    assert f'dcgan.sample("{name}", 16, seed=0)  # float32 [16, {", ".join(map(str, shape))}]' in card
    assert f'dcgan.load_generator("{name}")' in card
    assert "**Intended use:**" in card and "**What it knows:**" in card
    assert "the floor" in card and "not with published FIDs" in card


def test_stored_results_that_chapters_show_are_in_the_wheel_and_nothing_is_fetched():
    project = tomllib.loads((weights.FOLDER.parent / "pyproject.toml").read_text())
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    shown = set()
    for path in (weights.FOLDER.parent / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        assert "urllib" not in code and "urlopen" not in code, path.name
        shown |= set(re.findall(r'stored\("([^"]+)"\)', code))
    assert shown and all((weights.FOLDER.parent / "benchmarks" / name).exists() for name in shown)
    missing = {name for name in shown if f"benchmarks/{name}" not in shipped}
    assert missing == {"own_photographs.png"}, "which may not be passed on"

"""Whole runs: what the folder holds, resuming, refusals, what is judged, networks and callbacks of one's own."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

import dcgan_tf as dcgan
from dcgan_tf import GAN, callbacks, datasets, figures, metrics, models, presets, run_folder, train
from dcgan_tf.errors import UserError
from dcgan_tf.runtime.progress import bar
from dcgan_tf.training.history import COLUMNS, SCORES, History
from dcgan_tf.training.loop import batches_from, decay

pytestmark = pytest.mark.slow
SCHEDULE = presets.Schedule(steps=6, sample_every=2, checkpoint_every=2, log_every=1)
DIGITS = datasets.load("mnist", "test")[:96]


def small(seed=0, **changes):
    """A GAN of the MNIST preset with batches of 8, and dropout, whose random stream must be resumed as well."""
    preset = replace(presets.get("mnist"), **{"batch_size": 8, "dropout": 0.3, **changes})
    return GAN.from_preset(preset, "float32", seed)


def trained(run, steps=None, gan=None, images=DIGITS, **options):
    gan = gan or small()
    return gan, train(gan, images, steps=steps, run=run, **{"schedule": SCHEDULE, **options})


def assert_same(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of six steps that was never interrupted."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    return run, *trained(run)


def test_a_run_folder_holds_all_that_is_promised(finished):
    run, gan, history = finished
    found = {path.name for path in run.iterdir() if not path.name.startswith(".")}
    assert found == {
        *("config.json", "history.csv", "samples", "losses.png", "training.gif", "checkpoints", "tensorboard")
    }
    assert [path.name for path in run_folder.taken(run, "samples")] == [f"step_{s:07}.png" for s in (0, 2, 4, 6)]
    assert [path.name for path in run_folder.taken(run)] == [f"step_{s:07}" for s in (2, 4, 6)]
    assert json.loads((run / "config.json").read_text())["recipe"]["batch_size"] == 8
    assert not list(run.rglob("*partial*"))
    with Image.open(run / "training.gif") as animation:
        assert animation.n_frames == 4 and animation.info["loop"] == 0
    with Image.open(run / "samples" / "step_0000006.png") as last:  # always of the same latents
        np.testing.assert_array_equal(last, figures.grid(gan.generate(64, gan.seed)))


def test_history_counts_steps_and_epochs(finished):
    run, _, history = finished
    assert history["step"].tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(history["epoch"], history["step"] * 8 / 96)
    assert History.load(run / "history.csv")["g_loss"] == pytest.approx(history["g_loss"], rel=1e-5)


def test_tensorboard_gets_scalars_and_images(finished):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(finished[0] / "tensorboard")).Reload()
    assert {"samples", *COLUMNS} - {"step", "epoch", *SCORES} <= set(events.Tags()["tensors"])
    assert [event.step for event in events.Tensors("g_loss")] == [1, 2, 3, 4, 5, 6]


def test_bars_can_be_turned_off(capsys):
    """By tqdm's own TQDM_DISABLE=1, which conftest.py sets."""
    bar(total=3, disable=False).close()
    assert capsys.readouterr().out == ""


def test_a_finished_run_is_left_alone(finished, capsys):
    before = (finished[0] / "history.csv").read_bytes()
    assert len(trained(finished[0])[1]) == 6
    assert "nothing left to do" in capsys.readouterr().out
    assert (finished[0] / "history.csv").read_bytes() == before


@pytest.mark.parametrize("change", [{"seed": 1}, {"batch_size": 4}, {"generator_learning_rate": 5e-4}])
def test_another_recipe_does_not_go_on_with_a_run(finished, change):
    with pytest.raises(UserError, match=f"was trained with {next(iter(change))}"):
        trained(finished[0], 8, small(**change))


@pytest.mark.parametrize(
    ("images", "message"), [(DIGITS[:90], "trained with images"), (DIGITS[::-1], "trained on other images")]
)
def test_other_images_do_not_go_on_with_a_run(finished, images, message):
    with pytest.raises(UserError, match=message):
        trained(finished[0], 8, images=images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "at least 1 step"),
        ({"schedule": replace(SCHEDULE, sample_every=0)}, "intervals above 0"),
        ({"schedule": replace(SCHEDULE, evaluate_every=-1)}, "intervals above 0"),
        ({"images": np.zeros((20, 64, 64, 3), np.uint8)}, r"\(64, 64, 3\)"),
        ({"images": datasets.normalise(DIGITS).numpy()}, "float32: give uint8 from 0 to 255"),
        ({"images": DIGITS[:6]}, "give 1 to 6"),
        ({"held_out": DIGITS[:10]}, "give 20 or more"),
        ({"restore_from": "nowhere"}, "no checkpoint in nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused_before_there_is_a_run(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        trained(tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_a_gan_that_has_been_trained_does_not_begin_a_run(tmp_path):
    gan, _ = trained(tmp_path / "run", 2)
    for run, options in (("run", {"fresh": True}), ("other", {})):
        with pytest.raises(UserError, match="has already been trained for 2 steps"):
            trained(tmp_path / run, 4, gan, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["run"], "nothing was moved or made"
    assert len(trained(tmp_path / "run", 3, gan)[1]) == 3


@pytest.mark.parametrize("text", ["{}", "{", "[]"])
def test_a_strange_config_is_one_line(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match=r"config.json is damaged, or was not written by `train`"):
        trained(tmp_path)


def test_config_names_a_set_for_its_own_images_only(tmp_path):
    for name, images, expected in (("part", DIGITS, ""), ("whole", datasets.load("mnist"), "mnist")):
        trained(tmp_path / name, 1, images=images)
        assert json.loads((tmp_path / name / "config.json").read_text())["recipe"]["dataset"] == expected


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """Trains a run that is judged at every second step and the last one, by a KID that comes from a list."""
    kids = iter([0.5, 0.2, 0.9, 0.4, 0.3])
    monkeypatch.setattr(metrics, "compare", lambda *_, **__: {"fid": 1.0, "kid": next(kids), "kid_error": 0.1})
    options = {"held_out": DIGITS[::-1], "schedule": replace(SCHEDULE, evaluate_every=2)}
    return lambda steps, **more: trained(tmp_path / "run", steps, **options, **more)[1]


def best(run):
    """The names in best/, and what the README there says."""
    names = [folder.name for folder in run_folder.taken(run, "best")]
    return names, (run / "best" / names[0] / "README.txt").read_text(encoding="utf-8")


def test_the_best_checkpoint_is_kept_and_the_newest_is_what_a_run_generates_with(judged, tmp_path):
    kept, run = {}, tmp_path / "run"

    class Remember(callbacks.Callback):
        def on_step_end(self, run):
            kept[run.step] = run.gan.average.get_weights()

    history = judged(6, callbacks=[Remember()])
    np.testing.assert_allclose(history["kid"], [np.nan, 0.5, np.nan, 0.2, np.nan, 0.9])
    for source, step in ((run, 6), (run / "best", 4), (run / "best" / "step_0000004", 4)):
        assert_same(dcgan.load_generator(source).get_weights(), kept[step])
    names, said = best(run)
    assert names == ["step_0000004"] and "lowest KID of this run until then: 0.2000 ± 0.1000" in said


def test_a_resumed_run_keeps_its_best(judged, tmp_path):
    judged(6)
    judged(8)  # 0.4: no better
    judged(7, restore_from=tmp_path / "run" / "checkpoints" / "step_0000006")  # 0.3 at the last step
    assert best(tmp_path / "run")[0] == ["step_0000004"]


def test_a_run_that_goes_back_before_its_best_has_the_best_of_what_is_left(judged, tmp_path):
    judged(4)
    judged(3, restore_from=tmp_path / "run" / "checkpoints" / "step_0000002")  # 0.9 at step 3, where step 2 had 0.5
    for folder, name in (("run", "step_0000002"), ("run-old1", "step_0000004")):
        names, said = best(tmp_path / folder)
        assert names == [name] and name in said


def test_where_the_best_was_deleted_the_best_of_what_is_left_is_kept_and_said_to_be_so(judged, tmp_path):
    judged(5)  # 0.9 at the last step
    shutil.rmtree(tmp_path / "run" / "best")
    judged(7)  # 0.4 and 0.3
    names, said = best(tmp_path / "run")
    assert names == ["step_0000007"] and "of the checkpoints that are left until then: 0.3000 ± 0.1000" in said


def test_the_metric_that_is_followed_is_the_real_one(tmp_path):
    _, history = trained(tmp_path, 2, held_out=DIGITS[:40])
    assert history["kid"][-1] > 1 and history["kid_error"][-1] > 0 and np.isnan(history["kid"][0])


@keras.saving.register_keras_serializable("tests")
class Doubled(keras.layers.Layer):
    """A layer of a user's own."""

    def call(self, inputs):
        return 2 * inputs


def own_networks(run, *lengths):
    """Train networks of one's own to each of these lengths, every time anew."""
    images, layers = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8), keras.layers
    for steps in lengths:
        keras.utils.set_random_seed(0)
        stack = [layers.Dense(8 * 8 * 4), layers.Reshape((8, 8, 4)), layers.Dropout(0.3), Doubled()]
        image = layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh")
        inputs = keras.Input((16, 16, 3))
        maps = layers.Dropout(0.3)(layers.Conv2D(4, 3, 2, activation="gelu")(inputs))
        discriminator = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(maps)))
        gan = GAN(keras.Sequential([keras.Input((7,)), *stack, image]), discriminator, batch_size=4)
        trained(run, steps, gan, images)
    return gan


def test_networks_of_ones_own_are_trained_resumed_loaded_and_exported(tmp_path):
    gan, whole = own_networks(tmp_path / "cut", 3, 6), own_networks(tmp_path / "whole", 6)
    for ours, theirs in zip(gan.generator.get_weights(), whole.generator.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    expected = gan.generate(5, seed=3)
    np.testing.assert_allclose(dcgan.sample(tmp_path / "cut", 5, seed=3), expected, atol=1e-5)
    discriminator = dcgan.load_discriminator(tmp_path / "cut")
    np.testing.assert_allclose(discriminator(expected), gan.discriminator(expected), atol=1e-5)
    exported = keras.saving.load_model(dcgan.export(tmp_path / "cut", tmp_path / "own.keras"))
    np.testing.assert_allclose(dcgan.sample(exported, 5, seed=3), expected, atol=1e-5)


def test_a_network_that_cannot_be_built_from_its_description_is_one_line(tmp_path):
    own_networks(tmp_path, 1)
    path = tmp_path / "checkpoints" / "step_0000001" / "networks.json"
    facts = json.loads(path.read_text())
    unknown = facts["generator"].replace("tests>Doubled", "tests>Elsewhere").replace('"Doubled"', '"Elsewhere"')
    for description, message in (
        (unknown, "register your own layers"),
        (models.mnist_generator().to_json(), "not those of the generator"),
        (None, "does not say what its generator is made of"),
    ):
        path.write_text(json.dumps({**facts, "generator": description}))
        with pytest.raises(UserError, match=message) as error:
            dcgan.load_generator(tmp_path)
        assert "\n" not in str(error.value)


def test_callbacks_of_ones_own_are_told_of_each_step(tmp_path):
    events = []

    class Mine(callbacks.Callback):
        def on_train_begin(self, run):
            events.append(("begin", run.step))

        def on_step_end(self, run):
            assert run.gan is gan and float(run.results["g_loss"]) > 0
            events.append(("step", run.step, len(run.history)))

        def on_train_end(self, run):
            events.append(("end", run.history.interrupted))

    gan = small()
    trained(tmp_path, 3, gan, callbacks=[Mine()])
    assert events == [("begin", 0), ("step", 1, 1), ("step", 2, 2), ("step", 3, 3), ("end", False)]


def test_a_notebook_shows_the_newest_samples_in_place_of_the_ones_before(tmp_path, monkeypatch):
    shown = []

    class Handle:
        def __init__(self, figure, display_id):
            shown.append(figure)

        update = staticmethod(shown.append)

    monkeypatch.setattr("IPython.display.display", Handle)
    trained(tmp_path, 5, callbacks=[callbacks.Live(2)])
    assert [figure.axes[0].get_title() for figure in shown] == ["step 0", "step 2", "step 4", "step 5"]
    assert len(shown[-1].axes[0].lines[0].get_xdata()) == 5


def test_outside_of_a_notebook_there_is_nothing_to_show_and_training_goes_on(tmp_path):
    assert len(trained(tmp_path, 3, callbacks=[callbacks.Live(1)])[1]) == 3


def test_one_training_after_the_other_is_not_warned_of_retracing(caplog):
    gan = small()
    for _ in range(6):
        next(batches_from(gan, DIGITS, 0))
    assert "retracing" not in caplog.text


@pytest.mark.parametrize(("step", "factor"), [(0, 1), (500, 1), (750, 0.5), (759, 0.5), (999, 0.02)])
def test_learning_rates_fall_in_a_line_from_the_chosen_share_on(step, factor):
    assert decay(step, 1_000, 0.5) == pytest.approx(factor)
    assert decay(step, 1_000, 1.0) == 1


def test_a_short_training_lowers_the_fid(tmp_path):
    gan = small(batch_size=16)

    def fid():
        return metrics.evaluate(gan.average, "mnist", "mnist", 500, progress=False, metrics=("fid",))["fid"]

    before = fid()
    trained(tmp_path, 300, gan, datasets.load("mnist"), schedule=presets.Schedule(300, 100, 100))
    assert fid() < before / 2

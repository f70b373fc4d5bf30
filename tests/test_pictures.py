"""Grids, plots and GIFs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dcgan_tf import figures, gif
from dcgan_tf.errors import UserError
from dcgan_tf.training.history import COLUMNS, History


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 20),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    channels=st.sampled_from([1, 3]),
    columns=st.integers(1, 25),
    scale=st.integers(1, 3),
    gap=st.integers(0, 2),
)
def test_every_image_stands_in_the_grid_pixel_for_pixel(count, height, width, channels, columns, scale, gap):
    images = np.random.default_rng(count).integers(0, 256, (count, height, width, channels), np.uint8)
    canvas = figures.grid(images, columns, scale, gap)
    assert canvas.ndim == (2 if channels == 1 else 3)
    small = canvas[::scale, ::scale].reshape(*canvas[::scale, ::scale].shape[:2], channels)
    for i, image in enumerate(images):
        y, x = i // min(columns, count) * (height + gap), i % min(columns, count) * (width + gap)
        np.testing.assert_array_equal(small[y : y + height, x : x + width], image)
    np.testing.assert_array_equal(
        canvas, np.kron(canvas[::scale, ::scale], np.ones((scale, scale) + (1,) * (canvas.ndim - 2), np.uint8))
    )


def test_floats_are_mapped_to_the_whole_range():
    assert figures.to_uint8(np.array([-1.0, 0.0, 1.0, -3.0, 7.0])).tolist() == [0, 128, 255, 0, 255]


@pytest.mark.parametrize("images", [np.zeros((0, 4, 4, 1)), np.zeros((4, 4))])
def test_a_grid_of_nothing_is_refused(images):
    with pytest.raises(ValueError, match="a grid needs images"):
        figures.grid(images)


def test_png_keeps_every_pixel_and_makes_its_folder(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    figures.save_png(array, tmp_path / "deep" / "x.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "deep" / "x.png")), array)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["x.png"]


def test_smoothing_keeps_a_constant_and_the_length():
    np.testing.assert_allclose(figures.smooth([2.0] * 9, 4), [2.0] * 9)
    assert figures.smooth([1.0, 2.0, 6.0], 3)[1] == pytest.approx(3)


def test_history_can_be_plotted_and_says_what_it_shows(tmp_path):
    history = History({c: 0.5 + i for c in COLUMNS} for i in range(5))
    figure = figures.plot_history(history, "A title")
    losses, beliefs, distance = figure.axes
    assert losses.get_title() == "A title" and losses.get_ylabel() and distance.get_xlabel() == "step"
    assert "best: step" in str([text.get_text() for text in distance.get_legend().get_texts()])
    np.testing.assert_allclose(losses.lines[0].get_ydata(), history["g_loss"])
    figure.savefig(tmp_path / "x.png")


def test_a_critics_scores_are_not_shown_as_probabilities():
    rows = [{**dict.fromkeys(COLUMNS, -40.0), "step": i, "kid": float("nan")} for i in range(3)]
    losses, scores = figures.plot_history(History(rows), probabilities=False).axes
    assert scores.get_ylabel() == "mean score" and scores.get_ylim()[0] < -40
    assert "log 2" not in str([text.get_text() for text in losses.get_legend().get_texts()])


def test_two_halves_of_one_loss_are_said_to_be_halves():
    rows = [{**dict.fromkeys(COLUMNS, 0.5 + i), "step": i, "kid": float("nan")} for i in range(3)]
    (line,) = [text for text in legend(History(rows)) if text.startswith("log 2")]
    assert "half" in line  # d_loss_real and d_loss_fake are the same, as those of relativistic pairs are
    rows = [{**row, "d_loss_fake": 0.1} for row in rows]
    (line,) = [text for text in legend(History(rows)) if text.startswith("log 2")]
    assert "half" not in line


def legend(history):
    return [text.get_text() for text in figures.plot_history(history).axes[0].get_legend().get_texts()]


def test_without_a_metric_the_plot_has_two_panels():
    rows = [{**dict.fromkeys(COLUMNS, 0.5), "step": i, "kid": float("nan")} for i in range(3)]
    losses, beliefs = figures.plot_history(History(rows)).axes
    assert beliefs.get_xlabel() == "step"


def test_real_and_fake_stand_side_by_side():
    figure = figures.real_and_fake(np.zeros((64, 8, 8, 1), np.uint8), np.ones((64, 8, 8, 1), "float32"))
    assert [axes.get_title() for axes in figure.axes] == ["real", "generated"]
    assert [int(axes.images[0].get_array().max()) for axes in figure.axes] == [64, 255]  # 64: the gaps


def frames(count, size=(8, 8)):
    return [np.full(size, 20 * i, np.uint8) for i in range(count)]


def test_gif_opens_with_its_last_frame_and_loops_for_ever(tmp_path):
    with Image.open(gif.save(frames(4), tmp_path / "x.gif", ms=70, hold=900)) as animation:
        assert animation.info["loop"] == 0
        times, values = [], []
        for i in range(animation.n_frames):
            animation.seek(i)
            times.append(animation.info["duration"])
            values.append(int(np.asarray(animation.convert("L"))[0, 0]))
    assert times == [900, 70, 70, 70]
    np.testing.assert_allclose(values, [60, 0, 20, 40], atol=255 / 31 / 2)


def test_gif_takes_colour_and_files(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)
    figures.save_png(colour, tmp_path / "a.png")
    gif.save([tmp_path / "a.png", np.zeros((6, 6), np.uint8)], tmp_path / "new" / "x.gif")
    with Image.open(tmp_path / "new" / "x.gif") as animation:
        assert animation.n_frames == 2


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 6), height=st.integers(1, 20), width=st.integers(1, 20), ms=st.integers(20, 500))
def test_any_frames_of_one_size_make_a_gif(tmp_path_factory, count, height, width, ms):
    path = gif.save(frames(count, (height, width)), tmp_path_factory.mktemp("gif") / "x.gif", ms=ms)
    with Image.open(path) as animation:
        assert animation.size == (width, height)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [([], "at least one frame"), ([np.zeros((2, 2), np.uint8), np.zeros((3, 2), np.uint8)], "one size")],
)
def test_frames_that_cannot_make_a_gif_are_refused(wrong, message, tmp_path):
    with pytest.raises(UserError, match=message):
        gif.save(wrong, tmp_path / "x.gif")
    assert not list(tmp_path.iterdir())


def test_a_gif_of_an_empty_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="no samples"):
        gif.from_run(tmp_path)

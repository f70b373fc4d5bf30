"""Grids, plots and GIFs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dcgan_tf import figures, gif
from dcgan_tf.errors import UserError
from dcgan_tf.training.history import COLUMNS


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


def history(count, **columns):
    """A history whose columns are 0.5, 1.5, ... but for those given."""
    values = {name: 0.5 + np.arange(count) for name in COLUMNS}
    return values | {name: np.broadcast_to(np.float64(value), count) for name, value in columns.items()}


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_history_can_be_plotted_and_says_what_it_shows():
    rows = history(5)
    losses, beliefs, distance = figures.plot_history(rows, "A title").axes
    assert losses.get_title() == "A title" and losses.get_ylabel() and distance.get_xlabel() == "step"
    assert any("best: step" in text for text in legend(distance))
    np.testing.assert_allclose(losses.lines[0].get_ydata(), rows["g_loss"])
    losses, beliefs = figures.plot_history(history(3, kid=np.nan)).axes
    assert beliefs.get_xlabel() == "step", "without a metric there are two panels"


def test_a_critics_scores_are_not_shown_as_probabilities():
    critic = history(3, **dict.fromkeys(COLUMNS, -40) | {"kid": np.nan})
    losses, scores = figures.plot_history(critic, probabilities=False).axes
    assert scores.get_ylabel() == "mean score" and scores.get_ylim()[0] < -40
    assert not any("log 2" in text for text in legend(losses))


def test_two_halves_of_one_loss_are_said_to_be_halves():
    """d_loss_real and d_loss_fake are the same, as those of relativistic pairs are."""
    for columns, halves in (({}, True), ({"d_loss_fake": 0.1}, False)):
        (line,) = (text for text in legend(figures.plot_history(history(3, **columns)).axes[0]) if "log 2" in text)
        assert ("half" in line) == halves


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


@pytest.mark.parametrize(("count", "most"), [(5, 9), (9, 9), (200, 12), (200, 1)])
def test_frames_are_thinned_to_the_last_one_and_more_of_the_early_ones(count, most):
    found = gif.thinned(range(count), most)
    assert len(found) == min(count, most) and found == sorted(set(found)) and found[-1] == count - 1
    gaps = np.diff(found)
    assert len(found) < 2 or (found[0] == 0 and list(gaps) == sorted(gaps))

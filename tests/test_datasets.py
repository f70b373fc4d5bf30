"""The embedded sets, what is held out of others, and the order of the batches."""

import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgan_tf import datasets
from dcgan_tf.datasets import sets
from dcgan_tf.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
SHAPES = {
    "mnist": [(60_000, 28, 28, 1), (10_000, 28, 28, 1)],
    "monsters": [(592, 64, 64, 3), (60, 64, 64, 3)],
    "faces": [(360, 64, 64, 3), (40, 64, 64, 3)],
    "anime": [(4_096, 64, 64, 3), (1_024, 64, 64, 3)],
    "heroes": [(2_664, 64, 64, 3), (216, 64, 64, 3)],
}


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another folder of sets; what has been read is forgotten before and after."""
    caches = [value for value in vars(sets).values() if hasattr(value, "cache_clear")]
    monkeypatch.setattr(sets, "FOLDER", tmp_path)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("name", SHAPES)
def test_sets_have_the_published_sizes(name):
    assert [datasets.load(name, split).shape for split in ("train", "test")] == SHAPES[name]
    assert datasets.load(name).dtype == np.uint8


@pytest.mark.parametrize("name", SHAPES)
def test_no_image_is_in_both_splits(name):
    def fingerprints(split):
        return {hashlib.sha256(image.tobytes()).digest() for image in datasets.load(name, split)}

    assert not fingerprints("train") & fingerprints("test")


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        datasets.load("mnist")[0, 0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        datasets.labels("mnist")[0] = 1


def test_mnist_is_the_original():
    counts = [np.bincount(datasets.labels("mnist", split)).tolist() for split in ("train", "test")]
    assert counts == [
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    ]
    assert datasets.load("mnist").mean() == pytest.approx(33.318, abs=1e-3)


def test_face_labels_are_forty_persons():
    assert np.bincount(datasets.labels("faces")).tolist() == [9] * 40
    assert np.bincount(datasets.labels("faces", "test")).tolist() == [1] * 40


def test_hero_labels_are_races_and_units_and_those_held_out_are_of_other_units():
    train, test = datasets.labels("heroes"), datasets.labels("heroes", "test")
    assert len(np.unique(train["race"])) == 10 and len(np.unique(train["unit"])) == 120
    assert train["unit"].min() == 0 and (test["unit"] == -1).all() and test["race"].min() >= 0
    assert np.bincount(train["unit"]).max() == 24 and np.median(np.bincount(train["unit"])) == 24, "balanced by unit"
    for unit in range(0, 120, 20):
        assert len(set(train["race"][train["unit"] == unit])) == 1, "a unit is of one race"


def test_what_does_not_exist_is_refused():
    for name, hint in (("mnsit", "did you mean 'mnist'"), ("xyz", "choose from mnist")):
        with pytest.raises(UserError, match=hint):
            datasets.load(name)
    with pytest.raises(UserError, match="'train' and 'test'"):
        datasets.load("mnist", "validation")
    with pytest.raises(UserError, match="no labels"):
        datasets.labels("monsters")


def test_a_set_is_known_by_its_images():
    same = datasets.fingerprint(datasets.load("monsters"))
    assert datasets.is_set("monsters", same) and not datasets.is_set("heroes", same)
    assert not datasets.is_set("pokemon", same), "which is not here"


def test_a_missing_or_changed_file_is_refused(elsewhere):
    with pytest.raises(UserError, match="monsters.npz is missing"):
        datasets.load("monsters")
    damaged = bytearray((ROOT / "datasets" / "monsters.npz").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (elsewhere / "monsters.npz").write_bytes(damaged)
    with pytest.raises(UserError, match="not the set that was published"):
        datasets.load("monsters")


def test_pickles_are_refused(elsewhere, monkeypatch):
    ran = elsewhere / "ran"

    class Hostile:
        def __reduce__(self):
            return (Path.touch, (ran,))

    data = io.BytesIO()
    np.savez(data, images=np.array([Hostile()], dtype=object), is_test=np.array([False]))
    (elsewhere / "monsters.npz").write_bytes(data.getvalue())
    monkeypatch.setitem(sets.SHA256, "monsters", hashlib.sha256(data.getvalue()).hexdigest())
    with pytest.raises(ValueError, match="allow_pickle=False"):
        datasets.load("monsters")
    assert not ran.exists()


def test_readme_states_the_hashes_that_the_code_checks():
    stated = re.findall(r"`([0-9a-f]{64})`", (ROOT / "datasets" / "README.md").read_text())
    assert sorted(stated) == sorted(datasets.SHA256.values())


def take(images, batch_size, count, **options):
    return [batch.numpy() for batch in datasets.batches(images, batch_size, **options).take(count)]


def numbered(count):
    """Images that can be told apart by their first pixel."""
    return np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)


def ids(batches):
    return np.rint((np.concatenate(batches)[:, 0, 0, 0] + 1) * 127.5).astype(int)


def test_pixels_are_mapped_to_minus_one_to_one_and_back():
    assert datasets.to_uint8(np.array([-1.0, 0.0, 1.0, -3.0, 7.0])).tolist() == [0, 128, 255, 0, 255]
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(datasets.to_uint8(datasets.normalise(every)), every)


def test_batches_are_float32_between_minus_one_and_one():
    images = np.array([0, 255, 127], np.uint8).reshape(3, 1, 1, 1)
    (batch,) = take(images, 3, 1)
    assert batch.dtype == np.float32
    assert sorted(batch.ravel()) == pytest.approx([-1, 127 / 127.5 - 1, 1])


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(count=st.integers(2, 40), batch_size=st.integers(1, 40), seed=st.integers(0, 2**31), start=st.integers(0, 30))
def test_every_epoch_holds_every_image_once_and_no_batch_is_ragged(count, batch_size, seed, start):
    batch_size = min(batch_size, count)
    wanted = -(-3 * count // batch_size)
    stream = take(numbered(count), batch_size, wanted, seed=seed)
    assert {len(batch) for batch in stream} == {batch_size}
    order = ids(stream)
    for epoch in range(3):
        assert sorted(order[epoch * count : (epoch + 1) * count]) == list(range(count))
    resumed = take(numbered(count), batch_size, 2, seed=seed, start=start)
    whole = take(numbered(count), batch_size, start + 2, seed=seed)
    np.testing.assert_array_equal(resumed, whole[start:])


def test_the_order_depends_on_seed_and_epoch():
    orders = [tuple(datasets.permutation(50, seed, epoch)) for seed in (0, 1) for epoch in (0, 1)]
    assert len(set(orders)) == 4
    assert orders[0] == tuple(datasets.permutation(50, 0, 0))


def test_a_batch_that_cannot_be_drawn_is_refused():
    for batch_size in (0, -1, 11):
        with pytest.raises(UserError, match="give 1 to 10"):
            datasets.batches(numbered(10), batch_size)
    with pytest.raises(UserError, match="give uint8"):
        datasets.batches(numbered(10).astype("float32"), 5)


@pytest.mark.parametrize(("count", "held"), [(99, 0), (100, 20), (200, 20), (1_000, 100), (50_000, 3_000)])
def test_what_is_held_out_is_fixed_and_disjoint(count, held):
    images = np.arange(count, dtype="<u4").view(np.uint8).reshape(-1, 2, 2, 1)
    train, test = datasets.hold_out(images)
    assert (len(train), len(test)) == (count - held, held)
    both = np.concatenate([np.asarray(train), test])
    assert sorted(both.reshape(count, 4).view("<u4").ravel()) == list(range(count))
    np.testing.assert_array_equal(test, datasets.hold_out(images)[1])


def test_equal_images_are_never_on_both_sides():
    train, test = datasets.hold_out(np.concatenate([numbered(200)] * 3))
    assert (len(train), len(test)) == (540, 60)
    assert not set(np.asarray(train)[:, 0, 0, 0]) & set(test[:, 0, 0, 0])


def test_a_placeholder_that_is_repeated_a_thousand_times_is_not_held_out():
    """Its copies stay together, and together they are more than may be held out."""
    for first in range(0, 900, 45):  # wherever the drawing puts it among the others
        others = np.arange(1, 901, dtype="<u4").view(np.uint8).reshape(-1, 2, 2, 1)
        images = np.insert(others, [first] * 9_000, 0, axis=0)
        train, test = datasets.hold_out(images)
        assert len(train) + len(test) == 9_900 and len(test) == 90
        assert len(np.unique(np.asarray(train), axis=0)) == 811  # nine tenths of the different images are trained on


def test_a_fingerprint_is_of_the_content_and_its_order():
    images = numbered(50)
    same = datasets.fingerprint(images)
    assert datasets.fingerprint(datasets.Rows(images, np.arange(50))) == same and len(same) == 64
    others = (
        images[::-1],
        images[:-1],
        images.reshape(50, 4, 1, 1),
        images ^ (np.arange(50) == 49)[:, None, None, None],
    )
    assert same not in {datasets.fingerprint(other) for other in others}


def test_rows_are_the_chosen_images():
    images = numbered(50)
    rows = datasets.Rows(images, np.arange(1, 50, 2))
    assert (len(rows), rows.shape, rows.dtype) == (25, (25, *images.shape[1:]), np.uint8)
    np.testing.assert_array_equal(np.asarray(rows), images[1::2])
    np.testing.assert_array_equal(rows[3:9:2], images[1::2][3:9:2])
    np.testing.assert_array_equal(rows[np.array([[4, 2], [0, 24]])], images[1::2][np.array([[4, 2], [0, 24]])])

"""The metrics against SciPy, closed forms, and what they should say of good and bad images."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from dcgan_tf import datasets, extractors, metrics
from dcgan_tf.errors import UserError
from dcgan_tf.metrics import METRICS
from dcgan_tf.metrics import judge as judging

PLAIN = metrics.Extractor("plain", "means of blocks", lambda x: (tf.nn.avg_pool2d(x, 8, 8, "SAME")[:, 0, 0], None), "1")


def gaussian(rng, dimension):
    root = rng.normal(size=(dimension, dimension))
    return rng.normal(size=dimension), root @ root.T / dimension


@pytest.mark.parametrize("dimension", [1, 2, 16, 64])
def test_frechet_distance_agrees_with_scipys_matrix_root(dimension):
    rng = np.random.default_rng(dimension)
    (m1, c1), (m2, c2) = gaussian(rng, dimension), gaussian(rng, dimension)
    expected = ((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * np.atleast_2d(sqrtm(c1 @ c2)).real)
    assert metrics.frechet_distance((m1, c1), (m2, c2)) == pytest.approx(expected, rel=1e-6)
    assert metrics.frechet_distance((m2, c2), (m1, c1)) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_survives_singular_covariances():
    rank_one = np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    found = metrics.frechet_distance((np.zeros(3), rank_one), (np.zeros(3), 4 * rank_one))
    assert found == pytest.approx(np.trace(rank_one), rel=1e-6)  # (sqrt(4) - 1)^2 of the only eigenvalue


def test_inception_score_reaches_its_bounds():
    assert metrics.inception_score(np.eye(10).repeat(5, 0)) == pytest.approx(10, rel=1e-6)
    assert metrics.inception_score(np.full((20, 10), 0.1)) == pytest.approx(1)
    assert metrics.inception_score(np.eye(10)[[3] * 20]) == pytest.approx(1), "one class only: nothing varied"


def test_class_shares_count_the_most_probable_class():
    assert metrics.class_shares(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])).tolist() == [0.75, 0.25]


def plain_kid(x, y):
    """The unbiased estimate, written out (Bińkowski et al. 2018, section 4)."""
    kernel = lambda a, b: (a @ b / len(a) + 1) ** 3  # noqa: E731
    n, m = len(x), len(y)
    own = [sum(kernel(z[i], z[j]) for i in range(len(z)) for j in range(len(z)) if i != j) for z in (x, y)]
    cross = sum(kernel(a, b) for a in x for b in y)
    return own[0] / (n * (n - 1)) + own[1] / (m * (m - 1)) - 2 * cross / (n * m)


def test_kid_is_the_definition():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(23, 4)), rng.normal(0.5, 1, size=(31, 4))
    assert metrics.kernel_distance(x, y)[0] == pytest.approx(plain_kid(x, y))


def test_kid_is_unbiased_and_its_error_is_the_spread_of_repeated_estimates():
    """Of N(0, I) and N(d, I) in F dimensions E k(x, y) is known: the kernel is a cubic of a Gaussian product."""
    rng, dimension, shift = np.random.default_rng(0), 3, 0.4

    def expected_kernel(a, b):
        """E (x.y / F + 1)^3 for x ~ N(a, I), y ~ N(b, I), from a large sample of x and the moments in y."""
        x = rng.normal(size=(400_000, dimension)) + a
        mean, variance = (x * b).sum(1) / dimension + 1, (x**2).sum(1) / dimension**2
        return (mean**3 + 3 * mean * variance).mean()

    zero, moved = np.zeros(dimension), np.full(dimension, shift)
    truth = expected_kernel(zero, zero) + expected_kernel(moved, moved) - 2 * expected_kernel(zero, moved)
    found = [
        metrics.kernel_distance(rng.normal(size=(120, dimension)), rng.normal(shift, 1, size=(80, dimension)))
        for _ in range(200)
    ]
    distances, errors = np.array(found).T
    assert distances.mean() == pytest.approx(truth, abs=3 * distances.std() / np.sqrt(200) + 0.01)
    assert 0.7 < np.sqrt((errors**2).mean()) / distances.std() < 1.6


def test_kid_needs_enough_images():
    with pytest.raises(UserError, match="at least 20"):
        metrics.kernel_distance(np.zeros((19, 2)), np.zeros((40, 2)))


@pytest.mark.parametrize(("size", "count"), [(11, 1), (28, 2), (32, 2), (64, 3), (128, 4), (176, 5), (256, 5)])
def test_ms_ssim_takes_the_scales_that_fit_and_its_weights_sum_to_one(size, count):
    weights = metrics.scales(size)
    assert len(weights) == count
    assert sum(weights) == pytest.approx(1)
    np.testing.assert_allclose(np.array(weights) / weights[0], np.array(metrics.SCALE_WEIGHTS[:count]) / 0.0448)


def test_the_similarity_of_random_pairs_is_one_where_all_are_equal_and_falls_with_noise():
    one = datasets.load("monsters")[3]
    noise = np.random.default_rng(0).normal(size=(20, *one.shape))
    found = [
        metrics.pair_similarity(np.clip(one + amount * noise, 0, 255).astype(np.uint8), 10) for amount in (0, 20, 80)
    ]
    assert found[0] == pytest.approx(1) and found == sorted(found, reverse=True) and found[2] < 0.9
    with pytest.raises(UserError, match="two images"):
        metrics.pair_similarity(one[None])


def test_precision_recall_density_coverage_agree_with_their_definitions():
    rng, k = np.random.default_rng(0), 3
    real, fake = rng.normal(size=(40, 2)), rng.normal(0.7, 0.6, size=(50, 2))
    real_radius = np.sort(cdist(real, real), 1)[:, k]
    fake_radius = np.sort(cdist(fake, fake), 1)[:, k]
    between = cdist(real, fake)
    expected = {
        "precision": np.mean([any(between[i, j] < real_radius[i] for i in range(40)) for j in range(50)]),
        "recall": np.mean([any(between[i, j] < fake_radius[j] for j in range(50)) for i in range(40)]),
        "density": sum(between[i, j] < real_radius[i] for i in range(40) for j in range(50)) / (k * 50),
        "coverage": np.mean([any(between[i, j] < real_radius[i] for j in range(50)) for i in range(40)]),
    }
    assert metrics.precision_recall_density_coverage(real, fake, k) == pytest.approx(expected)


def test_a_similarity_that_is_no_number_is_not_hidden(monkeypatch):
    """MS-SSIM can fail on odd images; a mean over the others would look sound."""
    monkeypatch.setattr(tf.image, "ssim_multiscale", lambda one, *_: np.where(np.arange(len(one)) == 3, np.nan, 0.5))
    images = np.random.default_rng(0).integers(0, 256, (10, 28, 28, 1), np.uint8)
    assert np.isnan(metrics.pair_similarity(images, pairs=50))


def test_neighbours_are_looked_for_from_the_whole_set():
    """The first 500 held-out images are copies of the training image, the other 700 are not."""
    images = np.zeros((1_200, 8, 8, 1), np.uint8)
    images[500:] = 200
    scores = metrics.compare(images[:30], images, PLAIN, ("neighbours",), training=images[:1])
    assert scores["to_training"] == 0 and scores["held_out_to_training"] == pytest.approx(200)


def test_neighbourhoods_are_drawn_from_the_whole_set(monkeypatch):
    """A set may come in an order that has a meaning: the first half of MNIST's test images is the cleaner one."""
    monkeypatch.setattr(judging, "MOST", 200)
    judge = extractors.Extractor("plain", "", lambda x: (x[:, 0, 0], None), "1", shape=(1, 1, 2))
    rng = np.random.default_rng(0)
    fake = rng.uniform(-1, 1, (400, 1, 1, 2)).astype("float32")
    real = fake[np.argsort(fake[:, 0, 0, 0])] + rng.normal(0, 1e-3, fake.shape).astype("float32")
    scores = metrics.compare(fake, real, judge, ("coverage",))
    assert scores["neighbourhoods_of"] == (200, 200)
    assert min(scores["precision"], scores["recall"], scores["coverage"]) > 0.8
    assert "drawn at random" in metrics.report(scores)


def test_softmax_does_not_overflow():
    found = extractors.softmax(np.array([[1000.0, 1000.0], [0.0, np.log(3)]]))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.25, 0.75]])


def test_an_unknown_extractor_or_metric_is_named():
    with pytest.raises(UserError, match="no extractor named 'inception9': did you mean 'inception'"):
        metrics.extractor("inception9")
    images = datasets.load("monsters")[:60]
    with pytest.raises(UserError, match="did you mean 'kid'"):
        metrics.compare(images[:30], images[30:], PLAIN, ("fid", "kidd"))


SETS = {"mnist": "mnist", "anime": "anime", "imagenet": "heroes"}  # judges, and what of


@pytest.fixture(
    scope="module", params=[name if name == "mnist" else pytest.param(name, marks=pytest.mark.slow) for name in SETS]
)
def judge(request):
    return metrics.extractor(request.param)


@pytest.fixture(scope="module")
def halves(judge):
    """1,000 real images of a set, fewer for a judge that takes its time, in two halves of no order."""
    images = datasets.load(SETS[judge.name])
    images = images[np.random.default_rng(0).permutation(len(images))[: 600 if judge.name == "imagenet" else 1_000]]
    return images[::2], images[1::2]


def test_uint8_and_normalised_images_give_the_same_features(judge, halves):
    one, two = judge(halves[0][:50]), judge(datasets.normalise(halves[0][:50]).numpy())
    np.testing.assert_allclose(one.features, two.features, rtol=1e-4, atol=1e-4)
    assert one.features.shape == (50, 320 if judge.name == "imagenet" else 64) and one.features.dtype == np.float64
    assert (one.probabilities is None) == (judge.classes is None)


@pytest.mark.slow
def test_two_halves_of_the_real_images_are_alike_and_one_image_repeated_is_not(judge, halves):
    """Item by item: every metric passes real images and condemns a collapse."""
    real, same = halves
    collapsed = real[:1].repeat(len(real), 0)
    good, bad = (metrics.compare(images, real, judge, METRICS, training=same) for images in (same, collapsed))
    assert abs(good["kid"]) <= 3 * good["kid_error"]  # which ten groups give no better than to a quarter
    assert bad["kid"] > 20 * max(good["kid_error"], abs(good["kid"]))
    assert bad["fid"] > 10 * good["fid"]
    assert good["pair_similarity"] < 1.3 * good["real_pair_similarity"] < 0.9
    assert bad["pair_similarity"] == pytest.approx(1, abs=1e-3)
    assert min(good["recall"], good["coverage"], good["precision"]) > 0.75
    assert bad["recall"] < 0.02 and bad["coverage"] < 0.08  # one image may lie near many others
    assert good["to_training"] == 0, "these are the training images: memorised"
    assert good["held_out_to_training"] > 5
    if judge.classes:
        assert good["inception_score"] > 5 and good["class_distance"] < 0.25
        assert bad["inception_score"] == pytest.approx(1, abs=1e-3) and bad["class_distance"] > 0.8
    report = metrics.report(good)
    for word in ("FID", "KID", "±", "MS-SSIM", "scales", "precision", "coverage", "nearest training"):
        assert word in report
    assert ("inception score" in report) == ("inception_score" in good) == (judge.classes is not None)


def test_distances_grow_with_noise_and_blur_and_dropped_modes(judge, halves):
    real, other = halves
    expected = judge(real)
    rng = np.random.default_rng(0)

    def noisy(amount):
        return np.clip(other + rng.normal(0, amount, other.shape), 0, 255).astype(np.uint8)

    def blurred(radius):
        pictures = [Image.fromarray(np.squeeze(image)).filter(ImageFilter.GaussianBlur(radius)) for image in other]
        return np.stack([np.asarray(picture) for picture in pictures]).reshape(other.shape)

    def few(count):
        return other[np.arange(len(other)) % count]

    series = {
        "noise": [other, noisy(20), noisy(60), noisy(120)],
        "blur": [other, blurred(0.7), blurred(1.5), blurred(3)],
        "dropped modes": [other, few(40), few(10), few(3)],
    }
    for name, steps in series.items():
        found = [metrics.compare(images, real, judge, ("fid", "kid"), real_features=expected) for images in steps]
        fids, kids = ([scores[key] for scores in found] for key in ("fid", "kid"))
        assert fids == sorted(fids), (name, fids)
        assert kids == sorted(kids), (name, kids)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "field"), [("mnist", ...), ("anime", "hair"), ("hair-color", "hair_color")])
def test_the_classifiers_know_their_classes(name, field):
    which = "mnist" if name == "mnist" else "anime"
    found = metrics.extractor(name)(datasets.load(which, "test")[:2000]).probabilities.argmax(1)
    assert (found == datasets.labels(which, "test")[field][:2000]).mean() > 0.98


def test_efficientnet_computes_what_pytorch_does():
    """Of images of 128 pixels, from float32 weights; the file holds float16 (weights/build_efficientnet.py)."""
    with np.load(Path(__file__).with_name("efficientnet_lite1.npz")) as reference:
        images, expected = reference["images"], reference["features"]
    features = metrics.extractor("imagenet")(images).features
    assert features.shape == expected.shape == (4, 320)
    assert np.abs(features - expected).max() < 0.01 * np.abs(expected).max()


@pytest.mark.slow
def test_inception_is_keras_and_says_what_to_do_where_its_weights_cannot_be_had(monkeypatch):
    def unreachable(**_):
        raise OSError("<urlopen error [Errno 111] Connection refused>")

    whole = keras.applications.InceptionV3
    metrics.extractor.cache_clear()
    monkeypatch.setattr(keras.applications, "InceptionV3", unreachable)
    with pytest.raises(UserError, match="--extractor imagenet .*refused"):
        metrics.extractor("inception")
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **options: whole(weights=None, **options))
    judge = metrics.extractor("inception")
    metrics.extractor.cache_clear()
    assert judge(datasets.load("monsters")[:2]).features.shape == (2, 2048)
    scores = metrics.compare(datasets.load("mnist")[:24], datasets.load("mnist")[24:48], judge, ("fid", "is"))
    assert len(scores["class_shares"]) == 1000 and "not the 2015 graph" in metrics.report(scores)


def test_features_of_real_images_are_kept_and_a_damaged_file_is_taken_again(tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path))
    taken = []
    judge = metrics.Extractor("counts", "", lambda x: (taken.append(len(x)) or x[:, 0, 0], None), "1")
    images = datasets.load("monsters")[:30]
    first = metrics.reference(images, judge)
    np.testing.assert_array_equal(metrics.reference(images, judge).features, first.features)
    assert taken == [30], "a second look must not need the network"
    (kept,) = (tmp_path / "features").iterdir()
    kept.write_bytes(b"damaged")
    for version in "12":  # other weights are another judge
        judge.version = version
        np.testing.assert_array_equal(metrics.reference(images, judge).features, first.features)
    assert taken == [30] * 3


def test_where_the_cache_cannot_be_written_features_are_taken_each_time_and_one_line_says_so(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    images = datasets.load("monsters")[:30]
    np.testing.assert_array_equal(metrics.reference(images, PLAIN).features, PLAIN(images).features)
    (line,) = capsys.readouterr().out.splitlines()
    assert str(tmp_path / "cache") in line


@pytest.mark.slow
def test_evaluate_reports_an_untrained_generator_for_what_it_is(gan):
    scores = metrics.evaluate(gan.average, "mnist", "mnist", count=600, progress=False)
    assert scores["samples"] == 600 and scores["held_out"] == 10_000 and scores["extractor"] == "mnist"
    assert scores["fid"] > 500
    assert sum(scores["class_shares"]) == pytest.approx(1)
    assert 0.3 < scores["class_distance"] <= 1
    assert {"fid", "inception_score"} <= set(scores) and not {"kid", "precision"} & set(scores), "only what was asked"
    report = metrics.report(scores)
    assert "600 samples against 10,000 held-out images" in report and "digit classifier" in report
    json.dumps(scores)


def cloud(seed, count, dimension, scale=1.0, shift=0.0):
    return scale * np.random.default_rng(seed).normal(size=(count, dimension)) + shift


SEEDS, COUNTS, DIMENSIONS = st.integers(0, 2**31), st.integers(20, 60), st.integers(1, 8)


@settings(max_examples=50, deadline=None)
@given(SEEDS, COUNTS, DIMENSIONS, st.floats(0.01, 100), st.floats(-5, 5))
def test_any_clouds_frechet_distance_moves_as_its_closed_form_says(seed, count, dimension, scale, shift):
    one = cloud(seed, count, dimension, scale)
    gaussian = metrics.statistics(one)
    mean, covariance = gaussian[0], np.atleast_2d(gaussian[1])
    size = np.trace(covariance)
    assert metrics.frechet_distance((mean, covariance), (mean, covariance)) == pytest.approx(0, abs=1e-6 * size)
    moved = metrics.frechet_distance((mean, covariance), (mean + shift, covariance))
    assert moved == pytest.approx(dimension * shift**2, abs=1e-6 * (size + shift**2))
    assert metrics.frechet_distance((mean, covariance), (mean, 4 * covariance)) == pytest.approx(size, rel=1e-4)


@settings(max_examples=50, deadline=None)
@given(SEEDS, COUNTS, COUNTS, DIMENSIONS, st.floats(-2, 2))
def test_any_clouds_kernel_distance_is_symmetric(seed, count, other, dimension, shift):
    one, two = cloud(seed, count, dimension), cloud(seed + 1, other, dimension, shift=shift)
    expected = pytest.approx(metrics.kernel_distance(one, two)[0], rel=1e-6, abs=1e-9)
    assert metrics.kernel_distance(two, one)[0] == expected


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 12), st.integers(3, 12), st.integers(1, 6), st.sampled_from([1, 3]), st.booleans())
def test_any_images_nearest_neighbours_are_those_of_scipy(seed, queries, count, side, channels, mirrored):
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 256, (queries, side, side, channels), np.uint8)
    two = rng.integers(0, 256, (count, side, side, channels), np.uint8)
    sides = [two, two[:, :, ::-1]] if mirrored else [two]
    expected = np.min([cdist(*(x.reshape(len(x), -1).astype(float) for x in (one, images))) for images in sides], 0)
    rows, found = metrics.nearest(one, two, 2, mirrored)
    np.testing.assert_allclose(found, np.sort(expected, 1)[:, :2] / np.sqrt(side * side * channels), atol=1e-6)
    np.testing.assert_allclose(
        np.take_along_axis(expected, rows, 1) / np.sqrt(side * side * channels), found, atol=1e-6
    )

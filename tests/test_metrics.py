"""The metrics against SciPy, closed forms, and what they should say of good and bad images."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from dcgan_tf import datasets, metrics
from dcgan_tf.errors import UserError


def gaussian(rng, dimension):
    root = rng.normal(size=(dimension, dimension))
    return rng.normal(size=dimension), root @ root.T / dimension


@pytest.mark.parametrize("dimension", [1, 2, 16, 64])
def test_frechet_distance_agrees_with_scipys_matrix_root(dimension):
    rng = np.random.default_rng(dimension)
    (m1, c1), (m2, c2) = gaussian(rng, dimension), gaussian(rng, dimension)
    expected = ((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * np.atleast_2d(sqrtm(c1 @ c2)).real)
    assert metrics.frechet_distance((m1, c1), (m2, c2)) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_diagonal_gaussians_is_the_closed_form():
    a, b = np.array([1.0, 4.0, 9.0]), np.array([4.0, 4.0, 1.0])
    expected = 3 * 0.25 + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    assert metrics.frechet_distance((np.zeros(3), np.diag(a)), (np.full(3, 0.5), np.diag(b))) == pytest.approx(expected)


def test_frechet_distance_is_zero_for_itself_and_symmetric():
    rng = np.random.default_rng(0)
    one, two = gaussian(rng, 8), gaussian(rng, 8)
    assert metrics.frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(one, two) == pytest.approx(metrics.frechet_distance(two, one))


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


def test_softmax_does_not_overflow():
    found = metrics.softmax(np.array([[1000.0, 1000.0], [0.0, np.log(3)]]))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.25, 0.75]])


def test_an_unknown_extractor_is_named():
    with pytest.raises(UserError, match="no extractor named 'inception9'"):
        metrics.extractor("inception9")


@pytest.fixture(scope="module")
def judged():
    """2,000 test digits and what the classifier makes of them."""
    images, labels = datasets.load("mnist", "test")[:2000], datasets.labels("mnist", "test")[:2000]
    return images, labels, *metrics.extractor("mnist")(images)


@pytest.mark.slow
def test_the_classifier_knows_its_digits():
    _, probabilities = metrics.extractor("mnist")(datasets.load("mnist", "test"))
    assert (probabilities.argmax(1) == datasets.labels("mnist", "test")).mean() > 0.99


def test_uint8_and_normalised_images_give_the_same_features(judged):
    images, _, features, _ = judged
    again, _ = metrics.extractor("mnist")(datasets.normalise(images[:50]).numpy())
    np.testing.assert_allclose(again, features[:50], rtol=1e-4, atol=1e-4)


def test_distance_grows_with_noise_and_with_missing_digits(judged):
    images, labels, features, _ = judged
    half, other = metrics.statistics(features[:1000]), features[1000:]
    rng = np.random.default_rng(0)

    def noisy(amount):
        disturbed = images[1000:] / 127.5 - 1 + amount * rng.normal(size=images[1000:].shape)
        return metrics.extractor("mnist")(np.clip(disturbed, -1, 1).astype(np.float32))[0]

    distances = [metrics.frechet_distance(half, metrics.statistics(f)) for f in (other, noisy(0.3), noisy(0.8))]
    assert distances == sorted(distances)
    assert distances[1] > 2 * distances[0]
    missing = metrics.frechet_distance(half, metrics.statistics(other[labels[1000:] > 4]))
    assert missing > 5 * distances[0]


def test_collapse_shows_in_every_score(judged):
    images, _, _, _ = judged
    features, probabilities = metrics.extractor("mnist")(images[:1].repeat(200, 0))
    assert metrics.inception_score(probabilities) == pytest.approx(1, abs=1e-3)
    assert metrics.class_shares(probabilities).max() == 1
    real, _ = metrics.reference("mnist", "mnist")
    assert metrics.frechet_distance(metrics.statistics(features), real) > 100


@pytest.mark.slow
def test_evaluate_reports_an_untrained_generator_for_what_it_is(gan, tmp_path):
    scores = metrics.evaluate(gan.average, count=600, progress=False)
    assert scores["samples"] == 600 and scores["extractor"] == "mnist"
    assert scores["fid"] > 500
    assert sum(scores["class_shares"]) == pytest.approx(1)
    assert 0.3 < scores["class_distance"] <= 1
    assert "600 samples" in metrics.report(scores)
    metrics.save(scores, gan, tmp_path)
    assert (tmp_path / "metrics.json").exists()

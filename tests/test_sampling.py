"""Points, paths and directions of the latent space."""

import numpy as np
import pytest

from dcgan_tf import models
from dcgan_tf.sampling import directions, latents, slerp, walk


def test_slerp_of_unit_vectors_is_the_point_on_the_circle():
    start, end = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    for t in (0, 0.25, 0.5, 1):
        angle = t * np.pi / 2
        np.testing.assert_allclose(slerp(start, end, t), [np.cos(angle), np.sin(angle)], atol=1e-6)


def test_slerp_keeps_the_length_and_begins_and_ends_where_it_should():
    start, end = latents(2, 100, seed=1)
    path = slerp(start, end, np.linspace(0, 1, 11)[:, None])
    assert path.shape == (11, 100) and path.dtype == np.float32
    np.testing.assert_allclose(path[[0, -1]], [start, end], atol=1e-5)
    lengths = np.linalg.norm(path, axis=1)
    low, high = sorted((np.linalg.norm(start), np.linalg.norm(end)))
    assert low * 0.97 < lengths.min() and lengths.max() < high * 1.03
    assert np.linalg.norm((start + end) / 2) < 0.85 * low, "the straight line would have cut through the inside"


def test_slerp_between_equal_and_parallel_latents_is_the_straight_line():
    one = latents(1, 8)[0]
    np.testing.assert_allclose(slerp(one, one, 0.3), one, rtol=1e-6)
    np.testing.assert_allclose(slerp(one, 3 * one, 0.5), 2 * one, rtol=1e-5)


def test_a_walk_is_a_round_trip_through_its_stops_in_even_steps():
    stops = latents(3, 20, seed=2)
    stops /= np.linalg.norm(stops, axis=1, keepdims=True)
    path = walk(stops, 5)
    assert path.shape == (15, 20)
    np.testing.assert_allclose(path[::5], stops, atol=1e-5)
    turns = [np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(path[:5], path[1:6], strict=True)]
    assert turns == pytest.approx([turns[0]] * 5, rel=1e-3)


@pytest.mark.parametrize("build", [models.mnist_generator, models.face_generator])
@pytest.mark.parametrize("classes", [0, 10])
def test_directions_are_those_that_change_the_first_layer_most(build, classes):
    generator = build(classes=classes)
    generator.classes = classes
    found = directions(generator, 3)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-5)
    layers = generator.layers[: 1 + next(i for i, layer in enumerate(generator.layers) if layer.weights)]

    def response(z):
        z = np.pad(z, [(0, 0), (0, classes)])  # without a label
        for layer in layers:
            z = layer(z)
        return np.asarray(z).reshape(len(z), -1)

    singular = np.linalg.svd(response(np.eye(100, dtype=np.float32)), compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(response(found), axis=1), singular[:3], rtol=1e-4)

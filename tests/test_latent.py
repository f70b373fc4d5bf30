"""Paths through the latent space."""

import numpy as np
import pytest

from dcgan_tf.gan import latents
from dcgan_tf.latent import slerp, walk


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
    straight = np.linalg.norm((start + end) / 2)
    assert straight < 0.85 * low, "the straight line would have cut through the inside"


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

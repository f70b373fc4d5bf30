"""The losses against closed forms and against Keras."""

import keras
import numpy as np
import pytest

from dcgan_tf.losses import BCE

LOGITS = np.linspace(-6, 6, 25, dtype="float32")[:, None]


def test_at_the_games_solution_each_loss_is_log_2():
    undecided = np.zeros((4, 1), "float32")
    assert float(BCE().generator(undecided)) == pytest.approx(np.log(2))
    assert [float(x) for x in BCE().discriminator(undecided, undecided)] == pytest.approx([np.log(2)] * 2)


def test_generator_loss_is_minus_log_d():
    assert float(BCE().generator(LOGITS)) == pytest.approx(np.log1p(np.exp(-LOGITS)).mean(), rel=1e-5)


def test_discriminator_losses_are_minus_log_d_and_minus_log_one_minus_d():
    real, fake = map(float, BCE().discriminator(LOGITS, LOGITS + 1))
    assert real == pytest.approx(np.log1p(np.exp(-LOGITS)).mean(), rel=1e-5)
    assert fake == pytest.approx(np.log1p(np.exp(LOGITS + 1)).mean(), rel=1e-5)


@pytest.mark.parametrize("label", [1.0, 0.9, 0.8])
def test_smoothed_labels_agree_with_keras(label):
    keras_loss = keras.losses.BinaryCrossentropy(from_logits=True)
    real = float(BCE(real_label=label).discriminator(LOGITS, LOGITS)[0])
    assert real == pytest.approx(float(keras_loss(np.full_like(LOGITS, label), LOGITS)), rel=1e-5)


def test_smoothing_leaves_the_fakes_alone():
    assert BCE(0.8).discriminator(LOGITS, LOGITS)[1] == BCE(1.0).discriminator(LOGITS, LOGITS)[1]


def test_smoothed_loss_is_least_where_d_equals_the_label():
    losses = [float(BCE(0.9).discriminator(np.array([[x]], "float32"), LOGITS)[0]) for x in LOGITS[:, 0]]
    assert LOGITS[np.argmin(losses), 0] == pytest.approx(np.log(0.9 / 0.1), abs=0.5)


def test_each_side_is_rewarded_for_its_own_success():
    fooled, caught = np.full((3, 1), 4.0, "float32"), np.full((3, 1), -4.0, "float32")
    assert BCE().generator(fooled) < BCE().generator(caught)
    assert BCE().discriminator(fooled, fooled)[1] > BCE().discriminator(fooled, caught)[1]
    assert BCE().discriminator(caught, caught)[0] > BCE().discriminator(fooled, caught)[0]


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_losses_stay_finite_for_extreme_logits(logit):
    extreme = np.full((2, 1), logit, "float32")
    assert np.isfinite([BCE().generator(extreme), *BCE(0.9).discriminator(extreme, extreme)]).all()


def test_half_precision_logits_are_summed_in_float32():
    import tensorflow as tf

    assert BCE().generator(tf.cast(LOGITS, tf.bfloat16)).dtype == tf.float32

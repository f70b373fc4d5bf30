"""The losses against closed forms and against Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan_tf import losses, presets
from dcgan_tf.losses import BCE, Relativistic, Wasserstein

LOGITS = np.linspace(-6, 6, 25, dtype="float32")[:, None]


def softplus(x):
    return np.log1p(np.exp(x)).mean()


def test_the_losses_are_minus_log_d_and_minus_log_one_minus_d():
    real, fake = map(float, BCE().discriminator(LOGITS, LOGITS + 1))
    assert float(BCE().generator(LOGITS)) == pytest.approx(softplus(-LOGITS), rel=1e-5)
    assert (real, fake) == pytest.approx((softplus(-LOGITS), softplus(LOGITS + 1)), rel=1e-5)


@pytest.mark.parametrize("label", [0.9, 0.8])
def test_smoothed_labels_agree_with_keras_and_leave_the_fakes_alone(label):
    keras_loss = keras.losses.BinaryCrossentropy(from_logits=True)
    real, fake = BCE(real_label=label).discriminator(LOGITS, LOGITS)
    assert float(real) == pytest.approx(float(keras_loss(np.full_like(LOGITS, label), LOGITS)), rel=1e-5)
    assert fake == BCE().discriminator(LOGITS, LOGITS)[1]


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_losses_stay_finite_for_extreme_logits(logit):
    extreme = np.full((2, 1), logit, "float32")
    assert np.isfinite([BCE().generator(extreme), *BCE(0.9).discriminator(extreme, extreme)]).all()


@pytest.mark.parametrize("loss", [BCE(), Relativistic(), Wasserstein()])
def test_half_precision_logits_are_summed_in_float32(loss):
    logits = tf.cast(LOGITS, tf.bfloat16)
    found = loss.generator(logits, logits), *loss.discriminator(logits, logits), *loss.opinion(logits, logits)
    assert {value.dtype for value in found} == {tf.float32}


def test_the_critics_losses_are_mean_scores():
    real, fake = map(float, Wasserstein().discriminator(LOGITS + 2, LOGITS - 1))
    assert (real, fake) == pytest.approx((-2, -1), abs=1e-5)
    assert float(Wasserstein().generator(LOGITS - 1)) == pytest.approx(1, abs=1e-5)


def test_a_critics_opinion_is_a_score_and_a_discriminators_a_probability():
    logits = np.array([[-3.0], [1.0]], "float32")
    assert [float(value) for value in Wasserstein().opinion(logits, logits + 2)] == [-1, 1]
    expected = [(1 / (1 + np.exp(3 - x)) + 1 / (1 + np.exp(-1 - x))) / 2 for x in (0, 2)]
    assert [float(value) for value in BCE().opinion(logits, logits + 2)] == pytest.approx(expected)
    assert BCE().probabilities and Relativistic().probabilities and not Wasserstein().probabilities


def test_the_relativistic_loss_is_the_cross_entropy_of_the_difference():
    real, fake = LOGITS, LOGITS[::-1] + 1
    loss = Relativistic()
    assert [float(half) for half in loss.discriminator(real, fake)] == pytest.approx([softplus(fake - real) / 2] * 2)
    assert float(loss.generator(fake, real)) == pytest.approx(softplus(real - fake))
    assert float(loss.generator(fake + 3, real + 3)) == pytest.approx(float(loss.generator(fake, real)), rel=1e-5)
    right, wrong = map(float, loss.opinion(real, fake))
    assert right == pytest.approx((1 / (1 + np.exp(fake - real))).mean(), rel=1e-5)
    assert right + wrong == pytest.approx(1)


def test_a_preset_names_its_loss():
    assert losses.of(presets.Preset(real_label=0.9)) == BCE(0.9)
    assert losses.of(presets.Preset(loss="relativistic")) == Relativistic()
    with pytest.raises(ValueError, match="did you mean 'wasserstein'"):
        losses.of(presets.Preset(loss="waserstein"))

"""The losses against closed forms and against Keras."""

import keras
import numpy as np
import pytest

from dcgan_tf import losses, presets
from dcgan_tf.losses import BCE, Hinge, Relativistic, Wasserstein

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


def test_noisy_labels_of_reals_lie_between_the_label_and_one():
    confident = np.full((1_000, 1), 5.0, "float32")
    loss = float(BCE(0.8, noisy_labels=True).discriminator(confident, confident, (1, 2))[0])
    least, most = (float(BCE(label).discriminator(confident, confident)[0]) for label in (1.0, 0.8))
    assert loss == pytest.approx((least + most) / 2, rel=0.05)  # labels are spread evenly, the loss is linear in them


def test_fakes_are_smoothed_only_while_their_loss_is_low():
    loss = BCE(0.8, noisy_labels=True, low=0.2)
    struggling, winning = np.full((1_000, 1), 1.0, "float32"), np.full((1_000, 1), -5.0, "float32")
    plain = [float(BCE().discriminator(LOGITS, logits)[1]) for logits in (struggling, winning)]
    found = [float(loss.discriminator(LOGITS, logits, (3, 4))[1]) for logits in (struggling, winning)]
    assert found[0] == plain[0] > 0.2
    assert plain[1] < 0.2 < found[1]
    smoothed = keras.losses.BinaryCrossentropy(from_logits=True)(np.full_like(winning, 0.1), winning)
    assert found[1] == pytest.approx(float(smoothed), rel=0.05)  # the labels' mean is 0.1


def test_several_devices_decide_on_the_smoothing_together(monkeypatch):
    """By the mean of their losses: one device alone would smooth its fakes where the others do not."""
    loss, winning = BCE(0.8, noisy_labels=True, low=0.2), np.full((1_000, 1), -5.0, "float32")
    monkeypatch.setattr(losses.distribution, "mean", lambda value: value + 1.0)  # the others are struggling
    assert float(loss.discriminator(LOGITS, winning, (3, 4))[1]) == float(BCE().discriminator(LOGITS, winning)[1])


def test_the_critics_losses_are_mean_scores():
    real, fake = map(float, Wasserstein().discriminator(LOGITS + 2, LOGITS - 1))
    assert (real, fake) == pytest.approx((-2, -1), abs=1e-5)
    assert float(Wasserstein().generator(LOGITS - 1)) == pytest.approx(1, abs=1e-5)


def test_a_critics_opinion_is_a_score_and_a_discriminators_a_probability():
    logits = np.array([[-3.0], [1.0]], "float32")
    for critic in (Wasserstein(), Hinge()):
        assert [float(value) for value in critic.opinion(logits, logits + 2)] == [-1, 1]
    expected = [(1 / (1 + np.exp(3 - x)) + 1 / (1 + np.exp(-1 - x))) / 2 for x in (0, 2)]
    assert [float(value) for value in BCE().opinion(logits, logits + 2)] == pytest.approx(expected)
    assert BCE().probabilities and not Wasserstein().probabilities and not Hinge().probabilities


def test_hinge_agrees_with_keras_and_stops_at_the_margin():
    real, fake = map(float, Hinge().discriminator(LOGITS, LOGITS))
    assert real == pytest.approx(float(keras.losses.Hinge()(np.ones_like(LOGITS), LOGITS)), rel=1e-5)
    assert fake == pytest.approx(float(keras.losses.Hinge()(-np.ones_like(LOGITS), LOGITS)), rel=1e-5)
    sure = np.full((3, 1), 7.0, "float32")
    assert [float(x) for x in Hinge().discriminator(sure, -sure)] == [0, 0]


def test_the_relativistic_loss_is_the_cross_entropy_of_the_difference():
    real, fake = LOGITS, LOGITS[::-1] + 1
    judged = keras.losses.BinaryCrossentropy(from_logits=True)
    loss = Relativistic()
    assert float(sum(loss.discriminator(real, fake))) == pytest.approx(float(judged(np.ones_like(real), real - fake)))
    assert float(loss.generator(fake, real)) == pytest.approx(float(judged(np.ones_like(real), fake - real)))
    assert float(loss.generator(fake + 3, real + 3)) == pytest.approx(float(loss.generator(fake, real)), rel=1e-5)
    right, wrong = map(float, loss.opinion(real, fake))
    assert right == pytest.approx((1 / (1 + np.exp(fake - real))).mean(), rel=1e-5)
    assert right + wrong == pytest.approx(1)


def test_a_preset_names_its_loss():
    assert losses.of(presets.Preset(real_label=0.9)) == BCE(0.9)
    assert losses.of(presets.Preset(loss="hinge")) == Hinge()
    with pytest.raises(ValueError, match="did you mean 'wasserstein'"):
        losses.of(presets.Preset(loss="waserstein"))

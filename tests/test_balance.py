"""The controller on made-up sequences of losses."""

import pytest

from dcgan_tf.training.balance import Controller

LOG_2 = 0.6931


def play(controller, g_loss, d_loss, steps=2_000):
    """The same losses, step after step; returns all (generator rate, discriminator rate, lead) on the way."""
    seen = []
    for _ in range(steps):
        controller.update(g_loss, d_loss, d_loss)
        seen.append((controller.generator_learning_rate, controller.discriminator_learning_rate, controller.lead))
    return seen


def test_balance_is_left_alone():
    controller = Controller(3e-4, 1e-4)
    assert set(play(controller, LOG_2, LOG_2 + 0.1)) == {(3e-4, 1e-4, 0)}
    assert controller.update_schedule(0) == controller.update_schedule(1) == (True, True)


def test_a_discriminator_that_dominates_is_slowed_and_waits():
    controller = Controller(2e-4, 2e-4, most=3)
    play(controller, 5.0, 0.05)
    assert controller.generator_learning_rate > 2e-4 > controller.discriminator_learning_rate
    assert (controller.generator_steps, controller.discriminator_steps) == (3, 1)
    assert [controller.update_schedule(step) for step in range(6)] == [(True, step % 3 == 0) for step in range(6)]


def test_a_generator_that_dominates_is_slowed_and_waits():
    controller = Controller(2e-4, 2e-4, most=2)
    play(controller, 0.05, 3.0)
    assert controller.generator_learning_rate < 2e-4 < controller.discriminator_learning_rate
    assert (controller.generator_steps, controller.discriminator_steps) == (1, 2)
    assert [controller.update_schedule(step) for step in range(4)] == [(step % 2 == 0, True) for step in range(4)]


@pytest.mark.parametrize("losses", [(9.0, 0.0), (0.0, 9.0)])
def test_the_rates_stay_within_bounds_that_contain_the_start(losses):
    controller = Controller(4e-4, 1e-4, spread=4.0)
    for generator, discriminator, _ in play(controller, *losses, steps=5_000):
        assert 1e-4 * 0.999 <= generator <= 16e-4 * 1.001
        assert 0.25e-4 * 0.999 <= discriminator <= 4e-4 * 1.001


def test_a_decision_moves_a_rate_by_one_to_five_percent():
    for behind in (0.21, 0.5, 1.0, 50.0):
        controller = Controller(2e-4, 2e-4, every=10)
        rates = [rate for rate, _, _ in play(controller, LOG_2 + behind, LOG_2, steps=20)]
        assert rates[8] == 2e-4
        assert 1.01 <= rates[9] / 2e-4 <= 1.05


def test_decisions_are_taken_every_so_many_steps():
    controller = Controller(every=50)
    assert [controller.update(1, 1, 1) for _ in range(100)] == ([False] * 49 + [True]) * 2


def test_the_decay_moves_rates_and_bounds():
    controller = Controller(2e-4, 2e-4, every=1, decay=0.999)
    play(controller, LOG_2, LOG_2, steps=1_000)
    assert controller.generator_learning_rate == pytest.approx(2e-4 * 0.999**1_000)
    play(controller, 9.0, 0.0, steps=1_000)
    assert controller.generator_learning_rate == pytest.approx(4 * 2e-4 * 0.999**2_000)


def test_an_advantage_that_is_gone_is_taken_back():
    controller = Controller()
    play(controller, 5.0, 0.05)
    assert controller.lead < 0
    play(controller, LOG_2, LOG_2)
    assert controller.lead == 0


def test_its_state_is_all_it_has():
    one, other = Controller(memory=0.9), Controller(memory=0.9)
    play(one, 3.0, 0.1, steps=333)
    other.restore(one.state())
    assert play(one, 0.1, 2.0, steps=500) == play(other, 0.1, 2.0, steps=500)


@pytest.mark.parametrize("wrong", [{"memory": 1.0}, {"step": 0}, {"spread": 0.5}, {"decay": 1.1}, {"threshold": 0}])
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError, match="controller needs"):
        Controller(**wrong)

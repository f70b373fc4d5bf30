"""The short form of kill.py: a process that is killed and started again ends as one that never was."""

import kill
import pytest
import tensorflow as tf

from dcgan_tf import GAN
from dcgan_tf.balance import Controller


@pytest.mark.slow
@pytest.mark.parametrize("configuration", ["controller", "progressive"])
def test_a_killed_run_ends_as_one_that_was_left_alone(configuration):
    kills, inside, _, differ = kill.compare(configuration, kills=3, inside=1)
    assert kills >= 3 and inside >= 1
    assert not differ


def interrupted_at(step, monkeypatch, run):
    """Train until a step, be interrupted there, and go on."""
    turns = GAN.turns

    def interrupted(gan):  # asked for at every step
        if int(gan.step) == step:
            raise KeyboardInterrupt
        return turns(gan)

    with monkeypatch.context() as patch:
        patch.setattr(GAN, "turns", interrupted)
        kill.run_it("controller", run)
    kill.run_it("controller", run)
    return kill.ends_with(run)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = tmp_path_factory.mktemp("whole")
    kill.run_it("controller", run)
    return kill.ends_with(run)


@pytest.mark.slow
def test_an_interrupted_run_ends_as_one_that_was_left_alone(whole, monkeypatch, tmp_path):
    assert not kill.differences(whole, interrupted_at(42, monkeypatch, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["average", "discriminator_optimizer", "streams", "controller"])
def test_a_part_that_is_left_out_of_the_checkpoints_is_missed(whole, part, monkeypatch, tmp_path):
    monkeypatch.setattr(tf.train, "Checkpoint", tf.train.Checkpoint)  # so that they are put back
    monkeypatch.setattr(Controller, "restore", Controller.restore)
    kill.leave_out(part)
    assert kill.differences(whole, interrupted_at(42, monkeypatch, tmp_path), without=part)

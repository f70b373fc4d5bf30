"""A run that is interrupted or killed, and started again, ends as one that never was; by kill.py."""

import kill
import pytest
import tensorflow as tf

from dcgan_tf import GAN

pytestmark = pytest.mark.slow
CUTS = {"mnist": (3,), "faces": (42,), "heroes": (13, 20, 26), "critic": (41,), "conditional": (17,)}  # steps


def test_a_killed_run_ends_as_one_that_was_left_alone():
    kills, inside, _, differ = kill.compare("faces", kills=2, inside=1)
    assert kills >= 2 and inside >= 1
    assert not differ


def interrupted_at(steps, configuration, monkeypatch, run):
    """Train, be interrupted at each of the steps, and go on to the end."""
    schedule = GAN.update_schedule
    for step in steps:

        def interrupted(gan, step=step):  # asked for at every step
            if int(gan.step) == step:
                raise KeyboardInterrupt
            return schedule(gan)

        with monkeypatch.context() as patch:
            patch.setattr(GAN, "update_schedule", interrupted)
            kill.run_it(configuration, run)
    kill.run_it(configuration, run)
    return kill.ends_with(run)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an uninterrupted run of a configuration ends with."""
    ends = {}

    def of(configuration):
        if configuration not in ends:
            run = tmp_path_factory.mktemp("whole")
            kill.run_it(configuration, run)
            ends[configuration] = kill.ends_with(run)
        return ends[configuration]

    return of


@pytest.mark.parametrize("configuration", CUTS)
def test_an_interrupted_run_ends_as_one_that_was_left_alone(configuration, whole, monkeypatch, tmp_path):
    ends = interrupted_at(CUTS[configuration], configuration, monkeypatch, tmp_path)
    assert not kill.differences(whole(configuration), ends)


@pytest.mark.parametrize("part", ["average", "discriminator_optimizer", "streams"])
def test_a_part_that_is_left_out_of_the_checkpoints_is_missed(part, whole, monkeypatch, tmp_path):
    monkeypatch.setattr(tf.train, "Checkpoint", tf.train.Checkpoint)  # so that they are put back
    kill.leave_out(part)
    ends = interrupted_at((26,), "heroes", monkeypatch, tmp_path)
    assert kill.differences(whole("heroes"), ends, without=part)

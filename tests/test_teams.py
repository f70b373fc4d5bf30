"""Team colours: the game's rule, and sprites that change sides."""

import numpy as np
import pytest

from dcgan_tf import datasets, teams


def test_the_reference_shade_becomes_the_teams_own_colour():
    assert teams.shades("red")[0].tolist() == [255, 0, 0]
    assert teams.shades("blue")[0].tolist() == [0x2E, 0x41, 0x9B]


def test_darker_shades_go_towards_black_and_lighter_ones_towards_white():
    red = teams.shades("red").astype(int)
    assert all(0 < dark[0] < 255 and dark[1] == dark[2] == 0 for dark in red[1:5])
    assert all(light[0] == 255 and 0 < light[1] == light[2] for light in red[-3:])
    averages = [sum(bytes.fromhex(code)) // 3 for code in teams.PALETTE]
    order = np.argsort(averages)
    assert (np.diff(red.sum(1)[order]) >= 0).all()


def sprite(team):
    image = np.full((8, 8, 3), 255, np.uint8)
    image[:2, :8] = teams.shades(team)[1:9]
    return image


@pytest.mark.parametrize("team", teams.TEAMS)
def test_a_team_is_recognised_and_can_change_sides_and_back(team):
    image = sprite(team)
    assert teams.team_of(image) == team
    painted = teams.repaint(image[None], seed=3)[0]
    assert teams.team_of(painted) not in (team, None)
    np.testing.assert_array_equal(painted[2:], image[2:])
    back = teams.paint(painted, teams.shades(teams.team_of(painted)), teams.shades(team))
    np.testing.assert_array_equal(back, image)


def test_a_sprite_of_no_team_stays_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    assert teams.team_of(image[0]) is None
    np.testing.assert_array_equal(teams.repaint(image), image)


def test_most_heroes_have_a_team():
    some = datasets.load("heroes")[::30]
    painted = teams.repaint(some, seed=1)
    changed = (painted != some).any((1, 2, 3)).mean()
    assert 0.7 < changed < 0.95
    np.testing.assert_array_equal(painted, teams.repaint(some, seed=1))

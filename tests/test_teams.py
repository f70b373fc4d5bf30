"""Team colours: the game's own rule, by which datasets/build/heroes.py paints its sprites."""

import importlib.util
from pathlib import Path

import numpy as np

path = Path(__file__).resolve().parents[1] / "datasets" / "build" / "teams.py"
spec = importlib.util.spec_from_file_location("teams", path)
teams = importlib.util.module_from_spec(spec)
spec.loader.exec_module(teams)


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


def test_a_sprite_changes_sides_and_back_and_keeps_its_other_colours():
    image = np.full((8, 8, 3), 255, np.uint8)
    image[:2, :8] = teams.SOURCE[1:9]
    painted = teams.paint(image, teams.SOURCE, teams.shades("teal"))
    np.testing.assert_array_equal(painted[:2], np.broadcast_to(teams.shades("teal")[1:9], (2, 8, 3)))
    np.testing.assert_array_equal(painted[2:], image[2:])
    np.testing.assert_array_equal(teams.paint(painted, teams.shades("teal"), teams.SOURCE), image)

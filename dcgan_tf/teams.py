"""Team colours: heroes repainted as their own game paints them, for more variety from the same sprites.

The Battle for Wesnoth draws its units with a palette of 19 shades of magenta that stands for "team colour", and
replaces them by shades of the team's colour when it shows them. A sprite in one team's colours can therefore be taken
back and painted in another's.
"""

import numpy as np

# data/core/team-colors.cfg: the palette, and each team's (mid, max, min).
PALETTE = (
    "F49AC1 3F0016 55002A 690039 7B0045 8C0051 9E005D B10069 C30074 D6007F EC008C EE3D96 EF5BA1 F172AC F287B6 F6ADCD "
    "F8C1D9 FAD5E5 FDE9F1"
).split()
TEAMS = {
    "red": "FF0000 FFFFFF 000000",
    "blue": "2E419B FFFFFF 0F0F0F",
    "green": "62B664 FFFFFF 000000",
    "purple": "93009D FFFFFF 000000",
    "black": "5A5A5A FFFFFF 000000",
    "brown": "945027 FFFFFF 000000",
    "orange": "FF7E00 FFFFFF 0F0F0F",
    "white": "E1E1E1 FFFFFF 1E1E1E",
    "teal": "30CBC0 FFFFFF 000000",
    "gold": "FFF35A FFF8D2 994F13",
}


def shades(team):
    """The 19 colours of a team in the palette's order, uint8 [19, 3] (the rule of the engine's recolor_range)."""
    middle, high, low = map(_rgb, TEAMS[team].split())
    reference = _rgb(PALETTE[0]).sum() // 3
    found = []
    for code in PALETTE:
        average = _rgb(code).sum() // 3
        if average <= reference:
            ratio, end = average / reference, low
        else:
            ratio, end = (255 - average) / (255 - reference), high
        found.append(np.minimum((ratio * middle + (1 - ratio) * end).astype(int), 255))
    return np.array(found, np.uint8)


def team_of(image):
    """The team in whose colours a sprite, uint8 [H, W, 3], is painted; None where that is not clear.

    Clear is: four of the team's shades or more, and at least two more than of any other's.
    """
    there = set(_code(image).ravel().tolist())
    count = {team: len(there & shade) for team, shade in SHADES.items()}
    best, second, *_ = sorted(count, key=count.get, reverse=True)
    return best if count[best] >= max(4, count[second] + 2) else None


def paint(image, old, new):
    """A sprite, uint8 [H, W, 3], with the shades of one palette, uint8 [19, 3], replaced by those of another."""
    code, painted = _code(image), image.copy()
    for before, after in zip(_code(old), new, strict=True):
        painted[code == before] = after
    return painted


def repaint(images, seed=0):
    """Each sprite in another team's colours, drawn at random; those whose team is not clear stay as they are.

    Args:
        images: uint8 [N, H, W, 3], heroes.
        seed: the same seed gives the same teams.

    Returns:
        uint8 [N, H, W, 3].
    """
    random = np.random.default_rng(seed)
    palettes = {team: shades(team) for team in TEAMS}
    painted = images.copy()
    for i, image in enumerate(images):
        others = [team for team in TEAMS if team != (own := team_of(image))]
        team = others[random.integers(len(others))]
        if own:
            painted[i] = paint(image, palettes[own], palettes[team])
    return painted


def _rgb(code):
    return np.array(list(bytes.fromhex(code)))


def _code(colors):
    red, green, blue = np.moveaxis(colors.astype(np.int32), -1, 0)
    return red << 16 | green << 8 | blue


SHADES = {team: set(_code(shades(team)).tolist()) for team in TEAMS}

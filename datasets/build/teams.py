"""Team colours: sprites painted as their own game paints them.

The Battle for Wesnoth draws its units with a palette of 19 shades of magenta that stands for "team colour", and
replaces them by shades of the team's colour when it shows them.
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
    palette = []
    for code in PALETTE:
        average = _rgb(code).sum() // 3
        if average <= reference:
            ratio, end = average / reference, low
        else:
            ratio, end = (255 - average) / (255 - reference), high
        palette.append(np.minimum((ratio * middle + (1 - ratio) * end).astype(int), 255))
    return np.array(palette, np.uint8)


def paint(image, old, new):
    """A sprite, uint8 [H, W, 3], with the shades of one palette, uint8 [19, 3], replaced by those of another."""
    code, painted = _code(image), image.copy()
    for before, after in zip(_code(old), new, strict=True):
        painted[code == before] = after
    return painted


def _rgb(code):
    return np.array(list(bytes.fromhex(code)))


def _code(colors):
    red, green, blue = np.moveaxis(colors.astype(np.int32), -1, 0)
    return red << 16 | green << 8 | blue


SOURCE = np.array([_rgb(code) for code in PALETTE], np.uint8)

"""Build heroes.npz: pixel-art units of The Battle for Wesnoth, from the Debian package wesnoth-1.16-data.

Each sprite is framed in a 64x64 window without resampling, painted in a random team colour by the game's own rule,
and set on white. Frames that are nearly alike are dropped; what is held out is held out by unit, since the frames of
one unit resemble each other.
"""

import re
import sys
import zlib
from pathlib import Path

import numpy as np
import sources

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository, for the game's colours
from dcgan_tf import teams

PACKAGE = ("wesnoth-1.16-data", "1:1.16.9-1", "1012b964bd412a6770685e3324ae3b61e176caff7846192d1ee63d55cd621e26")
ROOT = "./usr/share/games/wesnoth/1.16/data/core/"
UNITS = ROOT + "images/units/"

NOT_A_UNIT = re.compile(
    r"(halo|projectile|missile|fire-burst|fake/|random-dice|unknown-unit|[-+](die|dying|death)[-.\d]|transport|explo"
    r"|[-_]shadow\.png|^monsters/.*tentacle)"
)
# What a file name says after the unit's own name: an animation, a direction, a frame number.
FRAME = re.compile(
    r"(-(attack|defend|defense|melee|ranged|bow|sword|magic|idle|lead|leading|walk|run|move|se|ne|n|s|sw|nw|bob|stand"
    r"|bash|thrust|throw|slash|staff|spear|mace|heal|death|flying|fly|bite|claw|fire|dagger|shield|fist|breath"
    r"|teleport|twirl|land|fury).*|\d+)*\.png$"
)


def recolor(sprite, team):
    """Return the RGBA sprite with the palette's colours replaced by the team's."""
    source = np.array([list(bytes.fromhex(code)) for code in teams.PALETTE], np.uint8)
    painted = sprite.copy()
    painted[..., :3] = teams.paint(sprite[..., :3], source, teams.shades(team))
    return painted


def _base_units(configs):
    """The images that a [unit_type], [male], [female] or [variation] names as its own."""
    base = set()
    for text in configs:
        tags = []
        for line in map(str.strip, text.splitlines()):
            if tag := re.match(r"\+?\[(/?)([a-z_]+)\]", line):
                if not tag[1]:
                    tags.append(tag[2])
                elif tags:
                    tags.pop()
            image = re.match(r'image\s*=\s*"?units/([^"~:\[]+\.png)', line)
            if image and tags and tags[-1] in ("unit_type", "male", "female", "variation"):
                base.add(image[1])
    return base


def _framed(sprite):
    """A 64x64 window on the centre of what can be seen, or None if it is too small or would be cut."""
    visible = sprite[..., 3] > 40
    if visible.sum() < 250:
        return None
    rows, columns = np.where(visible)
    if max(np.ptp(rows), np.ptp(columns)) + 1 > 72:
        return None
    y, x = (rows.min() + rows.max() + 1) // 2, (columns.min() + columns.max() + 1) // 2
    window = np.pad(sprite, ((64, 64), (64, 64), (0, 0)))[y + 32 : y + 96, x + 32 : x + 96]
    return window if (window[..., 3] > 40).sum() >= 0.97 * visible.sum() else None


def _solid(sprite):
    """Whether the sprite is a figure and not mostly a bright, half-transparent glow."""
    alpha, light = sprite[..., 3].astype(int), sprite[..., :3].mean(-1)
    glow = ((alpha > 10) & (alpha < 230) & (light > 110)).sum()
    return glow < 0.06 * (alpha > 0).sum() and (alpha >= 200).sum() > 380


def build():
    package = sources.deb(*PACKAGE)
    wanted = lambda name: name.startswith((UNITS, ROOT + "units/")) and name.endswith((".png", ".cfg"))  # noqa: E731
    files = dict(sources.members(package, wanted))
    base = _base_units(data.decode() for name, data in files.items() if name.endswith(".cfg"))
    sprites, seen = {}, set()
    for path in sorted(name for name in files if name.endswith(".png")):
        name = path.removeprefix(UNITS)
        sprite = None if NOT_A_UNIT.search(name) else _framed(sources.rgba(files[path]))
        if sprite is None or {sprite.tobytes(), sprite[:, ::-1].tobytes()} & seen:
            continue
        seen.add(sprite.tobytes())
        if _solid(sprite):
            sprites[name] = sprite
    names = sorted(sprites, key=lambda name: (name not in base, name))
    names = [names[i] for i in sources.far_apart(sources.on_white(np.stack([sprites[n] for n in names])), 7)]
    rng = np.random.default_rng(0)
    painted = np.stack([recolor(sprites[name], list(teams.TEAMS)[rng.integers(len(teams.TEAMS))]) for name in names])
    units = [FRAME.sub("", name) for name in names]
    return {
        "images": np.rint(sources.on_white(painted)).astype(np.uint8),
        "names": np.array(names),
        "units": np.array(units),
        "is_base": np.array([name in base for name in names]),
        "is_test": np.array([zlib.crc32(unit.encode()) % 10 == 0 for unit in units]),
    }


if __name__ == "__main__":
    sources.main("heroes", build)

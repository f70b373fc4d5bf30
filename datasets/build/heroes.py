"""Build heroes.npz: the people on foot of The Battle for Wesnoth, from the Debian package wesnoth-1.16-data.

Riders, falconers and beasts are left out: what remains has a head, two legs and, mostly, a weapon. Each sprite is
framed in a 64x64 window around its centre of mass, without resampling and without its shadow. Frames of a unit that
are nearly alike are dropped, and of the others ten are kept at most. Each unit is then painted in several team
colours by the game's own rule, so that units with few frames and units with many count about the same. What is held
out is held out by unit, since the frames of one unit resemble each other.
"""

import re
import zlib

import numpy as np
import sources
import teams

PACKAGE = ("wesnoth-1.16-data", "1:1.16.9-1", "1012b964bd412a6770685e3324ae3b61e176caff7846192d1ee63d55cd621e26")
ROOT = "./usr/share/games/wesnoth/1.16/data/core/"
UNITS = ROOT + "images/units/"
FRAMES = 10  # of a unit, at most
IMAGES = 24  # of a unit: frames in team colours

RACES = "dunefolk dwarves elves-wood goblins human-loyalists human-magi human-outlaws human-peasants ogres orcs".split()
NOT_ON_FOOT = re.compile(
    r"(rider|gryphon|wyvern|falcon|eagle|sky_hunter|/scout/|direwolver|pillager|goblins/knight|cavalier|cavalryman"
    r"|dragoon|horseman|grand-knight|loyalists/knight|lancer|paladin|sylph|shyde)"
)
NOT_A_UNIT = re.compile(
    r"(halo|projectile|missile|fire-burst|fake/|random-dice|unknown-unit|[-+](die|dying|death)[-.\d]|transport|explo"
    r"|[-_]shadow\.png)"
)
# What a file name says after the unit's own name: an animation, a direction, a frame number.
FRAME = re.compile(
    r"(-(attack|defend|defense|melee|ranged|bow|sword|magic|idle|lead|leading|walk|run|move|moving|se|ne|n|s|sw|nw|bob"
    r"|stand|bash|thrust|throw|slash|staff|spear|mace|heal|death|claw|fire|dagger|shield|fist|breath|teleport|twirl"
    r"|land|fury|crossbow|pierce|blade|impact|kick|recover|victory|taunt|javelin).*|\d+)*\.png$"
)
SHADOW = 200  # below this alpha: the shadows have 153


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
    """A 64x64 window around the centre of mass, without the shadow; None if the sprite is too small or would be cut."""
    solid = sprite[..., 3] >= SHADOW
    if solid.sum() < 250:
        return None
    sprite = np.where(solid[..., None], sprite, 0)
    rows, columns = np.where(solid)
    y, x = round(rows.mean()), round(columns.mean())
    window = np.pad(sprite, ((64, 64), (64, 64), (0, 0)))[y + 32 : y + 96, x + 32 : x + 96]
    return window if (window[..., 3] > 0).sum() >= 0.99 * solid.sum() else None


def _is_figure(sprite):
    """Whether the sprite is a figure and not mostly a bright, half-transparent glow."""
    alpha, light = sprite[..., 3].astype(int), sprite[..., :3].mean(-1)
    glow = ((alpha > 10) & (alpha < 230) & (light > 110)).sum()
    return glow < 0.06 * (alpha > 0).sum()


def _painted(frames, rng):
    """At most IMAGES paintings of a unit's frames, uint8 [n, 64, 64, 4]: (frame, image) each, no two the same.

    Round after round each frame is painted once, in the next team's colours, so that neither a frame nor a team
    comes more often than another. A frame that wears no team's colours is kept once.
    """
    order = rng.permutation(list(teams.TEAMS))
    pairs = [(i, order[(i + turn) % len(order)]) for turn in range(len(order)) for i in range(len(frames))]
    paintings = {}
    for i, team in pairs:
        painted = frames[i].copy()
        painted[..., :3] = teams.paint(frames[i][..., :3], teams.SOURCE, teams.shades(team))
        paintings.setdefault(painted.tobytes(), (i, painted))
    return list(paintings.values())[:IMAGES]


def build():
    package = sources.deb(*PACKAGE)
    wanted = lambda name: name.startswith((UNITS, ROOT + "units/")) and name.endswith((".png", ".cfg"))  # noqa: E731
    files = dict(sources.members(package, wanted))
    base = _base_units(data.decode() for name, data in files.items() if name.endswith(".cfg"))
    sprites, seen = {}, set()
    for path in sorted(name for name in files if name.endswith(".png")):
        name = path.removeprefix(UNITS)
        if name.split("/")[0] not in RACES or NOT_ON_FOOT.search(name) or NOT_A_UNIT.search(name):
            continue
        sprite = sources.rgba(files[path])
        framed = _framed(sprite) if _is_figure(sprite) else None
        if framed is None or {framed.tobytes(), framed[:, ::-1].tobytes()} & seen:
            continue
        seen.add(framed.tobytes())
        sprites[name] = framed
    names = sorted(sprites, key=lambda name: (name not in base, name))  # the frame that stands for a unit comes first
    names = [names[i] for i in sources.far_apart(sources.on_white(np.stack([sprites[n] for n in names])), 7)]
    rng = np.random.default_rng(0)
    rows = []
    for unit in sorted({FRAME.sub("", name) for name in names}):
        own = [name for name in names if FRAME.sub("", name) == unit][:FRAMES]
        rows += [(own[i], unit, image) for i, image in _painted([sprites[name] for name in own], rng)]
    names, units, images = zip(*rows, strict=True)
    return {
        "images": np.rint(sources.on_white(np.stack(images))).astype(np.uint8),
        "names": np.array(names),
        "units": np.array(units),
        "is_test": np.array([zlib.crc32(unit.encode()) % 10 == 0 for unit in units]),
    }


if __name__ == "__main__":
    sources.main("heroes", build)

"""Build monsters.npz: creatures of Dungeon Crawl Stone Soup, from the Debian source package crawl 0.28.0.

The 32x32 tiles are cropped to what can be seen, doubled without smoothing and set on white. Parts of creatures, grey
duplicates, effects (orbs, clouds, portals, stars, ...) and the tiles whose licence is unknown are left out.
"""

import re
import zlib
from pathlib import PurePosixPath

import numpy as np
import sources
from PIL import Image

PACKAGE = ("crawl", "2:0.28.0-1.1", "5a6be168f8888b84bdb199184ca20bd8636f77ba7e9e0124ebee8850092f2f47")
TILES = "rltiles/"
PARTS = re.compile(
    r"tentacles/(?!.*portal)|_segments|_ends|_corners|mon/panlord|mutantbeast|shadow|halo|mon/vault|statues"
)
GREY = re.compile(r"undead/(zombies|simulacra|spectrals)")
# The names in the project's list of tiles under an unknown licence (TILES_UNDER_UNKNOWN_LICENSE.md).
UNKNOWN_LICENCE = (
    "active_ballistomycete ballistomycete berserk bush bush_burning dowan duvessa flaming_corpse fungus kenku khufu "
    "nikola pikel slave slime_creature slime_creature2 slime_creature3 slime_creature4 slime_creature5 toadstool_left "
    "toadstool_right transparent_flesh1 transparent_flesh2 transparent_flesh3 transparent_flesh4 transparent_flesh5 "
    "transparent_flesh6 tree1 tree1_dead tree2 tree2_dead vine_covered_golem zombie_bat zombie_bee zombie_bug "
    "zombie_centaur zombie_dragon zombie_fish zombie_hydra1 zombie_hydra2 zombie_hydra3 zombie_hydra4 zombie_hydra5 "
    "zombie_large zombie_naga zombie_quadruped_large zombie_quadruped_small zombie_small zombie_snake zombie_spider "
    "zombie_worm"
).split()
# Spells, missiles and weather, clothes without a wearer, pieces of scenery, a test picture.
EFFECTS = re.compile(
    r"orb_of_|orb_guardian_fetus|great_orb|starcursed_mass|unseen|wretched_star|thrashing_horror|shapeshifter|draco-job"
    r"|nonliving/(ancestor$|ball_lightning|battlesphere|creeping|fire_vortex|foxfire|fulminant|insubstantial|living_spell"
    r"|maelstrom|spatial_vortex|spectral_|test_|twister|wellspring|will_o|air_elemental|animated_armour|.*_tome)"
    r"|portal|spells/|silver_star|singularity|vapour|poison_pollen|spore|briar_patch|plant_\d|plant_crypt|banana|unborn"
    r"|ophan|sky_beast|missing_ghost|drowned_soul|lost_soul|silent_spectre|bound_humanoid|searing_wretch|sprint/meat"
    r"|devouring_swarm|dissolution|guardian-eye|eye_of_draining|old-serpent|(fire|water)_elemental|eidolon|chaos_spawn4"
)


def _stem(name):
    return PurePosixPath(name).stem.replace("-", "_")


def _unknown_licence(stem):
    return any(
        stem == name or (stem.startswith(name) and stem[len(name) :].strip("_").isdigit()) for name in UNKNOWN_LICENCE
    )


def _wanted(name):
    """Whether a tile (its path under rltiles/) is a whole, free, coloured creature."""
    if name.startswith("UNUSED") and "mon" not in name:
        return False
    return not (PARTS.search(name) or GREY.search(name) or EFFECTS.search(name) or _unknown_licence(_stem(name)))


def _framed(tile):
    """The visible part, doubled if it fits, centred on a white 64x64; None if it has no outline or is tiny."""
    visible = tile[..., 3] > 32
    if max(tile.shape) > 64 or visible.mean() > 0.97 or visible.sum() < 120:
        return None
    rows, columns = np.where(visible)
    crop = tile[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    if max(crop.shape) <= 32:
        crop = crop.repeat(2, 0).repeat(2, 1)
    ground = Image.new("RGBA", (64, 64), "white")
    ground.alpha_composite(Image.fromarray(crop), ((64 - crop.shape[1]) // 2, (64 - crop.shape[0]) // 2))
    return np.asarray(ground.convert("RGB"))


def build():
    is_tile = lambda name: re.search(r"/rltiles/(mon|UNUSED)/(.*/)?[^.][^/]*\.png$", name)  # noqa: E731
    files = {name.split(TILES, 1)[1]: data for name, data in sources.members(sources.debian_source(*PACKAGE), is_tile)}
    images, names, seen = [], [], set()
    for name in sorted(files, key=lambda name: (name.startswith("UNUSED"), name)):
        image = _framed(sources.rgba(files[name])) if _wanted(name) else None
        if image is None or {image.tobytes(), image[:, ::-1].tobytes()} & seen:
            continue
        seen.add(image.tobytes())
        images.append(image)
        names.append(name)
    kept = sources.far_apart(np.stack(images), 5)
    names = [names[i] for i in kept]
    return {
        "images": np.stack(images)[kept],
        "names": np.array(names),
        # By creature: "rat_1" and "rat_2" fall on the same side.
        "is_test": np.array([zlib.crc32(_stem(n).rstrip("_0123456789").encode()) % 10 == 0 for n in names]),
    }


if __name__ == "__main__":
    sources.main("monsters", build)

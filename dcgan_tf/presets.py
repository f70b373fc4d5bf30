"""Hyperparameters: one frozen dataclass for each chapter, with the source of each constant beside it."""

import os
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dcgan_tf.errors import UserError, unknown

PROFILES = ("smoke", "short", "long")
OLDER = {"cpu": "short", "gpu": "long"}  # names of profiles until 0.9
METRICS = ("fid", "kid", "is", "diversity", "coverage", "neighbours")  # explained in metrics/judge.py
EXTRACTORS = ("imagenet", "mnist", "anime", "hair-color", "inception")  # explained in metrics/extractors.py


@dataclass(frozen=True)
class Schedule:
    """How long to train, and how often to sample, save, log and judge: in steps (batches); `evaluate_on` in images."""

    steps: int
    sample_every: int
    checkpoint_every: int  # and every CHECKPOINT_MINUTES: training/callbacks.py
    log_every: int = 10
    evaluate_every: int = 0  # how often FID and KID are computed; 0: at the end alone
    evaluate_on: int = 10_000


@dataclass(frozen=True)
class Preset:
    """The recipe of a chapter. Batch size, rates and momentum are by default the DCGAN paper's (2015, section 4)."""

    name: str = "own"
    dataset: str = ""
    architecture: str = ""  # the pair of builders in models/
    image_size: tuple[int, int] = (64, 64)  # height and width
    channels: int = 3  # 1 grey, 3 RGB, 4 RGB and alpha
    classes: int = 0  # labels that the networks are told; 0: none
    label_field: str = ""  # which of a set's labels these are, where it has several
    fit: str = "crop"  # how images of your own are brought to the size: datasets/framing.py
    batch_size: int = 128
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.5  # Adam's first momentum; the usual 0.9 made training oscillate (same section)
    beta_2: float = 0.999
    average_decay: float = 0.999  # of the moving-average generator, per step
    width: int = 64  # feature maps next to the image, where the builders take it
    norm: str = "batch"  # of the discriminator, where its builder takes it
    dropout: float = 0.3  # in the discriminator, where its builder takes it
    flip: bool = False  # mirror the reals at random
    augment: str = ""  # DiffAugment's policy: some of "color,translation,cutout"
    r1_weight: float = 0.0  # of the R1 penalty (Mescheder et al. 2018, eq. 9); 0 leaves it out
    r2_weight: float = 0.0  # of the same penalty on the fakes (the same, eq. 10)
    r1_every: int = 8  # steps between two penalties, each taken as many times (Karras et al. 2020, appendix B)
    loss: str = "bce"  # or "relativistic", "wasserstein": losses.py
    real_label: float = 1.0  # below 1: one-sided label smoothing (Salimans et al. 2016, section 3.4)
    optimizer: str = "adam"  # or "rmsprop", Arjovsky et al.'s for clipped critics (2017, section 3)
    clip: float = 0.0  # limit of a critic's weights (Arjovsky et al. 2017, algorithm 1); 0 leaves them alone
    gradient_penalty: float = 0.0  # weight of the penalty that replaced clipping (Gulrajani et al. 2017, eq. 3)
    critic_steps: int = 1  # of the discriminator to one of the generator
    decay_from: float = 1.0  # the share of the run after which the learning rates fall in a line to zero
    extractor: str = "imagenet"  # whose features judge the images
    schedules: dict = field(default_factory=dict)

    def schedule(self, profile: str) -> Schedule:
        """The Schedule of a profile: "smoke", "short" or "long"."""
        return self.schedules[profile]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the images that the finished networks make."""
        return (*self.image_size, self.channels)

    def recipe(self) -> dict:
        """The hyperparameters as a plain dict, without the schedules; with the `size` of builders that take one."""
        fields = {key: value for key, value in asdict(self).items() if key != "schedules"}
        sizes = {"image": self.image_size, "hero": self.image_size[0]}
        return fields | ({"size": sizes[self.architecture]} if self.architecture in sizes else {})

    def for_images(self, image_size: tuple[int, int], channels: int, **changes: Any) -> "Preset":
        """The same recipe for networks that make images of another shape: `models.image_generator` and its mirror."""
        shape = {"architecture": "image", "image_size": image_size, "channels": channels, "norm": "none"}
        return replace(self, **shape, dropout=0.0, **changes)


PRESETS = {
    "mnist": Preset(
        name="mnist",
        dataset="mnist",
        architecture="mnist",
        image_size=(28, 28),
        channels=1,
        batch_size=32,  # more steps for the same minutes
        generator_learning_rate=1e-3,
        discriminator_learning_rate=1e-3,
        beta_1=0.0,  # no momentum, as in StyleGAN2
        beta_2=0.99,
        dropout=0.0,  # the penalty takes its place; the two together learned more slowly
        r1_weight=1.0,
        decay_from=0.5,
        extractor="mnist",
        schedules={
            "smoke": Schedule(steps=40, sample_every=10, checkpoint_every=10, log_every=2, evaluate_on=500),
            "short": Schedule(steps=9_000, sample_every=100, checkpoint_every=1_000, log_every=20),
            "long": Schedule(steps=93_750, sample_every=1_000, checkpoint_every=5_000),  # 50 epochs
        },
    ),
}
# Told labels: one beside the latent, and a logit for each label, which is the projection discriminator (Miyato and
# Koyama 2018, section 3) in another form.
PRESETS["mnist-conditional"] = replace(
    PRESETS["mnist"],
    name="mnist-conditional",
    classes=10,
    schedules=PRESETS["mnist"].schedules | {"short": Schedule(6_000, 100, 1_000, log_every=20)},
)
# What the 64x64 sets have in common, as found on the anime faces: benchmarks/README.md has what was tried.
_LARGE = Preset(
    architecture="face",
    width=48,  # cheaper steps than 64, so more of them
    batch_size=32,  # more steps for the same minutes
    generator_learning_rate=5e-4,
    discriminator_learning_rate=5e-4,
    beta_1=0.0,  # no momentum, as in StyleGAN2
    beta_2=0.99,
    average_decay=0.998,
    norm="none",  # the R1 penalty needs none, and batch norm ties the images of a batch together
    r1_weight=3.0,
    decay_from=0.5,
)
# For sets of hundreds of images.
_FEW = replace(_LARGE, flip=True, augment="color,translation,cutout")
_SMOKE = Schedule(steps=40, sample_every=10, checkpoint_every=10, log_every=2, evaluate_every=20, evaluate_on=200)
PRESETS |= {
    "pokemon": replace(
        _FEW,
        name="pokemon",
        dataset="pokemon",
        architecture="pokemon",
        augment="translation,cutout",  # "color" did harm on the heroes
        batch_size=16,  # these four lines in the manner of the heroes: benchmarks/README.md has what was tried
        loss="relativistic",
        r1_weight=0.5,  # more than the heroes': with few images the discriminator is stronger
        r2_weight=0.5,
        schedules={
            "smoke": _SMOKE,
            "short": Schedule(14_000, 200, 1_000, evaluate_every=1_000, evaluate_on=2_048),
            "long": Schedule(100_000, 1_000, 5_000, evaluate_every=5_000, evaluate_on=10_000),
        },
    ),
    "faces": replace(
        _FEW,
        name="faces",
        dataset="faces",
        batch_size=16,  # these four lines as the heroes': benchmarks/README.md has what was tried
        loss="relativistic",
        r1_weight=0.1,
        r2_weight=0.1,
        schedules={
            "smoke": _SMOKE,
            "short": Schedule(9_000, 200, 1_000, evaluate_every=1_000, evaluate_on=2_048),
            "long": Schedule(50_000, 1_000, 5_000, evaluate_every=5_000, evaluate_on=10_000),
        },
    ),
    "anime": replace(
        _LARGE,
        name="anime",
        dataset="anime",
        extractor="anime",
        schedules={
            "smoke": _SMOKE,
            "short": Schedule(14_000, 200, 1_000, evaluate_every=1_000, evaluate_on=2_048),
            "long": Schedule(100_000, 1_000, 5_000, evaluate_every=5_000, evaluate_on=10_000),
        },
    ),
}
PRESETS["anime-conditional"] = replace(
    PRESETS["anime"], name="anime-conditional", classes=16, label_field="hair_color", extractor="hair-color"
)
PRESETS["heroes"] = replace(
    _FEW,
    name="heroes",
    dataset="heroes",
    architecture="hero",
    width=32,  # half the time of a step at width 48
    dropout=0.0,  # the R1 penalty takes its place
    batch_size=16,  # more steps for the same minutes: benchmarks/README.md has what was tried
    loss="relativistic",
    r1_weight=0.1,  # 3 blinds the discriminator on a small augmented set
    r2_weight=0.1,
    augment="translation,cutout",
    schedules={
        "smoke": _SMOKE,
        "short": Schedule(16_000, 200, 1_000, evaluate_every=2_000, evaluate_on=2_048),
        "long": Schedule(200_000, 1_000, 5_000, evaluate_every=5_000, evaluate_on=10_000),
    },
)
PRESETS["monsters"] = replace(
    PRESETS["pokemon"],
    name="monsters",
    dataset="monsters",
    schedules={
        "smoke": _SMOKE,
        "short": Schedule(12_000, 200, 1_000, evaluate_every=2_000, evaluate_on=2_048),
        "long": Schedule(100_000, 1_000, 5_000, evaluate_every=5_000, evaluate_on=10_000),
    },
)


def get(name: str) -> Preset:
    """Return a preset by name; raises UserError with the nearest name."""
    if name not in PRESETS:
        raise UserError(unknown("preset", name, PRESETS))
    return PRESETS[name]


MANY = 3_000  # images from which on DiffAugment has not been needed


def like(count: int) -> tuple[str, str]:
    """(name, why) of the preset whose recipe suits so many images."""
    if count < MANY:
        return "heroes", f"fewer than {MANY:,} images: a set this small needs DiffAugment"
    return "anime", f"{MANY:,} images or more: enough to do without DiffAugment"


def own_schedules(count: int, size: tuple[int, int]) -> dict[str, Schedule]:
    """The schedules for images of your own, from their number and their height and width.

    More images need more steps, up to the number that the chapters' sets take; larger images cost more a step, so they
    get fewer. Neither is a law: look at the samples, and train longer (`--steps`) while they still improve.
    """
    pixels = size[0] * size[1] / 64**2
    steps = min(max(300 * count**0.5, 6_000), 16_000) / max(pixels, 1.0) ** 0.5
    steps = max(500, round(steps / 500) * 500)
    return {
        "smoke": _SMOKE,
        "short": Schedule(steps, 200, 1_000, evaluate_every=2_000, evaluate_on=2_048),
        "long": Schedule(4 * steps, 500, 2_000, evaluate_every=4_000, evaluate_on=10_000),
    }


def profile(requested: str | None = None) -> str:
    """The profile to use: the one asked for, else DCGAN_TF_PROFILE, else "short"."""
    chosen = requested or os.environ.get("DCGAN_TF_PROFILE") or "short"
    chosen = OLDER.get(chosen, chosen)
    if chosen not in PROFILES:
        raise UserError(unknown("profile" if requested else "profile (DCGAN_TF_PROFILE)", chosen, PROFILES))
    return chosen

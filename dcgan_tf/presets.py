"""Hyperparameters: one frozen dataclass a chapter. They stand nowhere else."""

import os
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches

from dcgan_tf.errors import UserError

PROFILES = ("smoke", "cpu", "gpu")
STRATEGIES = ("none", "mirrored", "multiworker")  # explained in distribution.py
METRICS = ("fid", "kid", "is", "diversity", "coverage", "neighbours")  # explained in metrics.py
EXTRACTORS = ("inception", "mnist", "anime", "heroes", "random")  # explained in extractors.py


@dataclass(frozen=True)
class Schedule:
    """How long to train and how often to look. All in steps (batches), but for `evaluate_on`, in images."""

    steps: int
    sample_every: int
    checkpoint_every: int
    log_every: int = 10
    evaluate_every: int = 0  # between two looks at FID and KID; 0 takes them at the end alone
    evaluate_on: int = 10_000


@dataclass(frozen=True)
class Preset:
    """The recipe of a chapter. The defaults are the DCGAN paper's (Radford et al. 2015, section 4)."""

    name: str = "custom"
    dataset: str = ""
    architecture: str = ""  # the pair of builders in models.py
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
    r1_every: int = 8  # steps between two penalties, each taken as many times (Karras et al. 2020, appendix B)
    loss: str = "bce"  # or "wasserstein", "hinge": losses.py
    real_label: float = 1.0  # below 1: one-sided label smoothing (Salimans et al. 2016, section 3.4)
    noisy_labels: bool = False  # smoothing of both sides, as the pixel heroes project has it: losses.py
    optimizer: str = "adam"  # or "rmsprop", Arjovsky et al.'s for clipped critics (2017, section 3)
    clip: float = 0.0  # limit of a critic's weights (Arjovsky et al. 2017, algorithm 1); 0 leaves them alone
    gradient_penalty: float = 0.0  # weight of the penalty that replaced clipping (Gulrajani et al. 2017, eq. 3)
    critic_steps: int = 1  # of the discriminator to one of the generator
    balance: bool = False  # let a controller move the rates and the ratio of steps: balance.py
    sizes: tuple = ()  # of the images, for progressive growing: progressive.py
    shares: tuple = ()  # of the steps, one a size
    frozen: float = 0.0  # share of each size's steps in which only the new layers learn
    decay_from: float = 1.0  # the share of the run after which the learning rates fall in a line to zero
    extractor: str = "random"  # whose features judge the images
    schedules: dict = field(default_factory=dict)

    def schedule(self, profile):
        """Return the Schedule of a profile: "smoke", "cpu" or "gpu"."""
        return self.schedules[profile]

    def recipe(self, size=None):
        """The hyperparameters as a plain dict, without the schedules; with the `size` of a stage where one is given."""
        found = {key: value for key, value in asdict(self).items() if key != "schedules"}
        return found | {"size": size} if size else found


PRESETS = {
    "mnist": Preset(
        name="mnist",
        dataset="mnist",
        architecture="mnist",
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
            "cpu": Schedule(steps=9_000, sample_every=100, checkpoint_every=1_000, log_every=20),
            "gpu": Schedule(steps=93_750, sample_every=1_000, checkpoint_every=5_000),  # 50 epochs
        },
    ),
}
# What the 64x64 sets have in common, as found on the anime faces: chapter 04 tells what was tried.
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
        augment="translation,cutout",  # with "color" too, the KID of 2,000 steps was 0.46 instead of 0.35 (one seed)
        schedules={
            "smoke": _SMOKE,
            "cpu": Schedule(10_000, 200, 1_000, evaluate_every=1_000, evaluate_on=2_048),
            "gpu": Schedule(100_000, 1_000, 5_000, evaluate_every=5_000, evaluate_on=10_000),
        },
    ),
    "faces": replace(
        _FEW,
        name="faces",
        dataset="faces",
        schedules={
            "smoke": _SMOKE,
            "cpu": Schedule(8_000, 200, 1_000, evaluate_every=1_000, evaluate_on=2_048),
            "gpu": Schedule(50_000, 1_000, 5_000, evaluate_every=5_000, evaluate_on=10_000),
        },
    ),
    "anime": replace(
        _LARGE,
        name="anime",
        dataset="anime",
        extractor="anime",
        schedules={
            "smoke": _SMOKE,
            "cpu": Schedule(14_000, 200, 1_000, evaluate_every=1_000, evaluate_on=2_048),
            "gpu": Schedule(100_000, 1_000, 5_000, evaluate_every=5_000, evaluate_on=10_000),
        },
    ),
}
PRESETS["heroes"] = replace(
    _FEW,
    name="heroes",
    dataset="heroes",
    architecture="hero",
    extractor="heroes",
    augment="translation,cutout",
    dropout=0.0,  # the R1 penalty takes its place
    width=32,  # half the time of a step at width 48
    sizes=(16, 32, 64),
    shares=(0.2, 0.2, 0.6),  # of the steps; of the minutes some 10, 17 and 73 %
    frozen=0.1,
    decay_from=0.7,  # half-way through the last size: rates that fall sooner leave the new layers behind
    schedules={
        "smoke": _SMOKE,
        "cpu": Schedule(20_000, 200, 1_000, evaluate_every=1_000, evaluate_on=2_048),
        "gpu": Schedule(100_000, 1_000, 5_000, evaluate_every=5_000, evaluate_on=10_000),
    },
)
# The DCGAN paper's recipe on the networks of chapters 03 and 04, to be compared with.
PAPER = Preset(name="paper", architecture="face", average_decay=0.0)
# The recipe of TensorFlow's DCGAN tutorial, to be compared with: Adam at its default betas, batches of 256, no
# moving average (a decay of zero is the plain generator), no schedule.
TUTORIAL = replace(
    PRESETS["mnist"],
    name="mnist-tutorial",
    batch_size=256,
    generator_learning_rate=1e-4,
    discriminator_learning_rate=1e-4,
    beta_1=0.9,
    beta_2=0.999,
    average_decay=0.0,
    dropout=0.3,
    r1_weight=0.0,
    decay_from=1.0,
)


def get(name):
    """Return a preset by name; raises UserError with the nearest name."""
    if name not in PRESETS:
        raise UserError(unknown("preset", name, PRESETS))
    return PRESETS[name]


def check_metrics(names):
    """Raise a UserError for a metric that does not exist."""
    for name in names:
        if name not in METRICS:
            raise UserError(unknown("metric", name, METRICS))


def unknown(kind, name, known):
    """One line for a name that does not exist."""
    near = get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
    return f"no {kind} named {name!r}: {hint}"


def profile(requested=None):
    """The profile to use: the one asked for, else DCGAN_TF_PROFILE, else "gpu" where there is one, else "cpu"."""
    chosen = requested or os.environ.get("DCGAN_TF_PROFILE")
    if not chosen:
        from dcgan_tf import devices

        return "gpu" if devices.gpus() else "cpu"
    if chosen not in PROFILES:
        raise UserError(unknown("profile", chosen, PROFILES))
    return chosen

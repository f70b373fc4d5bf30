"""A controller that changes learning rates and step counts when one network gets ahead of the other.

The pixel heroes project's rule compared running means of the losses, and changed both learning rates by 1 to 5 % and
the number of steps that each network takes. Here the bounds contain the rates that training starts with, the decay
shrinks the bounds together with the rates, and a ratio of steps is always 1:n or n:1.
"""

from dataclasses import asdict, dataclass


@dataclass
class Controller:
    """Learning rates and the ratio of steps, from the losses so far.

    The discriminator's loss is taken as the mean of its losses on reals and on fakes, so that both networks' losses
    are log 2 where neither leads. The network whose running mean is higher is the one that is losing.

    Args:
        generator_learning_rate, discriminator_learning_rate: where they start; they stay between 1 / `spread` and
            `spread` times that.
        memory: the weight of the past in the running means, per step: 0.99 looks back some hundred steps.
        threshold: how far apart the means may be before anything is done.
        step: the largest relative change of a rate at one decision; it is smaller for small differences.
        every: steps between two decisions, so that the losses can answer the last one.
        decay: both rates and their bounds are multiplied with it at each decision.
        ratio: above this quotient of the means the losing network gets one more step; near 1 one is taken back.
        most: steps of one network to one of the other, at most.
    """

    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    memory: float = 0.99
    threshold: float = 0.2
    step: float = 0.05
    every: int = 50
    spread: float = 4.0
    decay: float = 1.0
    ratio: float = 1.5
    most: int = 3

    def __post_init__(self):
        within = 0 <= self.memory < 1 and 0 < self.step < 1 and 0 < self.decay <= 1
        if not (within and self.threshold > 0 and self.spread >= 1):
            raise ValueError("a controller needs memory, step and decay up to 1, threshold above 0, spread from 1 on")
        self.start = (self.generator_learning_rate, self.discriminator_learning_rate)
        self.seen = 0
        self.generator_mean = self.discriminator_mean = 0.0
        self.lead = 0  # +n: n extra steps of the discriminator to one of the generator, -n: the other way round

    @property
    def generator_steps(self) -> int:
        """Steps of the generator to one of the discriminator, or 1."""
        return 1 + max(0, -self.lead)

    @property
    def discriminator_steps(self) -> int:
        """Steps of the discriminator to one of the generator, or 1."""
        return 1 + max(0, self.lead)

    def update_schedule(self, step: int) -> tuple[bool, bool]:
        """Who learns at a step, counted from 0: (generator, discriminator); one of them always does."""
        return step % self.discriminator_steps == 0, step % self.generator_steps == 0

    def update(self, g_loss: float, d_loss_real: float, d_loss_fake: float) -> bool:
        """Take the losses of one step into account; returns True if a decision was due."""
        self.seen += 1
        weight = max(1 - self.memory, 1 / self.seen)  # the plain mean until there is enough to forget
        self.generator_mean += weight * (g_loss - self.generator_mean)
        self.discriminator_mean += weight * ((d_loss_real + d_loss_fake) / 2 - self.discriminator_mean)
        if self.seen % self.every:
            return False
        self._decide()
        return True

    def _decide(self):
        behind = self.generator_mean - self.discriminator_mean  # positive: the generator is losing
        if abs(behind) > self.threshold:
            change = self.step * min(1.0, abs(behind) / (4 * self.threshold))
            up, down = 1 + change, 1 - change
            generator, discriminator = (up, down) if behind > 0 else (down, up)
            self.generator_learning_rate *= generator
            self.discriminator_learning_rate *= discriminator
        decayed = self.decay ** (self.seen // self.every)
        self.generator_learning_rate = self._bounded(self.generator_learning_rate * self.decay, self.start[0] * decayed)
        self.discriminator_learning_rate = self._bounded(
            self.discriminator_learning_rate * self.decay, self.start[1] * decayed
        )
        self.lead = self._lead()

    def _bounded(self, rate, middle):
        return min(max(rate, middle / self.spread), middle * self.spread)

    def _lead(self):
        low = 1e-8
        quotient = max(self.discriminator_mean, low) / max(self.generator_mean, low)
        most = self.most - 1
        if quotient > self.ratio:
            return min(self.lead + 1, most)
        if quotient < 1 / self.ratio:
            return max(self.lead - 1, -most)
        if self.ratio**-0.5 < quotient < self.ratio**0.5:  # in balance: back towards one step each
            return self.lead - (self.lead > 0) + (self.lead < 0)
        return self.lead

    def state(self) -> dict:
        """All that a checkpoint has to keep: a dict of numbers."""
        keys = ("generator_learning_rate", "discriminator_learning_rate")
        more = ("seen", "generator_mean", "discriminator_mean", "lead")
        return {key: asdict(self)[key] for key in keys} | {key: getattr(self, key) for key in more}

    def restore(self, state: dict) -> None:
        """Go on from a `state`."""
        for key, value in state.items():
            setattr(self, key, value)

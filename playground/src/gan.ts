/** The game: two networks of two hidden layers, and one step of each. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { type Point, samplePoints } from './data.ts';
import { Random } from './random.ts';
import type { Settings } from './settings.ts';

export const BATCH = 64;
const GRADIENT_PENALTY = 1; // of the Wasserstein critic (Gulrajani et al. 2017, eq. 3; they take 10)

type Activation = (x: tf.Tensor2D) => tf.Tensor2D;

/** Two hidden layers. The generator's have ReLU, the discriminator's tanh, which has a second derivative for R1. */
class Network {
  readonly weights: tf.Variable[] = [];

  constructor(
    sizes: number[],
    random: Random,
    private readonly activation: Activation,
  ) {
    for (let i = 1; i < sizes.length; i++) {
      const [rows, columns] = [sizes[i - 1], sizes[i]];
      const scale = Math.sqrt(2 / (rows + columns)); // Glorot and Bengio 2010, eq. 16, as a normal distribution
      const values = Float32Array.from({ length: rows * columns }, () => scale * random.normal());
      this.weights.push(tf.variable(tf.tensor2d(values, [rows, columns])), tf.variable(tf.zeros([columns])));
    }
  }

  call(x: tf.Tensor2D): tf.Tensor2D {
    for (let i = 0; i < this.weights.length; i += 2) {
      x = tf.add(tf.matMul(x, this.weights[i] as tf.Tensor2D), this.weights[i + 1]);
      if (i + 2 < this.weights.length) x = this.activation(x);
    }
    return x;
  }

  dispose(): void {
    tf.dispose(this.weights);
  }
}

const mean = (x: tf.Tensor): tf.Scalar => tf.mean(x) as tf.Scalar;
const softplus = (x: tf.Tensor): tf.Tensor => tf.softplus(x);

/** What each network minimises, from the logits of reals and fakes. */
type Loss = (real: tf.Tensor, fake: tf.Tensor) => tf.Scalar;
const LOSSES: Record<string, { d: Loss; g: Loss }> = {
  'cross-entropy': {
    d: (real, fake) => tf.add(mean(softplus(tf.neg(real))), mean(softplus(fake))),
    g: (_, fake) => mean(softplus(tf.neg(fake))),
  },
  saturating: {
    d: (real, fake) => tf.add(mean(softplus(tf.neg(real))), mean(softplus(fake))),
    g: (_, fake) => tf.neg(mean(softplus(fake))),
  },
  relativistic: {
    d: (real, fake) => mean(softplus(tf.sub(fake, real))),
    g: (real, fake) => mean(softplus(tf.sub(real, fake))),
  },
  hinge: {
    d: (real, fake) => tf.add(mean(tf.relu(tf.sub(1, real))), mean(tf.relu(tf.add(1, fake)))),
    g: (_, fake) => tf.neg(mean(fake)),
  },
  wasserstein: {
    d: (real, fake) => tf.sub(mean(fake), mean(real)),
    g: (_, fake) => tf.neg(mean(fake)),
  },
};

export class Game {
  readonly generator: Network;
  readonly discriminator: Network;
  step = 0;
  generatorLoss = NaN;
  discriminatorLoss = NaN;
  private readonly random: Random;
  private readonly generatorOptimizer: tf.Optimizer;
  private readonly discriminatorOptimizer: tf.Optimizer;

  constructor(
    public settings: Settings,
    readonly drawn: Point[] = [],
  ) {
    const { hidden, noise, seed, momentum } = settings;
    this.random = new Random(1000 + seed);
    this.generator = new Network([noise, hidden, hidden, 2], this.random, tf.relu);
    this.discriminator = new Network([2, hidden, hidden, 1], this.random, tf.tanh);
    this.generatorOptimizer = tf.train.adam(settings.generatorRate, momentum, 0.99);
    this.discriminatorOptimizer = tf.train.adam(settings.discriminatorRate, momentum, 0.99);
  }

  /** Is the sigmoid of a logit the probability of "real"? Not for a critic, nor where only differences count. */
  get hasProbabilities(): boolean {
    return ['cross-entropy', 'saturating'].includes(this.settings.loss);
  }

  round(): void {
    this.turn('discriminator');
    this.turn('generator');
    this.step += 1;
  }

  /** As many steps of a network as the setting says. */
  turn(who: 'discriminator' | 'generator'): void {
    const [d, g] = this.settings.steps.split(':').map(Number);
    if (who === 'discriminator') for (let i = 0; i < d; i++) this.stepDiscriminator();
    else for (let i = 0; i < g; i++) this.stepGenerator();
  }

  /** One step of the discriminator; the generator's weights stay as they are. */
  stepDiscriminator(): void {
    this.discriminatorLoss = tf.tidy(() => {
      const real = this.reals();
      const fake = this.generator.call(this.latents(BATCH));
      const both = tf.concat([real, fake]);
      const loss = () => {
        const [onReal, onFake] = tf.split(this.discriminator.call(both), 2);
        return tf.add(LOSSES[this.settings.loss].d(onReal, onFake), this.penalty(real, fake)) as tf.Scalar;
      };
      const { value, grads } = tf.variableGrads(loss, this.discriminator.weights);
      this.discriminatorOptimizer.applyGradients(grads);
      return value.dataSync()[0];
    });
  }

  /** One step of the generator; the discriminator's weights stay as they are. */
  stepGenerator(): void {
    this.generatorLoss = tf.tidy(() => {
      const z = this.latents(BATCH);
      const real = this.settings.loss === 'relativistic' ? this.discriminator.call(this.reals()) : tf.zeros([BATCH, 1]);
      const { value, grads } = tf.variableGrads(
        () => LOSSES[this.settings.loss].g(real, this.discriminator.call(this.generator.call(z))),
        this.generator.weights,
      );
      this.generatorOptimizer.applyGradients(grads);
      return value.dataSync()[0];
    });
  }

  /** R1 (Mescheder et al. 2018, eq. 9), and for the Wasserstein critic the gradient penalty. */
  private penalty(real: tf.Tensor2D, fake: tf.Tensor2D): tf.Scalar {
    const slope = tf.grad((x: tf.Tensor) => tf.sum(this.discriminator.call(x as tf.Tensor2D)));
    let total = tf.scalar(0);
    if (this.settings.r1) {
      const squared = tf.sum(tf.square(slope(real)), 1);
      total = tf.add(total, tf.mul(this.settings.r1 / 2, mean(squared)));
    }
    if (this.settings.loss === 'wasserstein') {
      const mix = tf.tensor2d(Float32Array.from({ length: BATCH }, () => this.random.uniform()), [BATCH, 1]);
      const between = tf.add(tf.mul(mix, real), tf.mul(tf.sub(1, mix), fake)) as tf.Tensor2D;
      const length = tf.sqrt(tf.add(tf.sum(tf.square(slope(between)), 1), 1e-8));
      total = tf.add(total, tf.mul(GRADIENT_PENALTY, mean(tf.square(tf.sub(length, 1)))));
    }
    return total;
  }

  private reals(): tf.Tensor2D {
    return tf.tensor2d(samplePoints(this.settings.data, BATCH, this.random, this.drawn), [BATCH, 2]);
  }

  private latents(count: number): tf.Tensor2D {
    const { noise } = this.settings;
    return tf.tensor2d(Float32Array.from({ length: count * noise }, () => this.random.normal()), [count, noise]);
  }

  /** Where the generator sends these latents; the game's own random numbers are not touched. */
  generate(latents: Float32Array): Float32Array {
    const { noise } = this.settings;
    return tf.tidy(() => this.generator.call(tf.tensor2d(latents, [latents.length / noise, noise])).dataSync() as Float32Array);
  }

  /** The discriminator's logits at points [x, y, x, y, ...]. */
  logits(points: Float32Array): Float32Array {
    return tf.tidy(() => this.discriminator.call(tf.tensor2d(points, [points.length / 2, 2])).dataSync() as Float32Array);
  }

  /** The direction in which the generator's loss would move each point, not to scale. */
  pull(points: Float32Array): Float32Array {
    return tf.tidy(() => {
      const x = tf.tensor2d(points, [points.length / 2, 2]);
      const real = tf.zeros([points.length / 2, 1]);
      const loss = (at: tf.Tensor) => LOSSES[this.settings.loss].g(real, this.discriminator.call(at as tf.Tensor2D));
      return tf.neg(tf.mul(points.length / 2, tf.grad(loss)(x))).dataSync() as Float32Array;
    });
  }

  /** Change what needs no new networks: loss, rates, steps, penalty. */
  adjust(settings: Settings): void {
    this.settings = { ...settings };
    const rates = { generator: settings.generatorRate, discriminator: settings.discriminatorRate };
    Object.assign(this.generatorOptimizer, { learningRate: rates.generator });
    Object.assign(this.discriminatorOptimizer, { learningRate: rates.discriminator });
  }

  dispose(): void {
    this.generator.dispose();
    this.discriminator.dispose();
    this.generatorOptimizer.dispose();
    this.discriminatorOptimizer.dispose();
  }
}

export async function ready(): Promise<void> {
  await tf.setBackend('cpu');
  await tf.ready();
}

/** The square in which the game is seen. */
import { type Point, RANGE } from './data.ts';
import type { Game } from './gan.ts';

const CELLS = 40; // of the discriminator's opinion, a side
const LINES = 13; // of the bent grid, in each direction
const PULL = 0.35; // length of a pull of 1

export interface Shown {
  heat: boolean;
  manifold: boolean;
  pull: boolean;
}

const CENTRES = Float32Array.from({ length: 2 * CELLS * CELLS }, (_, i) => {
  const cell = i >> 1;
  const at = i % 2 ? CELLS - 1 - Math.floor(cell / CELLS) : cell % CELLS;
  return ((at + 0.5) / CELLS) * 2 * RANGE - RANGE;
});

/** Latents on a grid: LINES values in each of the first two dimensions, of equal probability between them. */
function latticeOf(noise: number): Float32Array {
  const values = Array.from({ length: LINES }, (_, i) => quantile((i + 0.5) / LINES));
  if (noise === 1) return Float32Array.from({ length: 200 }, (_, i) => -3 + (6 * i) / 199);
  return Float32Array.from(values.flatMap((y) => values.flatMap((x) => [x, y])));
}

/** The value below which a standard normal number lies with this probability, by the logistic approximation. */
function quantile(probability: number): number {
  return Math.log(probability / (1 - probability)) / 1.702;
}

export class Board {
  private readonly context: CanvasRenderingContext2D;
  private readonly heat = document.createElement('canvas');

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext('2d')!;
    this.heat.width = this.heat.height = CELLS;
  }

  draw(game: Game, data: Point[], samples: Float32Array, shown: Shown): void {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const { context } = this;
    context.fillStyle = colour('--ground');
    context.fillRect(0, 0, side, side);
    if (shown.heat) this.drawHeat(game, colour('--opinion-real'), colour('--opinion-fake'), side);
    if (shown.manifold) this.drawManifold(game, colour('--manifold'), side);
    const radius = side / 220;
    this.dots(data.flat(), colour('--blue'), radius, side);
    this.dots(samples, colour('--orange'), radius, side);
    if (shown.pull) this.drawPull(game, samples, colour('--text'), side);
  }

  private drawHeat(game: Game, real: string, fake: string, side: number): void {
    const logits = game.logits(CENTRES);
    const [middle, scale] = game.hasProbabilities ? [0, 1] : spread(logits);
    const context = this.heat.getContext('2d')!;
    const image = context.createImageData(CELLS, CELLS);
    const [towards, away] = [real.split(' ').map(Number), fake.split(' ').map(Number)];
    logits.forEach((logit, i) => {
      const opinion = Math.tanh((logit - middle) / scale / 2); // 2 sigma(logit) - 1: from -1 to 1
      (opinion > 0 ? towards : away).forEach((value, k) => (image.data[4 * i + k] = value));
      image.data[4 * i + 3] = 255 * Math.min(1, Math.abs(opinion) * 1.4);
    });
    context.putImageData(image, 0, 0);
    this.context.imageSmoothingEnabled = true;
    this.context.drawImage(this.heat, 0, 0, side, side);
  }

  private drawManifold(game: Game, colour: string, side: number): void {
    const { noise } = game.settings;
    if (noise > 2) return;
    const points = game.generate(latticeOf(noise));
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = side / 700;
    context.beginPath();
    const line = (indices: number[]) =>
      indices.forEach((index, i) => {
        const [x, y] = this.place(points[2 * index], points[2 * index + 1], side);
        if (i) context.lineTo(x, y);
        else context.moveTo(x, y);
      });
    if (noise === 1) line(Array.from({ length: points.length / 2 }, (_, i) => i));
    else {
      for (let i = 0; i < LINES; i++) {
        line(Array.from({ length: LINES }, (_, j) => i * LINES + j));
        line(Array.from({ length: LINES }, (_, j) => j * LINES + i));
      }
    }
    context.stroke();
  }

  private drawPull(game: Game, samples: Float32Array, colour: string, side: number): void {
    const some = samples.slice(0, 128);
    const pull = game.pull(some);
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = side / 500;
    context.beginPath();
    for (let i = 0; i < some.length; i += 2) {
      const length = Math.hypot(pull[i], pull[i + 1]);
      const shorter = length > 4 ? 4 / length : 1; // a cliff would fill the board
      context.moveTo(...this.place(some[i], some[i + 1], side));
      context.lineTo(...this.place(some[i] + PULL * shorter * pull[i], some[i + 1] + PULL * shorter * pull[i + 1], side));
    }
    context.stroke();
  }

  private dots(points: ArrayLike<number>, colour: string, radius: number, side: number): void {
    const { context } = this;
    context.fillStyle = colour;
    context.globalAlpha = 0.8;
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = this.place(points[i], points[i + 1], side);
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 7);
    }
    context.fill();
    context.globalAlpha = 1;
  }

  private place(x: number, y: number, side: number): [number, number] {
    return [((x + RANGE) / (2 * RANGE)) * side, ((RANGE - y) / (2 * RANGE)) * side];
  }

  /** The place in the plane that a pointer is at. */
  at(event: PointerEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 2 * RANGE - RANGE;
    const y = RANGE - ((event.clientY - box.top) / box.height) * 2 * RANGE;
    return [x, y];
  }
}

/** Mean and standard deviation, to colour the scores of a critic, which have no scale of their own. */
function spread(values: Float32Array): [number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return [mean, Math.sqrt(variance) + 1e-6];
}

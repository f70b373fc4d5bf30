/** Latents: lists of numbers from N(0, 1), and ways from one to another. As in the package's latent.py. */
import { Random } from './random.ts';

export type Latent = Float32Array;

const length = (z: Latent) => Math.sqrt(z.reduce((sum, value) => sum + value * value, 0));

export const drawn = (count: number, dimensions: number, seed: number): Latent[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, () => random.normal()));
};

/** The sum of latents, each with a factor, brought to the length of those that are drawn. */
export function mixed(parts: [number, Latent][]): Latent {
  const sum = parts[0][1].map((_, i) => parts.reduce((total, [factor, z]) => total + factor * z[i], 0));
  const scale = Math.sqrt(sum.length) / length(sum);
  return sum.map((value) => value * scale);
}

/** The point at a share t of the way from a to b, along the sphere. */
export function slerp(a: Latent, b: Latent, t: number): Latent {
  const cosine = a.reduce((sum, value, i) => sum + value * b[i], 0) / (length(a) * length(b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const straight = angle < 1e-4;
  const [first, second] = straight ? [1 - t, t] : [Math.sin((1 - t) * angle), Math.sin(t * angle)].map((s) => s / Math.sin(angle));
  return a.map((value, i) => first * value + second * b[i]);
}

/** A latent moved by so much along each of some directions, and kept at its length. */
export function moved(z: Latent, directions: number[][], by: number[]): Latent {
  if (by.every((amount) => amount === 0)) return z;
  const sum = z.map((value, i) => value + directions.reduce((total, direction, d) => total + by[d] * direction[i], 0));
  const scale = length(z) / length(sum);
  return sum.map((value) => value * scale);
}

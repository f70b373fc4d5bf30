/** How good the generator is, as the page measures it. */
import { MODES, type Point } from './data.ts';

const NEAR = 0.4; // of a cluster's centre, a little more than three of its standard deviations
const ENOUGH = 0.25; // of a cluster's fair share of the samples, for it to count as covered

/** How many clusters the samples cover: [covered, all], or null where the data has none. */
export function covered(data: string, samples: Float32Array): [number, number] | null {
  const centres = MODES[data];
  if (!centres) return null;
  const count = samples.length / 2;
  const near = centres.map(([x, y]) => {
    let inside = 0;
    for (let i = 0; i < count; i++) if (Math.hypot(samples[2 * i] - x, samples[2 * i + 1] - y) < NEAR) inside += 1;
    return inside;
  });
  return [near.filter((inside) => inside >= (ENOUGH * count) / centres.length).length, centres.length];
}

/** The energy distance (Székely and Rizzo 2013, eq. 1) between two clouds of points: 0 if they are the same. */
export function distance(samples: Float32Array, data: Point[]): number {
  const count = samples.length / 2;
  let between = 0;
  let within = 0;
  let apart = 0;
  for (let i = 0; i < count; i++) {
    for (const [x, y] of data) between += Math.hypot(samples[2 * i] - x, samples[2 * i + 1] - y);
    for (let j = 0; j < count; j++) within += Math.hypot(samples[2 * i] - samples[2 * j], samples[2 * i + 1] - samples[2 * j + 1]);
  }
  for (const [x, y] of data) for (const [u, v] of data) apart += Math.hypot(x - u, y - v);
  const squared = (2 * between) / (count * data.length) - within / count ** 2 - apart / data.length ** 2;
  return Math.max(0, squared);
}

/** What the generator has to imitate: points in the plane, all within [-RANGE, RANGE]. */
import type { Random } from './random.ts';

export type Point = [number, number];
export const RANGE = 3;

const SPREAD = 0.12;
const ring: Point[] = Array.from({ length: 8 }, (_, i) => {
  const angle = (i * Math.PI) / 4;
  return [2 * Math.cos(angle), 2 * Math.sin(angle)];
});
const grid: Point[] = Array.from({ length: 9 }, (_, i) => [((i % 3) - 1) * 1.8, (Math.floor(i / 3) - 1) * 1.8]);

/** The centres of the clusters, where a data set has some. */
export const MODES: Record<string, Point[]> = { ring, grid };

function around([x, y]: Point, random: Random): Point {
  return [x + SPREAD * random.normal(), y + SPREAD * random.normal()];
}

function moon(random: Random): Point {
  const angle = Math.PI * random.uniform();
  const upper = random.uniform() < 0.5;
  const [x, y] = upper ? [Math.cos(angle) - 0.5, Math.sin(angle) - 0.2] : [0.5 - Math.cos(angle), 0.2 - Math.sin(angle)];
  return around([1.6 * x, 1.6 * y], random);
}

function line(random: Random): Point {
  const x = 4.4 * random.uniform() - 2.2;
  return around([x, 0.6 * x], random);
}

/** One point of a data set; `drawn` are the points that the visitor has drawn. */
export function samplePoint(name: string, random: Random, drawn: Point[]): Point {
  if (name === 'moons') return moon(random);
  if (name === 'line') return line(random);
  if (name === 'drawn' && drawn.length) {
    const [x, y] = drawn[Math.floor(drawn.length * random.uniform())];
    return [x + 0.05 * random.normal(), y + 0.05 * random.normal()];
  }
  const centres = MODES[name] ?? ring;
  return around(centres[Math.floor(centres.length * random.uniform())], random);
}

export function samplePoints(name: string, count: number, random: Random, drawn: Point[]): Point[] {
  return Array.from({ length: count }, () => samplePoint(name, random, drawn));
}

/** The knobs, what they may be, and how they stand in the page's address. */
import type { Point } from './data.ts';

export interface Settings {
  data: string;
  loss: string;
  generatorRate: number;
  discriminatorRate: number;
  steps: string; // of the discriminator to those of the generator
  r1: number;
  momentum: number; // Adam's beta 1
  hidden: number;
  noise: number; // dimensions of the latent vector
  seed: number;
}

export const CHOICES: { [K in keyof Settings]: readonly Settings[K][] } = {
  data: ['ring', 'grid', 'moons', 'line', 'drawn'],
  loss: ['cross-entropy', 'saturating', 'relativistic', 'hinge', 'wasserstein'],
  generatorRate: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03],
  discriminatorRate: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03],
  steps: ['1:10', '1:3', '1:1', '3:1', '10:1'],
  r1: [0, 0.01, 0.03, 0.1, 0.3, 1, 3],
  momentum: [0, 0.5, 0.9],
  hidden: [4, 8, 16, 32, 64],
  noise: [1, 2, 4, 8],
  seed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
};

export const DEFAULTS: Settings = {
  data: 'ring',
  loss: 'cross-entropy',
  generatorRate: 0.003,
  discriminatorRate: 0.003,
  steps: '1:1',
  r1: 0.3,
  momentum: 0,
  hidden: 32,
  noise: 2,
  seed: 0,
};

/** The address's part after "#": what differs from the defaults, and the drawn points. */
export function toHash(settings: Settings, drawn: Point[]): string {
  const parts = new URLSearchParams();
  for (const key of Object.keys(DEFAULTS) as (keyof Settings)[]) {
    if (settings[key] !== DEFAULTS[key]) parts.set(key, String(settings[key]));
  }
  if (settings.data === 'drawn') parts.set('points', drawn.flat().map((value) => value.toFixed(2)).join(','));
  return parts.toString();
}

/** Read an address; what is missing or unknown there is the default. */
export function fromHash(hash: string): { settings: Settings; drawn: Point[] } {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const settings: Record<string, string | number> = { ...DEFAULTS };
  for (const [key, choices] of Object.entries(CHOICES)) {
    const found = choices.find((choice) => String(choice) === parts.get(key));
    if (found !== undefined) settings[key] = found;
  }
  const values = (parts.get('points') ?? '').split(',').map(Number).filter(Number.isFinite);
  const drawn: Point[] = [];
  for (let i = 0; i + 1 < Math.min(values.length, 1000); i += 2) drawn.push([values[i], values[i + 1]]);
  return { settings: settings as unknown as Settings, drawn };
}

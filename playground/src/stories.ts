/** Settings in which the stories of chapter 00 can be seen within half a minute, and what to look at. */
import { DEFAULTS, type Settings } from './settings.ts';

export interface Story {
  id: string;
  title: string;
  text: string;
  settings: Settings;
}

function story(id: string, title: string, text: string, changes: Partial<Settings>): Story {
  return { id, title, text, settings: { ...DEFAULTS, ...changes } };
}

export const STORIES: Story[] = [
  story(
    'balance',
    'Balance',
    'Eight clusters. Give it time, about 800 rounds: the generated points spread until all eight have enough of them, and ' +
      'the background fades to “cannot tell”. A penalty on the discriminator (R1) keeps its opinion from changing sharply ' +
      'near the real points; without it the two may go on chasing each other.',
    {},
  ),
  story(
    'oscillation',
    'Oscillation',
    'The same game without the penalty, and with a momentum of 0.9, the usual value for other networks: each step mostly continues in ' +
      'the direction of the previous ones. The generator runs to where the discriminator says “real”, the discriminator changes its ' +
      'mind, the generator runs on. The distance never settles.',
    { r1: 0, momentum: 0.9 },
  ),
  story(
    'collapse',
    'Collapse',
    'Ten steps of the generator for each one of the discriminator. The generator puts all of its points where the ' +
      'discriminator takes them for real, and moves on once the discriminator has caught up: few clusters are covered at a time.',
    { r1: 0, steps: '1:10' },
  ),
  story(
    'won',
    'A discriminator that won',
    'A fast discriminator, a slow generator, and the original way of scoring (the saturating loss), which gives no hint to a ' +
      'generator that is losing badly. After some 50 rounds the discriminator is sure of everything. Switch “where the points are ' +
      'pushed” on: the short lines at the orange points shrink to nothing. Then set the loss to cross-entropy: the same opinion pushes again.',
    { r1: 0, loss: 'saturating', discriminatorRate: 0.01, generatorRate: 0.0001, steps: '10:1' },
  ),
];

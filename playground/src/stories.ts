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
    'Eight clusters. The generated points spread until all eight are covered, and the discriminator’s opinion fades to ' +
      '“I cannot tell”. The R1 penalty keeps its opinion smooth; without it the game would go round in circles.',
    {},
  ),
  story(
    'oscillation',
    'Oscillation',
    'The same game without the penalty and with a momentum of 0.9, the usual value. The generator runs to where the ' +
      'discriminator says “real”; the discriminator changes its mind; the generator runs on. The distance never settles.',
    { r1: 0, momentum: 0.9 },
  ),
  story(
    'collapse',
    'Collapse',
    'Ten steps of the generator for each one of the discriminator. The generator puts all of its points where the ' +
      'discriminator believes them, and moves on to the next place when that is over: few of the clusters are covered.',
    { r1: 0, steps: '1:10' },
  ),
  story(
    'won',
    'A discriminator that won',
    'A fast discriminator, a slow generator, and the saturating loss. The discriminator is soon sure of everything. Switch ' +
      '“pull on each point” on: the lines have no length, so the generator learns nothing.',
    { r1: 0, loss: 'saturating', discriminatorRate: 0.01, generatorRate: 0.0003, steps: '10:1' },
  ),
];

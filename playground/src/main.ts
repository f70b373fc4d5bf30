/** The page: knobs, buttons, stories, and the loop that plays the game. */
import { Board } from './board.ts';
import { Curves } from './curves.ts';
import { type Point, samplePoints } from './data.ts';
import { Game, ready } from './gan.ts';
import { covered, distance } from './measure.ts';
import { Random } from './random.ts';
import { CHOICES, DEFAULTS, fromHash, type Settings, toHash } from './settings.ts';
import { STORIES, type Story } from './stories.ts';

const SHOWN = 256; // points of either kind on the board
const MEASURED = 512; // samples whose clusters are counted
const FRAME = 14; // milliseconds of each frame that may be spent on training
const MOST_DRAWN = 400;

const LABELS: Record<keyof Settings, string> = {
  data: 'Data',
  loss: 'How mistakes are scored (loss)',
  generatorRate: 'Generator’s step size (learning rate)',
  discriminatorRate: 'Discriminator’s step size',
  steps: 'Steps in a round, discriminator : generator',
  r1: 'Smoothness penalty (R1)',
  momentum: 'Momentum (β₁): the share carried over from earlier steps',
  hidden: 'Units in each of the two hidden layers',
  noise: 'Random numbers per point',
  seed: 'Random start (seed)',
};
const NAMES: Record<string, string> = {
  ring: 'ring of eight',
  grid: 'three by three',
  moons: 'two moons',
  drawn: 'draw your own',
  saturating: 'saturating (the original one)',
};
/** What the chosen way of scoring does. */
const LOSSES: Record<string, string> = {
  'cross-entropy': 'The usual one: a generator that is losing is pushed the hardest.',
  saturating: 'The first one proposed: a generator that is losing badly is hardly pushed at all.',
  relativistic: 'The discriminator gets a real and a generated point, and says which one is real.',
  hinge: 'Once the discriminator is right by a margin, it stops changing its mind.',
  wasserstein: 'Scores without limits, held back by a penalty of their own on steep opinions.',
};
const SEEN = {
  probability: 'background: the discriminator thinks “generated”, cannot tell, thinks “real”',
  score: 'background: the discriminator’s score: below the average of the square, average, above it',
};
const LIVE: (keyof Settings)[] = ['loss', 'generatorRate', 'discriminatorRate', 'steps', 'r1']; // no new game needed

/** The parts of one round in slow motion. */
const PHASES: { sentence: string; who: string; act: (game: Game) => void; pull?: boolean }[] = [
  { who: 'generator', sentence: 'Random numbers go into the generator: these orange points come out.', act: () => {} },
  {
    who: 'discriminator',
    sentence: 'The discriminator compares them with real points, and changes its opinion a little.',
    act: (game) => game.turn('discriminator'),
  },
  {
    who: 'discriminator',
    sentence: 'At every orange point, the discriminator’s opinion rises in some direction: that is where the point is pushed.',
    act: () => {},
    pull: true,
  },
  {
    who: 'generator',
    sentence: 'The generator adjusts its inner numbers (weights) so that its points follow.',
    act: (game) => game.turn('generator'),
    pull: true,
  },
];
const PHASE_MS = 1500;

const $ = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

class Page {
  settings: Settings = { ...DEFAULTS };
  drawn: Point[] = [];
  game!: Game;
  playing = false;
  slow = false;
  private story?: Story;
  private phase = 0;
  private phaseEnds = 0;
  data: Point[] = [];
  latents = new Float32Array();
  private readonly board = new Board($('board'));
  private readonly curves = new Curves($('curves'));
  private rounds = { since: performance.now(), count: 0, rate: 0 };
  private frames = { count: 0, rate: 0 };

  start(): void {
    this.makeStories();
    this.makeKnobs();
    this.listen();
    this.fromAddress();
    requestAnimationFrame(() => this.frame());
  }

  /** A new game with the settings of now. */
  restart(): void {
    this.game?.dispose();
    this.game = new Game({ ...this.settings }, this.drawn);
    const random = new Random(7);
    this.data = this.settings.data === 'drawn' ? this.drawn : samplePoints(this.settings.data, SHOWN, random, []);
    this.latents = Float32Array.from({ length: MEASURED * this.settings.noise }, () => random.normal());
    this.curves.clear();
    this.phase = 0;
    this.show();
  }

  private fromAddress(): void {
    const { settings, drawn } = fromHash(location.hash);
    this.set(settings, drawn);
    this.tell(STORIES.find((story) => toHash(story.settings, []) === toHash(settings, drawn)));
    this.play(this.playing); // which stops where there is nothing to learn from
  }

  /** Take settings over, show them in the knobs and in the address, and begin anew. */
  set(settings: Settings, drawn: Point[] = this.drawn): void {
    this.settings = { ...settings };
    this.drawn = drawn;
    for (const key of Object.keys(LABELS) as (keyof Settings)[]) $<HTMLSelectElement>(key).value = String(settings[key]);
    this.address();
    this.restart();
  }

  private address(): void {
    history.replaceState(null, '', `#${toHash(this.settings, this.drawn)}`);
  }

  /** Show a story, or keep the text of one whose settings have been changed since. */
  private tell(story?: Story, changed = false): void {
    this.story = story;
    $('story').textContent = story ? story.text + (changed ? ' (You have changed the settings since.)' : '') : '';
    for (const { id } of STORIES) $(`story-${id}`).setAttribute('aria-pressed', String(id === story?.id && !changed));
  }

  private makeStories(): void {
    for (const story of STORIES) {
      const button = document.createElement('button');
      button.id = `story-${story.id}`;
      button.textContent = story.title;
      button.setAttribute('aria-pressed', 'false');
      button.onclick = () => {
        this.set(story.settings);
        this.tell(story);
        this.play(true);
      };
      $('stories').append(button);
    }
  }

  private makeKnobs(): void {
    for (const key of Object.keys(LABELS) as (keyof Settings)[]) {
      const label = document.createElement('label');
      label.htmlFor = key;
      label.textContent = LABELS[key];
      const select = document.createElement('select');
      select.id = key;
      for (const choice of CHOICES[key]) select.add(new Option(NAMES[choice] ?? String(choice), String(choice)));
      select.onchange = () => this.turn(key, select.value);
      $('knobs').append(label, select);
      if (key === 'loss') $('knobs').append(Object.assign(element('p', ''), { id: 'loss-says', className: 'small' }));
    }
  }

  private turn(key: keyof Settings, value: string): void {
    const choice = (CHOICES[key] as readonly (string | number)[]).find((each) => String(each) === value)!;
    this.settings = { ...this.settings, [key]: choice };
    this.tell(this.story, true);
    this.address();
    if (LIVE.includes(key)) this.game.adjust(this.settings);
    else this.restart();
    if (key === 'data' && choice === 'drawn' && !this.drawn.length) this.play(false);
    this.show();
  }

  private listen(): void {
    $('play').onclick = () => this.play(!this.playing);
    $('reset').onclick = () => this.restart();
    $('slow').onclick = () => {
      this.slow = !this.slow;
      $('slow').setAttribute('aria-pressed', String(this.slow));
      this.phase = this.phaseEnds = 0;
      this.play(this.slow || this.playing);
    };
    const single = (step: (game: Game) => void) => () => {
      this.play(false);
      if (this.waiting) return;
      step(this.game);
      this.record();
      this.show();
    };
    $('step-d').onclick = single((game) => game.stepDiscriminator());
    $('step-g').onclick = single((game) => game.stepGenerator());
    $('step-both').onclick = single((game) => game.round());
    for (const id of ['show-heat', 'show-manifold', 'show-pull']) $(id).onchange = () => this.show();
    $('share').onclick = async () => {
      const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
      $('share').textContent = copied ? 'The link is in the clipboard, and in the address line' : 'The link is in the address line';
      setTimeout(() => ($('share').textContent = 'Copy a link to these settings'), 3000);
    };
    addEventListener('hashchange', () => this.fromAddress());
    addEventListener('resize', () => this.show());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.show());
    addEventListener('keydown', (event) => {
      const within = (selector: string) => (event.target as HTMLElement).closest(selector);
      if (event.key === ' ' && !within('button, select, input, a')) {
        event.preventDefault();
        this.play(!this.playing);
      } else if (event.key.toLowerCase() === 'r' && !within('select') && !event.ctrlKey && !event.metaKey) this.restart();
    });
    addEventListener('click', (event) => {
      if (event.detail) (event.target as HTMLElement).closest('button')?.blur(); // clicked: space is to pause, not to click again
    });
    this.listenToPen();
  }

  /** Points of one's own: with the pen down, every move adds some around it. */
  private listenToPen(): void {
    const board = $('board');
    let down = false;
    const add = (event: PointerEvent) => {
      if (!down || this.settings.data !== 'drawn') return;
      this.drawn = [...this.drawn, this.board.at(event)].slice(-MOST_DRAWN);
      this.data = this.drawn;
      this.show();
    };
    board.onpointerdown = (event) => {
      if (this.settings.data !== 'drawn') return;
      if (!down && this.game.step > 0) this.drawn = []; // a new drawing
      down = true;
      board.setPointerCapture(event.pointerId);
      add(event);
    };
    board.onpointermove = add;
    board.onpointerup = board.onpointercancel = () => {
      if (!down) return;
      down = false;
      this.address();
      this.restart();
      this.play(true);
    };
  }

  play(playing: boolean): void {
    this.playing = playing && !this.waiting;
    $('play').textContent = this.playing ? 'Pause' : 'Play';
    if (!this.playing || !this.slow) {
      $('sentence').textContent = this.waiting ? 'Draw some points first.' : '';
      delete document.body.dataset.turn;
    }
    this.rounds = { since: performance.now(), count: 0, rate: 0 };
  }

  /** Is there nothing to learn from yet? */
  private get waiting(): boolean {
    return this.settings.data === 'drawn' && this.drawn.length < 2;
  }

  private frame(): void {
    if (this.playing) {
      if (this.slow) this.slowly();
      else {
        const end = performance.now() + FRAME;
        do {
          this.game.round();
          this.rounds.count += 1;
        } while (performance.now() < end);
        this.record();
        this.show();
      }
      this.count();
    }
    requestAnimationFrame(() => this.frame());
  }

  private slowly(): void {
    const now = performance.now();
    if (now < this.phaseEnds) return;
    const { who, sentence, act, pull } = PHASES[this.phase];
    act(this.game);
    $('sentence').textContent = sentence;
    document.body.dataset.turn = who; // whose part lights up
    this.show(pull);
    this.phase = (this.phase + 1) % PHASES.length;
    this.phaseEnds = now + PHASE_MS;
    if (this.phase === 0) {
      this.game.step += 1;
      this.rounds.count += 1;
      this.record();
    }
  }

  /** Rounds and frames a second, of the last second. */
  private count(): void {
    this.frames.count += 1;
    const seconds = (performance.now() - this.rounds.since) / 1000;
    if (seconds < 1) return;
    this.frames = { count: 0, rate: this.frames.count / seconds };
    this.rounds = { since: performance.now(), count: 0, rate: this.rounds.count / seconds };
  }

  record(): void {
    const samples = this.game.generate(this.latents).slice(0, 2 * SHOWN);
    this.curves.add({
      step: this.game.step,
      generator: this.game.generatorLoss,
      discriminator: this.game.discriminatorLoss,
      distance: distance(samples, this.data),
    });
  }

  /** Draw the board, the curves and the measures. */
  show(pull = false): void {
    const samples = this.game.generate(this.latents);
    const shown = { heat: $<HTMLInputElement>('show-heat').checked, manifold: $<HTMLInputElement>('show-manifold').checked, pull: pull || $<HTMLInputElement>('show-pull').checked };
    this.board.draw(this.game, this.data, samples.slice(0, 2 * SHOWN), shown);
    this.curves.draw();
    $('hint').hidden = !this.waiting;
    $('board').classList.toggle('drawing', this.settings.data === 'drawn');
    $('loss-says').textContent = LOSSES[this.settings.loss];
    $('key-heat').textContent = this.game.hasProbabilities ? SEEN.probability : SEEN.score;
    $<HTMLInputElement>('show-manifold').disabled = this.settings.noise > 2; // more than a line or a grid can show
    $('key-paper').hidden = this.settings.noise !== 2 || !shown.manifold;
    $('key-line').hidden = this.settings.noise !== 1 || !shown.manifold;
    $('key-pull').hidden = !shown.pull;
    const rows: [string, string][] = [['Round', this.game.step.toLocaleString('en')]];
    const clusters = covered(this.settings.data, samples);
    if (clusters) rows.push(['Clusters with enough generated points', `${clusters[0]} of ${clusters[1]}`]);
    const last = this.curves.rows.at(-1);
    rows.push(['Distance to the real points (smaller is better)', last ? last.distance.toFixed(3) : '–']);
    rows.push(['Rounds a second', this.playing && !this.slow && this.rounds.rate ? this.rounds.rate.toFixed(0) : '–']);
    const list = $('measures');
    list.replaceChildren(...rows.flatMap(([name, value]) => [element('dt', name), element('dd', value)]));
    list.dataset.frames = this.frames.rate.toFixed(1);
  }
}

function element(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

await ready();
const page = new Page();
page.start();
Object.assign(window, { playground: page }); // for the tests, and for the curious

/** The page of pictures: a grid to choose from, and one picture to change, walk from and calculate with. */
import { Generator, type Info, RUNTIME_MB } from './generator.ts';
import { drawn, type Latent, mixed, moved, slerp } from './latents.ts';

const COUNT = 64;
const SEEDS = 10; // whose latents are shipped, so that they give what `dcgan-tf generate` gives
const DIMENSIONS = 100;
const REACH = 6; // of the sliders, where latents have a length of about ten
const SLOTS = { A: 'has something', B: 'lacks it', C: 'is to get it' };
const WALK_MS = 4000; // from A to B
const NARROW = '(max-width: 52rem)'; // as in style.css

const $ = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T;

/** A picture: the latent that it comes from, and what it was asked to be. */
interface Subject {
  latent: Latent;
  label: number;
}

class Page {
  generator?: Generator;
  latents: Latent[] = [];
  private readonly loaded = new Map<string, Promise<Generator>>();
  private shipped!: Float32Array;
  private seed?: number; // of the grid; none for new ones
  private label = -1; // asked of the whole grid; -1: all in turn
  private subject?: Subject;
  private readonly slots = new Map<string, Subject>();
  private choice = 0; // the number of the generator that was chosen last: an older one is dropped when it comes
  private coming = ''; // the name of that generator
  private drawing = 0; // of the grid that is being drawn
  private walking = 0; // of the walk that goes on; 0: none
  private wanted?: Subject; // to be shown next
  private showing = false;

  async start(): Promise<void> {
    const infos: Info[] = await (await fetch('./generators/index.json')).json();
    this.shipped = new Float32Array(await (await fetch('./generators/latents.bin')).arrayBuffer());
    for (const info of infos) {
      const button = element('button', { className: 'choice' });
      button.append(
        element('img', { src: `./generators/${info.name}.png`, alt: '' }),
        element('span', { textContent: `${info.title}, ${(info.bytes / 1e6).toFixed(1)} MB` }),
      );
      button.setAttribute('aria-pressed', 'false');
      button.dataset.name = info.name;
      button.onclick = () => this.choose(info);
      $('generators').append(button);
    }
    $('once').textContent = `The first one also downloads the program that runs them all, ${RUNTIME_MB} MB.`;
    const seed = $<HTMLSelectElement>('seed');
    for (let i = 0; i < SEEDS; i++) seed.append(new Option(String(i)));
    seed.append(Object.assign(new Option('–', 'new'), { hidden: true }));
    seed.onchange = () => this.draw(Number(seed.value));
    $('new').onclick = () => this.draw();
    $('undo').onclick = () => this.take(this.subject!);
    $('save').onclick = () => this.save();
    $('sum').onclick = () => this.calculate();
    $('walk').onclick = () => (this.walking ? this.stop() : this.walk());
    for (const [name, part] of Object.entries(SLOTS)) $('slots').append(this.slot(name, part));
    const named = () => infos.find((info) => location.hash === `#${info.name}`);
    addEventListener('hashchange', () => named() && this.choose(named()!));
    if (named()) this.choose(named()!);
  }

  /** Load a generator, unless it is here, and draw. */
  async choose(info: Info): Promise<void> {
    if (this.generator?.info === info && !$('main').inert) return;
    const choice = ++this.choice;
    this.stop();
    this.coming = info.name;
    $('status').textContent = `Loading ${info.title} …`;
    $('loading').hidden = false;
    $<HTMLProgressElement>('loading').value = 0;
    const progress = (share: number) => {
      if (this.coming === info.name) $<HTMLProgressElement>('loading').value = share;
    };
    if (!this.loaded.has(info.name)) this.loaded.set(info.name, Generator.load(info, progress));
    $('main').inert = true; // what is shown belongs to the generator before
    try {
      const generator = await this.loaded.get(info.name)!;
      if (choice !== this.choice) return;
      this.generator = generator;
    } catch (error) {
      this.loaded.delete(info.name);
      if (choice !== this.choice) return;
      $('loading').hidden = true;
      $('main').inert = false;
      $('status').textContent = `${info.title} could not be loaded (${(error as Error).message}). Reload the page to try again.`;
      return;
    }
    for (const button of $('generators').querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.dataset.name === info.name));
    $('loading').hidden = true;
    history.replaceState(null, '', `#${info.name}`);
    $('learned').textContent = `This generator learned from ${info.learned}.`;
    $('licence').textContent = `${info.title}. Licence of this generator and its pictures: ${info.licence}.`;
    $('save').textContent = `Save as PNG, ${info.width} × ${info.height}`;
    this.label = -1;
    this.subject = undefined;
    this.slots.clear();
    this.makeLabels(info.labels);
    this.makeSliders(info.directions.length);
    this.fillSlots();
    await this.draw(0);
  }

  /** Draw the grid from the latents of a seed, or from new ones. */
  async draw(seed?: number): Promise<void> {
    const size = COUNT * DIMENSIONS;
    this.seed = seed;
    this.latents =
      seed === undefined
        ? drawn(COUNT, DIMENSIONS, Math.floor(Math.random() * 2 ** 31))
        : Array.from({ length: COUNT }, (_, i) => this.shipped.slice(seed * size + i * DIMENSIONS, seed * size + (i + 1) * DIMENSIONS));
    $<HTMLSelectElement>('seed').value = seed === undefined ? 'new' : String(seed);
    await this.fill();
  }

  /** Draw the grid anew, of the latents that it has. */
  private async fill(): Promise<void> {
    const drawing = ++this.drawing;
    const { info } = this.generator!;
    const label = this.label < 0 ? '' : ` --label ${this.label}`;
    $('same').hidden = this.seed === undefined;
    $('command').textContent = `dcgan-tf generate ${info.name} --count ${COUNT} --seed ${this.seed}${label}`;
    $('status').textContent = 'Drawing …';
    const then = performance.now();
    const labels = this.latents.map((_, i) => (this.label < 0 ? i % (info.labels.length || 1) : this.label));
    const grid = $('grid');
    while (grid.children.length < COUNT) grid.append(this.cell(grid.children.length));
    for (const cell of grid.children) cell.setAttribute('aria-pressed', 'false');
    let i = 0;
    try {
      for await (const picture of this.generator!.pictures(this.latents, labels)) {
        if (drawing !== this.drawing) return;
        const cell = grid.children[i] as HTMLButtonElement;
        const subject = { latent: this.latents[i], label: labels[i] };
        paint(cell.firstElementChild as HTMLCanvasElement, picture);
        cell.onclick = () => this.pick(cell, subject);
        if (!this.subject) {
          this.take(subject);
          $('main').hidden = false;
        }
        i++;
      }
    } catch (error) {
      $('status').textContent = `The generator cannot run here (${(error as Error).message}).`;
      return;
    } finally {
      if (drawing === this.drawing) $('main').inert = false;
    }
    $('status').textContent = `Drawn in ${((performance.now() - then) / 1000).toFixed(1)} seconds.`;
  }

  private cell(i: number): HTMLButtonElement {
    const cell = element('button', { className: 'cell', title: 'Work with this one' });
    cell.setAttribute('aria-label', `Picture ${i + 1}`);
    cell.append(document.createElement('canvas'));
    return cell;
  }

  private pick(cell: HTMLElement, subject: Subject): void {
    for (const other of $('grid').children) other.setAttribute('aria-pressed', String(other === cell));
    this.take(subject);
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (matchMedia(NARROW).matches) $('one').scrollIntoView({ behavior: calm ? 'auto' : 'smooth' });
  }

  /** Make a picture the one to work with. */
  private take(subject: Subject): void {
    this.stop();
    this.subject = subject;
    this.sliders().forEach((slider) => set(slider, 0));
    this.show(subject);
  }

  private sliders(): HTMLInputElement[] {
    return [...$('sliders').querySelectorAll('input')];
  }

  /** The subject, with what the sliders add to it. */
  private current(): Subject {
    const by = this.sliders().map((slider) => Number(slider.value));
    return { ...this.subject!, latent: moved(this.subject!.latent, this.generator!.info.directions, by) };
  }

  /** Draw a picture large; one that is asked for in the meantime comes next, those between are left out. */
  private async show(subject: Subject): Promise<void> {
    this.wanted = subject;
    if (this.showing) return;
    this.showing = true;
    try {
      while (this.wanted) {
        const { latent, label } = this.wanted;
        this.wanted = undefined;
        for await (const picture of this.generator!.pictures([latent], [label])) paint($<HTMLCanvasElement>('subject'), picture);
      }
    } finally {
      this.showing = false;
    }
  }

  private makeLabels(labels: string[]): void {
    const group = $('labels');
    group.replaceChildren();
    group.hidden = !labels.length;
    ['all', ...labels].forEach((text, i) => {
      const button = element('button', { textContent: text });
      button.setAttribute('aria-pressed', String(i === 0));
      button.onclick = () => {
        this.label = i - 1;
        for (const other of group.children) other.setAttribute('aria-pressed', String(other === button));
        if (i && this.subject) this.take({ ...this.current(), label: this.label });
        this.fill();
      };
      group.append(button);
    });
  }

  private makeSliders(count: number): void {
    $('sliders').replaceChildren();
    for (let i = 0; i < count; i++) {
      const slider = element('input', { type: 'range', min: String(-REACH), max: String(REACH), step: '0.25' });
      const label = element('label', { textContent: `Direction ${i + 1}` });
      label.append(slider, element('output', {}));
      set(slider, 0, label);
      slider.oninput = () => {
        this.stop();
        set(slider, Number(slider.value));
        this.show(this.current());
      };
      $('sliders').append(label);
    }
  }

  private slot(name: string, part: string): HTMLElement {
    const slot = element('div', { className: 'slot' });
    const back = element('button', { className: 'cell', title: 'Work with this one', disabled: true });
    back.setAttribute('aria-label', `The picture in ${name}`);
    back.append(document.createElement('canvas'));
    back.onclick = () => this.take(this.slots.get(name)!);
    const put = element('button', { textContent: `Copy the large picture into ${name}` });
    put.onclick = () => {
      this.slots.set(name, this.current());
      this.fillSlots();
    };
    slot.append(back, put, element('small', { textContent: part }));
    slot.dataset.name = name;
    return slot;
  }

  private async fillSlots(): Promise<void> {
    $<HTMLButtonElement>('walk').disabled = !(this.slots.has('A') && this.slots.has('B'));
    $<HTMLButtonElement>('sum').disabled = this.slots.size < Object.keys(SLOTS).length;
    for (const slot of [...$('slots').children] as HTMLElement[]) {
      const canvas = slot.querySelector('canvas')!;
      const subject = this.slots.get(slot.dataset.name!);
      slot.querySelector('button')!.disabled = !subject;
      if (!subject) canvas.width = canvas.width; // which clears it
      else for await (const picture of this.generator!.pictures([subject.latent], [subject.label])) paint(canvas, picture);
    }
  }

  private calculate(): void {
    const [a, b, c] = Object.keys(SLOTS).map((name) => this.slots.get(name)!);
    this.take({ latent: mixed([[1, a.latent], [-1, b.latent], [1, c.latent]]), label: c.label });
  }

  /** Walk from A to B and back, until it is stopped. */
  private async walk(): Promise<void> {
    const [a, b] = ['A', 'B'].map((name) => this.slots.get(name)!);
    this.take(a);
    const began = (this.walking = performance.now());
    $('walk').textContent = 'Stop the walk';
    while (this.walking === began) {
      const way = ((performance.now() - began) / WALK_MS) % 2;
      const t = way < 1 ? way : 2 - way;
      this.subject = { latent: slerp(a.latent, b.latent, t), label: t < 0.5 ? a.label : b.label };
      await this.show(this.subject);
      await new Promise(requestAnimationFrame);
    }
  }

  private stop(): void {
    this.walking = 0;
    $('walk').textContent = 'Walk from A to B and back';
  }

  private save(): void {
    $<HTMLCanvasElement>('subject').toBlob((blob) => {
      const link = element('a', { href: URL.createObjectURL(blob!), download: `${this.generator!.info.name}.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  }
}

/** Set a slider, and the number beside it. */
function set(slider: HTMLInputElement, value: number, label = slider.closest('label')!): void {
  slider.value = String(value);
  label.querySelector('output')!.textContent = value.toFixed(1);
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, properties: Partial<HTMLElementTagNameMap[K]>): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(tag), properties);
}

function paint(canvas: HTMLCanvasElement, picture: ImageData): void {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext('2d')!.putImageData(picture, 0, 0);
}

const page = new Page();
page.start().catch((error: Error) => ($('status').textContent = `The page could not be loaded (${error.message}). Reload it to try again.`));
Object.assign(window, { pictures: page }); // for the tests

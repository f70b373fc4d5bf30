/** The page of pictures: a grid to choose from, and one picture to change, walk from and calculate with. */
import { Generator, type Info } from './generator.ts';
import { drawn, type Latent, mixed, moved, slerp } from './latents.ts';

const COUNT = 64;
const SEEDS = 10; // whose latents are shipped, so that they give what `dcgan-tf generate` gives
const DIMENSIONS = 100;
const REACH = 6; // of the sliders, where latents have a length of about ten
const SLOTS = ['A', 'B', 'C'] as const;
const WALK_MS = 4000; // from A to B
const WAY = 'Walk from A to B and back';

const $ = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T;

/** A picture: where it comes from, and what it was asked to be. */
interface Subject {
  latent: Latent;
  label: number;
}

class Page {
  generator?: Generator;
  private readonly loaded = new Map<string, Promise<Generator>>();
  private shipped!: Float32Array;
  private latents: Latent[] = [];
  private label = -1; // asked of the whole grid; -1: all in turn
  private subject?: Subject;
  private readonly slots = new Map<string, Subject>();
  private walking = false;
  private turn = 0; // of the drawing that counts: an older one stops

  async start(): Promise<void> {
    const infos: Info[] = await (await fetch('./generators/index.json')).json();
    this.shipped = new Float32Array(await (await fetch('./generators/latents.bin')).arrayBuffer());
    for (const info of infos) {
      const button = element('button', { textContent: `${info.title}, ${(info.bytes / 1e6).toFixed(1)} MB` });
      button.setAttribute('aria-pressed', 'false');
      button.dataset.name = info.name;
      button.onclick = () => this.choose(info);
      $('generators').append(button);
    }
    const seed = $<HTMLSelectElement>('seed');
    for (let i = 0; i < SEEDS; i++) seed.append(new Option(`seed ${i}`, String(i)));
    seed.append(new Option('new ones', 'new', false, false));
    seed.onchange = () => this.draw(seed.value === 'new' ? undefined : Number(seed.value));
    $('new').onclick = () => {
      seed.value = 'new';
      this.draw();
    };
    $('undo').onclick = () => {
      for (const slider of this.sliders()) slider.value = '0';
      this.show();
    };
    $('save').onclick = () => this.save();
    $('sum').onclick = () => this.calculate();
    $('walk').onclick = () => this.walk();
    for (const name of SLOTS) $('slots').append(this.slot(name));
    const wanted = infos.find((info) => location.hash === `#${info.name}`);
    if (wanted) this.choose(wanted);
  }

  /** Load a generator, unless it is here, and draw. */
  async choose(info: Info): Promise<void> {
    const turn = ++this.turn;
    for (const button of $('generators').querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.dataset.name === info.name));
    $('status').textContent = `Loading the generator and what runs it (${(info.bytes / 1e6 + 14.2).toFixed(0)} MB the first time) …`;
    $('loading').hidden = false;
    const progress = (share: number) => ($<HTMLProgressElement>('loading').value = share);
    if (!this.loaded.has(info.name)) this.loaded.set(info.name, Generator.load(info, progress));
    try {
      const generator = await this.loaded.get(info.name)!;
      if (turn !== this.turn) return;
      this.generator = generator;
    } catch (error) {
      this.loaded.delete(info.name);
      $('status').textContent = `It could not be loaded: ${(error as Error).message}. Check your connection and try again.`;
      return;
    } finally {
      $('loading').hidden = true;
    }
    history.replaceState(null, '', `#${info.name}`);
    $('licence').textContent = `${info.title}: the pictures and this generator are under ${info.licence}.`;
    for (const part of document.querySelectorAll<HTMLElement>('.many, .one')) part.hidden = false;
    this.label = -1;
    this.slots.clear();
    this.stop();
    this.makeLabels(info.labels);
    this.makeSliders(info.directions.length);
    this.fillSlots();
    const seed = $<HTMLSelectElement>('seed');
    seed.value = '0';
    await this.draw(0);
  }

  /** Draw the grid from the latents of a seed, or from new ones. */
  async draw(seed?: number): Promise<void> {
    this.stop();
    const size = COUNT * DIMENSIONS;
    this.latents =
      seed === undefined
        ? drawn(COUNT, DIMENSIONS, Math.floor(Math.random() * 2 ** 31))
        : Array.from({ length: COUNT }, (_, i) => this.shipped.slice(seed * size + i * DIMENSIONS, seed * size + (i + 1) * DIMENSIONS));
    $('same').textContent =
      seed === undefined ? '' : `The same as from: dcgan-tf generate ${this.generator!.info.name} --count 64 --seed ${seed}`;
    await this.fill();
  }

  /** Draw the grid anew, of the latents that it has. */
  private async fill(): Promise<void> {
    const turn = ++this.turn;
    const { info } = this.generator!;
    const labels = this.latents.map((_, i) => (this.label < 0 ? i % (info.labels.length || 1) : this.label));
    $('status').textContent = 'Drawing …';
    const then = performance.now();
    const grid = $('grid');
    while (grid.children.length < COUNT) grid.append(this.cell(grid.children.length));
    let i = 0;
    for await (const picture of this.generator!.pictures(this.latents, labels)) {
      if (turn !== this.turn) return;
      const cell = grid.children[i] as HTMLButtonElement;
      paint(cell.firstElementChild as HTMLCanvasElement, picture);
      cell.onclick = ((latent, label) => () => this.take({ latent, label }))(this.latents[i], labels[i]);
      if (i === 0) this.take({ latent: this.latents[0], label: labels[0] });
      i++;
    }
    $('status').textContent = `${COUNT} pictures in ${((performance.now() - then) / 1000).toFixed(1)} seconds`;
  }

  private cell(i: number): HTMLButtonElement {
    const cell = element('button', { className: 'cell', title: 'Work with this one' });
    cell.setAttribute('aria-label', `Picture ${i + 1}`);
    cell.append(document.createElement('canvas'));
    return cell;
  }

  /** Make a picture the one to work with. */
  async take(subject: Subject): Promise<void> {
    this.subject = subject;
    for (const slider of this.sliders()) slider.value = '0';
    await this.show();
  }

  private sliders(): HTMLInputElement[] {
    return [...$('sliders').querySelectorAll('input')];
  }

  /** The latent of the subject, with what the sliders add to it. */
  private current(): Latent {
    return moved(this.subject!.latent, this.generator!.info.directions, this.sliders().map((slider) => Number(slider.value)));
  }

  /** Draw the subject. */
  private async show(latent = this.current(), label = this.subject!.label): Promise<void> {
    for await (const picture of this.generator!.pictures([latent], [label])) paint($<HTMLCanvasElement>('subject'), picture);
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
        this.fill();
      };
      group.append(button);
    });
  }

  private makeSliders(count: number): void {
    $('sliders').replaceChildren();
    for (let i = 0; i < count; i++) {
      const slider = element('input', { type: 'range', min: String(-REACH), max: String(REACH), step: '0.25', value: '0' });
      slider.oninput = () => {
        this.stop();
        this.show();
      };
      const label = element('label', { textContent: `Direction ${i + 1}` });
      label.append(slider);
      $('sliders').append(label);
    }
  }

  private slot(name: string): HTMLElement {
    const slot = element('div', { className: 'slot' });
    const button = element('button', { textContent: `Put into ${name}` });
    button.onclick = async () => {
      this.slots.set(name, { latent: this.current(), label: this.subject!.label });
      await this.fillSlots();
    };
    slot.append(document.createElement('canvas'), button);
    slot.dataset.name = name;
    return slot;
  }

  private async fillSlots(): Promise<void> {
    $<HTMLButtonElement>('walk').disabled = !(this.slots.has('A') && this.slots.has('B'));
    $<HTMLButtonElement>('sum').disabled = this.slots.size < SLOTS.length;
    for (const slot of $('slots').children as Iterable<HTMLElement> & HTMLCollection) {
      const canvas = slot.querySelector('canvas')!;
      const subject = this.slots.get((slot as HTMLElement).dataset.name!);
      if (!subject) canvas.getContext('2d')!.clearRect(0, 0, canvas.width, canvas.height);
      else for await (const picture of this.generator!.pictures([subject.latent], [subject.label])) paint(canvas, picture);
    }
  }

  private async calculate(): Promise<void> {
    this.stop();
    const [a, b, c] = SLOTS.map((name) => this.slots.get(name)!);
    await this.take({ latent: mixed([[1, a.latent], [-1, b.latent], [1, c.latent]]), label: c.label });
  }

  /** Walk from A to B and back, until it is stopped. */
  private async walk(): Promise<void> {
    if (this.walking) return this.stop();
    const [a, b] = ['A', 'B'].map((name) => this.slots.get(name)!);
    this.walking = true;
    $('walk').setAttribute('aria-pressed', 'true');
    $('walk').textContent = 'Stop the walk';
    const began = performance.now();
    while (this.walking) {
      const way = ((performance.now() - began) / WALK_MS) % 2;
      const t = way < 1 ? way : 2 - way;
      this.subject = { latent: slerp(a.latent, b.latent, t), label: t < 0.5 ? a.label : b.label };
      await this.show(this.subject.latent, this.subject.label);
      await new Promise(requestAnimationFrame);
    }
  }

  private stop(): void {
    this.walking = false;
    $('walk').setAttribute('aria-pressed', 'false');
    $('walk').textContent = WAY;
  }

  private save(): void {
    $<HTMLCanvasElement>('subject').toBlob((blob) => {
      const link = element('a', { href: URL.createObjectURL(blob!), download: `${this.generator!.info.name}.png` });
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }
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
page.start();
Object.assign(window, { pictures: page }); // for the tests

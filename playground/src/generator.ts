/** A released generator as an ONNX network: latents to pictures, in the browser. */
import * as ort from 'onnxruntime-web/wasm';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import type { Latent } from './latents.ts';

ort.env.wasm.numThreads = 1; // more need headers that a plain file host does not send
ort.env.wasm.wasmPaths = { wasm };
ort.env.logLevel = 'error';

/** What index.json says of a generator. */
export interface Info {
  name: string;
  title: string;
  licence: string;
  learned: string; // what from
  bytes: number;
  height: number;
  width: number;
  channels: number;
  labels: string[]; // what it can be asked for; most cannot
  directions: number[][];
}

export const RUNTIME_MB = 14; // the size of onnxruntime's WebAssembly
const CHUNK = 8; // pictures at a time, so that the page stays responsive

export class Generator {
  private last: Promise<unknown> = Promise.resolve(); // a session runs once at a time

  private constructor(
    readonly info: Info,
    private readonly session: ort.InferenceSession,
  ) {}

  /** Load a generator; `progress` is told the share of its bytes that have come. */
  static async load(info: Info, progress: (share: number) => void): Promise<Generator> {
    const bytes = await fetched(`./generators/${info.name}.onnx`, info.bytes, progress);
    return new Generator(info, await ort.InferenceSession.create(bytes));
  }

  /** What the network makes of latents, and of a label for each where it knows some: numbers from -1 to 1. */
  async run(latents: Latent[], labels: number[] = []): Promise<Float32Array> {
    const dimensions = latents[0].length;
    const input = new Float32Array(latents.length * dimensions);
    latents.forEach((z, i) => input.set(z, i * dimensions));
    const feeds: Record<string, ort.Tensor> = {};
    for (const name of this.session.inputNames) {
      feeds[name] =
        name === 'label'
          ? new ort.Tensor('int32', Int32Array.from(labels), [latents.length])
          : new ort.Tensor('float32', input, [latents.length, dimensions]);
    }
    const results = this.last.then(() => this.session.run(feeds));
    this.last = results.catch(() => {});
    return (await results)[this.session.outputNames[0]].data as Float32Array;
  }

  /** Pictures of latents, a few at a time. */
  async *pictures(latents: Latent[], labels: number[] = []): AsyncGenerator<ImageData> {
    const { height, width, channels } = this.info;
    const size = height * width;
    for (let first = 0; first < latents.length; first += CHUNK) {
      const some = latents.slice(first, first + CHUNK);
      const values = await this.run(some, labels.slice(first, first + CHUNK));
      for (let i = 0; i < some.length; i++) {
        const pixels = new Uint8ClampedArray(4 * size); // which rounds as the package does
        for (let p = 0; p < size; p++) {
          for (let c = 0; c < 3; c++) pixels[4 * p + c] = (values[(i * size + p) * channels + (channels === 1 ? 0 : c)] + 1) * 127.5;
          pixels[4 * p + 3] = 255;
        }
        yield new ImageData(pixels, width, height);
      }
      await new Promise((next) => setTimeout(next)); // let the page breathe
    }
  }
}

async function fetched(address: string, size: number, progress: (share: number) => void): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok || !response.body) throw new Error(`${address}: ${response.status}`);
  const parts: Uint8Array[] = [];
  let had = 0;
  const reader = response.body.getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    parts.push(value!);
    had += value!.length;
    progress(Math.min(1, had / size));
  }
  const whole = new Uint8Array(had);
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

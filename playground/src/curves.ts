/** Two small plots of the last rounds: the losses, and the distance. */
export interface Row {
  step: number;
  generator: number;
  discriminator: number;
  distance: number;
}

const KEPT = 400;

export class Curves {
  rows: Row[] = [];

  constructor(private readonly canvas: HTMLCanvasElement) {}

  add(row: Row): void {
    this.rows.push(row);
    if (this.rows.length > KEPT) this.rows = this.rows.filter((_, i) => (this.rows.length - 1 - i) % 2 === 0); // half as dense, for twice as long
  }

  clear(): void {
    this.rows = [];
  }

  draw(): void {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    this.canvas.width = width * devicePixelRatio;
    this.canvas.height = height * devicePixelRatio;
    const context = this.canvas.getContext('2d')!;
    context.scale(devicePixelRatio, devicePixelRatio);
    context.font = '12px system-ui, sans-serif';
    const half = height / 2;
    const losses = [
      { name: 'generator’s loss', values: this.rows.map((row) => row.generator), colour: colour('--orange') },
      { name: 'discriminator’s loss', values: this.rows.map((row) => row.discriminator), colour: colour('--green') },
    ];
    const distance = [{ name: 'distance to the real points', values: this.rows.map((row) => row.distance), colour: colour('--blue') }];
    this.plot(context, losses, 0, half - 18, width, colour);
    this.plot(context, distance, half, half - 18, width, colour);
    context.fillStyle = colour('--faint');
    context.textAlign = 'right';
    const last = this.rows.at(-1)?.step;
    if (last !== undefined) context.fillText(`round ${last.toLocaleString('en')}`, width - 2, height - 3);
  }

  private plot(
    context: CanvasRenderingContext2D,
    series: { name: string; values: number[]; colour: string }[],
    top: number,
    height: number,
    width: number,
    colour: (name: string) => string,
  ): void {
    const left = 34;
    const all = series.flatMap((line) => line.values).filter(Number.isFinite);
    const sorted = [...all].sort((a, b) => a - b);
    const high = Math.max(0.1, sorted[Math.floor(0.98 * sorted.length)] ?? 1) * 1.15;
    const low = Math.min(0, sorted[Math.floor(0.02 * sorted.length)] ?? 0) * 1.15;
    const place = (value: number) => top + 14 + (height - 14) * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low));
    context.strokeStyle = colour('--line');
    context.lineWidth = 1;
    context.strokeRect(left, top + 14, width - left - 1, height - 14);
    context.fillStyle = colour('--faint');
    context.textAlign = 'right';
    context.fillText(high.toPrecision(2), left - 4, top + 22);
    context.fillText(low ? low.toPrecision(2) : '0', left - 4, top + height);
    let at = left;
    for (const { name, values, colour: ink } of series) {
      context.strokeStyle = context.fillStyle = ink;
      context.textAlign = 'left';
      context.fillText(name, at, top + 10);
      at += context.measureText(name).width + 16;
      context.lineWidth = 1.6;
      context.beginPath();
      values.forEach((value, i) => {
        if (!Number.isFinite(value)) return;
        const [first, last] = [this.rows[0].step, this.rows.at(-1)!.step];
        context.lineTo(left + ((width - left - 1) * (this.rows[i].step - first)) / Math.max(1, last - first), place(value));
      });
      context.stroke();
    }
  }
}

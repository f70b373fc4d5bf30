/** The page of pictures: its generators against Keras, and what one can do with a picture. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { address, newPage, ROOT, testAccessibility } from './browser.mjs';

const INFOS = JSON.parse(readFileSync(`${ROOT}dist/generators/index.json`));
const LEVEL = 2 / 255; // one grey level, where pictures go from -1 to 1

let page, problems;
newPage((made) => ({ page, problems } = made));

async function open(name = 'heroes') {
  await page.goto(`${address()}pictures.html#${name}`);
  await drawn();
}

const drawn = () => page.waitForFunction(() => /Drawn in/.test(document.getElementById('status').textContent));
const shown = (canvas = '#subject') => page.locator(canvas).first().evaluate((element) => element.toDataURL());
const moved = async (from, canvas) => {
  await page.waitForFunction(([selector, before]) => document.querySelector(selector).toDataURL() !== before, [canvas, from]);
};

for (const info of INFOS) {
  test(`${info.name} draws what Keras draws`, async (t) => {
    await open(info.name);
    const expected = [...new Float32Array(readFileSync(`${ROOT}tests/expected/${info.name}.bin`).buffer.slice(0))];
    const { gap, ms } = await page.evaluate(async (expected) => {
      const { pictures } = window;
      const count = expected.length / (pictures.generator.info.height * pictures.generator.info.width * pictures.generator.info.channels);
      const latents = pictures.latents.slice(0, count);
      const labels = latents.map((_, i) => i % (pictures.generator.info.labels.length || 1));
      const values = await pictures.generator.run(latents, labels);
      const gap = values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
      const then = performance.now();
      for await (const _ of pictures.generator.pictures(pictures.latents, pictures.latents.map(() => 0)));
      return { gap, ms: performance.now() - then };
    }, expected);
    const size = statSync(`${ROOT}dist/generators/${info.name}.onnx`).size;
    assert.equal(info.bytes, size);
    assert.ok(size < 6e6, `${size} bytes`);
    assert.ok(gap < LEVEL, `differs by ${gap}`);
    t.diagnostic(`largest difference ${gap.toExponential(1)}, 64 pictures in ${ms.toFixed(0)} ms, ${(size / 1e6).toFixed(1)} MB`);
  });
}

test('a picture of the grid becomes the one to work with, from the keyboard too', async () => {
  await open();
  assert.equal(await shown(), await shown('#grid button:nth-child(1) canvas'));
  await page.click('#grid button:nth-child(10)');
  await moved(await shown('#grid button:nth-child(1) canvas'), '#subject');
  assert.equal(await shown(), await shown('#grid button:nth-child(10) canvas'));
  await page.focus('#grid button:nth-child(20)');
  await page.keyboard.press('Enter');
  await moved(await shown('#grid button:nth-child(10) canvas'), '#subject');
  assert.equal(await shown(), await shown('#grid button:nth-child(20) canvas'));
});

test('a slider changes the picture, and undoing gives it back', async () => {
  await open();
  const before = await shown();
  await page.fill('#sliders input', '4');
  await moved(before, '#subject');
  const after = await shown();
  await page.click('#undo');
  await moved(after, '#subject');
  assert.equal(await shown(), before);
});

test('the same seed gives the same pictures, and new ones are others', async () => {
  await open();
  const first = await shown('#grid canvas');
  await page.selectOption('#seed', '3');
  await drawn();
  assert.notEqual(await shown('#grid canvas'), first);
  assert.match(await page.textContent('#command'), /--seed 3$/);
  const third = await shown('#grid canvas');
  await page.click('#new');
  await moved(third, '#grid canvas');
  await drawn();
  await page.selectOption('#seed', '0');
  await page.waitForFunction((before) => document.querySelector('#grid canvas').toDataURL() === before, first);
});

test('one can walk from A to B, and calculate with three', async () => {
  await open();
  for (const [i, name] of ['A', 'B', 'C'].entries()) {
    assert.ok(await page.isDisabled('#sum'));
    const before = await shown();
    await page.click(`#grid button:nth-child(${i + 2})`);
    await moved(before, '#subject');
    await page.click(`#slots [data-name=${name}] button:not(.cell)`);
  }
  await page.waitForFunction(() => !document.getElementById('sum').disabled);
  const begin = await shown();
  await page.click('#walk');
  await moved(begin, '#subject');
  await page.click('#walk');
  await page.waitForTimeout(200);
  const stopped = await shown();
  await page.waitForTimeout(300);
  assert.equal(await shown(), stopped, 'the walk goes on');
  await page.click('#sum');
  await moved(stopped, '#subject');
  const sum = await shown();
  await page.click('#slots [data-name=B] .cell');
  await moved(sum, '#subject');
  assert.equal(await shown(), await shown('#grid button:nth-child(3) canvas'));
  assert.deepEqual(problems, []);
});

test('a picture can be saved', async () => {
  await open('mnist');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  assert.equal(download.suggestedFilename(), 'mnist.png');
  const png = readFileSync(await download.path());
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [28, 28]);
});

test('a generator that is chosen while another one loads is the one that draws', async () => {
  await page.route('**/monsters.onnx', async (route) => {
    await new Promise((next) => setTimeout(next, 1500));
    await route.continue();
  });
  await open();
  await page.click('[data-name=monsters]');
  await page.click('[data-name=mnist]');
  await page.waitForFunction(() => window.pictures.generator.info.name === 'mnist');
  await drawn();
  await page.waitForTimeout(2000);
  assert.equal(await page.evaluate(() => window.pictures.generator.info.name), 'mnist');
  assert.equal(await page.getAttribute('[data-name=mnist]', 'aria-pressed'), 'true');
  assert.equal(await page.locator('#generators [aria-pressed=true]').count(), 1);
  assert.equal(await page.evaluate(() => document.querySelector('#subject').width), 28);
});

for (const info of INFOS.filter(({ labels }) => labels.length)) {
  test(`${info.name} draws what it is asked for`, async () => {
    await open(info.name);
    const before = await shown('#grid canvas');
    await page.click('#labels button:last-child');
    await moved(before, '#grid canvas');
    await drawn();
    assert.equal(await page.getAttribute('#labels button:last-child', 'aria-pressed'), 'true');
    const same = await page.evaluate(async () => {
      const { generator, latents } = window.pictures;
      const last = generator.info.labels.length - 1;
      const canvases = [...document.querySelectorAll('#grid canvas')];
      let i = 0;
      for await (const picture of generator.pictures(latents, latents.map(() => last))) {
        const shown = canvases[i++].getContext('2d').getImageData(0, 0, picture.width, picture.height);
        if (shown.data.some((value, at) => value !== picture.data[at])) return false;
      }
      return true;
    });
    assert.ok(same, 'all of them are asked for the last label');
  });
}

test('a generator that cannot be loaded is said to be so', async () => {
  await page.route('**/heroes.onnx', (route) => route.fulfill({ status: 404 }));
  await page.goto(`${address()}pictures.html#heroes`);
  await page.waitForFunction(() => /could not be loaded/.test(document.getElementById('status').textContent));
});

testAccessibility('pictures', open);

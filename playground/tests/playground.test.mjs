/** The built page in a headless Chromium: npm run build && npm test */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, newPage, testAccessibility } from './browser.mjs';

let page, problems;
newPage((made) => ({ page, problems } = made));

async function open(hash = '') {
  await page.goto('about:blank'); // or an address that differs in its hash alone would not load anew
  await page.goto(address() + hash);
  await page.waitForFunction(() => window.playground);
}

/** Choose a story, play so many rounds without drawing them, and measure as the page does, ten times on the way. */
async function tell(story, rounds) {
  await page.click(`#story-${story}`);
  return page.evaluate(async (rounds) => {
    const { playground } = window;
    playground.play(false);
    const measures = [];
    for (let i = 1; i <= rounds; i++) {
      playground.game.round();
      if (i % Math.ceil(rounds / 10) === 0) {
        playground.record();
        playground.show();
        const text = document.getElementById('measures').innerText;
        measures.push({ covered: Number(/(\d+) of/.exec(text)?.[1]), distance: Number(/better\)\s+([\d.]+)/.exec(text)[1]) });
        await new Promise((next) => setTimeout(next));
      }
    }
    return measures;
  }, rounds);
}

/** All weights of a network as numbers. */
const weights = (network) =>
  page.evaluate((name) => window.playground.game[name].weights.map((weight) => [...weight.dataSync()]).flat(), network);

describe('the stories', () => {
  test('balance covers all eight clusters', async () => {
    await open();
    const measures = await tell('balance', 1500);
    assert.equal(measures.at(-1).covered, 8);
    assert.ok(measures.at(-1).distance < 0.15);
  });

  test('oscillation never settles', async () => {
    await open();
    const late = (await tell('oscillation', 800)).slice(-5).map((measure) => measure.distance);
    assert.ok(Math.max(...late) > 0.3, `distances ${late}`);
  });

  test('collapse covers three clusters at most', async () => {
    await open();
    const late = (await tell('collapse', 300)).slice(-4).map((measure) => measure.covered);
    assert.ok(Math.max(...late) <= 3, `covered ${late}`);
  });

  test('a discriminator that won is sure of everything, and pushes no point until the loss is another', async () => {
    await open();
    await tell('won', 100);
    const { right, pull, another } = await page.evaluate(() => {
      const { game, data, latents } = window.playground;
      const fake = game.generate(latents);
      const sure = [...game.logits(new Float32Array(data.flat()))].filter((logit) => logit > 0).length / data.length;
      const caught = [...game.logits(fake)].filter((logit) => logit < 0).length / (fake.length / 2);
      const mean = (slopes) => {
        let sum = 0;
        for (let i = 0; i < slopes.length; i += 2) sum += Math.hypot(slopes[i], slopes[i + 1]);
        return sum / (slopes.length / 2);
      };
      const pull = mean(game.pull(fake));
      game.adjust({ ...game.settings, loss: 'cross-entropy' });
      return { right: (sure + caught) / 2, pull, another: mean(game.pull(fake)) };
    });
    assert.ok(right > 0.97, `right about ${right}`);
    assert.ok(pull < 0.1, `mean pull ${pull}`);
    assert.ok(another > 1, `with cross-entropy ${another}`);
  });
});

test('a step of one network leaves the other as it was', async () => {
  await open();
  const before = { generator: await weights('generator'), discriminator: await weights('discriminator') };
  await page.click('#step-d');
  assert.deepEqual(await weights('generator'), before.generator);
  assert.notDeepEqual(await weights('discriminator'), before.discriminator);
  const after = await weights('discriminator');
  await page.click('#step-g');
  assert.deepEqual(await weights('discriminator'), after);
  assert.notDeepEqual(await weights('generator'), before.generator);
});

test('an address restores its setting, and the same setting plays the same game', async () => {
  await open();
  await page.selectOption('#data', 'moons');
  await page.selectOption('#r1', '0.1');
  await page.selectOption('#hidden', '16');
  const hash = await page.evaluate(() => location.hash);
  const play = () =>
    page.evaluate(() => {
      for (let i = 0; i < 5; i++) window.playground.game.round();
      return [...window.playground.game.generate(window.playground.latents)];
    });
  const first = await play();
  await open(hash);
  assert.equal(await page.inputValue('#data'), 'moons');
  assert.equal(await page.inputValue('#hidden'), '16');
  assert.deepEqual(await play(), first);
  await open('#data=nonsense&r1=7&points=1,x');
  assert.equal(await page.inputValue('#data'), 'ring');
});

test('data can be drawn, and stands in the address', async () => {
  await open();
  await page.selectOption('#data', 'drawn');
  assert.ok(await page.isVisible('#hint'));
  await page.click('#play');
  assert.equal(await page.textContent('#play'), 'Play', 'there is nothing to learn from yet');
  await page.locator('#board').scrollIntoViewIfNeeded();
  const box = await page.locator('#board').boundingBox();
  await page.mouse.move(box.x + 0.3 * box.width, box.y + 0.3 * box.height);
  await page.mouse.down();
  for (let i = 0; i < 20; i++) await page.mouse.move(box.x + (0.3 + 0.02 * i) * box.width, box.y + 0.3 * box.height);
  await page.mouse.up();
  assert.equal(await page.textContent('#play'), 'Pause');
  const drawn = await page.evaluate(() => window.playground.drawn.length);
  assert.ok(drawn > 10);
  assert.match(await page.evaluate(() => location.hash), /points=/);
});

test('it can be paused, from the keyboard too', async () => {
  await open();
  await page.click('#play');
  await page.waitForFunction(() => window.playground.game.step > 2);
  await page.locator('#board').focus();
  await page.keyboard.press('Space');
  const step = await page.evaluate(() => window.playground.game.step);
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => window.playground.game.step), step);
});

test('the keys work after a click on a button', async () => {
  await open();
  await page.click('#play');
  await page.waitForFunction(() => window.playground.game.step > 2);
  await page.keyboard.press('Space');
  assert.equal(await page.textContent('#play'), 'Play');
  await page.keyboard.press('r');
  assert.equal(await page.evaluate(() => window.playground.game.step), 0);
});

test('a story is told from the start, and while settings are changed', async () => {
  await open();
  assert.match(await page.textContent('#story'), /^Eight clusters/);
  await page.click('#story-won');
  await page.selectOption('#loss', 'wasserstein');
  assert.match(await page.textContent('#story'), /^A fast discriminator.*You have changed the settings since/);
  assert.equal(await page.locator('[aria-pressed=true]').count(), 0);
  assert.match(await page.textContent('#key-heat'), /score/);
  assert.match(await page.textContent('#loss-says'), /without limits/);
});

test('every setting stands beside its name', async () => {
  await open();
  const apart = await page.evaluate(() =>
    [...document.querySelectorAll('#knobs label')].filter((label) => {
      const [name, knob] = [label, label.control].map((each) => each.getBoundingClientRect());
      return name.right > knob.left || name.bottom < knob.top || knob.bottom < name.top;
    }).length,
  );
  assert.equal(apart, 0);
});

test('one round is as many steps of each network as the setting says', async () => {
  await open('#steps=1:3');
  const taken = await page.evaluate(() => {
    const { game } = window.playground;
    const step = game.stepGenerator.bind(game);
    let taken = 0;
    game.stepGenerator = () => {
      taken += 1;
      step();
    };
    document.getElementById('step-both').click();
    return [taken, game.step];
  });
  assert.deepEqual(taken, [3, 1]);
});

test('slow motion says what each part of a step does', async () => {
  await open();
  await page.click('#slow');
  await page.waitForFunction(() => document.getElementById('sentence').textContent.includes('real points'));
  await page.waitForFunction(() => document.getElementById('sentence').textContent.includes('points follow'));
});

test('slow motion takes as many steps of each network as the setting says', async () => {
  await open();
  await page.evaluate(() => (location.hash = '#steps=1:10'));
  await page.waitForFunction(() => window.playground.settings.steps === '1:10');
  await page.evaluate(() => {
    const { game } = window.playground;
    const step = game.stepGenerator.bind(game);
    window.taken = 0;
    game.stepGenerator = () => {
      window.taken += 1;
      step();
    };
  });
  await page.click('#slow');
  await page.waitForFunction(() => document.getElementById('sentence').textContent.includes('points follow'));
  assert.equal(await page.evaluate(() => window.taken), 10);
});

testAccessibility('the game', open);

test('nothing is written to the console', async () => {
  await open();
  await page.click('#play');
  await page.waitForFunction(() => window.playground.game.step > 5);
  assert.deepEqual(problems, []);
});

test('an address without drawn points waits for some, and a link without a clipboard says where it is', async () => {
  await open();
  await page.click('#story-balance');
  await page.evaluate(() => (location.hash = '#data=drawn'));
  await page.waitForFunction(() => !window.playground.playing);
  const before = await page.evaluate(() => window.playground.game.step);
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => window.playground.game.step), before);
  assert.equal(await page.locator('[aria-pressed=true]').count(), 0);
  await page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))));
  await page.click('#share');
  await page.waitForFunction(() => document.getElementById('share').textContent === 'The link is in the address line');
});

test('the curves keep their newest row when they get thinner', async () => {
  await open();
  const last = await page.evaluate(() => {
    const { curves } = window.playground;
    curves.clear();
    for (let step = 1; step <= 401; step++) curves.add({ step, generator: 1, discriminator: 1, distance: 1 });
    return [curves.rows.at(-1).step, curves.rows.length];
  });
  assert.deepEqual(last, [401, 201]);
});

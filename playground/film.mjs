/** Film the game's story of balance: npm run build && node film.mjs ../runs/film. The frames are put together by gifs/playground.py. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const [FRAMES, ROUNDS, SIDE] = [28, 1500, 280];
const folder = process.argv[2];
if (!folder || existsSync(folder)) throw new Error('give a new folder for the frames: node film.mjs ../runs/film');
mkdirSync(folder, { recursive: true });
const server = await preview({ preview: { port: 0, host: '127.0.0.1' }, logLevel: 'silent' });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: SIDE + 32, height: 900 }, colorScheme: 'light' });
await page.goto(server.resolvedUrls.local[0]);
await page.waitForFunction(() => window.playground);
await page.click('#story-balance');
await page.evaluate(() => window.playground.play(false));
let rounds = 0;
for (let frame = 0; frame < FRAMES; frame++) {
  const until = Math.round(ROUNDS * (frame / (FRAMES - 1)) ** 1.6); // slowly at first, where more changes
  await page.evaluate((more) => {
    for (let i = 0; i < more; i++) window.playground.game.round();
    window.playground.show();
  }, until - rounds);
  rounds = until;
  writeFileSync(`${folder}/${String(frame).padStart(3, '0')}_${rounds}.png`, await page.locator('#board').screenshot());
}
await browser.close();
await server.close();

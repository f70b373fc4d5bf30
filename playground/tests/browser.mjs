/** A headless Chromium, the built pages on a server of their own, and a new page for each test. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

export const ROOT = new URL('..', import.meta.url).pathname;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
let browser, server, page, problems;

export const address = () => server.resolvedUrls.local[0];

/** Give a test file a new page before each test, and the list of what went wrong on it. */
export function newPage(give) {
  before(async () => {
    assert.ok(CHROMIUM, 'no Chromium found: install it, or say where it is with CHROMIUM=PATH');
    server = await preview({ root: ROOT, preview: { port: 0, host: '127.0.0.1' }, logLevel: 'silent' });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  beforeEach(async () => {
    await page?.close();
    page = await browser.newPage();
    problems = [];
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    give({ page, problems });
  });
}

/** Test that a page has no serious fault of accessibility and no scroll bar at its foot, on both widths and grounds. */
export function testAccessibility(part, open) {
  for (const scheme of ['light', 'dark']) {
    for (const [name, width] of [['phone', 390], ['desktop', 1280]]) {
      test(`no serious fault of accessibility: ${part}, ${name}, ${scheme}`, async () => {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme: scheme });
        await open();
        await page.addScriptTag({ content: AXE });
        const { violations } = await page.evaluate(() => window.axe.run());
        const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
        assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, 'nothing is cut off at the side');
        assert.deepEqual(problems, []);
      });
    }
  }
}

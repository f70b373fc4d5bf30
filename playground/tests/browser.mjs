/** A headless Chromium, the built pages on a server of their own, and a new page for each test. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, beforeEach } from 'node:test';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

export const ROOT = new URL('..', import.meta.url).pathname;
export const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
let browser, server, page;

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
    const problems = [];
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    give({ page, problems });
  });
}

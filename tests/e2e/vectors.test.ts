import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../runtime/root.ts';
import { openBrowser, Tab } from '../support/browser.ts';
import { enginesFor } from '../support/thorough.ts';
import { VECTORS, type runVectors } from '../vectors/run.ts';

type Outcome = Awaited<ReturnType<typeof runVectors>>;

const CSP = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Runs in the browser, in a worker of the page, as sealing does. */
const IN_WORKER = `
  import { runVectors } from './tests/vectors/run.ts';
  const failure = (error) => ({ passed: 0, failed: [{ name: 'all', reason: String(error) }] });
  runVectors().then((outcome) => postMessage(outcome), (error) => postMessage(failure(error)));
`;
const IN_PAGE = `
  const worker = new Worker('/worker.js');
  worker.onmessage = ({ data }) => { document.querySelector('pre').textContent = JSON.stringify(data); };
`;
const PAGE = `<!doctype html>
<html lang="en"><title>vectors</title><link rel="icon" href="/icon.png"><pre></pre><script src="/page.js"></script></html>`;

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: ['firefox115', 'chrome110'],
    define: { 'import.meta.url': '""' },
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

describe('every vector of the formats and of the age test kit gives the same result', () => {
  const server = createServer();
  let origin = '';

  beforeAll(async () => {
    const files = new Map([
      ['/', ['text/html', PAGE]],
      ['/page.js', ['text/javascript', IN_PAGE]],
      ['/worker.js', ['text/javascript', await bundle(IN_WORKER)]],
    ]);
    server.on('request', (request, response) => {
      const [type = 'image/png', text = ''] = files.get(request.url ?? '') ?? [];
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': CSP }).end(text);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each(enginesFor('firefox'))(
    'in %s as in Node',
    async (name) => {
      const browser = await openBrowser(name);
      try {
        const tab = await Tab.open(browser, origin);
        await tab.page.waitForFunction('document.querySelector("pre").textContent !== ""', { timeout: 180_000 });
        const outcome = JSON.parse(await tab.text('pre')) as Outcome;
        expect(outcome.failed).toEqual([]);
        expect(outcome.passed).toBe(VECTORS);
        expect(outcome.passed).toBeGreaterThan(100);
        expect(tab.problems).toEqual([]);
      } finally {
        await browser.close();
      }
    },
    300_000,
  );
});

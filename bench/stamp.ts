// What a stamp costs in seconds: hashes a second in each browser at each of Tor Browser's levels, and here in Node.
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { ready } from '../crypto/sodium.ts';
import { stampBits } from '../crypto/stamp.ts';
import { launchBrowser, type BrowserName } from '../tests/support/browser.ts';
import { LEVELS } from '../tests/support/levels.ts';
import { sodiumPlugin } from '../web/build/cut.ts';

const RUN_MS = 4_000;
const BITS = [10, 12, 14, 16, 18, 20];
const parcel = { id: new Uint8Array(32), serial: 1, nonce: new Uint8Array(8) };

/** Hashes a second. Its source also runs in a page; the nonce changes as it does when stamping. */
function count(runMs: number): number {
  const end = performance.now() + runMs;
  let hashes = 0;
  for (; performance.now() < end; hashes += 256) {
    for (let i = 0; i < 256; i += 1) {
      parcel.nonce[0] = i;
      stampBits(parcel);
    }
  }
  return Math.round((hashes / runMs) * 1_000);
}

/** The script of the page with libsodium as WebAssembly, and with its build in JavaScript alone, between which the form chooses. */
async function scripts(): Promise<Record<string, string>> {
  const contents = `import { ready } from './crypto/sodium.ts'; import { stampBits } from './crypto/stamp.ts';
    const parcel = { id: new Uint8Array(32), serial: 1, nonce: new Uint8Array(8) };
    ${count.toString()}
    globalThis.rate = async () => { await ready; count(500); return count(${String(RUN_MS)}); };`;
  const common = {
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    minify: true,
    define: { 'import.meta.url': '""' },
    stdin: { contents, resolveDir: process.cwd(), loader: 'ts' },
  } as const;
  const [wasm, js] = await Promise.all([build(common), build({ ...common, plugins: [sodiumPlugin('js')] })]);
  return { '/wasm.js': wasm.outputFiles[0]?.text ?? '', '/js.js': js.outputFiles[0]?.text ?? '' };
}

function row(what: string, rate: number): void {
  const cost = BITS.map((bits) => `${String(bits)}: ${(2 ** bits / rate).toPrecision(2)} s`);
  console.log(`${what.padEnd(28)} ${String(rate).padStart(9)} hashes/s   ${cost.join('   ')}`);
}

await ready;
row('Node, WebAssembly', count(RUN_MS));
const served = await scripts();
const server = createServer((request, response) => {
  const script = served[request.url ?? ''];
  response.setHeader('Content-Type', script === undefined ? 'text/html' : 'text/javascript');
  response.end(script ?? '<!doctype html><title>x</title>');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
for (const name of ['firefox', 'chromium'] as const satisfies BrowserName[]) {
  // The other two levels: one runs no scripts, and one differs from Safer only in how WebAssembly is taken away.
  for (const level of LEVELS.filter((each) => each === 'standard' || each === 'safer')) {
    for (const engine of level === 'standard' ? ['wasm', 'js'] : ['js']) {
      const browser = await launchBrowser(name, { level });
      const page = await browser.newPage();
      await page.goto(url);
      await page.addScriptTag({ url: `${url}/${engine}.js` });
      row(`${name}, ${level}, ${engine}`, (await page.evaluate('rate()')) as number);
      await browser.close();
    }
  }
}
server.close();

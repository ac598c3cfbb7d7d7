// A plain HTTP client follows every link and resource of the built form, as an auditor would.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { stop } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseManifest, type Manifest } from '../../crypto/manifest.ts';
import { parsePublicKey, verify } from '../../crypto/minisign.ts';
import { FIXED_HEADERS } from '../../runtime/served.ts';
import { OfflineForm } from '../../server/offline-form.ts';
import { log } from '../../runtime/log.ts';
import { buildWeb } from '../../web/build/build.ts';
import { readSigned } from '../../web/build/single-file.ts';
import type { Prepared } from '../../deploy/setup/trial.ts';
import { http, type HttpAnswer } from '../support/http.ts';
import { makeKeyrings } from '../support/keyrings.ts';
import { copyPrepared } from '../support/prepared.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';
import { staticsIn } from '../support/statics.ts';

let dir: string;
let prepared: Prepared;
let relay: TestRelay;
let manifest: Manifest;
const found = new Map<string, { answer: HttpAnswer; text: string }>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'relay-web-'));
  prepared = await copyPrepared(dir);
  const { layout } = prepared;
  relay = await startRelay({ config: { webDirectory: layout.web, keyrings: { directory: layout.keyrings, rootKeyFile: layout.rootKey } } });
  await stop();
  manifest = parseManifest((await http(`${relay.url}/manifest.json`)).body);
  // The page composes the names of these two from what the browser supports.
  for (const path of ['/', '/en/', '/nowhere.html', '/seal-wasm.js', '/seal-js.js']) await follow(path);
});
afterAll(async () => {
  await relay?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Every address that a page or style sheet names, and what the scripts request by name. */
const REFERENCES = [
  /\s(?:href|src|action|poster|data|srcset|formaction)=["']([^"']*)["']/g,
  /url\(["']?([^"')]+)/g,
  /@import\s+["']([^"']+)/g,
];
const IN_SCRIPTS = /["'`](\/[a-z0-9][a-z0-9./-]*)["'`]/g;

async function follow(path: string): Promise<void> {
  if (found.has(path)) return;
  const answer = await http(relay.url + path);
  const text = Buffer.from(answer.body).toString();
  found.set(path, { answer, text });
  if (isOffline(path)) return;
  const type = answer.headers['content-type'] ?? '';
  const patterns =
    type.includes('javascript') && /^\/(?:form|replies)\.js$/.test(path) ? [IN_SCRIPTS] : /html|css/.test(type) ? REFERENCES : [];
  const addresses = patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, address = '']) => address));
  for (const address of addresses) {
    if (address === 'about:blank' || address.startsWith('#')) continue;
    const url = new URL(address, relay.url + path);
    expect(url.host, `${path} names ${address}`).toBe(new URL(relay.url).host);
    await follow(url.pathname);
  }
}

const isOffline = (path: string): boolean => path.endsWith('/form.html');
const isReplies = (path: string): boolean => path.endsWith('/replies');
const fileOf = (path: string): string => (path.endsWith('/') ? `${path}index.html` : isReplies(path) ? `${path}.html` : path).slice(1);
/** Paths that are not files: the relay's own answers, and the targets of forms. */
const LIVE = /^\/(?:start\.json|door\.json|keyring\.json|keyring\.json\.minisig|parcel|mailbox|(?:[a-z]+\/)?paste)$/;
const files = () => [...found].filter(([path, { answer }]) => !LIVE.test(path) && answer.status === 200);

describe('everything that can be reached from the first pages', () => {
  it('is there, and is of this server', () => {
    expect(files().map(([path]) => path)).toEqual(
      expect.arrayContaining([
        '/',
        '/en/',
        '/form.css',
        '/form.js',
        '/replies',
        '/en/replies',
        '/replies.js',
        '/icon.png',
        '/form.html',
        '/en/form.html',
        '/seal-wasm.js',
        '/seal-js.js',
        '/sodium.wasm',
      ]),
    );
    for (const [path, { answer }] of found) expect([path, LIVE.test(path) ? 200 : answer.status]).toEqual([path, 200]);
  });

  it('is the file in the signed manifest, also in its compressed form for onions', async () => {
    const root = parsePublicKey(await readFile(prepared.layout.rootKey, 'utf8'));
    const signed = await http(`${relay.url}/manifest.json`);
    verify(signed.body, Buffer.from((await http(`${relay.url}/manifest.json.minisig`)).body).toString(), root);
    const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    for (const [path, { answer }] of files()) {
      expect(manifest.files[fileOf(path)], path).toBe(sha256(answer.body));
      const packed = await http(relay.url + path, { headers: { 'accept-encoding': 'gzip, deflate' } });
      const isPacked = packed.headers['content-encoding'] === 'gzip';
      expect(manifest.files[fileOf(path)], path).toBe(sha256(isPacked ? gunzipSync(packed.body) : packed.body));
      if (answer.body.length > 1_000) expect(isPacked, path).toBe(true);
    }
  });

  it('holds no inline script or style, and names no other server', () => {
    for (const [path, { text }] of files().filter(([path]) => (/\/$|\.html$/.test(path) || isReplies(path)) && !isOffline(path))) {
      expect(text, path).not.toMatch(/<style|<script(?![^>]*\ssrc=")|\sstyle=|\son[a-z]+=|javascript:|data:|https?:|\ssrc="\/\//i);
    }
  });

  it('has the common headers, and says nothing about time, version or server', async () => {
    for (const path of [...found.keys(), ...Object.keys(manifest.files).map((file) => `/${file}`), '/nothing', '/manifest.json']) {
      const { headers } = await http(relay.url + path);
      for (const [name, value] of FIXED_HEADERS) expect(headers[name.toLowerCase()], `${path}: ${name}`).toBe(value);
      for (const absent of ['date', 'etag', 'last-modified', 'server', 'x-powered-by', 'set-cookie'])
        expect(headers, path).not.toHaveProperty(absent);
    }
  });
});

it('every file of the manifest is served, and nothing else of the folder', async () => {
  for (const file of Object.keys(manifest.files)) expect((await http(`${relay.url}/${file}`)).status, file).toBe(200);
  for (const other of ['form.css.gz', 'form.css.br', 'manifest.json.gz'])
    expect((await http(`${relay.url}/${other}`)).status, other).toBe(404);
});

describe('an address that leads nowhere', () => {
  /** Misspelt, guessed, outdated, cut off, or for programs. */
  const NOWHERE = [
    ['/nothing', 404],
    ['/en/nothing', 404],
    ['/fr/', 404],
    ['/EN/', 404],
    ['/en//', 404],
    ['/form', 404],
    ['/replies/', 404],
    ['/nowhere', 404],
    ['/keyring.json/', 404],
    ['/%', 404],
    ['/%D0%BE%D1%82%D0%B2%D0%B5%D1%82', 404],
    [`/${'x'.repeat(8_000)}`, 404],
    ['/?x/../nothing', 200],
    ['/parcel', 405],
    ['/mailbox?', 405],
    ['/en/paste/', 404],
  ] as const;

  it('is a page with the way back in each language, Russian first', () => {
    const { text = '', answer } = found.get('/nowhere.html') ?? {};
    expect(answer?.headers['content-type']).toBe('text/html; charset=utf-8');
    for (const part of ['<html lang="ru"', 'id="exit" href="about:blank" rel="noreferrer"']) expect(text).toContain(part);
    expect(text).not.toMatch(/<script|\{\{/);
    expect([...text.matchAll(/<section lang="(\w+)">[^]*?<h1>([^<]+)<[^]*?<a href="([^"]*)"/g)].map(([, ...parts]) => parts)).toEqual([
      ['ru', 'Эта страница не открылась', '/'],
      ['en', 'This page did not open', '/en/'],
    ]);
    expect(text.length).toBeLessThan(2_000);
  });

  it('gets one answer, the same to the byte, whatever the address and whoever asks', async () => {
    const page = Buffer.from(found.get('/nowhere.html')?.answer.body ?? []);
    const first = await http(`${relay.url}/nothing`);
    for (const [path, status] of NOWHERE) {
      for (const headers of [
        {},
        { accept: 'application/json', 'accept-language': 'en', 'accept-encoding': 'gzip, br', 'user-agent': 'curl/8' },
      ]) {
        const answer = await http(relay.url + path, { headers });
        expect([path, answer.status]).toEqual([path, status]);
        if (status === 200) continue;
        expect(page.equals(answer.body), path).toBe(true);
        expect(answer.headers, path).toEqual({ ...first.headers, ...(status === 405 ? { allow: 'POST' } : {}) });
      }
    }
    const head = await http(`${relay.url}/nothing`, { method: 'HEAD' });
    expect([head.status, head.body.length, head.headers]).toEqual([404, 0, first.headers]);
  });

  it('gets a machine-readable answer where programs ask', async () => {
    const said = async (path: string, method: string): Promise<unknown> => {
      const { status, body } = await http(relay.url + path, { method });
      return [status, (JSON.parse(Buffer.from(body).toString()) as { error: string }).error];
    };
    expect(await said('/nothing', 'POST')).toEqual([404, 'NOT_FOUND']);
    expect(await said('/', 'POST')).toEqual([405, 'METHOD']);
    expect(await said('/parcel', 'PUT')).toEqual([405, 'METHOD']);
    expect(await said('/door.json', 'POST')).toEqual([405, 'METHOD']);
  });
});

describe('the offline form', () => {
  it('is one file with a policy that holds the hashes of what is in it and forbids the network', () => {
    for (const path of ['/form.html', '/en/form.html']) {
      const { text, answer } = found.get(path) ?? { text: '', answer: { headers: {} } };
      expect(answer.headers['content-disposition']).toBe('attachment');
      const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(text)?.[1] ?? '';
      const inside = (name: string): string => new RegExp(`<${name}>([^]*?)</${name}>`).exec(text)?.[1] ?? '';
      const source = (name: string): string => `'sha256-${createHash('sha256').update(inside(name)).digest('base64')}'`;
      expect(policy).toBe(
        `default-src 'none'; script-src ${source('script')}; style-src ${source('style')}; base-uri 'none'; form-action 'none'`,
      );
      const markup = text.replace(/<(script|style)>[^]*?<\/\1>/g, '');
      expect(markup).not.toMatch(/\s(?:src|srcset|action)=|<link|<iframe|<object|https?:|\sstyle=|\son[a-z]+=/i);
      expect([...markup.matchAll(/href="([^"]*)"/g)].map(([, address]) => address)).toEqual(['about:blank']);
      expect(text).toContain(prepared.keyring.keyring.worker);
    }
  });

  it('is no longer served once its keyrings have all expired, and the log says so once', async () => {
    const warn = vi.spyOn(log, 'warn');
    const keyrings = await makeKeyrings(join(dir, 'ended'));
    await keyrings.add({ serial: 5, fromHours: -200, toHours: -1 });
    const webDirectory = join(dir, 'ended', 'web');
    await buildWeb({
      rootKeyFile: keyrings.rootKeyFile,
      outDir: webDirectory,
      keyrings: [await readSigned(join(keyrings.directory, 'keyring-5.json'))],
    });
    await stop();
    const ended = await startRelay({ config: { webDirectory } });
    for (const [path, words] of [
      ['/form.html', 'Загляните сюда, пожалуйста, в другой день'],
      ['/en/form.html', 'come back another day'],
    ] as const) {
      const { status, headers, body } = await http(ended.url + path);
      expect([status, headers['content-type'], headers['content-disposition']]).toEqual([410, 'text/html; charset=utf-8', undefined]);
      expect(Buffer.from(body).toString()).toContain(words);
    }
    // With a download attribute a browser shows nothing of an unsuccessful answer.
    expect(Buffer.from((await http(`${ended.url}/`)).body).toString()).toContain('<a href="/form.html">');
    expect(warn.mock.calls.filter(([event]) => event === 'offline form ended')).toHaveLength(1);
    warn.mockRestore();
    await ended.stop();
  });

  it('expires while the relay runs, and comes back when the clock is corrected', async () => {
    const statics = await staticsIn(prepared.layout.web, prepared.layout.rootKey);
    const until = Date.parse(prepared.keyring.keyring.notAfter);
    vi.useFakeTimers({ now: until - 1 });
    const form = new OfflineForm(statics);
    expect(form.hasEnded).toBe(false);
    vi.advanceTimersByTime(60_000);
    expect(form.hasEnded).toBe(true);
    vi.setSystemTime(until - 120_000);
    vi.advanceTimersByTime(60_000);
    expect(form.hasEnded).toBe(false);
    form.destroy();
    vi.useRealTimers();
  });
});

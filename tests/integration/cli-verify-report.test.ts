// `operator verify` for people: what it says, and what it does not take for a finding.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { keyName, parsePublicKey } from '../../crypto/minisign.ts';
import { ROOT } from '../../runtime/root.ts';
import { cli } from '../support/cli.ts';
import { useVerifying, withText } from '../support/verifying.ts';

const bench = useVerifying();

const run = (options: readonly string[], terminal = false) => {
  const { rootKey, web } = bench.deployment.layout;
  const url = `http://127.0.0.1:${String(bench.proxy.port)}`;
  const argv = ['operator', 'verify', url, '--root-key', rootKey, '--web', web, ...options];
  return cli(argv, terminal ? { terminal: { answers: [] } } : {});
};

it('says what was compared with what, what differs and who was shown it, and what to do', async () => {
  bench.proxy.tamper = (served, path, headers) => {
    if (path === '/form.js' && String(headers['accept-language']).startsWith('ru')) withText(served, (text) => `${text}\n`);
    if (path === '/icon.png') served.headers.push(['X-Added', 'yes']);
  };
  const { code, text } = await run([]);
  expect(code).toBe(EXIT.notAuthentic);
  const name = keyName(parsePublicKey(await readFile(bench.deployment.layout.rootKey, 'utf8')).id);
  expect(text).toContain(`root key ${name}`);
  expect(text).toMatch(/^\d+ files, \d+ answers, asked as 9 different visitors\.$/m);
  expect(text).toMatch(
    /^! \/form\.js is not as it was signed: SHA-256 \w+, expected \w+ \(shown only to: Chrome in Russian, Tor Browser in Russian\)$/m,
  );
  expect(text).toContain('! /icon.png comes with other headers: X-Added: "yes" was added\n');
  expect(text).toMatch(/^NOT AS SIGNED: 2 differences\. Do not use this relay; tell the administrator\.\n$/m);
});

it('passes over the headers of a proxy before the relay, when they are named', async () => {
  bench.proxy.tamper = ({ headers }) => {
    headers.push(['Date', 'Mon, 07 Jan 2030 00:00:00 GMT'], ['Strict-Transport-Security', 'max-age=1']);
  };
  const { code, text } = await run(['--ignore-header', 'date', '--ignore-header', 'Strict-Transport-Security']);
  expect([code, text]).toEqual([EXIT.ok, expect.stringContaining('Everything is as it was signed.')]);
  expect((await run(['--ignore-header', 'date'])).code).toBe(EXIT.notAuthentic);
});

it('shows at a terminal how far it is, and takes that away', async () => {
  const { code, err } = await run([], true);
  expect(code).toBe(EXIT.ok);
  expect(err).toContain('Comparing … 50 %');
  expect(err).toMatch(/\r +\r$/);
});

it('ends at once when it is stopped, and does not say that anything was compared', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { rootKey, web } = bench.deployment.layout;
  const url = `http://127.0.0.1:${String((silent.address() as AddressInfo).port)}`;
  const program = join(ROOT, 'dist', 'support-relay.js');
  const child = spawn(process.execPath, [program, 'operator', 'verify', url, '--root-key', rootKey, '--web', web]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  try {
    await once(silent, 'connection');
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number | null];
    expect([code, out, err]).toEqual([EXIT.interrupted, '', expect.stringContaining('stopped before everything was compared')]);
  } finally {
    child.kill('SIGKILL');
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

// What the status says of tor, the onion address and the disk: what the operator's service saw last, and never more than that.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { commandsOf } from '../../runtime/installation.ts';
import { OperatorService } from '../../operator/service.ts';
import type { CliResult } from '../support/cli.ts';
import { OperatorStand } from '../support/operator-stand.ts';
import { ONION, startSocksServer } from '../support/socks-server.ts';
import { writeTo } from '../support/cli.ts';
import { until } from '../support/worker.ts';

let stand: OperatorStand;
let relay: Server;
let socks: Awaited<ReturnType<typeof startSocksServer>>;
/** Until then tor answers nobody. */
let answers: () => void = () => undefined;
let service: OperatorService;
let port: number;

beforeAll(async () => {
  stand = await OperatorStand.start();
  await stand.reset();
  relay = createServer((_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const silence = new Promise<void>((resolve) => (answers = resolve));
  socks = await startSocksServer({ [ONION]: (relay.address() as AddressInfo).port }, { before: () => silence });
  service = new OperatorService({
    listen: { kind: 'loopback', port: 0 },
    metricsListen: null,
    redis: stand.redis.target('operator'),
    onion: { socks: { host: '127.0.0.1', port: socks.port }, addressFile: await writeTo(stand.dir.path('address'), ONION) },
    disk: '/',
    commands: commandsOf('docker'),
  });
  await service.start();
  [port = 0] = service.ports;
});
afterAll(async () => {
  await service.destroy();
  await socks.stop();
  relay.close();
  await stand.stop();
});
beforeEach(() => stand.reset());

const get = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${String(port)}${path}`)).text();
const status = (...more: string[]): Promise<CliResult> =>
  stand.operator(['status', ...more], { env: { OPERATOR_LISTEN: `127.0.0.1:${String(port)}` } });

test('what is known is shown while tor is still asked, and nobody is told that all is well', async () => {
  await until('a look', async () => (await get('/readyz')).includes('true'));
  const page = await get('/');
  expect(page).toContain('<h1>All is well so far</h1>');
  expect(page).toContain('<dt>Onion address</dt><dd>the first visit is under way</dd>');
  expect(page).toMatch(
    /The next look comes within 6 minutes: load the page again then\.\s+The form is being visited under its onion address/,
  );
  expect(await get('/metrics')).not.toContain('support_relay_onion_reachable ');
  const { code, text } = await status();
  expect([code, text.split('\n')[0]]).toEqual([EXIT.ok, 'All is well so far']);
  expect(text).toMatch(
    /^onion {5}the first visit is under way\ndisk {6}\S+ % free \(seen in the round of \d{4}-\d\d-\d\d, \d\d:\d\d UTC\)$/m,
  );
});

test('what the service saw at last is in the status, with what it needs', async () => {
  answers();
  await until('the visit', async () => (await get('/metrics')).includes('support_relay_onion_reachable 1'));
  expect(await get('/')).toContain('<h1>All is well</h1>');
  const { code, text } = await status();
  expect([code, text.split('\n')[0]]).toEqual([EXIT.ok, 'All is well']);
  expect(text).toMatch(/^onion {5}the form was reached under it \(seen in the round of .*\)$/m);
  const json = JSON.parse((await status('--json')).text) as Record<string, unknown>;
  expect(json).toMatchObject({ onion: 'reachable', lookedAround: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z$/) as unknown });
});

test('a service that does not answer is said to', async () => {
  const { code, text } = await stand.operator(['status'], { env: { OPERATOR_LISTEN: 'unix:/nonexistent/operator.sock' } });
  expect([code, text.split('\n')[0]]).toEqual([EXIT.ok, 'All is well so far']);
  expect(text).toMatch(/^not seen {2}tor, onion address, disk: the operator's service does not answer here; look with: /m);
});

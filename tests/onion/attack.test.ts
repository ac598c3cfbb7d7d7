// Five hundred silent connections through Tor, as many as the relay has places, in each of the ways in which one client can make them;
// meanwhile people come and write. Everything is on this machine, and ends by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { SilentStreams, visitMs } from '../support/onion-attack.ts';
import { startTor, TOR_START_MS, type Tor } from '../support/tor.ts';
import type { TorClient } from '../support/tor-network.ts';

const TEST_MS = 600_000;
const VISITS = 10;
const PAUSE_MS = 1_000;
/** For an attack to be built up as far as this machine lets it; visits are tried meanwhile, too. */
const GROWING_MS = 180_000;
/** What a person waits at most. */
const PATIENCE_MS = 10_000;

let deployment: Deployment;
let tor: Tor;
let attacker: TorClient;
beforeAll(async () => {
  deployment = await startDeployment({ onSocket: true });
  tor = await startTor(deployment.socket ?? '', 2);
  const [, second] = tor.clients;
  if (second === undefined) throw new Error('no second client');
  attacker = second;
  // As a program would that is made for it.
  await attacker.control.command('SETCONF MaxClientCircuitsPending=1024');
}, TOR_START_MS);
afterAll(async () => {
  await tor?.stop();
  await deployment?.stop();
});

/** Visits one after the other until `enough`, and then ten more. */
async function visits(enough: () => boolean): Promise<number[]> {
  const times: number[] = [];
  for (let left = VISITS; left > 0; left -= enough() ? 1 : 0) {
    times.push(await visitMs(tor, deployment.seal('Мне нужна помощь.')));
    await sleep(PAUSE_MS);
  }
  return times;
}

const seconds = (times: readonly number[]): string => times.map((ms) => (ms / 1000).toFixed(1)).join(' ');

it('nobody attacks', { timeout: TEST_MS }, async () => {
  const times = await visits(() => true);
  console.log(`without an attack: ${seconds(times)} s`);
  expect(Math.max(...times)).toBeLessThan(PATIENCE_MS);
});

it.each([
  // The limit of streams ends this circuit again and again: they never stand.
  { circuits: 1, streams: 500, whole: 1, least: 1 },
  { circuits: 50, streams: 10, whole: 450, least: 450 },
  // Tor may ask the attacker for work before the last of them are there.
  { circuits: 500, streams: 1, whole: 450, least: 100 },
])('honest visits get in while $circuits circuits have $streams silent streams each', { timeout: TEST_MS }, async (attack) => {
  const { circuits, streams, whole, least } = attack;
  const untilMs = performance.now() + GROWING_MS;
  const silent = new SilentStreams(attacker, tor.onion, attack);
  try {
    const times = await visits(() => silent.most >= whole || performance.now() > untilMs);
    console.log(`${String(circuits)} x ${String(streams)}: ${seconds(times)} s; ${silent.summary}`);
    expect(Math.max(...times)).toBeLessThan(PATIENCE_MS);
    expect(silent.most).toBeGreaterThanOrEqual(least);
    // Twice the limit: a circuit that was closed may still look open from there while the next one is.
    if (circuits === 1) expect(silent.most).toBeLessThanOrEqual(64);
  } finally {
    await silent.stop();
  }
});

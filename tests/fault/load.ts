import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../../deploy/demo/parts.ts';
import type { Deployment } from '../support/deployment.ts';

/** What was posted, and what the relay said it accepted. */
export type Load = { accepted: string[]; refused: number; unanswered: number };

/** Shorter than a browser's timeout: nothing here takes longer than 3 s. */
const ANSWER_WITHIN_MS = 5_000;

/** Posts each parcel until it is accepted, as a page does, several at a time, until `signal` is aborted. @param load counts it */
export async function postAll(
  deployment: Deployment,
  parcels: ReadonlyMap<string, Uint8Array>,
  signal: AbortSignal,
  load: Load,
): Promise<void> {
  const waiting = [...parcels];
  const sender = async () => {
    for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) {
      const [text, parcel] = next;
      while (!signal.aborted) {
        const status = await deployment.post(parcel, { timeoutMs: ANSWER_WITHIN_MS }).then(
          (answer) => answer.status,
          () => null,
        );
        if (status === 202) {
          load.accepted.push(text);
          break;
        }
        if (status === null) load.unanswered += 1;
        else load.refused += 1;
        await sleep(randomInt(20, 100));
      }
      // Spread over most of the time, so that kills hit parcels in transit.
      await sleep(randomInt(0, 600));
    }
  };
  await Promise.all(Array.from({ length: 4 }, sender));
}

/** Until `signal` is aborted: kills a random part with -9 at random moments, and restarts it a little later. @returns how often */
export async function killAtRandom(deployment: Deployment, parts: readonly Part[], signal: AbortSignal): Promise<number> {
  let kills = 0;
  while (!signal.aborted) {
    await sleep(randomInt(100, 1_200), undefined, { signal }).catch(() => undefined);
    const part = parts[randomInt(parts.length)];
    if (part === undefined || signal.aborted) break;
    await deployment.kill(part);
    kills += 1;
    await sleep(randomInt(0, 400));
    deployment.start(part);
  }
  return kills;
}

/** Distinct texts, sealed before the clock runs. */
export function sealMany(deployment: Deployment, count: number): Map<string, Uint8Array> {
  const texts = Array.from({ length: count }, (_, index) => `Обращение № ${String(index)}`);
  return new Map(texts.map((text) => [text, deployment.seal(text)]));
}

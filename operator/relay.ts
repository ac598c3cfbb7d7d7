import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { randomBytes, toHex } from '../crypto/bytes.ts';
import { channels, relayAnswerSchema, SHARES, type RelayAnswer, type Taken } from '../redis/presence.ts';
import { whenReady } from '../redis/connection.ts';

const NONCE_BYTES = 16;
const READY_WITHIN_MS = 2_500;
/** A relay that is flooded is slow; one that hangs does not answer at all. */
const ANSWER_WITHIN_MS = 3_000;
const POLL_MS = 10;
/** More than the answer of a relay with a thousand keyrings. A longer one is no relay of ours, and would fill our memory. */
const MAX_ANSWER_CHARACTERS = 65_536;

export type Relays = {
  /** How many relays are subscribed to the question, including those that hang. */
  asked: number;
  answers: RelayAnswer[];
};

/** Asks every relay for its condition (redis/presence.ts). Throws when Redis is away or refuses. */
export async function askRelays(redis: Redis): Promise<Relays> {
  const nonce = toHex(randomBytes(NONCE_BYTES));
  // Separate, because a subscribed connection can do nothing else.
  const listening = redis.duplicate();
  listening.on('error', () => undefined);
  try {
    await whenReady(listening, READY_WITHIN_MS);
    const answers: RelayAnswer[] = [];
    listening.on('message', (_channel: string, text: string) => {
      const answer = parseAnswer(nonce, text);
      if (answer !== null) answers.push(answer);
    });
    await listening.subscribe(channels.answer);
    const asked = await redis.publish(channels.ask, nonce);
    const late = AbortSignal.timeout(ANSWER_WITHIN_MS);
    while (answers.length < asked && !late.aborted) await sleep(POLL_MS);
    return { asked, answers };
  } finally {
    listening.disconnect();
  }
}

/** The keyrings under which parcels are accepted, by rising serial. If relays differ, the highest values count. */
export function takenBy({ answers }: Relays): Taken[] {
  const bySerial = new Map<number, Taken>();
  for (const taken of answers.flatMap((answer) => answer.taken)) {
    const { serial, share, dearer } = bySerial.get(taken.serial) ?? taken;
    const isMore = SHARES.indexOf(taken.share) > SHARES.indexOf(share);
    bySerial.set(serial, { serial, share: isMore ? taken.share : share, dearer: Math.max(dearer, taken.dearer) });
  }
  return [...bySerial.values()].sort((a, b) => a.serial - b.serial);
}

function parseAnswer(nonce: string, text: string): RelayAnswer | null {
  if (text.length > MAX_ANSWER_CHARACTERS) return null;
  try {
    const answer = relayAnswerSchema.parse(JSON.parse(text));
    return answer.nonce === nonce ? answer : null;
  } catch {
    return null;
  }
}

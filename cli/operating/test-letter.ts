import type { Redis } from 'ioredis';
import type { Ailment } from '../../operator/doctor/complaint.ts';
import { workerState, keys } from '../../redis/keys.ts';
import { ask } from '../../redis/asking.ts';
import { outcomeOf, type TestLetter } from '../../redis/test-letters.ts';
import type { Io } from '../terminal/io.ts';

const LOOK_AGAIN_MS = 5_000;
/** One until the worker sees the flag, and two for whatever holds it up. */
const PATIENCE_ROUNDS = 3;
const PATIENCE_MS = 60_000;

export type Tried = { readonly inbox: string; readonly outcome: TestLetter };

/** Has the worker send a test letter to each inbox, and waits for what becomes of them: some rounds at most, or until Ctrl-C. */
export async function sendTestLetters(redis: Redis, inboxes: readonly string[], io: Io): Promise<Tried[]> {
  const [round, leftMs] = await Promise.all([redis.get(keys.alive), redis.pttl(keys.alive)]);
  const roundMs = Number(round ?? 0) * 1000;
  const question = await ask(redis, 'tests', inboxes);
  const outcomes = (): Promise<Tried[]> =>
    Promise.all(inboxes.map(async (inbox) => ({ inbox, outcome: await outcomeOf(redis, question, inbox) })));
  let tried = await outcomes();
  if (workerState(leftMs, roundMs / 1000) === 'gone') return tried;
  const patienceMs = PATIENCE_ROUNDS * roundMs + PATIENCE_MS;
  const stepMs = Math.min(LOOK_AGAIN_MS, roundMs);
  let told = '';
  for (let waitedMs = 0; waitedMs < patienceMs && tried.some(isOpen); waitedMs += stepMs) {
    const open = tried.filter(isOpen).map(({ inbox }) => inbox);
    const now = `waiting for the test letter to ${open.join(', ')}; a round every ${String(roundMs / 1000)} s\n`;
    if (now !== told) io.err(now);
    told = now;
    const goesOn = await io.pause(stepMs, 'again');
    tried = await outcomes();
    if (!goesOn) break;
  }
  return tried;
}

const isOpen = ({ outcome }: Tried): boolean => outcome.stage === 'asked' || outcome.stage === 'waiting';

/** Null: it has arrived. */
export function ailmentOf({ inbox, outcome }: Tried): Ailment | null {
  const reasons = 'docs/operations.md lists the reasons (Why an inbox takes nothing)';
  const code = 'TEST_LETTER';
  switch (outcome.stage) {
    case 'arrived':
      return null;
    case 'failed':
      return { code, what: `inbox ${inbox} refused the test letter for good (${outcome.reason})`, advice: reasons };
    case 'waiting': {
      const why = outcome.reason === '' ? 'it is not its turn yet' : outcome.reason;
      return {
        code,
        what: `the test letter still waits for inbox ${inbox} (${why})`,
        advice: `${reasons}; the worker tries again by itself`,
      };
    }
    case 'asked':
      return {
        code,
        what: `no worker has made the test letter to inbox ${inbox}`,
        advice: 'see that the worker runs, in the same version',
      };
  }
}

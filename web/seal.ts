// The sealing worker: all cryptography of the form, off the page's thread. It keeps the verified keyring, and what it made
// while there was nothing else to do. Built twice, as seal-wasm.js and seal-js.js (cut.ts).
import { parseAnswer } from '../crypto/answer.ts';
import { CodedError } from '../crypto/errors.ts';
import { checkValidity, verifyKeyring, type VerifiedKeyring } from '../crypto/keyring.ts';
import { Throwaways } from '../crypto/letter.ts';
import { parsePublicKey } from '../crypto/minisign.ts';
import { sealParcel } from '../crypto/parcel.ts';
import { requestRoom, SEALING_STEPS, sealRequestSteps } from '../crypto/seal.ts';
import { ready } from '../crypto/sodium.ts';
import { stampSteps } from '../crypto/stamp.ts';
import type { Ask, Exchanges, FailureCode, Kind, Step, Tell, TopicName } from './messages.ts';
import { drawSlot } from './moments.ts';
import { breathe, inSlices, type Slicing } from './slices.ts';
import { handInWasm, unusable } from './wasm.ts';

let verified: VerifiedKeyring | null = null;
/** Nothing below what this page has already seen: a relay may be seized while it is open. */
let floor = FLOOR_SERIAL;

const usable = Promise.race([ready, unusable]);
usable.catch(() => undefined);

const throwaways = new Throwaways();
/** How many questions are being worked on that somebody waits for. */
let awaited = 0;

/** The pause of work that nobody waits for. */
async function idle(): Promise<void> {
  do await breathe();
  while (awaited > 0);
}

async function prepare(): Promise<void> {
  do await idle();
  while (throwaways.prepare());
}

function open(json: Uint8Array, signature: string): Exchanges['open']['reply'] {
  const candidate = verifyKeyring(json, signature, parsePublicKey(ROOT_PUBLIC_KEY));
  checkValidity(candidate.keyring, new Date(), floor);
  verified = candidate;
  floor = candidate.keyring.serial;
  void prepare();
  const topics = new Map<string, TopicName>();
  for (const team of candidate.keyring.teams) for (const topic of team.topics) topics.set(topic.id, topic);
  return { topics: [...topics.values()], answerTime: candidate.keyring.answerTime ?? {} };
}

/** The keyring in hand, looked at again: a page may have been open for days. */
function keyring(): VerifiedKeyring {
  if (verified === null) throw new Error('sealing was asked for before a keyring was verified');
  checkValidity(verified.keyring, new Date());
  return verified;
}

async function answer(ask: Ask): Promise<Exchanges[Kind]['reply']> {
  const progress = (step: Step, of: number) => (done: number): void => tell({ id: ask.id, kind: 'progress', step, done, of });
  const stamp = (parcel: Uint8Array, difficulty: number, slicing: Slicing = {}): Promise<Uint8Array> => {
    // Luck decides how many tries it takes; this many on average.
    const onStep = progress('stamping', 2 ** difficulty);
    onStep(0);
    return inSlices(stampSteps(parcel, difficulty), { onStep, ...slicing });
  };
  switch (ask.kind) {
    case 'start':
      if (ask.wasm !== null) handInWasm(ask.wasm);
      await usable;
      return null;
    case 'open':
      return open(ask.json, ask.signature);
    case 'room':
      return requestRoom(ask.request);
    case 'seal': {
      const onStep = progress('sealing', SEALING_STEPS);
      onStep(0);
      return stamp(await inSlices(sealRequestSteps(ask.request, keyring(), throwaways), { onStep }), ask.difficulty);
    }
    case 'decoy': {
      await idle();
      const { serial, worker } = keyring().keyring;
      return stamp(sealParcel({ kind: 'decoy' }, { serial, worker }), ask.difficulty, { between: idle });
    }
    case 'stamp':
      return stamp(ask.parcel, ask.difficulty);
    case 'read':
      return parseAnswer(ask.answer);
    case 'slot':
      return drawSlot(ask.number, ask.meanMs);
  }
}

function tell(message: Tell): void {
  self.postMessage(message);
}

function codeOf(error: unknown): FailureCode {
  return error instanceof CodedError ? error.code : 'UNEXPECTED';
}

async function attend(ask: Ask): Promise<void> {
  // The bytes that libsodium is started with must not wait for it.
  if (ask.kind !== 'start') await usable;
  const waitedFor = ask.kind !== 'decoy';
  if (waitedFor) awaited += 1;
  try {
    tell({ id: ask.id, kind: 'done', reply: await answer(ask) });
  } finally {
    if (waitedFor) awaited -= 1;
  }
}

self.addEventListener('message', ({ data }: MessageEvent<Ask>) => {
  attend(data).catch((error: unknown) => tell({ id: data.id, kind: 'failed', code: codeOf(error) }));
});

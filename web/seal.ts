// The sealing worker: all cryptography of the form, off the page's thread. It keeps the verified keyring and nothing else.
import { parseAnswer } from '../crypto/answer.ts';
import { CodedError } from '../crypto/errors.ts';
import { checkValidity, verifyKeyring, type VerifiedKeyring } from '../crypto/keyring.ts';
import { parsePublicKey } from '../crypto/minisign.ts';
import { requestRoom, sealRequest } from '../crypto/seal.ts';
import { ready } from '../crypto/sodium.ts';
import { stampParcel } from '../crypto/stamp.ts';
import type { Ask, Exchanges, FailureCode, Kind, Step, Tell, TopicName } from './messages.ts';

let verified: VerifiedKeyring | null = null;
/** Nothing below what this page has already seen: a relay may be seized while it is open. */
let floor = FLOOR_SERIAL;

function open(json: Uint8Array, signature: string): Exchanges['open']['reply'] {
  verified = null;
  const candidate = verifyKeyring(json, signature, parsePublicKey(ROOT_PUBLIC_KEY));
  checkValidity(candidate.keyring, new Date(), floor);
  verified = candidate;
  floor = candidate.keyring.serial;
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

function answer(ask: Ask): Exchanges[Kind]['reply'] {
  const progress = (step: Step, done: number, of: number): void => tell({ id: ask.id, kind: 'progress', step, done, of });
  const stamp = (parcel: Uint8Array, difficulty: number): Uint8Array => {
    progress('stamping', 0, 1);
    // Luck decides how many tries it takes; this many on average.
    return stampParcel(parcel, difficulty, (tries) => progress('stamping', tries, 2 ** difficulty));
  };
  switch (ask.kind) {
    case 'open':
      return open(ask.json, ask.signature);
    case 'room':
      return requestRoom(ask.request);
    case 'seal':
      progress('sealing', 0, 1);
      return stamp(sealRequest(ask.request, keyring(), (done, of) => progress('sealing', done, of)), ask.difficulty);
    case 'stamp':
      return stamp(ask.parcel, ask.difficulty);
    case 'read':
      return parseAnswer(ask.answer);
  }
}

function tell(message: Tell): void {
  self.postMessage(message);
}

function codeOf(error: unknown): FailureCode {
  return error instanceof CodedError ? error.code : 'UNEXPECTED';
}

self.addEventListener('message', (event: MessageEvent<Ask>) => {
  const ask = event.data;
  ready.then(() => tell({ id: ask.id, kind: 'done', reply: answer(ask) })).catch((error: unknown) => {
    tell({ id: ask.id, kind: 'failed', code: codeOf(error) });
  });
});

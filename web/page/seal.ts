// The sealing worker: does all cryptography of the form and of the page of answers, off the page's thread. It keeps the verified
// keyring, and throwaway keys that it makes while it is idle. Built twice, as seal-wasm.js and seal-js.js (web/build/cut.ts).
import { parseAnswer } from '../../crypto/answer.ts';
import { fromHex, toHex } from '../../crypto/bytes.ts';
import { codeRoot, makeCode, readCode } from '../../crypto/code.ts';
import { CodedError } from '../../crypto/errors.ts';
import { isSignerOf, signersOf, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { Throwaways } from '../../crypto/letter.ts';
import { encodeQuestion, parseMailboxAnswer, REPLIES_A_PAGE, type MailboxAnswer } from '../../crypto/mailbox.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { sealParcel } from '../../crypto/parcel.ts';
import { openReply, replyId } from '../../crypto/reply.ts';
import { requestRoom, SEALING_STEPS, sealRequestSteps } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampSteps } from '../../crypto/stamp.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';
import { PageKeyring } from './page-keyring.ts';
import type { Ask, AskOf, Tasks, FailureCode, Kind, MailboxPage, MailboxReply, SealingStage, Tell } from './messages.ts';
import { drawSlot } from './moments.ts';
import { yieldToEventLoop, inSlices, type Slicing } from './slices.ts';
import { topicsOf } from './topics.ts';
import { provideWasm, unusable } from './wasm.ts';

const usable = Promise.race([ready, unusable]);
usable.catch(() => undefined);

const throwaways = new Throwaways();
/** How many tasks are being worked on that somebody waits for; decoys are not among them. */
let awaited = 0;

/** Resolves when no task is waited for. Work that nobody waits for pauses so. */
async function idle(): Promise<void> {
  do await yieldToEventLoop();
  while (awaited > 0);
}

async function prepare(): Promise<void> {
  do await idle();
  while (throwaways.prepare());
}

let held: PageKeyring | null = null;

function verify(json: Uint8Array, signature: string): Tasks['verify']['output'] {
  held ??= new PageKeyring(parsePublicKey(ROOT_PUBLIC_KEY), FLOOR_SERIAL);
  const { keyring: offered } = held.take(json, signature, new Date());
  void prepare();
  const { teams, answerTime = {} } = offered;
  return { topics: topicsOf(offered), teams: teams.length, answerTime };
}

function keyring(): VerifiedKeyring {
  if (held === null) throw new Error('no keyring has been verified yet');
  return held.current(new Date());
}

/** The current conversation, derived from an access code. Only what is sealed or shown leaves the worker. */
let thread: Thread | null = null;

function conversation(): Thread {
  if (thread === null) throw new Error('there is no access code yet');
  return thread;
}

function readReplies(answered: MailboxAnswer, page: number): MailboxPage {
  if (answered.result === 'away') return { retryAfterSeconds: answered.retryAfterSeconds };
  const { identity, signing } = conversation();
  const { keyring: current } = keyring();
  const signers = signersOf(current);
  const replies = answered.replies.map((sealed): MailboxReply => {
    const id = toHex(replyId(sealed));
    try {
      const { text, team, signer, signature, number, earlier = [], id: name } = openReply(sealed, identity, signing.key, signers);
      const place = { number, id: name, signature };
      return { id, text, team: isSignerOf(current, signer, team) ? team : null, signature, place, earlier };
    } catch (error) {
      return { id, refused: codeOf(error) };
    }
  });
  return { total: answered.total, first: page * REPLIES_A_PAGE, replies };
}

/** Tells the page that a stage begins, and returns what tells it how far that is. */
type Progress = (stage: SealingStage, of: number) => (done: number) => void;
type Output<K extends Kind> = Tasks[K]['output'];

function stamp(parcel: Uint8Array, difficulty: number, progress: Progress, slicing: Slicing = {}): Promise<Uint8Array> {
  // How many tries it takes is random; so many on average.
  return inSlices(stampSteps(parcel, difficulty), { onStep: progress('stamping', 2 ** difficulty), ...slicing });
}

const HANDLERS: { readonly [K in Kind]: (input: Tasks[K]['input'], progress: Progress) => Output<K> | Promise<Output<K>> } = {
  start: async ({ wasm }) => {
    if (wasm !== null) provideWasm(wasm);
    await usable;
    return null;
  },
  verify: ({ json, signature }) => verify(json, signature),
  room: ({ request }) => requestRoom(request),
  seal: async ({ request, difficulty, wanted, followUp }, progress) => {
    const onStep = progress('sealing', SEALING_STEPS);
    const options = { throwaways, thread: wanted || followUp ? conversation() : undefined, followUp };
    return stamp(await inSlices(sealRequestSteps(request, keyring(), options), { onStep }), difficulty, progress);
  },
  code: ({ language }) => {
    const code = makeCode();
    thread = threadOf(codeRoot(language, code));
    return code;
  },
  enter: ({ language, text, words }) => {
    const read = readCode(text, words);
    if ('problem' in read) return read.problem;
    thread = threadOf(codeRoot(language, read.code));
    return null;
  },
  look: ({ page }) => {
    const { mailboxKey, signing } = conversation();
    return encodeQuestion({ mailboxKey, threadKey: signing.key, page });
  },
  replies: ({ bytes, page }) => readReplies(parseMailboxAnswer(bytes, page), page),
  delete: ({ replies, difficulty }, progress) => {
    const { keyring: to } = keyring();
    return stamp(sealParcel({ kind: 'delete', thread: conversation(), replies: replies.map(fromHex) }, to), difficulty, progress);
  },
  decoy: async ({ difficulty }, progress) => {
    await idle();
    return stamp(sealParcel({ kind: 'decoy' }, keyring().keyring), difficulty, progress, { between: idle });
  },
  stamp: ({ parcel, difficulty }, progress) => stamp(parcel, difficulty, progress),
  read: ({ bytes }) => parseAnswer(bytes),
  slot: ({ number, meanMs }) => drawSlot(number, meanMs),
};

/** Async, so that what a handler throws at once is a rejection too. */
async function handle<K extends Kind>(ask: AskOf<K>): Promise<Output<Kind>> {
  return HANDLERS[ask.kind](ask, (stage, of) => {
    const onStep = (done: number): void => tell({ id: ask.id, kind: 'progress', stage, done, of });
    onStep(0);
    return onStep;
  });
}

function tell(message: Tell): void {
  self.postMessage(message);
}

function codeOf(error: unknown): FailureCode {
  return error instanceof CodedError ? error.code : 'UNEXPECTED';
}

async function attend(ask: Ask): Promise<void> {
  // `start` brings the bytes that libsodium is waiting for.
  if (ask.kind !== 'start') await usable;
  const waitedFor = ask.kind !== 'decoy';
  if (waitedFor) awaited += 1;
  try {
    tell({ id: ask.id, kind: 'done', output: await handle(ask) });
  } finally {
    if (waitedFor) awaited -= 1;
  }
}

self.addEventListener('message', ({ data }: MessageEvent<Ask>) => {
  attend(data).catch((error: unknown) => tell({ id: data.id, kind: 'failed', code: codeOf(error) }));
});

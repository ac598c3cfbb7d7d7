// What somebody who records every byte between a browser and the relay sees: a request, a decoy and a mailbox read are the
// same exchange, and the outcome shows in the status alone.
import { once } from 'node:events';
import { connect } from 'node:net';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { ANSWER_BYTES, parseAnswer } from '../../crypto/answer.ts';
import { parseMailboxAnswer } from '../../crypto/mailbox.ts';
import {
  NONCE_OFFSET,
  openSealed,
  PARCEL_BYTES,
  PARCEL_HEADER_BYTES,
  parseParcel,
  sealParcel,
  type ParcelContent,
} from '../../crypto/parcel.ts';
import { stampBits, stampParcel } from '../../crypto/stamp.ts';
import { BROWSERS, openBrowser, Tab, type BrowserName } from '../support/browser.ts';
import { startConversation } from '../support/conversation.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { Recorder, type Exchange } from '../support/recorder.ts';
import { until } from '../support/worker.ts';

const PARCEL = 'POST /parcel? ';
const LOOK = 'POST /mailbox ';
/** Bytes of a stream in one relay cell (tor-spec, RELAY_PAYLOAD_SIZE). */
const CELL_BYTES = 498;
const DIFFICULTY = 10;
const AGE_START = 'age-encryption.org/v1\n-> mlkem768x25519 ';

let deployment: Deployment;
let recorder: Recorder;
let workerIdentities: string[];
beforeAll(async () => {
  deployment = await startDeployment();
  recorder = await Recorder.start({ url: deployment.url });
  workerIdentities = parseIdentityFile(await readFile(deployment.layout.identityFile(deployment.keyring.keyring.serial), 'utf8'));
});
afterAll(async () => {
  await recorder?.stop();
  await deployment?.stop();
});

/** Only the worker can tell. */
function kindOf({ up }: Exchange): ParcelContent['kind'] {
  return openSealed(parseParcel(new Uint8Array(up.body)).sealed, workerIdentities).kind;
}

/** One visit: while somebody writes a decoy is sent, then the request. */
async function visit(name: BrowserName, message: string): Promise<Exchange[]> {
  const before = recorder.exchanges(PARCEL).length;
  const visited = (): Exchange[] => recorder.exchanges(PARCEL).slice(before);
  const browser = await openBrowser(name);
  try {
    const tab = await Tab.open(browser, recorder.url);
    await tab.until('#send:not(:disabled)');
    await tab.page.type('#message', message);
    await until('a decoy', () => visited().length > 0, 60_000);
    await tab.page.click('#send');
    await tab.until('#accepted');
    expect(tab.problems).toEqual([]);
    return visited();
  } finally {
    await browser.close();
  }
}

/** Somebody with an access code looks for answers. */
async function look(name: BrowserName): Promise<Exchange> {
  const before = recorder.exchanges(LOOK).length;
  const { words } = await startConversation('ru');
  const browser = await openBrowser(name);
  try {
    const tab = await Tab.open(browser, new URL('replies', recorder.url).href);
    await tab.until('#read:not(:disabled)');
    await tab.page.type('#typed-code', words.join(' '));
    await tab.page.click('#read');
    await tab.until('#conversation');
    expect(tab.problems).toEqual([]);
  } finally {
    await browser.close();
  }
  const [found] = recorder.exchanges(LOOK).slice(before);
  if (found === undefined) throw new Error('nobody looked');
  return found;
}

/** Sends the exact head of a browser's request with another body, on a separate connection. */
async function replay(head: string, body: Uint8Array): Promise<Exchange> {
  const socket = connect(Number(new URL(recorder.url).port), '127.0.0.1');
  socket.resume();
  socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
  await once(socket, 'close');
  const exchange = recorder.exchanges(PARCEL).find(({ up }) => up.body.equals(body));
  if (exchange === undefined) throw new Error('there was no answer');
  return exchange;
}

/** One parcel in a thousand has such a stamp by chance. */
function unstamped(make: () => Uint8Array): Uint8Array {
  for (;;) {
    const parcel = make();
    if (stampBits(parseParcel(parcel)) < DIFFICULTY) return parcel;
  }
}

const cells = (bytes: number): number => Math.ceil(bytes / CELL_BYTES);
const bytesOf = ({ head, body }: Exchange['up']): number => head.length + body.length;

describe.each(BROWSERS)('in %s', (name) => {
  let exchanges: Exchange[];
  beforeAll(async () => {
    exchanges = await visit(name, `Письмо из ${name}`);
  });

  it('a request and a decoy differ in nothing but the sealed bytes', () => {
    const kinds = exchanges.map(kindOf);
    expect(new Set(kinds)).toEqual(new Set(['decoy', 'letter']));
    expect(new Set(exchanges.map(({ up }) => up.head)).size).toBe(1);
    expect(new Set(exchanges.map(({ down }) => down.head)).size).toBe(1);
    for (const { up, down } of exchanges) {
      expect(up.body.length).toBe(PARCEL_BYTES);
      expect(down.body.length).toBe(ANSWER_BYTES);
      expect(parseAnswer(new Uint8Array(down.body)).result).toBe('accepted');
    }
    expect(new Set(exchanges.map(({ up }) => up.body.toString('hex'))).size).toBe(exchanges.length);
  });

  it('a mailbox read differs only in its path, which is as long, and in meaningless bytes', async () => {
    const [parcel] = exchanges;
    const { up, down } = await look(name);
    expect(up.head.replace(LOOK, PARCEL)).toBe(parcel?.up.head);
    expect(LOOK).toHaveLength(PARCEL.length);
    expect(down.head).toBe(parcel?.down.head);
    expect([up.body.length, down.body.length]).toEqual([PARCEL_BYTES, ANSWER_BYTES]);
    expect(parseMailboxAnswer(new Uint8Array(down.body), 0)).toMatchObject({ result: 'read', total: 0 });
  });

  it('the beginning of the sealed bytes reveals nothing about their kind', () => {
    // Version and serial; then, after the stamp, an age file to one recipient (docs/protocol.md).
    const starts = exchanges.map(
      ({ up: { body } }) =>
        body.subarray(0, NONCE_OFFSET).toString('hex') +
        body.subarray(PARCEL_HEADER_BYTES, PARCEL_HEADER_BYTES + AGE_START.length).toString('latin1'),
    );
    expect(starts[0]?.endsWith(AGE_START)).toBe(true);
    expect(new Set(starts).size).toBe(1);
  });

  it('a refusal is as long as an acceptance, and takes as many cells', async () => {
    const [accepted] = exchanges;
    if (accepted === undefined) throw new Error('there was no exchange');
    const { serial, worker } = deployment.keyring.keyring;
    const decoy = (of: number): Uint8Array => sealParcel({ kind: 'decoy' }, { serial: of, worker });
    const refused = [
      await replay(
        accepted.up.head,
        unstamped(() => decoy(serial)),
      ),
      await replay(accepted.up.head, stampParcel(decoy(serial + 7), DIFFICULTY)),
      await replay(accepted.up.head, new Uint8Array(PARCEL_BYTES)),
    ];
    expect(refused.map(({ down }) => parseAnswer(new Uint8Array(down.body)).result)).toEqual(['stamp', 'serial', 'version']);
    for (const { down } of refused) {
      expect(down.body.length).toBe(ANSWER_BYTES);
      expect(withoutStatus(down.head)).toBe(withoutStatus(accepted.down.head));
      expect(cells(bytesOf(down))).toBe(cells(bytesOf(accepted.down)));
    }
  });
});

it('answers are the same for any browser', () => {
  const heads = recorder
    .exchanges(PARCEL)
    .filter(({ down }) => down.head.startsWith('HTTP/1.1 202 '))
    .map(({ down }) => down.head);
  expect(new Set(heads).size).toBe(1);
});

// The last case: the deployment has no Redis after it.
it('an answer that asks to retry says when, and is as long', async () => {
  const [accepted] = recorder.exchanges(PARCEL);
  if (accepted === undefined) throw new Error('there was no exchange');
  await deployment.kill('redis');
  const parcel = stampParcel(sealParcel({ kind: 'decoy' }, deployment.keyring.keyring), DIFFICULTY);
  const { down } = await replay(accepted.up.head, parcel);
  const { result, retryAfterSeconds } = parseAnswer(new Uint8Array(down.body));
  expect(result).toBe('away');
  expect(down.head).toMatch(/^HTTP\/1\.1 503 /);
  expect(withoutStatus(down.head).replace(`Retry-After: ${String(retryAfterSeconds)}\r\n`, '')).toBe(withoutStatus(accepted.down.head));
  expect(down.body.length).toBe(ANSWER_BYTES);
  expect(cells(bytesOf(down))).toBe(cells(bytesOf(accepted.down)));
});

function withoutStatus(head: string): string {
  return head.slice(head.indexOf('\r\n'));
}

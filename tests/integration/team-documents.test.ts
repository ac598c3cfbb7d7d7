// The documents followed literally from nothing, by an administrator, an operator and three volunteers, each in a folder of their own:
// every command is read out of docs/, and only paths, addresses and dates are other ones. The relay, the worker and Redis are the programs.
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { WEEK_MS, weekStart } from '../../crypto/card.ts';
import { codeRoot, readCode } from '../../crypto/code.ts';
import { fromHex } from '../../crypto/bytes.ts';
import { signersOf, verifyKeyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { parseAnswer } from '../../crypto/answer.ts';
import { openReply } from '../../crypto/reply.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';
import { layoutOf } from '../../deploy/state/layout.ts';
import { PARTS } from '../../deploy/demo/parts.ts';
import { choosePort } from '../../deploy/demo/port.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { readMailbox, startConversation, wordList } from '../support/conversation.ts';
import { DIFFICULTY } from '../support/deployment.ts';
import { commandsByHeading, Person } from '../support/documents.ts';
import { http, postParcel } from '../support/http.ts';
import { Programs } from '../support/programs.ts';
import { ONION, startSocksServer } from '../support/socks-server.ts';
import { thoroughly } from '../support/thorough.ts';
import { maildirFiles, until } from '../support/worker.ts';

const PASSPHRASE = 'correct horse ёжик';
const ALIASES = ['Maple', 'Oak', 'Anna'];
/** The first day of the season that begins now: the documents show that of another. */
const MONDAY = dayOf(weekStart(Date.now()));
const CARD = `season-${MONDAY}.card`;

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let url: string;
let socks: Awaited<ReturnType<typeof startSocksServer>>;
let programs: Programs;
let administrator: Person;
let operator: Person;
let volunteers: Person[];
let documents: Record<'administrator' | 'ceremony' | 'operations' | 'volunteers', Map<string, string[]>>;

beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
  const port = await choosePort(0);
  url = `http://127.0.0.1:${String(port)}/`;
  socks = await startSocksServer({ [ONION]: port });
  const media = { '/media/': dir.path('media/'), '2026-11-30': MONDAY };
  administrator = new Person(dir.path('administrator'), media);
  operator = new Person(dir.path('operator'), media);
  const relay = { 'http://….onion': `http://${ONION}`, '127.0.0.1:9150': `127.0.0.1:${String(socks.port)}`, '~/Maildir': 'Maildir' };
  volunteers = ALIASES.map((alias) => new Person(dir.path(alias.toLowerCase()), { ...relay, '2026-11-30': MONDAY, PATH: 'Maildir' }));
  for (const name of ['admin', 'second', 'carry/cards']) await mkdir(dir.path('media', name), { recursive: true });
  const settings = { listen: `127.0.0.1:${String(port)}`, roundSeconds: 1, flushProbability: 1 };
  programs = new Programs(layoutOf(operator.path('state')), settings);
  const [page, sheet, operations, volunteer] = await Promise.all(
    ['administrator', 'ceremony', 'operations', 'volunteers'].map((name) => commandsByHeading(`docs/${name}.md`)),
  );
  const none = new Map<string, string[]>();
  documents = { administrator: page ?? none, ceremony: sheet ?? none, operations: operations ?? none, volunteers: volunteer ?? none };
});
afterAll(async () => {
  await programs.endParts();
  await socks.stop();
  await dir.remove();
});

/** The commands under a heading; it must have this many. */
function under(document: keyof typeof documents, heading: string, count: number): string[] {
  const found = documents[document].get(heading) ?? [];
  expect(found, `docs/${document}.md, ${heading}`).toHaveLength(count);
  return found;
}

/** What somebody sends or hands over. */
const hand = (from: string, to: string): Promise<void> => cp(from, to, { recursive: true });

test('the ceremony: a folder, root.pub for everybody, a team', async () => {
  const [init = '', ...rest] = under('administrator', 'Once: the ceremony', 4);
  expect(under('ceremony', 'English', 6)[0]).toBe(init);
  await administrator.type(init, [PASSPHRASE, PASSPHRASE]);
  for (const line of rest) await administrator.type(line);
  expect(await readdir(dir.path('media', 'carry'))).toContain('root.pub');
});

test('each volunteer makes keys, and the administrator hears the words of their card', async () => {
  const [make = '', show = ''] = under('volunteers', 'Make your keys, and send the card', 2);
  const [, add = ''] = under('administrator', 'Every season', 6);
  for (const [at, volunteer] of volunteers.entries()) {
    const { text: words } = await volunteer.type(make, [PASSPHRASE, PASSPHRASE]);
    expect((await volunteer.type(show)).text).toContain(words);
    await hand(volunteer.path('keys', CARD), dir.path('media', 'carry', CARD));
    await hand(dir.path('media', 'carry', 'root.pub'), volunteer.path('from-admin', 'root.pub'));
    const added = await administrator.type(add.replace('Maple', ALIASES[at] ?? ''), ['y']);
    expect(added.err + added.text).toContain(words.trim());
  }
});

test('the operator prepares a relay without any key of its own but those of the worker and of the onion address', async () => {
  const [setup = '', up = '', status = '', take = '', hands = ''] = under('operations', 'Installing with Docker', 10);
  expect(under('operations', 'Each season: two commands', 4)[1]).toBe(hands);
  const made = (await operator.type(setup)).text;
  expect(made).toMatch(/http:\/\/[a-z2-7]{56}\.onion\//);
  expect(made).toContain(CARD);
  expect(up).toBe('docker compose up --build --wait');
  for (const part of PARTS) programs.start(part);
  await until('the worker waits', async () => /worker +waiting/.test((await operator.type(status, [], EXIT.attention)).text));
  const missing = (await operator.type(status, [], EXIT.attention)).text;
  for (const code of ['ROOT_MISSING', 'FORM_MISSING', 'KEYRINGS_MISSING', 'INBOXES_MISSING']) expect(missing).toContain(`(${code})`);
  expect(missing).not.toMatch(/WORKER_GONE|MIX_PAUSED|KEYS_MISSING|HOUSEKEEPING|KEYRING_NONE|DOOR_CLOSED/);
  const sheet = await readFile(dir.path('media', 'admin', 'folder', 'sheet.txt'), 'utf8');
  const [fingerprint = ''] = /(?:[0-9a-f]{4} ){4}[0-9a-f]{4}/.exec((await operator.type(take)).text) ?? [];
  expect(sheet).toContain(fingerprint);
  await operator.type(hands);
  expect(await readdir(dir.path('media', 'carry', 'cards'))).toContain(`worker-${CARD}`);
  expect(await readdir(operator.path('state', 'keyrings'))).toEqual(['root.pub']);
});

test('the season is signed by the sheet, and carried out', async () => {
  const [, add = '', season = '', carry = '', second = ''] = under('ceremony', 'English', 6);
  await administrator.type(add, ['y']);
  await administrator.type(season, ['y', PASSPHRASE]);
  for (const line of [carry, second]) await administrator.type(line);
  for (const volunteer of volunteers) await hand(dir.path('media', 'carry', 'out', 'volunteers'), volunteer.path('from-admin'));
});

test('the operator puts the keyrings in their place, and the door opens without a restart of the relay', async () => {
  const [, , status = '', , , take = '', inbox = '', restart = ''] = under('operations', 'Installing with Docker', 10);
  expect(under('operations', 'Each season: two commands', 4)[2]).toBe(take);
  await operator.type(take);
  expect((await operator.type(inbox)).text).not.toContain('Say where');
  expect(await readdir(operator.path('state', 'web'))).toContain('form.html');
  const saysChanged = async (): Promise<boolean> => (await operator.type(status, [], EXIT.attention)).text.includes('(INBOXES_CHANGED)');
  await until('the worker misses the new inbox', saysChanged);
  expect(restart).toBe('docker compose restart worker');
  await programs.restart('worker');
  await until('the door opens', async () => (await startOf())?.door.open === true);
  // The worker says so at the end of a round.
  await until('nothing is missing', () =>
    operator.type(status).then(
      () => true,
      () => false,
    ),
  );
  const { text } = await operator.type(status);
  expect(text).toContain('All is well');
  expect(text).toContain(`valid until ${dayOf(weekStart(Date.now()) + 13 * WEEK_MS)}`);
}, 120_000);

test('each volunteer takes the keyrings, and is in them', async () => {
  const takes = under('volunteers', 'Take the keyrings that come back', 2);
  for (const volunteer of volunteers) {
    for (const take of takes) expect((await volunteer.type(take)).err).not.toContain('!');
    expect((await readdir(volunteer.path('keys'))).filter((name) => /^keyring-\d+\.json$/.test(name))).toHaveLength(13);
  }
});

test('a request is delivered, opened by all three, answered by one, and the answer read with the access code', async () => {
  const { words, thread } = await startConversation('en');
  await request('Please help me', thread);
  await until('delivery', async () => (await maildirFiles(programs.layout.inbox)).length === 1);
  const [open = ''] = under('volunteers', 'Opening requests', 1);
  const [inbox = ''] = under('volunteers', 'Conversations', 1);
  for (const volunteer of volunteers) {
    await hand(programs.layout.inbox, volunteer.path('Maildir'));
    expect((await volunteer.type(inbox, [PASSPHRASE])).text).toMatch(/^[0-9a-f]{8} {2}unanswered .* Please help me/m);
    expect((await volunteer.type(open, [PASSPHRASE])).text).toContain('Please help me');
  }
  const [reply = '', send = ''] = under('volunteers', 'Answering', 2);
  const anna = volunteers[ALIASES.indexOf('Anna')];
  const conversation = thread.address.key.slice(0, 8);
  await anna?.type(reply.replace('1a2b3c4d', conversation), [PASSPHRASE, 'We are here. Write again.', 'y']);
  // Nothing is left to be sent: the relay has taken both.
  expect(await readdir(anna?.path('answers') ?? '')).toEqual([]);
  expect(send).toContain('support-relay send answers');
  await until('the answer', async () => (await readMailbox({ url }, thread)).total === 1);
  expect(await readWith(words)).toEqual(['We are here. Write again.']);
  expect(socks.visits.every(({ host }) => host === ONION)).toBe(true);

  await until('the note', async () => (await maildirFiles(programs.layout.inbox)).length === 2);
  for (const volunteer of volunteers.slice(0, 2)) {
    await hand(programs.layout.inbox, volunteer.path('Maildir'));
    expect((await volunteer.type(inbox, [PASSPHRASE])).text).toContain('answered by Anna · ');
  }
}, 120_000);

test('who is revoked is refused by the relay that runs, without a restart and without a new key of the worker', async () => {
  const [, , , carry = '', , revoke = ''] = under('ceremony', 'English', 6);
  const [, , take = ''] = under('operations', 'Each season: two commands', 4);
  await administrator.type(revoke, ['y', PASSPHRASE]);
  await administrator.type(carry);
  await operator.type(take);
  await until('the keyring of the revocation', async () => (await keyringOf())?.keyring.serial === 14);
  const [maple, oak] = volunteers;
  const [reply = ''] = under('volunteers', 'Answering', 2);
  const conversation = /[0-9a-f]{8}/.exec((await oak?.type('support-relay inbox PATH', [PASSPHRASE]))?.text ?? '')?.[0] ?? '';
  await expect(maple?.type(reply.replace('1a2b3c4d', conversation), [PASSPHRASE])).rejects.toThrow('(SIGNER_UNKNOWN)');
  // Who only reads asks the relay for the keyring, with the command in the text.
  const text = await readFile('docs/volunteers.md', 'utf8');
  const [, ask = ''] = /`(support-relay volunteer keyring --relay [^`]*)`/.exec(text) ?? [];
  expect((await oak?.type(ask))?.err).toMatch(/gone  signer/);
  await request('And me', (await startConversation('en')).thread);
  await until('delivery', async () => (await maildirFiles(programs.layout.inbox)).length === 3);
  const opened = async (person: Person | undefined, code?: number): Promise<string> => {
    await hand(programs.layout.inbox, person?.path('Maildir') ?? '');
    return (await person?.type('support-relay open PATH', [PASSPHRASE], code))?.text ?? '';
  };
  expect(await opened(oak)).toContain('And me');
  expect(await opened(maple, 1)).not.toContain('And me');
}, 120_000);

thoroughly(
  "the worker's keys are made anew, and what was sealed to the former ones is delivered all the same",
  async () => {
    const former = await keyringOf();
    const [anew = ''] = under('operations', "When the worker's keys may be in other hands", 1);
    const revoke = documents.administrator.get('When something happens')?.find((line) => line.includes('--worker')) ?? '';
    const [, , , carry = ''] = under('ceremony', 'English', 6);
    const [, hands = '', take = ''] = under('operations', 'Each season: two commands', 4);
    await operator.type(anew);
    await operator.type(hands);
    await administrator.type(revoke.replace('2026-12-07', MONDAY), ['y', 'y', PASSPHRASE]);
    await administrator.type(carry);
    await operator.type(take);
    await until('the keyring with the new key', async () => (await keyringOf())?.keyring.worker !== former?.keyring.worker);
    await request('From a page that was opened before', (await startConversation('en')).thread, former);
    await request('From a new one', (await startConversation('en')).thread);
    await until('delivery', async () => (await maildirFiles(programs.layout.inbox)).length === 5);
  },
  120_000,
);

type Start = { door: { open: boolean }; keyring: string; signature: string };

/** What the form asks for; null while nobody answers. */
async function startOf(): Promise<Start | null> {
  const answer = await http(`${url}start.json`, { timeoutMs: 2_000 }).catch(() => null);
  return answer === null ? null : (JSON.parse(Buffer.from(answer.body).toString()) as Start);
}

/** The relay's keyring, verified as the form does. */
async function keyringOf(): Promise<VerifiedKeyring | null> {
  const start = await startOf();
  const root = parsePublicKey(await readFile(dir.path('media', 'carry', 'root.pub'), 'utf8'));
  return start === null ? null : verifyKeyring(new TextEncoder().encode(start.keyring), start.signature, root);
}

async function request(message: string, thread: Thread, before: VerifiedKeyring | null = null): Promise<void> {
  const keyring = before ?? (await keyringOf());
  if (keyring === null) throw new Error('the relay is away');
  const sealed = sealRequest({ topic: 'psychological', language: 'en', message }, keyring, { thread });
  expect(parseAnswer((await postParcel(url, stampParcel(sealed, DIFFICULTY))).body).result).toBe('accepted');
}

/** The answers that wait for whoever has these twelve words and nothing else. */
async function readWith(words: readonly string[]): Promise<string[]> {
  const read = readCode(words.join(' '), await wordList('en'));
  if ('problem' in read) throw new Error('not the words of a code');
  const thread = threadOf(codeRoot('en', read.code));
  const { total, replies } = await readMailbox({ url }, thread);
  const keyring = await keyringOf();
  const signers = keyring === null ? new Set<string>() : signersOf(keyring.keyring);
  return replies.slice(0, total).map((reply) => openReply(reply, thread.identity, fromHex(thread.address.key), signers).text);
}

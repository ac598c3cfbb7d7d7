// Vectors of what a reader of JSON must take and refuse, in letters, replies, keyrings and manifests. Called by make.ts.
import { encrypt } from '../../crypto/age/age.ts';
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { concat, toHex, utf8 } from '../../crypto/bytes.ts';
import { codeRoot } from '../../crypto/code.ts';
import { keyringDigest, type Keyring } from '../../crypto/keyring.ts';
import { LETTER_PLAINTEXT_BYTES, LETTER_RECIPIENTS } from '../../crypto/letter.ts';
import { encodeManifest } from '../../crypto/manifest.ts';
import { signNote } from '../../crypto/note.ts';
import { REPLY_PLAINTEXT_BYTES } from '../../crypto/reply.ts';
import { signingKeyPair, signParts } from '../../crypto/sign.ts';
import { signAddress, threadOf } from '../../crypto/thread.ts';
import type { Vector } from './run.ts';

type Given = {
  readonly volunteer: string;
  readonly stranger: string;
  readonly keyring: Keyring;
  readonly digest: string;
  readonly sign: (bytes: Uint8Array) => string;
};
type Made = { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] };

const fails = (error: string): Vector['expect'] => ({ error });
const HALF = '\\ud83d';
const OTHER_HALF = '\\ude4a';

export function jsonVectors({ volunteer, stranger, keyring, digest, sign }: Given): Made {
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const add = (name: string, op: Vector['op'], bytes: Uint8Array, expect: Vector['expect'], more: Partial<Vector> = {}): void => {
    blobs[name] = bytes;
    vectors.push({ name, op, input: name, expect, ...more });
  };
  const padded = (json: string | Uint8Array, length: number): Uint8Array => {
    const plaintext = new Uint8Array(length).fill(0x20);
    plaintext.set(typeof json === 'string' ? utf8(json) : json);
    return plaintext;
  };

  // Letters.
  const to = identityToRecipient(volunteer);
  const letter = (
    name: string,
    json: string | Uint8Array,
    expect: Vector['expect'],
    more: Partial<Vector> = {},
    op: Vector['op'] = 'openLetter',
  ): void => {
    add(
      name,
      op,
      encrypt(
        padded(json, LETTER_PLAINTEXT_BYTES),
        Array.from({ length: LETTER_RECIPIENTS }, () => to),
      ),
      expect,
      { identities: ['volunteer'], ...more },
    );
  };
  const malformed = fails('LETTER_FORMAT');
  const sealedUnder = { version: 1, serial: keyring.serial, keyring: digest, language: 'ru' };
  const said = { ...sealedUnder, kind: 'request', message: 'Слово' };
  const json = JSON.stringify(said);
  letter('a request with a surrogate pair written as escapes', json.replace('Слово', `${HALF}${OTHER_HALF}`), {
    value: { ...said, message: '🙊' },
  });
  letter('a request with a backslash before what looks like half a surrogate pair', json.replace('Слово', `\\${HALF}`), {
    value: { ...said, message: HALF },
  });
  letter('a request with the halves of a surrogate pair in the wrong order', json.replace('Слово', `${OTHER_HALF}${HALF}`), malformed);
  letter(
    'a request with the halves of a surrogate pair on both sides of a backslash',
    json.replace('Слово', `${HALF}\\\\${OTHER_HALF}`),
    malformed,
  );
  letter('a request with half a surrogate pair in a field that is not known', json.replace('{', `{"more":"${HALF}",`), malformed);
  letter(
    'a request with half a surrogate pair in the name of a field',
    json.replace('{', `{"${OTHER_HALF.toUpperCase().replace('U', 'u')}":1,`),
    malformed,
  );
  letter('a request with half a surrogate pair in a message that does not count', json.replace('{', `{"message":"${HALF}",`), malformed);
  const [before = '', after = ''] = json.split('Слово');
  letter('a request of JSON but for a byte that is no UTF-8', concat(utf8(before), Uint8Array.of(0x78, 0xff), utf8(after)), malformed);

  const serialAs = (text: string): string => json.replace(`"serial":${String(keyring.serial)}`, `"serial":${text}`);
  for (const text of ['7.0', '7e0', '0.7E+1', '7.00000000000000000001'])
    letter(`a request with ${text} for a serial of 7`, serialAs(text), { value: said });
  for (const text of ['7.5', '"7"', '0', '1e999', '[7]']) letter(`a request of the serial ${text}`, serialAs(text), malformed);
  letter('a request of the version true', json.replace('"version":1', '"version":true'), malformed);
  letter('a request with a number of any size in a field that is not known', json.replace('{', '{"more":-1.5e999,'), { value: said });

  const thread = threadOf(codeRoot('ru', [0, 1295, 7, 255, 256, 1024, 640, 36, 7, 1000, 511, 0]));
  const asked = { ...said, thread: signAddress(said, thread) };
  letter('a request with a number and a list of what was read, which nobody signs', JSON.stringify({ ...asked, number: 3, read: [] }), {
    value: asked,
  });
  const further = { ...said, kind: 'follow-up', number: 12, read: ['0f1e2d3c4b5a6978', '0f1e2d3c4b5a6978', '0000000000000000'] };
  const placed = { ...further, thread: signAddress(further, thread) };
  letter('a follow-up that names one answer twice', JSON.stringify(placed), { value: placed });
  letter('a follow-up with 12.0 for the number 12', JSON.stringify(placed).replace('"number":12', '"number":12.0'), { value: placed });
  letter(
    'a follow-up that is signed over 12.0 for the number 12',
    JSON.stringify({ ...placed, thread: { ...placed.thread, signature: signatureOver('12.0') } }),
    fails('LETTER_THREAD'),
  );
  letter('a request with a topic of 33 characters', JSON.stringify({ ...said, topic: 'x'.repeat(33) }), malformed);
  letter('a request with a thread that is null', JSON.stringify({ ...said, thread: null }), malformed);
  const nowhere = { ...thread, address: { ...thread.address, recipient: 'age1pq1' } };
  letter('a request whose recipient has not the form of one', JSON.stringify({ ...said, thread: signAddress(said, nowhere) }), malformed);
  letter('a cover of the serial 0', JSON.stringify({ ...sealedUnder, kind: 'cover', serial: 0 }), malformed);

  function signatureOver(number: string): string {
    const { key, lock, recipient } = thread.address;
    const parts = [
      further.kind,
      String(further.serial),
      further.keyring,
      '',
      further.language,
      further.message,
      '',
      key,
      lock,
      recipient,
      number,
      further.read.join(''),
    ];
    return toHex(signParts('letter', parts, thread.signing));
  }

  const [signer, nobody] = [1, 2].map((byte) => signingKeyPair(new Uint8Array(32).fill(byte))) as [
    ReturnType<typeof signingKeyPair>,
    ReturnType<typeof signingKeyPair>,
  ];
  const signers = [toHex(signer.key)];
  const note = signNote({ action: 'claim', thread: thread.address.key, alias: 'Клён', text: '' }, signer);
  const noted = { ...sealedUnder, kind: 'note', note };
  letter('a note with an id of 31 digits', JSON.stringify({ ...noted, note: { ...note, id: note.id.slice(1) } }), malformed);
  letter(
    'a note by who is no signer, whose signature does not fit either',
    JSON.stringify({ ...noted, note: { ...note, signer: toHex(nobody.key), text: 'x' } }),
    fails('SIGNER_UNKNOWN'),
    { signers },
    'checkNote',
  );

  // Replies.
  const inside = {
    version: 1,
    kind: 'reply',
    thread: thread.address.key,
    team: 'a1b2c3d4e5f60718',
    id: '0f'.repeat(16),
    text: 'Слово',
    number: 12,
    earlier: [],
  };
  const signed = (change: Partial<typeof inside>, by = signer): typeof inside & { signer: string; signature: string } => {
    const content = { ...inside, ...change };
    const parts = [content.thread, content.team, content.id, content.text, String(content.number), content.earlier.join('')];
    return { ...content, signer: toHex(by.key), signature: toHex(signParts('reply', parts, by)) };
  };
  const reply = (name: string, text: string, expect: Vector['expect']): void => {
    add(name, 'openReply', encrypt(padded(text, REPLY_PLAINTEXT_BYTES), [identityToRecipient(stranger)]), expect, {
      identities: ['stranger'],
      thread: thread.address.key,
      signers,
    });
  };
  const good = signed({});
  reply('a reply with 1.2e1 for the number 12', JSON.stringify(good).replace('"number":12', '"number":1.2e1'), { value: good });
  reply(
    'a reply with half a surrogate pair in a field that is not known',
    JSON.stringify(good).replace('{', `{"more":["${HALF}"],`),
    fails('REPLY_FORMAT'),
  );
  reply('a reply whose team has another form', JSON.stringify(signed({ team: 'A1B2C3D4E5F60718' })), fails('REPLY_FORMAT'));
  reply(
    'a reply of another thread, by who is no signer',
    JSON.stringify(signed({ thread: '00'.repeat(32) }, nobody)),
    fails('REPLY_THREAD'),
  );
  reply(
    'a reply by who is no signer, whose signature does not fit either',
    JSON.stringify({ ...signed({}, nobody), text: 'x' }),
    fails('SIGNER_UNKNOWN'),
  );

  // Keyrings and manifests.
  const ring = (name: string, text: string, isGood = false): void => {
    const bytes = utf8(text);
    add(
      name,
      'verifyKeyring',
      bytes,
      isGood ? { value: { digest: keyringDigest(bytes), serial: keyring.serial } } : fails('KEYRING_FORMAT'),
      { signature: sign(bytes) },
    );
  };
  const ringJson = JSON.stringify(keyring);
  ring('a keyring with half a surrogate pair in a name', ringJson.replace('"Помощь"', `"${HALF}"`));
  ring('a keyring with half a surrogate pair in a field that is not known', ringJson.replace('{', `{"more":"${HALF}",`));
  ring('a keyring with a surrogate pair written as escapes', ringJson.replace('"Помощь"', `"${HALF}${OTHER_HALF}"`), true);
  ring(
    'a keyring with 7.0 for its serial and 1e0 for its version',
    ringJson.replace('"serial":7', '"serial":7.0').replace('"version":1', '"version":1e0'),
    true,
  );
  ring('a keyring without a field "previous"', JSON.stringify({ ...keyring, previous: undefined }));
  ring('a keyring whose "previous" is null', JSON.stringify({ ...keyring, previous: null }), true);
  ring('a keyring whose "previous" is no digest', JSON.stringify({ ...keyring, previous: 'ab' }));
  ring('a keyring after a byte order mark', `\ufeff${ringJson}`);
  ring('a keyring with white space of JSON around it', `\t\r\n ${ringJson} \n`, true);
  const manifest = new TextDecoder().decode(encodeManifest(new Map([['form.css', utf8('a')]])));
  add(
    'a manifest with half a surrogate pair in a field that is not known',
    'parseManifest',
    utf8(manifest.replace('{', `{"more":"${HALF}",`)),
    fails('MANIFEST_FORMAT'),
  );
  add('a manifest with 1.0 for its version', 'parseManifest', utf8(manifest.replace('"version": 1', '"version": 1.0')), {
    value: ['form.css'],
  });
  return { blobs, vectors };
}

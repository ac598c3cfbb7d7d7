import { beforeAll, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { sealParcel } from '../../crypto/parcel.ts';
import { decodeParcelText, encodeParcelText, PARCEL_TEXT_CHARACTERS } from '../../crypto/parcel-text.ts';
import { ready } from '../../crypto/sodium.ts';
import { readTemplate } from '../../web/build/pages.ts';

let parcel: Uint8Array;
beforeAll(async () => {
  await ready;
  parcel = sealParcel({ kind: 'decoy' }, { serial: 7, worker: identityToRecipient(generateIdentity()) });
});

it('is 32,768 characters of base64url, and decodes to the same parcel', () => {
  const text = encodeParcelText(parcel);
  expect(text).toBe(Buffer.from(parcel).toString('base64url'));
  expect(text).toHaveLength(PARCEL_TEXT_CHARACTERS);
  expect(PARCEL_TEXT_CHARACTERS).toBe(32_768);
  expect(decodeParcelText(text)).toEqual(parcel);
});

it.each([
  ['a character too few', (text: string) => text.slice(1)],
  ['a character too many', (text: string) => `${text}A`],
  ['a space', (text: string) => ` ${text.slice(1)}`],
  ['the other base64', (text: string) => `+/${text.slice(2)}`],
  ['padding', (text: string) => `${text.slice(1)}=`],
])('refuses %s', (_what, change) => {
  expect(() => decodeParcelText(change(encodeParcelText(parcel)))).toThrow(expect.objectContaining({ code: 'PARCEL_TEXT' }) as Error);
});

it('is made only of a parcel', () => {
  expect(() => encodeParcelText(parcel.subarray(1))).toThrow(expect.objectContaining({ code: 'PARCEL_SIZE' }) as Error);
});

it('passes the pattern of the paste field, in old and new browsers', async () => {
  const pattern = /pattern="([^"]+)"/.exec(await readTemplate('paste', { offline: true }))?.[1] ?? '';
  // Until 2023 browsers compiled a pattern with the flag u, since then with v: a pattern that is an error refuses nothing.
  for (const flag of ['u', 'v']) {
    const checked = new RegExp(`^(?:${pattern})$`, flag);
    const text = encodeParcelText(parcel);
    expect(checked.test(text)).toBe(true);
    for (const other of ['', 'Help me', text.slice(1), `${text}A`, ` ${text.slice(1)}`, `${text.slice(1)}я`])
      expect(checked.test(other)).toBe(false);
  }
});

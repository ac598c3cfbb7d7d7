import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { toHex, randomBytes } from '../../crypto/bytes.ts';
import { encodeKeyring, keyringDigest, type Keyring } from '../../crypto/keyring.ts';
import { encodePublicKey, generateKeyPair, sign, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';

const HOUR_MS = 3_600_000;

export type KeyringDirectory = {
  readonly directory: string;
  readonly rootKeyFile: string;
  readonly root: SigningKey;
  /** Signs and writes `keyring-<serial>.json`; hours are counted from now. */
  add(keyring: { serial: number; fromHours: number; toHours: number; signer?: SigningKey }): Promise<Keyring>;
};

/** A root key and a directory of keyrings, each with one team and one volunteer. */
export async function makeKeyrings(parent: string, now: () => number = Date.now): Promise<KeyringDirectory> {
  await ready;
  const directory = join(parent, 'keyrings');
  const rootKeyFile = join(parent, 'root.pub');
  const root = generateKeyPair();
  await mkdir(directory, { recursive: true });
  await writeFile(rootKeyFile, encodePublicKey(root));
  return {
    directory,
    rootKeyFile,
    root,
    add: async ({ serial, fromHours, toHours, signer = root }) => {
      const keyring: Keyring = {
        version: 1,
        serial,
        notBefore: instant(now() + fromHours * HOUR_MS),
        notAfter: instant(now() + toHours * HOUR_MS),
        previous: await digestBefore(directory, serial),
        worker: identityToRecipient(generateIdentity()),
        teams: [
          {
            id: toHex(randomBytes(8)),
            names: { en: 'Help' },
            topics: [{ id: 'legal', names: { en: 'Legal' } }],
            recipients: [identityToRecipient(generateIdentity())],
            signers: [toHex(generateKeyPair().key)],
          },
        ],
      };
      const json = encodeKeyring(keyring);
      const path = join(directory, `keyring-${String(serial)}.json`);
      await writeFile(`${path}.minisig`, sign(json, signer, `keyring ${String(serial)}`));
      await writeFile(path, json);
      return keyring;
    },
  };
}

/** Digest of the keyring of the serial before, if it is in the directory: `previous` of the next one. */
export async function digestBefore(directory: string, serial: number): Promise<string | null> {
  const json = await readFile(join(directory, `keyring-${String(serial - 1)}.json`)).catch(() => null);
  return json === null ? null : keyringDigest(json);
}

function instant(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

// What a backup would bring back, for the person who knows whether it is theirs.
import * as z from 'zod';
import { equal } from '../../crypto/bytes.ts';
import { onionAddressOf } from '../../crypto/onion-address.ts';
import { sodium } from '../../crypto/sodium.ts';
import { textOf } from '../../crypto/text-file.ts';
import { CliError } from '../errors.ts';
import { VERSION_FILE, type BackupFiles } from './backup-files.ts';

const SECRET_ONION_KEY = 'tor/onion/hs_ed25519_secret_key';
const PUBLIC_ONION_KEY = 'tor/onion/hs_ed25519_public_key';
/** Where the address stands as text. */
const ADDRESSES = ['onion/address', 'tor/onion/hostname'];
const INBOXES = 'worker/mail/inboxes.json';
const REMINDER = 'worker/mail/administrator.json';
const CLIENT = /^tor\/onion\/authorized_clients\/(.+)\.auth$/;

/** Before each key in tor's files: a tag, padded with zeros. */
const TAG_BYTES = 32;
const SCALAR_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;

const place = { to: z.string().optional(), host: z.string().optional(), path: z.string().optional() };
const inboxesSchema = z.array(z.object({ id: z.string(), team: z.string(), kind: z.string(), ...place }));
const reminderSchema = z.object(place).nullable();

/** `address` null: the key of no onion service is in it. `clients`: who may reach it, if not everybody may. `reminder` null: nobody. */
export type BackupSummary = {
  readonly address: string | null;
  readonly inboxes: z.output<typeof inboxesSchema>;
  readonly reminder: z.output<typeof reminderSchema>;
  readonly clients: readonly string[];
  readonly version: string;
  readonly site: boolean;
};

/** Makes an error of what is wrong. */
type Unfit = (why: string) => CliError;

/** For a backup that somebody brings. @param name the file's */
export const unfitBackup =
  (name: string): Unfit =>
  (why) =>
    new CliError('BACKUP_FORMAT', `${name} brings back no relay: ${why}`, 'ask the operator where it comes from; nothing was written');

/** For the state that a backup is to be made of. */
export const unfitState =
  (dir: string): Unfit =>
  (why) =>
    new CliError('BACKUP_FILE', `what is in ${dir} would bring back no relay: ${why}`, 'mend that first; nothing was written');

/**
 * Sums up a backup. The address is that of the secret key in it: who does not have that key makes no backup with this address. Throws
 * `unfit` when keys and address do not belong together, or the settings of mail are none. Await `ready` before.
 */
export function summaryOf(files: BackupFiles, unfit: Unfit): BackupSummary {
  return {
    address: addressIn(files, unfit),
    inboxes: settingsIn(files, INBOXES, inboxesSchema, unfit) ?? [],
    reminder: settingsIn(files, REMINDER, reminderSchema, unfit),
    clients: [...files.keys()].flatMap((path) => CLIENT.exec(path)?.[1] ?? []),
    version: textIn(files, VERSION_FILE) ?? '',
    site: files.has('site.json'),
  };
}

/** The summary as lines of text. @param teamName null where the team is not known */
export function summaryLines(summary: BackupSummary, teamName: (id: string) => string | null): string[] {
  const { address, inboxes, reminder, clients, version, site } = summary;
  const inboxLines = inboxes.map(({ id, kind, team, ...where }) => {
    return [`inbox ${id}`, `${kind}, ${placeOf(where)}, for team ${teamName(team) ?? `${team}, which is not known here`}`];
  });
  const lines = [
    ['onion address', address ?? 'none: the relay would get another one, and nothing shows whose backup this is'],
    ...(inboxLines.length === 0 ? [['inboxes', 'none']] : inboxLines),
    ...(reminder === null ? [] : [['reminder', placeOf(reminder)]]),
    ...(clients.length === 0 ? [] : [['only for', clients.join(', ')]]),
    ...(site ? [['form', 'with a site.json, which changes what it says']] : []),
    ['version', version],
  ];
  const width = Math.max(...lines.map(([what = '']) => what.length));
  return lines.map(([what = '', is = '']) => `  ${what.padEnd(width)}  ${is}`);
}

const placeOf = ({ to, host, path }: z.output<z.ZodObject<typeof place>>): string =>
  host === undefined && to === undefined ? `in ${path ?? 'no place'}` : `to ${to ?? 'nobody'} at ${host ?? 'no server'}`;

function textIn(files: BackupFiles, path: string): string | null {
  const bytes = files.get(path);
  return bytes === undefined ? null : textOf(bytes, 'lenient').trim();
}

function settingsIn<T>(files: BackupFiles, path: string, schema: z.ZodType<T>, unfit: Unfit): T | null {
  const text = textIn(files, path);
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw unfit(`${path} in it holds no settings`);
  }
}

function addressIn(files: BackupFiles, unfit: Unfit): string | null {
  const [secret, publicKey] = [files.get(SECRET_ONION_KEY), files.get(PUBLIC_ONION_KEY)?.subarray(TAG_BYTES)];
  if (secret === undefined) return null;
  const address = publicKey !== undefined && isPair(secret.subarray(TAG_BYTES), publicKey) ? onionAddressOf(publicKey) : null;
  const others = ADDRESSES.map((path) => textIn(files, path)).filter((text) => text !== null && text !== address);
  if (address === null || others.length > 0) throw unfit("the onion service's keys and address in it do not belong together");
  return address;
}

/** Compares the points of both on Curve25519: the sign that is lost so leads to an address whose key nobody has. */
function isPair(expanded: Uint8Array, publicKey: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || expanded.length < SCALAR_BYTES) return false;
  try {
    const point = sodium.crypto_scalarmult_base(expanded.subarray(0, SCALAR_BYTES));
    return equal(point, sodium.crypto_sign_ed25519_pk_to_curve25519(publicKey));
  } catch {
    return false;
  }
}

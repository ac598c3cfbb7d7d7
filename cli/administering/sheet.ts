// The recovery sheet: the encrypted root key as lines to print and, if both sticks are lost, to type in. docs/protocol.md, § Key files.
import { base64 } from '@scure/base';
import { blake2b, concat, equal, fromHex, toHex } from '../../crypto/bytes.ts';
import { keyName, needsPassphrase, type PublicKey } from '../../crypto/minisign.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { CliError } from '../errors.ts';
import { publicLineOf } from './folder.ts';

const LINE_BYTES = 16;
const CHECK_BYTES = 2;
const LINE = /^\s*(\d{2})((?:\s+[0-9a-f]{4}){1,8})\s+([0-9a-f]{4})\s*$/i;

/** Two bytes by which a line that was mistyped, or typed as another one, is seen. */
const checkOf = (number: number, bytes: Uint8Array): string => toHex(blake2b(CHECK_BYTES, concat(Uint8Array.of(number), bytes)));

const groupsOf = (hex: string): string => hex.match(/.{4}/g)?.join(' ') ?? '';

/** The text to print. `secretKey`: the text of root.key. */
export function sheetOf(secretKey: string, root: PublicKey, today: string): string {
  const bytes = base64.decode(secretKey.trim().split('\n').at(-1) ?? '');
  const lines = Array.from({ length: Math.ceil(bytes.length / LINE_BYTES) }, (_, at) => {
    const line = bytes.subarray(at * LINE_BYTES, (at + 1) * LINE_BYTES);
    return `  ${String(at + 1).padStart(2, '0')}  ${groupsOf(toHex(line)).padEnd(40)}  ${checkOf(at + 1, line)}`;
  });
  const isOpen = !needsPassphrase(secretKey);
  return `RECOVERY SHEET of the root key ${keyName(root.id)}, printed ${today}

Keep this paper where you would keep money, away from the sticks.
${
  isOpen
    ? 'THE KEY HAS NO PASSPHRASE: who reads this page can sign keyrings.'
    : 'Keep it away from the passphrase, too: who has both can sign keyrings.'
}

Public key (root.pub), to compare with what others have:

  ${publicLineOf(root)}
  fingerprint  ${fingerprint(toHex(root.key))}

Volunteers and the operator read the same fingerprint with

  support-relay show root.pub

The secret key, ${isOpen ? 'NOT protected' : 'protected by its passphrase'}. The last four signs of
each line check it:

${lines.join('\n')}

If both sticks are lost:

 1. On a computer that never goes online, type the ${String(lines.length)} lines above into a text
    file, sheet.txt. Capital letters and spaces do not matter; a line with a
    mistake is named. Then

      support-relay admin init --folder admin --sheet sheet.txt

    asks for the passphrase, and shows the fingerprint above.

 2. Get all keyrings from the operator or a volunteer, and take them in, so that
    no serial is used twice. This brings the teams back as well:

      support-relay admin take keyring-*.json --folder admin

 3. Ask everybody for their card again (support-relay admin add). Give the new
    backup.recipient to the operator: earlier backups of the relay open no more.
`;
}

/**
 * The text of root.key from the lines of a sheet, typed in; everything else in the text is passed over. Throws SHEET_FORMAT, and names the
 * line.
 */
export function secretKeyOf(sheet: string): string {
  const parts: Uint8Array[] = [];
  for (const text of sheet.split('\n')) {
    const [, digits = '', groups = '', check = ''] = LINE.exec(text) ?? [];
    if (digits === '') continue;
    const number = parts.length + 1;
    if (Number(digits) !== number) throw malformed(`line ${String(number).padStart(2, '0')} is missing before line ${digits}`);
    const bytes = fromHex(groups.replaceAll(/\s/g, '').toLowerCase());
    if (!equal(fromHex(check.toLowerCase()), fromHex(checkOf(number, bytes)))) throw malformed(`line ${digits} is not as it was printed`);
    parts.push(bytes);
  }
  if (parts.length === 0) throw malformed('there is no line such as "01  4564 5363 …" in it');
  const text = `untrusted comment: minisign encrypted secret key\n${base64.encode(concat(...parts))}\n`;
  try {
    needsPassphrase(text);
  } catch {
    throw malformed(`lines are missing after line ${String(parts.length).padStart(2, '0')}`);
  }
  return text;
}

function malformed(what: string): CliError {
  return new CliError('SHEET_FORMAT', `the sheet is not whole: ${what}`, 'compare it with the printed page; nothing was written');
}

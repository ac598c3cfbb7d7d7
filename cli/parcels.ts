// Finds sealed parcels in whatever somebody was given: a saved text, a mail, a chat, or the parcels' own bytes.
import { CodedError } from '../crypto/errors.ts';
import { PARCEL_BYTES, PARCEL_VERSION, parseParcel } from '../crypto/parcel.ts';
import { decodeParcelText, PARCEL_TEXT_CHARACTERS } from '../crypto/parcel-text.ts';
import { readUint32 } from '../crypto/bytes.ts';

export type Found = { readonly parcel: Uint8Array } | { readonly problem: Error };

/** A run of base64url shorter than this is a word of the text around. */
const NOTABLE_CHARACTERS = 1_000;
/** What mail programs and chats put before a line that is passed on. Looked for at one place only: the text is a stranger's. */
const QUOTING = /^[>\s]+/;

/** Every parcel in `bytes`, and for each piece that looks like one and is not, why. */
export function parcelsIn(bytes: Uint8Array): Found[] {
  return isBinary(bytes) ? inBytes(bytes) : inText(new TextDecoder().decode(bytes));
}

function isBinary(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && readUint32(bytes, 0) === PARCEL_VERSION;
}

function inBytes(bytes: Uint8Array): Found[] {
  const found: Found[] = [];
  for (let at = 0; at < bytes.length; at += PARCEL_BYTES) found.push(checked(() => bytes.slice(at, at + PARCEL_BYTES)));
  return found;
}

/** Lines of nothing but base64url belong together, however they were broken, until they make a parcel. */
function inText(text: string): Found[] {
  const found: Found[] = [];
  let run = '';
  const end = (): void => {
    const whole = run;
    run = '';
    // Several may have been put together without anything between; what is of another length is one, and damaged.
    const step = whole.length % PARCEL_TEXT_CHARACTERS === 0 ? PARCEL_TEXT_CHARACTERS : whole.length;
    for (let at = 0; whole.length >= NOTABLE_CHARACTERS && at < whole.length; at += step) found.push(checked(() => decodeParcelText(whole.slice(at, at + step))));
  };
  for (const line of text.split(/\r\n|[\r\n]/)) {
    for (const word of line.replace(QUOTING, '').trimEnd().split(/\s+/)) {
      if (!/^[A-Za-z0-9_-]+$/.test(word)) {
        end();
        continue;
      }
      // A word of the text around may stand right before it.
      if (word.length >= PARCEL_TEXT_CHARACTERS) end();
      run += word;
      if (run.length === PARCEL_TEXT_CHARACTERS) end();
    }
  }
  end();
  return found;
}

function checked(read: () => Uint8Array): Found {
  try {
    const parcel = read();
    parseParcel(parcel);
    return { parcel };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { problem: error };
  }
}

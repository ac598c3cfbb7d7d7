// Undoes what mail programs, messengers and editors do to a text.
import { base64 } from '@scure/base';
import PostalMime from 'postal-mime';
import { utf8 } from '../../crypto/bytes.ts';

/** Invisible characters, which break words, and the marks that messengers use for bold, code and the like. */
const INVISIBLE_OR_MARKS = /\p{Default_Ignorable_Code_Point}|[`*~]/gu;
/** What programs put in place of a hyphen. */
const HYPHENS = /[\u2010\u2011\u2212\ufe63\uff0d]/g;
const MAIL_START = /^(?:From |[\w-]+:[ \t])/;
const MAIL_FIELD = /^(?:content-type|mime-version|message-id|received|subject):/im;
const HEADERS_MAX_CHARACTERS = 65_536;
const PARTS_MAX = 64;

/** The texts that `original` may have been before, the likeliest first. */
export function formsOf(original: string): string[] {
  const text = original.replace(INVISIBLE_OR_MARKS, '').replace(HYPHENS, '-');
  const forms = [text];
  if (/<[a-z!/]/i.test(text)) forms.push(text.replace(/<[^<>]*>/g, '\n'));
  if (/=\n/.test(text)) forms.push(decodeQuotedPrintable(text));
  // Base64 in place of base64url.
  if (/[+/]/.test(text)) forms.push(text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''));
  return [...forms, ...decodedRuns(text)];
}

function decodeQuotedPrintable(text: string): string {
  const character = (_: string, digits: string): string => String.fromCharCode(Number.parseInt(digits, 16));
  return text.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/g, character);
}

/** The texts that mail programs have encoded as lines of base64. */
function decodedRuns(text: string): string[] {
  const runs: string[] = [];
  let run = '';
  for (const line of [...text.split('\n'), '']) {
    if (/^[A-Za-z0-9+/]+={0,2}$/.test(line)) run += line;
    else {
      if (run.length > 0 && run.length % 4 === 0) runs.push(run);
      run = '';
    }
  }
  return runs.flatMap((each) => {
    try {
      return [new TextDecoder('latin1').decode(base64.decode(each))];
    } catch {
      return [];
    }
  });
}

/** The texts and attachments of a saved mail, as bytes; none when `file` is not a mail. */
export async function partsOfMail(file: Uint8Array, text: string): Promise<Uint8Array[]> {
  if (!MAIL_START.test(text) || !MAIL_FIELD.test(text.slice(0, HEADERS_MAX_CHARACTERS))) return [];
  try {
    const mail = await PostalMime.parse(file, { attachmentEncoding: 'arraybuffer' });
    const attached = mail.attachments
      .slice(0, PARTS_MAX)
      .map(({ content }) => (typeof content === 'string' ? utf8(content) : new Uint8Array(content)));
    return [...attached, ...[mail.text, mail.html].flatMap((part) => (part === undefined || part === '' ? [] : [utf8(part)]))];
  } catch {
    return [];
  }
}

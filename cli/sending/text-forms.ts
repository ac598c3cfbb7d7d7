// What mail programs, messengers and editors make of a text, undone.
import { base64 } from '@scure/base';
import PostalMime from 'postal-mime';
import { utf8 } from '../../crypto/bytes.ts';

/** Nothing that anybody sees, and yet a break within a word; and marks that messengers take for bold, code and the like. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}|[`*~]/gu;
/** No two programs agree what they make of a hyphen. */
const HYPHENS = /[\u2010\u2011\u2212\ufe63\uff0d]/g;
const MAIL_START = /^(?:From |[\w-]+:[ \t])/;
const MAIL_FIELD = /^(?:content-type|mime-version|message-id|received|subject):/im;
const HEADERS_MAX_CHARACTERS = 65_536;
const PARTS_MAX = 64;

/** The texts that may have been meant by one, the likeliest first. */
export function formsOf(original: string): string[] {
  const text = original.replace(UNSEEN, '').replace(HYPHENS, '-');
  return [
    text,
    ...(/<[a-z!/]/i.test(text) ? [text.replace(/<[^<>]*>/g, '\n')] : []),
    ...(/=\n/.test(text)
      ? [text.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))]
      : []),
    ...(/[+/]/.test(text) ? [text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')] : []),
    ...decodedRuns(text),
  ];
}

/** What was encoded once more, as mail programs do it: lines of base64 as one. */
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

/** The texts and attachments of a saved mail, as bytes; what is no mail has none. */
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

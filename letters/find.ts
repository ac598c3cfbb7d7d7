// Finds letters in whatever a volunteer was sent. The same on a command line and in a browser.
import PostalMime from 'postal-mime';
import type { Attachment, Email } from 'postal-mime';
import { dearmor, isArmored } from '../crypto/age/armor.ts';
import { blake2b, toHex } from '../crypto/bytes.ts';
import { CodedError } from '../crypto/errors.ts';

const AGE_MAGIC = 'age-encryption.org/';
const BEGIN = '-----BEGIN AGE ENCRYPTED FILE-----';
const END = '-----END AGE ENCRYPTED FILE-----';
/** Someone forwarded someone's forward; deeper is not a person's doing. */
const FORWARDS_MAX = 3;
/** More than any message of ours holds; a message made to keep a volunteer busy stops here. */
const LETTERS_MAX = 64;
const DIGEST_BYTES = 32;
/** Those that stand within a line; any other tag of HTML ends it. */
const INLINE_TAG = /<\/?(?:a|abbr|b|big|code|em|font|i|ins|mark|s|small|span|strong|tt|u|wbr)\b[^<>]*>/gi;
/** What armor has of the characters that some programs write by name. */
const NAMED_CHARACTERS: Readonly<Record<string, string>> = { gt: '>', nbsp: ' ', plus: '+', sol: '/', equals: '=' };

/** A letter's bytes, or why a piece that claims to be one cannot even be read; the pieces beside it still count. */
export type Found = Uint8Array | CodedError;

/**
 * The letters that a file or a message holds: the file itself, armor anywhere in its text, or a mail's `.age`
 * attachments (the same letter also stands in the body as armor, and is then not given twice). Of more than 64 the first, and
 * LETTERS_TOO_MANY.
 * None: there is no letter in it. What is found may still be damaged: opening it says so.
 */
export async function findLetters(bytes: Uint8Array): Promise<Found[]> {
  if (isAgeFile(bytes)) return [bytes];
  // No message is empty: saving it broke off, and nobody knows what stood in it.
  if (bytes.length === 0) return [new CodedError('LETTER_STRUCTURE', 'the file is empty')];
  const text = new TextDecoder('latin1').decode(bytes);
  const armored = armoredLetters(text);
  const found = isArmored(text) ? [] : await lettersOfMail(bytes, 0);
  // Words before armor read like a mail's header, and the first letter as part of it. In a real mail armor may be encoded.
  const all = unique(beside(found, armored));
  return all.length > LETTERS_MAX ? [...all.slice(0, LETTERS_MAX), new CodedError('LETTERS_TOO_MANY', `more than ${String(LETTERS_MAX)} letters`)] : all;
}

async function lettersOfMail(bytes: Uint8Array, depth: number): Promise<Found[]> {
  const mail = await parseMail(bytes);
  if (mail === null) return [];
  const attached: Found[] = [];
  for (const attachment of mail.attachments) attached.push(...(await lettersOfAttachment(attachment, depth)));
  const inText = armoredLetters(mail.text ?? '');
  const written = inText.length > 0 ? inText : armoredLetters(textOf(mail.html ?? ''));
  return beside(attached, written);
}

async function parseMail(bytes: Uint8Array): Promise<Email | null> {
  try {
    return await PostalMime.parse(bytes, { maxNestingDepth: 32, maxHeadersSize: 1024 * 1024 });
  } catch {
    return null;
  }
}

async function lettersOfAttachment({ content, filename, mimeType }: Attachment, depth: number): Promise<Found[]> {
  if (typeof content === 'string') return [];
  const bytes = new Uint8Array(content);
  if (isAgeFile(bytes)) return [bytes];
  const text = new TextDecoder('latin1').decode(bytes);
  if (isArmored(text)) return armoredLetters(text);
  if (mimeType === 'message/rfc822' && depth < FORWARDS_MAX) return lettersOfMail(bytes, depth + 1);
  // Called a letter but none: give it on, so that it is reported as damaged and not passed over.
  return filename?.toLowerCase().endsWith('.age') === true ? [bytes] : [];
}

/** Every armored file in a text; quoted (`> `) and indented ones too, since people forward mail. */
function armoredLetters(text: string): Found[] {
  return text
    .split(BEGIN)
    .slice(1)
    .map((rest) => {
      const end = rest.indexOf(END);
      return readArmor(unquoted(BEGIN + (end === -1 ? rest : rest.slice(0, end + END.length))));
    });
}

/** Some programs forward as HTML alone. This is enough for armor, in a time that grows no faster than the text. */
function textOf(html: string): string {
  return html
    .replace(INLINE_TAG, '')
    .replace(/<[^<>]*>/g, '\n')
    .replace(/&#(\d{2,3});/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&#x([\da-f]{2});/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    .replace(/&(\w{2,6});/g, (entity, name: string) => NAMED_CHARACTERS[name.toLowerCase()] ?? entity)
    .replaceAll('\u00a0', ' ')
    .replace(/-----(BEGIN|END)\s+AGE\s+ENCRYPTED\s+FILE-----/g, '-----$1 AGE ENCRYPTED FILE-----')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}

function readArmor(block: string): Found {
  try {
    return dearmor(block);
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
}

function unquoted(block: string): string {
  return block
    .split('\n')
    .map((line) => line.replace(/^[> \t]+/, '').trimEnd())
    .join('\n');
}

/** Where letters were found already, what is broken beside them is most likely a copy of one. */
function beside(found: readonly Found[], more: readonly Found[]): Found[] {
  return [...found, ...(found.length > 0 ? more.filter(isLetter) : more)];
}

function isLetter(found: Found): found is Uint8Array {
  return found instanceof Uint8Array;
}

function isAgeFile(bytes: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(bytes.subarray(0, AGE_MAGIC.length)) === AGE_MAGIC;
}

function unique(letters: readonly Found[]): Found[] {
  return [...new Map(letters.map((letter) => [isLetter(letter) ? toHex(blake2b(DIGEST_BYTES, letter)) : letter, letter])).values()];
}

// What an operator may change about the form: a JSON file for the build. docs/form.md describes it.
import * as z from 'zod';

const MAX_TEXT = 300;

const text = z
  .string('it must be text')
  .trim()
  .min(1, 'it is empty')
  .max(MAX_TEXT, `it is longer than ${String(MAX_TEXT)} characters`)
  .refine((value) => !/\p{Cc}/u.test(value), 'it must be one line');

const perLanguage = <Value extends z.ZodType>(value: Value) =>
  z.record(z.string().regex(/^[a-z]{2,3}$/, 'a language is a code such as "ru"'), value, 'it must be an object with languages, {"ru": …}');

const ADDRESS = 'it must be an https:// address, or an http:// address of an onion service';

/** Over plain HTTP the exit node of Tor sees the page and can change it, but not that of an onion service or of this machine. */
function isSafe(address: string): boolean {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return false;
  }
  if (url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && (isOnion(address) || url.hostname === '127.0.0.1'));
}

function isOnion(address: string): boolean {
  return /^http:\/\/[a-z2-7]{56}\.onion(\/|$)/.test(address);
}

const address = z.string(ADDRESS).refine(isSafe, ADDRESS);

const crisisLine = z.strictObject({ name: text, contact: text, hours: text.optional(), link: address.optional() });

const site = z.strictObject({
  exit: z.union([z.literal('about:blank'), address], `${ADDRESS}, or about:blank`).default('about:blank'),
  name: perLanguage(text).default({}),
  crisisLines: perLanguage(z.array(crisisLine, 'it must be a list').min(1, 'it is empty')).default({}),
  bridges: perLanguage(text).default({}),
  otherWays: perLanguage(text).default({}),
  clearnet: z.strictObject({ onion: z.string().refine(isOnion, 'it must be the http://….onion/ address of this form') }).optional(),
});

export type CrisisLine = z.infer<typeof crisisLine>;
export type Site = z.infer<typeof site>;

/** The form without a site file: no name, no crisis lines, an empty page to leave to. */
export const PLAIN_SITE: Site = site.parse({});

export class SiteError extends Error {
  override readonly name = 'SiteError';
}

/** `languages`: codes of those in which the form is built. Throws SiteError that names everything that is wrong, and where. */
export function parseSite(json: string, languages: readonly string[]): Site {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new SiteError(`it is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  const result = site.safeParse(value);
  if (!result.success) throw new SiteError(result.error.issues.map(({ path, message }) => `${place(path)}: ${message}`).join('; '));
  const { name, crisisLines, bridges, otherWays } = result.data;
  const unknown = [name, crisisLines, bridges, otherWays].flatMap(Object.keys).find((code) => !languages.includes(code));
  if (unknown !== undefined) throw new SiteError(`${unknown}: the form has no such language, only ${languages.join(', ')}`);
  return result.data;
}

/** "crisisLines, ru, 1, name" for the path ["crisisLines", "ru", 0, "name"]: people count from one. */
function place(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'the whole' : path.map((part) => (typeof part === 'number' ? String(part + 1) : String(part))).join(', ');
}

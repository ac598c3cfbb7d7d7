// One answer beside what an honest relay would have said: status, headers, content.
import { keyName, parsePublicKey } from '../../crypto/minisign.ts';
import { FIXED_HEADERS, type ResponseHeader } from '../../runtime/served.ts';
import type { Deviation } from './findings.ts';
import type { ServedAnswer } from './ask.ts';
import type { Who } from './askers.ts';
import type { Expected } from './expected.ts';
import { keyLine, type Signed } from './signed.ts';

/** What the relay's HTTP server adds, and what each may be. */
type Carriage = Readonly<Record<string, (value: string, answer: ServedAnswer, who: Who) => boolean>>;
const CARRIAGE: Carriage = {
  'content-length': (value, { sentBytes }) => value === String(sentBytes),
  'content-encoding': (value, _answer, { encodings }) => encodings.includes(value),
  connection: (value) => value === 'keep-alive' || value === 'close',
  'keep-alive': (value) => /^timeout=\d+$/.test(value),
};
const NOT_FOUND = 404;
/** The longest value that is shown. */
const SHOWN_CHARACTERS = 80;

/** @param ignored names in lower case that a proxy before the relay may add */
export function deviations(expected: Expected, answer: ServedAnswer, who: Who, ignored: ReadonlySet<string>): Deviation[] {
  if (answer.status !== expected.status) {
    const kind = expected.status === NOT_FOUND ? 'added' : answer.status === NOT_FOUND ? 'missing' : 'changed';
    return [{ kind, detail: `status ${String(answer.status)}, expected ${String(expected.status)}` }];
  }
  return [...contentDeviation(expected, answer), ...headerDeviations(expected.headers, answer, who, ignored)];
}

function contentDeviation({ content, status }: Expected, { body }: ServedAnswer): Deviation[] {
  if (body === null) return [{ kind: 'changed', detail: 'it cannot be unpacked' }];
  const wrong = typeof content === 'function' ? content(body) : null;
  if (wrong === null) return [];
  return [{ kind: 'changed', detail: status === 404 ? `the page for unknown addresses: ${wrong}` : wrong }];
}

function headerDeviations(own: readonly ResponseHeader[], answer: ServedAnswer, who: Who, ignored: ReadonlySet<string>): Deviation[] {
  const wanted = new Map([...FIXED_HEADERS, ...own].map(([name, value]) => [name.toLowerCase(), { name, value }]));
  const seen = new Set<string>();
  const details: string[] = [];
  for (const [name, value] of answer.headers) {
    const key = name.toLowerCase();
    if (ignored.has(key)) continue;
    const expected = wanted.get(key);
    if (seen.has(key)) details.push(`${name} is there twice`);
    else if (expected !== undefined && expected.value !== value)
      details.push(`${name} is ${shown(value)}, expected ${shown(expected.value)}`);
    else if (expected === undefined && CARRIAGE[key]?.(value, answer, who) !== true) details.push(`${name}: ${shown(value)} was added`);
    seen.add(key);
  }
  for (const [key, { name }] of wanted) if (!seen.has(key) && !ignored.has(key)) details.push(`${name} is not there`);
  return details.map((detail) => ({ kind: 'header', detail }));
}

const shown = (value: string): string => `"${value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value}"`;

/** As a public key of minisign stands in a text. */
const KEY = /(?<![A-Za-z0-9+/])RW[A-Za-z0-9+/]{54}(?![A-Za-z0-9+/=])/g;

/** Root keys in a script or page, other than the one it must have. */
export function rootKeyDeviations(path: string, body: Uint8Array, { root }: Signed): Deviation[] {
  const isSealing = /(?:\/seal-\w+\.js|\/form\.html)$/.test(path);
  const found = new Set([...Buffer.from(body).toString('latin1').matchAll(KEY)].map(([key]) => key));
  const foreign = [...found].filter((key) => key !== keyLine(root));
  const other = foreign.map((key): Deviation => ({ kind: 'root-key', detail: `root key ${nameOf(key)}, expected ${keyName(root.id)}` }));
  if (!isSealing || found.size > 0) return other;
  return [{ kind: 'root-key', detail: `no root key at all, expected ${keyName(root.id)}` }];
}

function nameOf(key: string): string {
  try {
    return keyName(parsePublicKey(key).id);
  } catch {
    return 'that is none';
  }
}

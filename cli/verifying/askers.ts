// As whom a relay is asked: as Tor Browser at first, and then as others, since a relay that wants to show something else to some
// can tell them by nothing but their headers.
import { requestHeaders } from '../sending/page-requests.ts';

/** `headers`: of a request for this path, names and values in turn. `encodings`: what it lets the relay send. */
export type Who = {
  readonly name: string;
  readonly encodings: readonly string[];
  readonly headers: (path: string, origin: string) => string[];
};

/** Replaces headers of Tor Browser's in their places; those that it does not send come last. */
function changed(name: string, change: Readonly<Record<string, string>>, encodings: readonly string[] = ['gzip', 'deflate']): Who {
  const headers = (path: string, origin: string): string[] => {
    const left = new Map(Object.entries({ ...change, 'Accept-Encoding': encodings.join(', ') || 'identity' }));
    const pairs = pairsOf(requestHeaders(path, origin)).map(([header, value]) => {
      const own = left.get(header);
      left.delete(header);
      return [header, own ?? value];
    });
    return [...pairs, ...left].flat();
  };
  return { name, encodings, headers };
}

function bare(name: string, more: readonly string[]): Who {
  return { name, encodings: [], headers: (_path, origin) => ['Host', new URL(origin).host, ...more, 'Connection', 'keep-alive'] };
}

function pairsOf(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, at) => [list[2 * at] ?? '', list[2 * at + 1] ?? '']);
}

const CHROME = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1';
const RUSSIAN = 'ru-RU,ru;q=0.8,en-US;q=0.5,en;q=0.3';

export const TOR_BROWSER = changed('Tor Browser', {});

export const ASKERS: readonly Who[] = [
  TOR_BROWSER,
  changed('Tor Browser, uncompressed', {}, []),
  changed('Tor Browser in Russian', { 'Accept-Language': RUSSIAN }),
  changed('Tor Browser for Android', { 'User-Agent': 'Mozilla/5.0 (Android 10; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0' }),
  changed('an older Tor Browser', { 'User-Agent': 'Mozilla/5.0 (Windows NT 10.0; rv:115.0) Gecko/20100101 Firefox/115.0' }),
  changed('Chrome in Russian', { 'User-Agent': CHROME, 'Accept-Language': RUSSIAN }, ['gzip', 'deflate', 'br', 'zstd']),
  changed('Safari that comes again', { 'User-Agent': SAFARI, Cookie: 'seen=1', Referer: 'https://duckduckgo.com/' }, [
    'gzip',
    'deflate',
    'br',
  ]),
  bare('curl', ['User-Agent', 'curl/8.14.1', 'Accept', '*/*']),
  bare('nobody', []),
];

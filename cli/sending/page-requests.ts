// The headers that the page sends in Tor Browser (Firefox ESR) at its level Standard, in their order: somebody who hands in
// parcels from a command line should look like somebody who visits the page. For a relay on this machine, Host and Origin are
// localhost and not the onion's name, so that whoever ingests need not tell it. The version is that of one Tor Browser.

type Kind = { accept: string; destination: string; mode: string; site?: string; user?: boolean; priority?: string; uncached?: boolean };

const DOCUMENT: Kind = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  destination: 'document',
  mode: 'navigate',
  site: 'none',
  user: true,
  priority: 'u=0, i',
};
const STYLE: Kind = { accept: 'text/css,*/*;q=0.1', destination: 'style', mode: 'no-cors', priority: 'u=2' };
const SCRIPT: Kind = { accept: '*/*', destination: 'script', mode: 'no-cors' };
const WORKER: Kind = { accept: '*/*', destination: 'worker', mode: 'same-origin', priority: 'u=4' };
const ICON: Kind = {
  accept: 'image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5',
  destination: 'image',
  mode: 'no-cors',
  priority: 'u=6',
};
/** Fetched by a script of the page, uncached. */
const FETCHED: Kind = { accept: '*/*', destination: 'empty', mode: 'cors', priority: 'u=4', uncached: true };

export type PageFile = { readonly path: string; readonly headers: (origin: string) => string[] };

/** What a visit loads before anybody can write: one group after the other, the files of a group together. */
export const PAGE_FILES: readonly (readonly PageFile[])[] = [
  [fileOf('/', DOCUMENT)],
  [fileOf('/form.css', STYLE), fileOf('/form.js', SCRIPT)],
  [fileOf('/seal-wasm.js', WORKER), fileOf('/sodium.wasm', FETCHED), fileOf('/start.json', FETCHED)],
  [fileOf('/icon.png', ICON), fileOf('/words.txt', FETCHED)],
];

/** The headers of a request for any file of the form, also one that the first page does not load. */
export function requestHeaders(path: string, origin: string): string[] {
  const name = path.replace(/[?#].*$/, '');
  if (/\/seal-\w+\.js$/.test(name)) return headersOf(WORKER, origin);
  if (name.endsWith('.js')) return headersOf(SCRIPT, origin);
  if (name.endsWith('.css')) return headersOf(STYLE, origin);
  if (name.endsWith('.png')) return headersOf(ICON, origin);
  return headersOf(/\.(?:json|minisig|wasm|txt)$/.test(name) ? FETCHED : DOCUMENT, origin);
}

/** The headers of a request with a parcel of `length` bytes. */
export function pageHeaders(length: number, origin = 'http://localhost'): string[] {
  const content = ['content-type', 'application/octet-stream', 'Content-Length', String(length), 'Origin', origin];
  return headersOf(FETCHED, origin, content);
}

function fileOf(path: string, kind: Kind): PageFile {
  return { path, headers: (origin) => headersOf(kind, origin) };
}

function headersOf(
  { accept, destination, mode, site = 'same-origin', user = false, priority, uncached = false }: Kind,
  origin: string,
  content: readonly string[] = [],
): string[] {
  return [
    ...['Host', new URL(origin).host],
    ...['User-Agent', 'Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0'],
    ...['Accept', accept],
    ...['Accept-Language', 'en-US,en;q=0.5'],
    ...['Accept-Encoding', 'gzip, deflate'],
    ...content,
    ...['Sec-GPC', '1'],
    ...['Connection', 'keep-alive'],
    ...(user ? ['Upgrade-Insecure-Requests', '1'] : []),
    ...['Sec-Fetch-Dest', destination],
    ...['Sec-Fetch-Mode', mode],
    ...['Sec-Fetch-Site', site],
    ...(user ? ['Sec-Fetch-User', '?1'] : []),
    ...(priority === undefined ? [] : ['Priority', priority]),
    ...(uncached ? ['Pragma', 'no-cache', 'Cache-Control', 'no-cache'] : []),
  ];
}

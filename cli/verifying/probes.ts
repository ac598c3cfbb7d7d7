// Addresses that lead nowhere at an honest relay, and at which a dishonest one might hide something.
import { randomBytes, toHex } from '../../crypto/bytes.ts';

/** What browsers, crawlers and servers other than ours ask for or have. */
const USUAL = [
  ...['/robots.txt', '/favicon.ico', '/sitemap.xml', '/humans.txt', '/ads.txt', '/manifest.webmanifest', '/browserconfig.xml'],
  ...['/sw.js', '/service-worker.js', '/serviceworker.js', '/worker.js', '/main.js', '/app.js', '/index.js', '/bundle.js', '/script.js'],
  ...['/analytics.js', '/tracker.js', '/jquery.js', '/style.css', '/main.css', '/index.php', '/index.htm', '/admin', '/login', '/api'],
  ...['/server-status', '/metrics', '/livez', '/readyz', '/healthz', '/.env', '/.git/HEAD', '/.well-known/security.txt', '/.well-known/'],
  ...[
    '/root.pub',
    '/keyring-1.json',
    '/keyrings/',
    '/static/',
    '/assets/',
    '/js/',
    '/css/',
    '/img/',
    '/debug',
    '/trace',
    '/form',
    '/seal.js',
  ],
];
const SUFFIXES = ['.map', '.gz', '.br', '.bak', '~', '/'];

/** @param paths of the form's files; each is tried with the endings of what lies beside such files */
export function probes(paths: readonly string[]): string[] {
  const scripts = paths.filter((path) => /\.(?:js|css)$/.test(path));
  const beside = scripts.flatMap((path) => SUFFIXES.map((suffix) => `/${path}${suffix}`));
  const folders = [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))];
  const unknown = folders.flatMap((folder) => ['', '.js', '.html', '.json'].map((ending) => `/${folder}${name()}${ending}`));
  const known = new Set(paths.map((path) => `/${path}`));
  return [...new Set([...USUAL, ...beside, ...unknown])].filter((path) => !known.has(path));
}

/** The same addresses of the form as a browser asks for them with a query: the relay looks at the path alone. */
export function withQuery(path: string): string {
  return `${path}?${name()}`;
}

const name = (): string => toHex(randomBytes(6));

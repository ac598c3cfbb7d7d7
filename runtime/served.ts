// What a relay serves of a built form, under which addresses and with which headers: the relay serves it so, and whoever verifies a
// relay expects it so.
import { extname } from 'node:path';

export type ResponseHeader = readonly [name: string, value: string];

const POLICY = [
  ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self'", "style-src 'self'", "img-src 'self'"],
  ["connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
].flat();

const UNUSED_FEATURES = [
  ...['accelerometer', 'autoplay', 'browsing-topics', 'camera', 'display-capture', 'fullscreen', 'gamepad', 'geolocation'],
  ...['gyroscope', 'hid', 'identity-credentials-get', 'idle-detection', 'interest-cohort', 'local-fonts', 'magnetometer', 'microphone'],
  ...['midi', 'payment', 'picture-in-picture', 'publickey-credentials-get', 'screen-wake-lock', 'serial', 'storage-access', 'usb'],
  ...['window-management', 'xr-spatial-tracking'],
];

/** The headers of every response, whatever the request and the result. */
export const FIXED_HEADERS: readonly ResponseHeader[] = [
  ['Content-Security-Policy', POLICY.join(';')],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Origin-Agent-Cluster', '?1'],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-DNS-Prefetch-Control', 'off'],
  ['X-Download-Options', 'noopen'],
  ['X-Frame-Options', 'DENY'],
  ['X-Permitted-Cross-Domain-Policies', 'none'],
  ['X-XSS-Protection', '0'],
  ['Cache-Control', 'no-store'],
  ['Permissions-Policy', UNUSED_FEATURES.map((feature) => `${feature}=()`).join(', ')],
];

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.minisig': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};
const OTHER_TYPE = 'application/octet-stream';

/** The Content-Type of a file. */
export function typeOf(path: string): string {
  return TYPES[extname(path)] ?? OTHER_TYPE;
}

/** The offline form has inline scripts, which our content security policy blocks here: it is meant to be saved. */
export function isToBeSaved(path: string): boolean {
  return /(?:^|\/)form\.html$/.test(path);
}

/** The page that is served in the place of an offline form that has ended. */
export function endedPageOf(path: string): string {
  return path.replace(/\.html$/, '-ended.html');
}

/** The error page for addresses that lead nowhere: a single one with every language. */
export const NOWHERE_PAGE = 'nowhere.html';
/** Says until when the offline form may be served. */
export const OFFLINE_FORM_FILE = 'form.json';

/** The addresses of a file of the manifest; `redirects`: those that lead to one of them. */
export function addressesOf(path: string): { addresses: string[]; redirects: [from: string, to: string][] } {
  const address = `/${path}`;
  // People type this address, so it is also served without its extension.
  if (/(?:^|\/)replies\.html$/.test(path)) return { addresses: [address, address.slice(0, -'.html'.length)], redirects: [] };
  if (!/(?:^|\/)index\.html$/.test(path)) return { addresses: [address], redirects: [] };
  const folder = address.slice(0, -'index.html'.length);
  return { addresses: [address, folder], redirects: folder === '/' ? [] : [[folder.slice(0, -1), folder]] };
}

import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Allows what the page needs and nothing else: nothing inline, no third party, WebAssembly for libsodium. */
const policy = {
  useDefaults: false,
  directives: {
    'default-src': ["'none'"],
    'script-src': ["'self'", "'wasm-unsafe-eval'"],
    'worker-src': ["'self'"],
    'style-src': ["'self'"],
    'img-src': ["'self'"],
    'connect-src': ["'self'"],
    'form-action': ["'self'"],
    'base-uri': ["'none'"],
    'frame-ancestors': ["'none'"],
  },
};

const UNUSED_FEATURES = [
  ...['accelerometer', 'autoplay', 'browsing-topics', 'camera', 'display-capture', 'fullscreen', 'gamepad', 'geolocation'],
  ...['gyroscope', 'hid', 'identity-credentials-get', 'idle-detection', 'interest-cohort', 'local-fonts', 'magnetometer', 'microphone'],
  ...['midi', 'payment', 'picture-in-picture', 'publickey-credentials-get', 'screen-wake-lock', 'serial', 'storage-access', 'usb'],
  ...['window-management', 'xr-spatial-tracking'],
];

const secure = helmet({
  contentSecurityPolicy: policy,
  referrerPolicy: { policy: 'no-referrer' },
  xFrameOptions: { action: 'deny' },
  // A plain-HTTP onion has no use for it, and a clearnet proxy in front adds its own.
  strictTransportSecurity: false,
});

export type ResponseHeader = readonly [name: string, value: string];

/**
 * The headers of every response, whatever the request and the result. Built once at start, so they cannot depend on a
 * request.
 */
export const FIXED_HEADERS: readonly ResponseHeader[] = [
  ...recorded(),
  ['Cache-Control', 'no-store'],
  ['Permissions-Policy', UNUSED_FEATURES.map((feature) => `${feature}=()`).join(', ')],
];

export const fixedHeaders: RequestHandler = (_request, response, next) => {
  // Clock skew would tell this machine from others.
  response.sendDate = false;
  for (const [name, value] of FIXED_HEADERS) response.setHeader(name, value);
  next();
};

/** Records the headers that helmet sets. It reads nothing from the request, so an empty one will do. */
function recorded(): ResponseHeader[] {
  const headers: ResponseHeader[] = [];
  const recorder = { setHeader: (name: string, value: string) => headers.push([name, value]), removeHeader: () => undefined };
  secure({} as Parameters<typeof secure>[0], recorder as unknown as Parameters<typeof secure>[1], (error) => {
    if (error instanceof Error) throw error;
  });
  return headers;
}

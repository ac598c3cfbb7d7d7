import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Everything the page needs and nothing else: no inline, no third party, WebAssembly for libsodium. */
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
 * The headers of every answer, whatever was asked and whatever came of it. Made once, at start: they cannot depend
 * on a request.
 */
export const FIXED_HEADERS: readonly ResponseHeader[] = [
  ...recorded(),
  ['Cache-Control', 'no-store'],
  ['Permissions-Policy', UNUSED_FEATURES.map((feature) => `${feature}=()`).join(', ')],
];

export const fixedHeaders: RequestHandler = (_request, response, next) => {
  // A clock that is a little off tells this machine from others.
  response.sendDate = false;
  for (const [name, value] of FIXED_HEADERS) response.setHeader(name, value);
  next();
};

/** What helmet would set. It looks at no request, so an empty one does. */
function recorded(): ResponseHeader[] {
  const headers: ResponseHeader[] = [];
  const recorder = { setHeader: (name: string, value: string) => headers.push([name, value]), removeHeader: () => undefined };
  secure({} as Parameters<typeof secure>[0], recorder as unknown as Parameters<typeof secure>[1], (error) => {
    if (error instanceof Error) throw error;
  });
  return headers;
}

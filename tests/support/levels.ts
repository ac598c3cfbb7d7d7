// Tor Browser's security levels, as far as pages can notice, for a stock Firefox ESR and Chromium.

/**
 * `safer`: Tor Browser 15, where NoScript removes WebAssembly before a page's scripts run. `safer-14`: version 14 and
 * older, where a preference did. `safest`: no scripts on any page.
 */
export const LEVELS = ['standard', 'safer', 'safer-14', 'safest'] as const;
export type Level = (typeof LEVELS)[number];

/** At every level (Tor Browser's 000-tor-browser.js and 001-base-profile.js). */
const TOR_BROWSER = {
  'dom.securecontext.allowlist_onions': true,
  'dom.security.https_only_mode.upgrade_onion': false,
  'network.http.referer.hideOnionSource': true,
  'network.http.referer.defaultPolicy': 2,
  'network.http.referer.XOriginTrimmingPolicy': 2,
  'browser.privatebrowsing.autostart': true,
  'browser.cache.disk.enable': false,
  'dom.serviceWorkers.enabled': false,
  'dom.push.enabled': false,
  'beacon.enabled': false,
  'dom.enable_resource_timing': false,
  'privacy.firstparty.isolate': true,
  'network.cookie.cookieBehavior': 1,
  'network.cookie.cookieBehavior.pbmode': 1,
  'network.http.speculative-parallel-limit': 0,
  'network.prefetch-next': false,
  'network.dns.disablePrefetch': true,
  'network.http.http3.enable': false,
  'webgl.enable-webgl2': false,
  'media.peerconnection.enabled': false,
  // As with resistFingerprinting: everybody has the light theme.
  'layout.css.prefers-color-scheme.content-override': 1,
  'dom.postMessage.sharedArrayBuffer.withCOOP_COEP': false,
  'javascript.options.asmjs': false,
};

/** From Safer on (SecurityLevel.sys.mjs). */
const NO_JIT = {
  'javascript.options.ion': false,
  'javascript.options.baselinejit': false,
  'javascript.options.native_regexp': false,
  'mathml.disabled': true,
  'gfx.font_rendering.graphite.enabled': false,
  'gfx.font_rendering.opentype_svg.enabled': false,
};

const OF_LEVEL: Readonly<Record<Level, Readonly<Record<string, unknown>>>> = {
  standard: {},
  safer: NO_JIT,
  'safer-14': { ...NO_JIT, 'javascript.options.wasm': false },
  safest: { ...NO_JIT, 'javascript.enabled': false, 'svg.disabled': true, 'gfx.downloadable_fonts.enabled': false },
};

/** Names are resolved by tor alone, and nothing bypasses it, not even to this machine. */
function throughTor(socksPort: number): Record<string, unknown> {
  return {
    'network.proxy.type': 1,
    'network.proxy.socks': '127.0.0.1',
    'network.proxy.socks_port': socksPort,
    'network.proxy.socks_version': 5,
    'network.proxy.socks_remote_dns': true,
    'network.proxy.no_proxies_on': '',
    'network.proxy.allow_hijacking_localhost': true,
    'network.proxy.allow_bypass': false,
    'network.proxy.failover_direct': false,
    'network.trr.mode': 5,
    // A stock Firefox refuses such names.
    'network.dns.blockDotOnion': false,
  };
}

/** No connections of its own; and, unlike Firefox in automation by default, it asks before leaving a page. */
const QUIET = {
  'app.update.auto': false,
  'browser.startup.homepage': 'about:blank',
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'app.normandy.enabled': false,
  'services.settings.server': 'data:,',
  'dom.disable_beforeunload': false,
};

/** All tabs share one process, which stays: a page cannot tell, and starting a process for each tab is much of a case's work. */
const FEW_PROCESSES = {
  'dom.ipc.processCount': 1,
  'dom.ipc.processCount.webIsolated': 1,
  'dom.ipc.processPrelaunch.enabled': false,
  'dom.ipc.keepProcessesAlive.web': 1,
};

export function firefoxPrefs(level: Level, socksPort?: number): Record<string, unknown> {
  return { ...QUIET, ...FEW_PROCESSES, ...TOR_BROWSER, ...OF_LEVEL[level], ...(socksPort === undefined ? {} : throughTor(socksPort)) };
}

export function chromiumArgs(level: Level, socksPort?: number): string[] {
  return [
    '--no-sandbox',
    '--disable-background-networking',
    '--disable-component-update',
    '--no-first-run',
    '--disable-sync',
    ...(level === 'safer' ? ['--js-flags=--jitless'] : []),
    ...(socksPort === undefined
      ? []
      : [
          `--proxy-server=socks5://127.0.0.1:${String(socksPort)}`,
          '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
          '--proxy-bypass-list=<-loopback>',
        ]),
  ];
}

/** Runs in a page before its own scripts, as NoScript's script does. */
export function beforeScripts(level: Level): string {
  return level === 'safer' ? "Reflect.deleteProperty(globalThis, 'WebAssembly');" : '';
}

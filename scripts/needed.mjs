// What tests need that npm does not have: commands, and the Debian packages that have them.
export const NEEDED = [
  { command: 'redis-server', packages: ['redis-server'] },
  { command: 'chromium', packages: ['chromium'] },
  { command: 'chromium-headless-shell', packages: ['chromium-headless-shell'] },
  { command: 'firefox-esr', packages: ['firefox-esr'] },
  { command: 'minisign', packages: ['minisign'] },
  { command: 'age', packages: ['age'] },
  { command: 'tor', packages: ['tor'] },
  // Throwaway certificates for the mail servers of the tests.
  { command: 'openssl', packages: ['openssl'] },
  { command: 'dovecot', file: '/usr/sbin/dovecot', packages: ['dovecot-core', 'dovecot-imapd'] },
  // Says how much the Debian package's units leave to each part.
  { command: 'systemd-analyze', packages: ['systemd'] },
  // For the library that makes Redis lose what it has not synced (tests/fault/power-loss.c).
  { command: 'cc', packages: ['gcc', 'libc6-dev'] },
  { command: 'the C headers', file: '/usr/include/stdio.h', packages: ['libc6-dev'] },
];

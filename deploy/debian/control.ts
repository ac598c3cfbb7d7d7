// The control files of the Debian package (deb-control(5), deb-md5sums(5), deb-conffiles(5)).
import { createHash } from 'node:crypto';
import type { Installed } from './contents.ts';

export const ARCHITECTURE = 'amd64';
const MAINTAINER = 'The authors of support-relay <support-relay@localhost>';
/** What Debian's own package `nodejs` needs of the system for the same binary. */
const LIBRARIES = ['libc6 (>= 2.28)', 'libgcc-s1', 'libstdc++6 (>= 9)'];
/** `%d` in units is of systemd 252, onion services' proof of work of tor 0.4.8. */
const DEPENDS = [...LIBRARIES, 'init-system-helpers', 'redis-server (>= 5:7.0)', 'systemd (>= 252)', 'tor (>= 0.4.8)'];

export function controlFile(version: string, files: ReadonlyMap<string, Installed>): string {
  const kibibytes = [...files.values()].reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 1024), 0);
  return `Package: support-relay
Version: ${version}
Architecture: ${ARCHITECTURE}
Maintainer: ${MAINTAINER}
Installed-Size: ${String(kibibytes)}
Depends: ${DEPENDS.join(', ')}
Recommends: apparmor
Section: net
Priority: optional
Description: anonymous relay for requests for help
 Takes sealed requests over an onion service, mixes them, and delivers them to
 teams of volunteers, who alone can open them. The package has the relay, its
 worker, a status page, and units for Redis and Tor of its own.
 .
 It asks nothing and starts nothing: support-relay-setup makes what it needs.
`;
}

/** Configuration that dpkg leaves as the operator made it. */
export function conffiles(files: ReadonlyMap<string, Installed>): string {
  return [...files.keys()]
    .filter((path) => path.startsWith('etc/'))
    .toSorted()
    .map((path) => `/${path}\n`)
    .join('');
}

export function md5sums(files: ReadonlyMap<string, Installed>): string {
  return [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, { bytes }]) => `${createHash('md5').update(bytes).digest('hex')}  ${path}\n`)
    .join('');
}

/** The changelog of the packaging (deb-changelog(5)); what changed in the programs stands in CHANGELOG.md. */
export function changelogOf(version: string, epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000).toUTCString().replace('GMT', '+0000');
  return `support-relay (${version}) stable; urgency=medium\n\n  * CHANGELOG.md.gz says what is new.\n\n -- ${MAINTAINER}  ${date}\n`;
}

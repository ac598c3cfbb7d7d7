// The commands by which an operator mends what is missing, in containers and with the Debian package.

/** Setup with files of the administrator's, which are in a folder `from-administrator`. @param option with `/in` for that folder */
export const setupWithFiles = (option: string): string =>
  `docker compose run --rm --volume "$PWD/from-administrator:/in:ro" setup ${option} ` +
  `(with the Debian package: support-relay-setup ${option.replace('/in', 'from-administrator')})`;

/** @param option with a space before it; or '' */
export const setupAgain = (option: string): string =>
  `docker compose run --rm setup${option} (with the Debian package: support-relay-setup${option})`;

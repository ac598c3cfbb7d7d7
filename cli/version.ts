import packageFile from '../package.json' with { type: 'json' };

/** Of this program, as in package.json. */
export const VERSION = packageFile.version;

import packageFile from '../package.json' with { type: 'json' };

/** Of these programs, as in package.json. */
export const VERSION = packageFile.version;

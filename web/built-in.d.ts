// Put in by the build (web/build.ts): what a page must know before it trusts anything it is sent.

/** The root public key, the text of a minisign public key file. */
declare const ROOT_PUBLIC_KEY: string;
/** No keyring below this serial is taken any more. */
declare const FLOOR_SERIAL: number;

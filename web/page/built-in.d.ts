// Put in by the build (web/build/build.ts): what a page must know before it trusts anything it is sent.

/** The root public key, the text of a minisign public key file. */
declare const ROOT_PUBLIC_KEY: string;
/** No keyring below this serial is taken any more. */
declare const FLOOR_SERIAL: number;
/** The offline form and the desk alone: the keyrings it carries, by rising serial, and the leading zero bits of its stamps. */
declare const OFFLINE_KEYRINGS: readonly { json: string; signature: string }[];
declare const OFFLINE_DIFFICULTY: number;

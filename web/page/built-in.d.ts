// Defined by the build (web/build/build.ts): what a page must know before it trusts anything that it is sent.

/** The root public key, the text of a minisign public key file. */
declare const ROOT_PUBLIC_KEY: string;
/** Keyrings with a lower serial are refused. */
declare const FLOOR_SERIAL: number;
/** In the offline form and the desk only: the keyrings that the page carries, by rising serial, and the leading zero bits of its stamps. */
declare const OFFLINE_KEYRINGS: readonly { json: string; signature: string }[];
declare const OFFLINE_DIFFICULTY: number;

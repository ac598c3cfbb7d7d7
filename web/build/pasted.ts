/** What somebody who pasted a parcel can be told: a static page each, chosen by the relay (server/routes/paste.ts). */
export const PASTE_PAGES = ['accepted', 'unreadable', 'damaged', 'serial', 'stamp', 'full', 'away', 'closed', 'plaintext'] as const;

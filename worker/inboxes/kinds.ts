import * as z from 'zod';
import type { SocksAddress } from '../../runtime/socks.ts';
import { Guard } from './guard.ts';
import type { InboxKind } from './inbox.ts';
import { maildir } from './maildir.ts';
import { smtp } from './smtp.ts';

/** A new kind is a file of its own, and its import and name here (CONTRIBUTING.md, A kind of inbox). */
const kinds = { maildir, smtp } as const satisfies Record<string, InboxKind<z.ZodObject>>;

type Schema = (typeof kinds)[keyof typeof kinds]['schema'];
export type InboxSettings = z.output<Schema>;

const schemas = Object.values(kinds).map(({ schema }) => schema) as [Schema, ...Schema[]];

/** What `inboxes.json` holds: nothing, until somebody has said where the letters of a team go. */
export const inboxesSchema = z
  .array(z.discriminatedUnion('kind', schemas))
  .refine((inboxes) => new Set(inboxes.map(({ id }) => id)).size === inboxes.length, { error: 'two inboxes have the same id' });

export function guardedInbox(settings: InboxSettings, tor: SocksAddress | null): Guard {
  // The union above lets only settings of this very kind through.
  const kind = kinds[settings.kind] as unknown as InboxKind<z.ZodObject>;
  return new Guard(() => kind.createInbox(settings, tor), settings.timeoutSeconds * 1000);
}

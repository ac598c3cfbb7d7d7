import MailComposer from 'nodemailer/lib/mail-composer';
import * as z from 'zod';
import { armor } from '../../crypto/age/armor.ts';
import { toHex } from '../../crypto/bytes.ts';
import type { Letter } from './inbox.ts';

const DAY_MS = 86_400_000;
/** RFC 6761 §6.4: a name that can never belong to anyone. */
const NOWHERE = 'relay.invalid';

/** `armor`: text only; `attachment`: file only. A provider that scans mail may permanently refuse one of them. */
export const FORMS = ['both', 'armor', 'attachment'] as const;

/** Of a mail: one line that says nothing. */
export const SUBJECT = z.string().regex(/^[\x20-\x7e]{1,78}$/);

export type Envelope = { readonly from: string; readonly to: string; readonly subject: string; readonly form?: (typeof FORMS)[number] };

/** For inboxes that hold mail but need no mail address. */
export const NEUTRAL_ENVELOPE: Envelope = { from: `relay@${NOWHERE}`, to: `inbox@${NOWHERE}`, subject: 'Message' };

/** 00:00 UTC of the day: the date by which mail clients sort must be no finer. */
export function startOfDay(now: Date): Date {
  return new Date(Math.floor(now.getTime() / DAY_MS) * DAY_MS);
}

/**
 * Composes a MIME message with the letter as an `.age` file for tools and as armor for people who can only paste, unless told
 * otherwise. Everything in it derives from the letter, the envelope and the day, so a repeat on the same day is the same mail.
 */
export function composeMail(letter: Letter, envelope: Envelope, now: Date, newline: 'unix' | 'windows'): Promise<Buffer> {
  const id = toHex(letter.id);
  const options = {
    from: envelope.from,
    to: envelope.to,
    subject: envelope.subject,
    date: startOfDay(now),
    messageId: `<${id}@${NOWHERE}>`,
    // The default prefix names the library, the default base is random.
    boundaryPrefix: 'part',
    baseBoundary: id,
    newline,
    ...(envelope.form !== 'attachment' && { text: armor(letter.bytes) }),
    ...(envelope.form !== 'armor' && {
      attachments: [{ filename: 'letter.age', content: Buffer.from(letter.bytes), contentType: 'application/octet-stream' }],
    }),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  return new MailComposer(options).compile().build();
}

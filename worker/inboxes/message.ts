import MailComposer from 'nodemailer/lib/mail-composer';
import { armor } from '../../crypto/age/armor.ts';
import { toHex } from '../../crypto/bytes.ts';
import type { Letter } from './inbox.ts';

const DAY_MS = 86_400_000;
/** RFC 6761 §6.4: a name that can never belong to anyone. */
const NOWHERE = 'relay.invalid';

/** `armor`: as text alone; `attachment`: as a file alone. A provider that scans may refuse for good what looks odd to it. */
export const FORMS = ['both', 'armor', 'attachment'] as const;

export type Envelope = { readonly from: string; readonly to: string; readonly subject: string; readonly form?: (typeof FORMS)[number] };

/** For inboxes that need a mail but no mail address. */
export const NEUTRAL_ENVELOPE: Envelope = { from: `relay@${NOWHERE}`, to: `inbox@${NOWHERE}`, subject: 'Message' };

/** 00:00 UTC of the day: what mail clients sort by says nothing finer. */
export function startOfDay(now: Date): Date {
  return new Date(Math.floor(now.getTime() / DAY_MS) * DAY_MS);
}

/**
 * The letter as a MIME message: as an `.age` file for tools, as armor for people who only can paste, unless told otherwise.
 * Everything in it comes from the letter, the envelope and the day, so that a repeat is the same mail.
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

// What a mail server's refusal means for a letter.
import { errorCode } from '../../runtime/log.ts';
import { Refused } from './inbox.ts';

/** What nodemailer tells: which command was answered, the reply's code, and the reply itself. */
type SmtpError = { readonly command?: string; readonly responseCode?: number; readonly response?: string };

/** Enhanced status codes (RFC 3463) that are about this letter, whose like passes or never will: too large, or its content. */
const ABOUT_LETTER = /^5\.(?:2\.3|3\.4|6\.\d{1,3})$/;
/** The server closes the connection (RFC 5321 §3.8): it says nothing of the letter, whenever it comes. */
const CLOSING = 421;
const ENHANCED = /^\d{3}[ -](?<code>[245]\.\d{1,3}\.\d{1,3})\b/;

/**
 * A refusal of what is the same for every letter (connection, greeting, login, sender, recipient) is about the inbox; one of
 * DATA is about this letter, since the others may pass. Only what is clearly about the letter itself is final at once: many
 * servers answer 5xx for what passes (a full mailbox, a policy, "try later").
 * @param giveUpAfterMs how long a 5xx is tried again
 */
export function refusalOf(error: unknown, giveUpAfterMs: number): Refused {
  const { command = '', responseCode, response = '' } = error as SmtpError;
  if (responseCode === undefined) return new Refused(Number.POSITIVE_INFINITY, errorCode(error), 'inbox');
  const enhanced = ENHANCED.exec(response)?.groups?.['code'];
  const reason = [stageOf(command), String(responseCode), ...(enhanced === undefined ? [] : [enhanced])].join('-');
  const reachesLetter = command === 'DATA' && responseCode !== CLOSING;
  if (responseCode < 500) return new Refused(Number.POSITIVE_INFINITY, reason, reachesLetter ? 'letter' : 'inbox');
  if (reachesLetter && enhanced !== undefined && ABOUT_LETTER.test(enhanced)) return new Refused(0, reason, 'letter');
  const mayPass = command === 'DATA' || command === 'RCPT TO';
  // Whatever comes before the recipient is the operator's to repair, and nothing is gained by giving up.
  return new Refused(mayPass ? giveUpAfterMs : Number.POSITIVE_INFINITY, reason, reachesLetter ? 'letter' : 'inbox');
}

/** The first word of the reason that the log and the status give. */
function stageOf(command: string): string {
  if (command === 'EHLO' || command === 'HELO') return 'greeting-refused';
  if (command === 'CONN') return 'connection-refused';
  if (command.startsWith('AUTH')) return 'login-refused';
  return 'reply';
}

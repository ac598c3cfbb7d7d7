// What a mail server's refusal means for a letter.
import { errorCode } from '../../runtime/log.ts';
import { Refused } from './inbox.ts';

/** The fields of nodemailer's errors: the command that failed, the reply code, and the reply's text. */
type SmtpError = { readonly command?: string; readonly responseCode?: number; readonly response?: string };

/** Enhanced status codes (RFC 3463) for which retrying this letter cannot help: its size or its content. */
const ABOUT_LETTER = /^5\.(?:2\.3|3\.4|6\.\d{1,3})$/;
/** The server is closing the connection (RFC 5321 §3.8); at any stage, this says nothing about the letter. */
const CLOSING = 421;
const ENHANCED = /^\d{3}[ -](?<code>[245]\.\d{1,3}\.\d{1,3})\b/;

/**
 * Turns a send error into a Refused. A refusal of what all letters share (connection, greeting, login, sender, recipient) is about
 * the inbox; a refusal of DATA is about this letter, since others may pass. Only a code that is clearly about the letter is final at
 * once: many servers reply 5xx to transient conditions (a full mailbox, a policy, "try later").
 * @param giveUpAfterMs how long to retry after a 5xx
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
  // Whatever fails before the recipient is for the operator to fix, and giving up would gain nothing.
  return new Refused(mayPass ? giveUpAfterMs : Number.POSITIVE_INFINITY, reason, reachesLetter ? 'letter' : 'inbox');
}

/** The first word of the reason that the log and the status give. */
function stageOf(command: string): string {
  if (command === 'EHLO' || command === 'HELO') return 'greeting-refused';
  if (command === 'CONN') return 'connection-refused';
  if (command.startsWith('AUTH')) return 'login-refused';
  return 'reply';
}

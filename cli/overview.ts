import { COMMANDS } from './commands.ts';

/** What `support-relay --help` says. */
export function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const list = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n');
  return `support-relay: keys, keyrings, requests, answers and the state of a relay

For example:
  support-relay inbox ~/Maildir
  support-relay help inbox

Usage: support-relay COMMAND [options]

${list}

support-relay COMMAND --help (or help COMMAND) explains a command, examples first; --version shows the version.

Exit codes
   0  done; everything was authentic
   1  something is not authentic or could not be opened
   2  wrong usage
   3  an input is missing, damaged or not what it should be
   4  the passphrase is wrong or could not be asked
   5  something needs attention (operator status, doctor and drain --end, admin status)
   6  something is to be done now (operator doctor)
  69  something it needs (Redis, relay, mail server, build tool) is not there, or takes nothing now
  70  a fault of the program itself
  73  an output file already exists or cannot be written
  74  standard output or standard error cannot be written; what was begun went on to its end
 130  stopped with Ctrl-C

A failure is one line on standard error: support-relay: what is wrong; what to do (CODE)
`;
}

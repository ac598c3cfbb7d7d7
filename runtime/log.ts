import { type DestinationStream, pino } from 'pino';

/**
 * Everything the services may log. None of it is about one exchange or one parcel, so the log shows that the relay works and
 * never that somebody wrote.
 */
export type LogEvent =
  | 'starting'
  | 'listening'
  | 'started'
  | 'stopping'
  | 'stopped'
  | 'start failed'
  | 'stop failed'
  | 'crashed'
  | 'keyring loaded'
  | 'keyring ignored'
  | 'keyring directory unreadable'
  | 'root key loaded'
  | 'root key differs'
  | 'trial keys'
  | 'form loaded'
  | 'form ignored'
  | 'file of the form differs'
  | 'offline form ended'
  | 'door opened'
  | 'door closed'
  | 'redis away'
  | 'redis back'
  | 'round failed'
  | 'mix paused'
  | 'parcels held back'
  | 'mix goes on'
  | 'maintenance begun'
  | 'maintenance over'
  | 'keyrings end'
  | 'missing for a coming week'
  | 'administrator not told'
  | 'delivery failed'
  | 'delivery works again'
  | 'letter waits'
  | 'letter refused for good'
  | 'housekeeping failed'
  | 'data not looked at'
  | 'status unanswered'
  | 'key retired'
  | 'ticks failed'
  | 'runtime warning';

/** The only fields that are logged, each a number or one word. No field can carry a message, an address or content. */
const FIELDS = ['part', 'reason', 'code', 'serial', 'file', 'inbox', 'listener', 'kind', 'signal'] as const;

export type LogFields = Partial<Record<(typeof FIELDS)[number], string | number>>;

const WORD = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/;

/** Hours and minutes say when to look; seconds could be matched with what a person did. */
const MINUTE_MS = 60_000;
const toTheMinute = () => `,"time":"${new Date(Math.floor(new Date().getTime() / MINUTE_MS) * MINUTE_MS).toISOString().slice(0, 16)}Z"`;

export type Log = Record<'info' | 'warn' | 'error', (event: LogEvent, fields?: LogFields) => void>;

/** The types say what may be logged; this enforces it at run time too, whatever a caller casts. */
export function createLog(destination: DestinationStream): Log {
  const logger = pino({ base: null, timestamp: toTheMinute, formatters: { level: (level) => ({ level }) } }, destination);
  return {
    info: (event, fields = {}) => logger.info(allowed(fields), event),
    warn: (event, fields = {}) => logger.warn(allowed(fields), event),
    error: (event, fields = {}) => logger.error(allowed(fields), event),
  };
}

/** Synchronous, so that the last lines of a process are not lost. */
export const log = createLog(pino.destination({ dest: 1, sync: true }));

/** A text of others, such as the name of a file, where it is one word; `unprintable` where it is not. */
export const asWord = (text: string): string => (WORD.test(text) ? text : 'unprintable');

function allowed(fields: LogFields): LogFields {
  const out: LogFields = {};
  for (const name of FIELDS) {
    const value = fields[name];
    if (typeof value === 'number' && Number.isFinite(value)) out[name] = value;
    else if (typeof value === 'string') out[name] = asWord(value);
  }
  return out;
}

/**
 * One word for an error: its code, the first word of Redis' reply (OOM, NOPERM), or its class. Never its message, which may quote
 * what was sent.
 */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  if (error.name === 'ReplyError') return /^[A-Z]+\b/.exec(error.message)?.[0] ?? 'ReplyError';
  return error.name;
}

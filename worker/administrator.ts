// Mail to the administrator, where a mail server is configured for it: that keyrings end, and that something is missing for a coming week.
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Redis } from 'ioredis';
import * as z from 'zod';
import { randomBytes, toHex } from '../crypto/bytes.ts';
import { noticeAt, type NoticeDays } from '../crypto/notice.ts';
import { keys } from '../redis/keys.ts';
import { readState } from '../redis/state.ts';
import { errorCode, log } from '../runtime/log.ts';
import type { SocksAddress } from '../runtime/socks.ts';
import { connectMailServer, mailServerFields, refineMailServer } from './inboxes/mail-server.ts';
import { startOfDay, SUBJECT } from './inboxes/message.ts';

/** What `administrator.json` holds. */
export const administratorSchema = refineMailServer(z.strictObject({ ...mailServerFields, subject: SUBJECT.default('Reminder') }));
export type AdministratorSettings = z.output<typeof administratorSchema>;

/** In the hash `state`: what the administrator was told last. */
const FIELD = 'administratorTold';
const MESSAGE_ID_BYTES = 16;
const AHEAD = /^(?:next-key|team-leaves):/;

const WITHIN: Readonly<Record<NoticeDays, readonly [string, string]>> = {
  28: ['меньше чем через четыре недели', 'in less than four weeks'],
  14: ['меньше чем через две недели', 'in less than two weeks'],
  7: ['меньше чем через неделю', 'in less than a week'],
  2: ['меньше чем через два дня', 'in less than two days'],
};

/** What there is to tell: a text in each language, and words by which it is known again. */
type Told = { readonly words: readonly string[]; readonly texts: readonly (readonly [string, string])[] };

/** Tells the administrator, once for each step and each thing that is missing. */
export class AdministratorMail {
  readonly #redis: Redis;
  readonly #settings: AdministratorSettings;
  readonly #tor: SocksAddress | null;
  readonly #now: () => Date;
  #failing: string | null = null;

  constructor(redis: Redis, settings: AdministratorSettings, tor: SocksAddress | null, now = () => new Date()) {
    this.#redis = redis;
    this.#settings = settings;
    this.#tor = tor;
    this.#now = now;
  }

  /** Once a round. A mail that the server does not take is tried again. */
  async run(): Promise<void> {
    const { mix } = await readState(this.#redis, this.#now());
    const { words, texts } = this.#toTell(mix.keyringUntil ?? '', mix.warnings ?? '');
    const told = ((await this.#redis.hget(keys.state, FIELD)) ?? '').split(' ');
    if (words.every((word) => told.includes(word))) return;
    try {
      await this.#send(texts);
      this.#failing = null;
      await this.#redis.hset(keys.state, FIELD, words.join(' '));
    } catch (error) {
      const code = errorCode(error);
      if (this.#failing !== code) log.error('administrator not told', { code });
      this.#failing = code;
    }
  }

  #toTell(keyringUntil: string, warnings: string): Told {
    const untilMs = Date.parse(keyringUntil);
    const days = Number.isNaN(untilMs) ? null : noticeAt(untilMs, this.#now().getTime());
    const missing = warnings.split(' ').filter((word) => AHEAD.test(word));
    const texts: (readonly [string, string])[] = [];
    if (days !== null) {
      const [day, [inRussian, inEnglish]] = [keyringUntil.slice(0, 10), WITHIN[days]];
      texts.push([
        `Нынешние ключи действуют до ${day}, это ${inRussian}. Пора собрать карточки и подготовить следующие.`,
        `The present keys end on ${day}, ${inEnglish}. It is time to collect the cards and to prepare the next ones.`,
      ]);
    }
    if (missing.length > 0) {
      texts.push([
        'Для одной из следующих недель чего-то не хватает. Чего именно, видит тот, кто смотрит за сервером.',
        'Something is missing for one of the coming weeks. Whoever looks after the server sees what it is.',
      ]);
    }
    return { words: [...(days === null ? [] : [`${keyringUntil}-${String(days)}`]), ...missing], texts };
  }

  async #send(texts: Told['texts']): Promise<void> {
    const { from, to, subject } = this.#settings;
    const text = [...texts.map(([russian]) => russian), '', ...texts.map(([, english]) => english), ''].join('\n');
    const id = toHex(randomBytes(MESSAGE_ID_BYTES));
    const mail = { from, to, subject, text, date: startOfDay(this.#now()), messageId: `<${id}@relay.invalid>` };
    const raw = await new MailComposer({ ...mail, newline: 'windows', disableFileAccess: true, disableUrlAccess: true }).compile().build();
    const transport = await connectMailServer(this.#settings, this.#tor);
    try {
      await transport.sendMail({ raw, envelope: { from, to: [to] } });
    } finally {
      transport.close();
    }
  }
}

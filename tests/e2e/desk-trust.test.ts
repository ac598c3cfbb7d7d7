// What the desk believes: only what is signed by somebody whom the newest keyring lists.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { openLetter, sealLetter } from '../../crypto/letter.ts';
import { signNote } from '../../crypto/note.ts';
import type { Thread } from '../../crypto/thread.ts';
import { clockAhead, openBrowser, type TestBrowser } from '../support/browser.ts';
import { DeskTab, openDeskOffice, PASSPHRASE, type DeskOffice } from '../support/desk.ts';
import { newThread, written } from '../support/letters.ts';
import { enginesFor, thoroughly } from '../support/thorough.ts';

let office: DeskOffice;
beforeAll(async () => {
  office = await openDeskOffice();
});
afterAll(() => office.remove());

describe.each(enginesFor('chromium'))('the desk in %s', (name) => {
  let browser: TestBrowser;
  let tab: DeskTab;
  beforeAll(async () => {
    browser = await openBrowser(name);
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    await openDesk();
    return () => tab.page.close({ runBeforeUnload: false });
  });

  async function openDesk(before?: string): Promise<void> {
    tab = await DeskTab.openDesk(browser, office, before === undefined ? {} : { before });
  }
  const openIdentity = (): Promise<void> => tab.openIdentity(office.path('own.age'), PASSPHRASE);

  /** Files by name, none of which is what it claims to be. */
  function falseLetters(): Record<string, string | Uint8Array> {
    const [thread, other] = [newThread(), newThread()];
    const foreign = { keyring: office.keyring.keyring, digest: 'ab'.repeat(32) };
    const forged = followUp('Подделка', thread);
    const stolen = followUp('Чужая подпись', other);
    const changed = new TextDecoder().decode(decrypt(office.letter('Слова', { thread }), [office.colleague])).replace('Слова', 'Снова');
    const claim = signNote({ action: 'claim', thread: thread.address.key, alias: 'Ива', text: '' }, office.signer);
    const common = { version: 1, serial: 1, keyring: office.keyring.digest, language: 'ru' } as const;
    const elsewhere = openLetter(office.letter('Чужое', { thread }), [office.colleague]);
    return {
      'foreign.age': office.letter('Чужой набор', { thread }, foreign),
      'forged.age': office.toTeam({ ...forged, thread: { ...forged.thread, lock: other.address.lock } }),
      'stolen.age': office.toTeam({ ...stolen, thread: { ...thread.address, signature: stolen.thread.signature } }),
      'changed.age': sealedText(changed),
      'format.age': sealedText(changed.replace('"request"', '"letters"')),
      'note.age': office.note({ action: 'answer', thread: thread.address.key, alias: 'Ива', text: 'Заметка' }, office.stranger),
      'renamed.age': office.toTeam({ ...common, kind: 'note', note: { ...claim, alias: 'Дуб' } }),
      'elsewhere.age': sealLetter(elsewhere, [identityToRecipient(generateIdentity())]),
      'alone.json.minisig': 'untrusted comment: x',
      'damaged.age': office.letter('Порча', { thread }).subarray(0, 20_000),
      'ordinary.eml': 'Subject: hello\r\n\r\nHello.\r\n',
    };
  }

  function followUp(message: string, thread: Thread) {
    const content = written(openLetter(office.letter(message, { thread, followUp: {} }), [office.colleague]));
    if (content.kind !== 'follow-up') throw new Error('expected a follow-up');
    return content;
  }

  /** Any text sealed to the team, which our own functions would refuse. */
  function sealedText(text: string): Uint8Array {
    const [first = ''] = office.keyring.keyring.teams[0]?.recipients ?? [];
    const colleague = identityToRecipient(office.colleague);
    return encrypt(new TextEncoder().encode(text), [first, ...Array.from({ length: 7 }, () => colleague)]);
  }

  it('refuses with a notice whatever is not what it claims to be, and shows none of it', async () => {
    await openIdentity();
    const files = Object.entries(falseLetters()).map(([file, content]) => office.file(file, content));
    await tab.read(...(await Promise.all(files)), office.next.file);
    await tab.until('#refused');
    const said = await tab.text('#refusals');
    for (const line of [
      'foreign.age: the letter was sealed under a keyring',
      'forged.age: the letter claims',
      'stolen.age: the letter claims',
      'changed.age: the letter claims',
      'note.age: this is a note',
      'renamed.age: this is a note',
      'format.age: the letter opened, but',
      'elsewhere.age: none of your keys',
      'damaged.age: the letter is damaged',
      'ordinary.eml: this was read to its end',
      'alone.json.minisig: the keyring is not signed',
      'keyring-9.json: the keyring is not signed',
    ])
      expect(said).toContain(line);
    for (const code of [
      'KEYRING_FOREIGN',
      'LETTER_THREAD',
      'SIGNER_UNKNOWN',
      'SIGNER_SIGNATURE',
      'AGE_NO_MATCH',
      'LETTER_STRUCTURE',
      'LETTER_MISSING',
    ])
      expect(said).toContain(`(${code})`);
    expect(await tab.text('#summary')).toBe('In all: 0, unanswered: 0.');
    // The keyring's other file was missing; with both files it is accepted.
    await tab.read(office.next.file, office.next.signatureFile);
    expect(await tab.text('#refusals')).not.toContain('keyring-9.json');
    expect(tab.problems).toEqual([]);
  });

  it('refuses a follow-up whose writer redirects the answer, and marks a mailbox named by two as contested', async () => {
    await openIdentity();
    const [thread, other] = [newThread(), newThread()];
    const naming = (part: 'lock' | 'recipient') => ({ ...thread, address: { ...thread.address, [part]: other.address[part] } });
    await tab.read(
      await office.file('moved.age', office.letter('Не туда', { thread: naming('recipient'), followUp: {} })),
      await office.file('request.age', office.letter('Сюда', { thread })),
    );
    expect(await tab.text('#refusals')).toContain('moved.age: the letter claims to belong to a conversation');
    expect(await tab.text('#conversations')).toContain('Сюда');
    expect(await tab.text('#conversations')).not.toContain('Не туда');
    const thief = newThread();
    await tab.read(
      await office.file(
        'thief.age',
        office.letter('Чужое', { thread: { ...thief, address: { ...thief.address, lock: thread.address.lock } } }),
      ),
    );
    for (const { address } of [thread, thief])
      expect(await tab.text(`#conversation-${address.key.slice(0, 8)}`)).toContain(
        'Another conversation gives the same address for answers',
      );
  });

  thoroughly('shows a letter and a note once when a colleague sealed them again', async () => {
    await openIdentity();
    const thread = newThread();
    const letter = office.letter('Один раз', { thread });
    const note = office.note({ action: 'answer', thread: thread.address.key, alias: 'Клён', text: 'Да' }, office.signer);
    const again = (sealed: Uint8Array): Uint8Array => office.toTeam(openLetter(sealed, [office.colleague]));
    await tab.read(...(await Promise.all([letter, again(letter), note, again(note)].map((content) => office.file('letter.age', content)))));
    expect(await tab.page.evaluate("[...document.querySelectorAll('article .text')].map(({ textContent }) => textContent)")).toEqual([
      'Один раз',
      'Да',
    ]);
  });

  thoroughly('says that a request is missing, that only notes are here, and that a name does not fit a signer', async () => {
    await openIdentity();
    const [begun, noted] = [newThread(), newThread()];
    await tab.read(
      await office.file('more.age', office.letter('Ещё', { thread: begun, followUp: {} })),
      ...(await Promise.all(
        ['Клён', 'Липа'].map((alias) =>
          office.file('note.age', office.note({ action: 'claim', thread: noted.address.key, alias, text: '' }, office.signer)),
        ),
      )),
    );
    expect(await tab.text(`#conversation-${begun.address.key.slice(0, 8)}`)).toContain('It begins with further words');
    expect(await tab.text(`#conversation-${noted.address.key.slice(0, 8)}`)).toContain(
      'The request itself is not here, only notes about it',
    );
    expect(await tab.text('#aliases')).toMatch(/One signer \([0-9a-f ]{24}\) writes under several names: «Клён», «Липа»/);
  });

  it('judges everything again when a new keyring revokes a signer: the notes are refused, and the conversation is unanswered', async () => {
    await openIdentity();
    await tab.openSigner(office.path('signer.key'));
    await tab.paste('#alias', 'Ива');
    const thread = newThread();
    await tab.read(
      await office.file('first.age', office.letter('Помогите', { thread })),
      await office.file(
        'note.age',
        office.note({ action: 'answer', thread: thread.address.key, alias: 'Клён', text: 'Лжезаметка' }, office.signer),
      ),
    );
    expect(await tab.text('article')).toContain('Answer written (Клён)');
    await tab.write('Пишу');
    await tab.sealed();
    await expect.poll(() => tab.text('article')).toContain('Sealed here, and not sent yet');

    const revoking = await office.sign(name === 'chromium' ? 3 : 4, [office.stranger]);
    await tab.read(revoking.file, revoking.signatureFile);
    expect(await tab.text('#refusals')).toContain('note.age: this is a note');
    expect(await tab.text('#refusals')).toContain('Your note: this is a note');
    expect(await tab.text('article')).toContain('Not answered yet');
    expect(await tab.text('#conversations')).not.toContain('Лжезаметка');
    await tab.write('Ещё');
    await tab.page.click('#seal');
    await tab.until('#compose-status .problem');
    expect(await tab.text('#compose-status')).toContain('The keyring must list it');
    // An older keyring given afterwards restores nothing.
    await tab.read(office.keyring.file, office.keyring.signatureFile);
    expect(await tab.text('article')).toContain('Not answered yet');
  });

  it('opens letters that waited as soon as their key and keyring are given', async () => {
    await tab.read(await office.file('first.age', office.letter('На той неделе', { thread: newThread() }, office.next)));
    expect(await tab.text('#letters-status')).toBe('Letters waiting for your key: 1.');
    await tab.openIdentity(office.path('other.txt'));
    expect(await tab.text('#letters-status')).toBe('The letters have been read. Not opened: 1.');
    expect(await tab.text('#refusals')).toContain('AGE_NO_MATCH');
    await openIdentity();
    expect(await tab.text('#refusals')).toContain('KEYRING_FOREIGN');
    await tab.read(office.next.file, office.next.signatureFile);
    expect(await tab.text('#letters-status')).toContain('Keyring no. 9 has been verified and added.');
    expect(await tab.isVisible('#refused')).toBe(false);
    expect(await tab.text('article')).toContain('На той неделе');
  });

  it('says when its keyring has expired or does not list the signer, and keeps the text', async () => {
    await tab.page.close();
    await openDesk(clockAhead(8));
    expect(await tab.text('#notice-expired')).toContain('The keyring has expired');
    await openIdentity();
    await tab.openSigner(office.path('stranger.key'));
    expect(await tab.text('#signer-status')).toContain('keyring no. 1 does not list it');
    await tab.paste('#alias', 'Ива');
    await tab.read(await office.file('first.age', office.letter('Помогите', { thread: newThread() })));
    await tab.write('Ответ');
    await tab.page.click('#seal');
    await tab.until('#compose-status .problem');
    expect(await tab.text('#compose-status')).toContain('The keyring is not valid now');
    expect(await tab.value('#text')).toBe('Ответ');
  });
});

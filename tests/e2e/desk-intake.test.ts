// Files given to the desk: chosen, as a folder, or dropped on it.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { armor } from '../../crypto/age/armor.ts';
import { armorIn } from '../support/armor-forms.ts';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { mailOf, multipart, part, utf16, zip } from '../support/containers.ts';
import { DeskTab, mail, openDeskOffice, PASSPHRASE, type DeskOffice } from '../support/desk.ts';
import { newThread } from '../support/letters.ts';
import { enginesFor, thoroughly } from '../support/thorough.ts';

let office: DeskOffice;
let maildir: string;
beforeAll(async () => {
  office = await openDeskOffice();
  maildir = office.path('Maildir');
  await Promise.all(['new', 'cur', 'tmp', 'Архив/2030'].map((folder) => mkdir(office.path('Maildir', folder), { recursive: true })));
  const letters = ['Новое', 'Старое', 'Давнее'].map((message) => office.letter(message, { thread: newThread() }));
  await writeFile(office.path('Maildir/new/1700000000.M1.host'), mail(letters[0] as Uint8Array));
  await writeFile(office.path('Maildir/cur/1600000000.M2.host:2,S'), `Subject: x\r\n\r\n${armor(letters[1] as Uint8Array)}`);
  await writeFile(office.path('Maildir/Архив/2030/saved.eml'), mail(letters[2] as Uint8Array));
  await writeFile(office.path('Maildir/tmp/1800000000.M3.host'), armor(letters[0] as Uint8Array).slice(0, 500));
  await writeFile(office.path('Maildir/Архив/ordinary.eml'), 'Subject: hello\r\n\r\nHello.\r\n');
  await writeFile(office.path('Maildir/.hidden'), 'settings of a program');
  await writeFile(office.path('Maildir/Архив/maildirfolder'), '');
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
    tab = await DeskTab.openDesk(browser, office);
    await tab.openIdentity(office.path('own.age'), PASSPHRASE);
    return () => tab.page.close({ runBeforeUnload: false });
  });

  it('reads a keyring and letters that are given together, and each letter once', async () => {
    const letter = office.letter('Дважды', { thread: newThread() });
    await tab.read(
      await office.file('a.age', letter),
      await office.file('b.eml', mail(letter)),
      await office.file('c.txt', armor(letter)),
      office.next.file,
      office.next.signatureFile,
    );
    expect(await tab.text('#letters-status')).toContain('Keyring no. 9 has been verified and added.');
    expect(await tab.text('#summary')).toBe('In all: 1, unanswered: 1.');
  });

  it('reads letters as mail programs leave them, and says what it cannot read', async () => {
    const letters = ['Раз', 'Два', 'Три'].map((message) => office.letter(message, { thread: newThread() })) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    await tab.read(
      await office.file('utf16.txt', utf16(armorIn('em and en dash', letters[0]))),
      await office.file('all.zip', zip([{ name: 'letter.age', content: letters[1] }])),
      await office.file(
        'mail.gz',
        new Uint8Array(
          gzipSync(
            mailOf(
              multipart('mixed', [
                part({ type: 'text/plain', body: armorIn('60 columns', letters[2]) }),
                part({ type: 'application/octet-stream', name: 'letter.age', body: letters[2].subarray(0, 9000) }),
              ]),
            ),
          ),
        ),
      ),
      await office.file('x.rar', new Uint8Array(Buffer.from('Rar!\x1a\x07\x01\x00 and more', 'latin1'))),
    );
    const shown = await tab.text('#conversations');
    for (const message of ['Раз', 'Два', 'Три']) expect(shown).toContain(message);
    expect(await tab.text('#refusals')).toBe(
      'x.rar: this is a compressed file or an archive that cannot be opened here. Unpack it, and add what was in it. (UNREAD_ARCHIVE)',
    );
    expect(tab.problems).toEqual([]);
  });

  thoroughly('says so when a key file has vanished, or a letter is too large to be one', async () => {
    const key = await office.file('key.age', 'x');
    await tab.unfold('identity');
    await tab.give('#identity', key);
    await rm(key);
    await tab.page.click('#open-identity');
    await expect.poll(() => tab.text('#identity-status')).toContain('it was moved, deleted or changed');
    await tab.read(await office.file('large.age', new Uint8Array(16 * 1024 * 1024 + 1)));
    expect(await tab.text('#refusals')).toContain(
      'large.age: the file cannot be read or is too large. Check that it is the right one. (FILE_TOO_LARGE)',
    );
    expect(tab.problems).toEqual([]);
  });

  if (name === 'firefox')
    return it('reads a file that is dropped', async () => {
      const bytes = JSON.stringify(Buffer.from(office.letter('Упало', { thread: newThread() })).toString('base64'));
      await tab.whenRead(async () => {
        await tab.page.evaluate(`{
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([Uint8Array.from(atob(${bytes}), (letter) => letter.charCodeAt(0))], 'dropped.age'));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      }`);
      });
      expect(await tab.text('#conversations')).toContain('Упало');
      expect(tab.problems).toEqual([]);
    });

  it('reads a Maildir chosen as a folder, with its subfolders, and says which message holds no letter', async () => {
    await tab.whenRead(() => tab.give('#folder', maildir));
    expect(await tab.text('#refusals')).toBe(
      'Maildir/Архив/ordinary.eml: this was read to its end, and there is no letter in it. It is ordinary mail. (LETTER_MISSING)',
    );
    expect(await tab.text('#summary')).toBe('In all: 3, unanswered: 3.');
    const shown = await tab.text('#conversations');
    for (const message of ['Новое', 'Старое', 'Давнее']) expect(shown).toContain(message);
    expect(tab.problems).toEqual([]);
  });

  it('reads dropped files and a keyring, and says that a folder has to be chosen instead', async () => {
    await tab.whenRead(async () =>
      tab.drop([
        await office.file('mail.eml', mail(office.letter('Упало', { thread: newThread() }))),
        maildir,
        office.next.file,
        office.next.signatureFile,
      ]),
    );
    expect(await tab.text('#conversations')).toContain('Упало');
    expect(await tab.text('#letters-status')).toContain('Keyring no. 9 has been verified and added.');
    expect(await tab.text('#refusals')).toBe(
      'Maildir: this is a folder. Choose it in the field for folders, where all of it can be read. (FOLDER_DROPPED)',
    );
    await tab.whenRead(() => tab.give('#folder', maildir));
    expect(await tab.text('#refusals')).not.toContain('FOLDER_DROPPED');
    expect(tab.problems).toEqual([]);
  });

  thoroughly('names a dropped file that has vanished, and reads the rest', async () => {
    const [gone, there] = [
      await office.file('gone.age', 'x'),
      await office.file('there.age', office.letter('На месте', { thread: newThread() })),
    ];
    await tab.whenRead(() => tab.drop([gone, there], { beforeDrop: () => rm(gone) }));
    expect(await tab.text('#refusals')).toContain('gone.age: the file cannot be read');
    expect(await tab.text('#conversations')).toContain('На месте');
    expect(tab.problems).toEqual([]);
  });
});

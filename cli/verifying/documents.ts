// What a relay says of the moment: the door, and the keyring that counts.
import { utf8 } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { verify } from '../../crypto/minisign.ts';
import type { ResponseHeader } from '../../runtime/served.ts';
import type { Expected } from './expected.ts';
import type { Signed } from './signed.ts';
import { isDoor } from './start.ts';

export const START_PATH = '/start.json';

const JSON_TYPE: ResponseHeader = ['Content-Type', 'application/json; charset=utf-8'];
const TEXT_TYPE: ResponseHeader = ['Content-Type', 'text/plain; charset=utf-8'];
const NO_KEYRING = 503;

/** @param keyring the text of it in /start.json, null where there is none now */
export function documentAnswers({ root }: Signed, keyring: string | null): Expected[] {
  const anything = (): null => null;
  const status = keyring === null ? NO_KEYRING : 200;
  const sameKeyring = (body: Uint8Array): string | null =>
    Buffer.from(body).toString('utf8') === keyring ? null : `another keyring than that of ${START_PATH}`;
  const signature = (body: Uint8Array): string | null => {
    try {
      verify(utf8(keyring ?? ''), Buffer.from(body).toString('utf8'), root);
      return null;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return `${error.message} (${error.code})`;
    }
  };
  return [
    // What is in it is looked at apart (start.ts).
    { path: START_PATH, status: 200, headers: [JSON_TYPE, ['Vary', 'Accept-Encoding']], content: anything },
    { path: '/door.json', status: 200, headers: [JSON_TYPE], content: (body) => (isDoor(body) ? null : 'it is not what the form expects') },
    { path: '/keyring.json', status, headers: [JSON_TYPE], content: keyring === null ? anything : sameKeyring },
    {
      path: '/keyring.json.minisig',
      status,
      headers: [keyring === null ? JSON_TYPE : TEXT_TYPE],
      content: keyring === null ? anything : signature,
    },
  ];
}

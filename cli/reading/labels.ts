import type { Remark } from '../../volunteer/conversations/conversations.ts';

/** The words around a request, in the language it was written in. */
export type Labels = {
  request: string;
  topic: string;
  noTopic: string;
  contact: string;
  noContact: string;
  keyring: string;
  unchecked: string;
  message: string;
  note: string;
  answer: string;
  claim: string;
  handover: string;
  followUp: string;
  signer: string;
  conversation: string;
  notesUnchecked: string;
  unanswered: string;
  unwanted: string;
  answered: string;
  handed: string;
  taken: string;
  absent: string;
  remarks: Readonly<Record<Remark, string>>;
};

const ENGLISH: Labels = {
  request: 'Request',
  topic: 'Topic',
  noTopic: 'none chosen',
  contact: 'Contact',
  noContact: 'none given',
  keyring: 'Keyring',
  unchecked: 'not checked: give --keyring and --root-key',
  message: 'Message',
  note: 'Note',
  answer: 'Answered by',
  claim: 'Taken by',
  handover: 'Handed over by',
  followUp: 'Further words',
  signer: 'signer',
  conversation: 'Conversation',
  notesUnchecked: 'not checked',
  unanswered: 'unanswered',
  unwanted: 'no answer wanted',
  answered: 'answered by',
  handed: 'handed to',
  taken: 'taken by',
  absent: 'earlier answers that are not among these letters (elsewhere, deleted, run out, or held back)',
  remarks: {
    'no-request': 'it begins with further words: the request is not among these letters, or went to another team',
    'no-letters': 'only notes are here: the letters are not among these',
    contested: 'another conversation names its mailbox or recipient; an answer reaches only who wrote this one; tell the administrator',
  },
};

const RUSSIAN: Labels = {
  request: 'Обращение',
  topic: 'Тема',
  noTopic: 'не выбрана',
  contact: 'Контакт',
  noContact: 'не указан',
  keyring: 'Набор ключей',
  unchecked: 'не проверен: укажите --keyring и --root-key',
  message: 'Текст',
  note: 'Заметка',
  answer: 'Ответ дал(а)',
  claim: 'Взял(а) себе',
  handover: 'Передал(а)',
  followUp: 'Продолжение',
  signer: 'подпись',
  conversation: 'Переписка',
  notesUnchecked: 'не проверено',
  unanswered: 'без ответа',
  unwanted: 'ответ не нужен',
  answered: 'ответ:',
  handed: 'передано:',
  taken: 'у кого:',
  absent: 'прежние ответы, которых среди этих писем нет (лежат в другом месте, удалены, истёк срок или не доставлены)',
  remarks: {
    'no-request': 'начинается с продолжения: самого обращения среди этих писем нет, или оно пришло другой команде',
    'no-letters': 'здесь только заметки: самих писем среди этих нет',
    contested: 'другая переписка называет её ящик или получателя; ответ дойдёт только до автора этой; скажите администратору',
  },
};

export function labelsFor(language: string): Labels {
  return language === 'ru' ? RUSSIAN : ENGLISH;
}

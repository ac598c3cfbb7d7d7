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
};

export function labelsFor(language: string): Labels {
  return language === 'ru' ? RUSSIAN : ENGLISH;
}

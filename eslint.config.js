import tseslint from 'typescript-eslint';

const noClient = [
  { name: 'ip', why: 'The relay never reads an address (SECURITY.md, promise 2).' },
  { name: 'ips', why: 'The relay never reads an address (SECURITY.md, promise 2).' },
  { name: 'remoteAddress', why: 'The relay never reads an address (SECURITY.md, promise 2).' },
  { name: 'remotePort', why: 'The relay never reads an address (SECURITY.md, promise 2).' },
  { name: 'hostname', why: 'Nothing about a client is read (SECURITY.md, promise 2).' },
].map(({ name, why }) => ({ selector: `MemberExpression[property.name='${name}']`, message: why }));

const noHeaders = {
  selector: "Literal[value=/^(user-agent|x-forwarded-for|forwarded|x-real-ip|accept-language|referer|cookie)$/i]",
  message: 'No client attribute is read (SECURITY.md, promise 2).',
};

const noMathRandom = {
  selector: "MemberExpression[object.name='Math'][property.name='random']",
  message: "Randomness comes from libsodium's randombytes only.",
};
const noSubtle = {
  selector: "MemberExpression[property.name='subtle']",
  message: 'A plain-HTTP onion is not a secure context everywhere: use libsodium.',
};
const noEnvironment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only config.ts reads the environment, through zod.',
};
const noClock = [
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'No clock in the write path: nothing stored may say when a request came.' },
  { selector: "NewExpression[callee.name='Date']", message: 'No clock in the write path: nothing stored may say when a request came.' },
  { selector: "MemberExpression[object.name='performance']", message: 'No clock in the write path: nothing stored may say when a request came.' },
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '**/*.d.ts'] },
  ...tseslint.configs.strict,
  {
    rules: {
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'no-restricted-syntax': ['error', noMathRandom, noSubtle],
    },
  },
  {
    // Rules that ask for types; plain JavaScript has none and is linted without them.
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  {
    files: ['crypto/**/*.ts', 'web/**/*.ts', 'service/**/*.ts', 'store/**/*.ts', 'server/**/*.ts', 'worker/**/*.ts', 'operator/**/*.ts'],
    ignores: ['web/build.ts'],
    rules: { 'no-console': ['error'], 'no-restricted-syntax': ['error', noMathRandom, noSubtle, noEnvironment] },
  },
  {
    files: ['server/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', noMathRandom, noSubtle, noEnvironment, noHeaders, ...noClient] },
  },
  {
    files: ['server/exchange.ts', 'server/pool.ts', 'server/routes/mailbox.ts', 'server/routes/parcel.ts', 'server/routes/paste.ts'],
    rules: { 'no-restricted-syntax': ['error', noMathRandom, noSubtle, noEnvironment, noHeaders, ...noClient, ...noClock] },
  },
  {
    files: ['**/config.ts'],
    rules: { 'no-restricted-syntax': ['error', noMathRandom, noSubtle] },
  },
  { files: ['vitest.config.ts', 'eslint.config.js'], rules: { 'no-restricted-exports': 'off' } },
);

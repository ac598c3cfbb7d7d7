// In JavaScript, because Node 20 cannot import the TypeScript file that oxlint finds by itself. So every call names this file.
import { restrictions } from './scripts/layers.mjs';

const noAddress = 'The relay never reads an address (SECURITY.md, promise 2).';
const noClient = [
  ...['ip', 'ips', 'remoteAddress', 'remotePort'].map((property) => ({ property, message: noAddress })),
  // Headers whose names need no quotes; the plugin covers the others.
  ...['hostname', 'cookie', 'forwarded', 'referer'].map((property) => ({
    property,
    message: 'Nothing about a client is read (SECURITY.md, promise 2).',
  })),
];

const noMathRandom = { object: 'Math', property: 'random', message: "Randomness comes from libsodium's randombytes only." };
const noSubtle = { property: 'subtle', message: 'A plain-HTTP onion is not a secure context everywhere: use libsodium.' };
const noEnvironment = { object: 'process', property: 'env', message: 'Only config.ts reads the environment, through zod.' };

const noTime = 'No clock in the write path: nothing stored may say when a request came.';
// As a property too, since `performance` can be imported, and is not a global then.
const noClock = [{ object: 'performance', message: noTime }];
const noClockGlobals = { globals: ['Date', 'performance'].map((name) => ({ name, message: noTime })), checkGlobalObject: true };

const everywhere = [noMathRandom, noSubtle];
const configured = [...everywhere, noEnvironment];
const clientless = [...configured, ...noClient];

export default {
  plugins: ['typescript', 'import'],
  // Only the rules named below, so that changes to a category in a later version of oxlint have no effect.
  categories: { correctness: 'off' },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  ignorePatterns: ['/dist/', 'node_modules/', '*.d.ts'],
  jsPlugins: ['./scripts/lint-plugin.mjs'],
  rules: {
    'import/no-cycle': ['error', { ignoreTypes: false }],
    eqeqeq: 'error',
    'max-lines': ['error', { max: 300 }],
    'no-array-constructor': 'error',
    'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    'no-restricted-properties': ['error', ...everywhere],
    'no-unused-expressions': 'error',
    // Without any option, oxlint would allow unused names that begin with `_`.
    'no-unused-vars': ['error', { args: 'after-used' }],
    'no-useless-constructor': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'prefer-rest-params': 'error',
    'prefer-spread': 'error',
    'relay/max-function-length': 'error',
    'relay/max-line-length': 'error',
    'relay/no-private-keyword': 'error',
    'typescript/ban-ts-comment': ['error', { minimumDescriptionLength: 10 }],
    'typescript/no-duplicate-enum-values': 'error',
    'typescript/no-dynamic-delete': 'error',
    'typescript/no-empty-object-type': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-extra-non-null-assertion': 'error',
    'typescript/no-extraneous-class': 'error',
    'typescript/no-invalid-void-type': 'error',
    'typescript/no-misused-new': 'error',
    'typescript/no-namespace': 'error',
    'typescript/no-non-null-asserted-nullish-coalescing': 'error',
    'typescript/no-non-null-asserted-optional-chain': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-require-imports': 'error',
    'typescript/no-this-alias': 'error',
    'typescript/no-unnecessary-type-constraint': 'error',
    'typescript/no-unsafe-declaration-merging': 'error',
    'typescript/no-unsafe-function-type': 'error',
    'typescript/no-wrapper-object-types': 'error',
    'typescript/prefer-as-const': 'error',
    'typescript/prefer-literal-enum-member': 'error',
    'typescript/prefer-namespace-keyword': 'error',
    'typescript/triple-slash-reference': 'error',
    'typescript/unified-signatures': 'error',
  },
  // If two name the same rule, the later one wins.
  overrides: [
    {
      // Type-aware rules; plain JavaScript has no types.
      files: ['**/*.ts'],
      rules: {
        'typescript/no-floating-promises': 'error',
        'typescript/no-misused-promises': 'error',
        'typescript/restrict-template-expressions': [
          'error',
          { allowNumber: false, allowAny: false, allowBoolean: false, allowNullish: false, allowRegExp: false },
        ],
        'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      },
    },
    {
      // oxlint applies `no-this-alias` to TypeScript only; this is the equivalent for plain JavaScript.
      files: ['**/*.js', '**/*.mjs'],
      plugins: ['unicorn'],
      rules: { 'unicorn/no-this-assignment': 'error' },
    },
    {
      files: [
        'crypto/**/*.ts',
        'web/**/*.ts',
        'runtime/**/*.ts',
        'redis/**/*.ts',
        'volunteer/**/*.ts',
        'server/**/*.ts',
        'worker/**/*.ts',
        'operator/**/*.ts',
      ],
      excludeFiles: ['web/build/build.ts'],
      rules: { 'no-console': 'error', 'no-restricted-properties': ['error', ...configured] },
    },
    { files: ['server/**/*.ts'], rules: { 'no-restricted-properties': ['error', ...clientless], 'relay/no-client-headers': 'error' } },
    {
      files: ['server/exchange.ts', 'server/pool.ts', 'server/routes/mailbox.ts', 'server/routes/parcel.ts', 'server/routes/paste.ts'],
      rules: { 'no-restricted-properties': ['error', ...clientless, ...noClock], 'no-restricted-globals': ['error', noClockGlobals] },
    },
    { files: ['**/config.ts'], rules: { 'no-restricted-properties': ['error', ...everywhere], 'relay/no-client-headers': 'off' } },
    ...[...restrictions()].map(([folder, patterns]) => ({
      files: [`${folder}**/*.ts`],
      rules: { 'no-restricted-imports': ['error', { patterns }] },
    })),
    // These are mostly tables of values.
    { files: ['tests/vectors/make*.ts'], rules: { 'max-lines': 'off', 'relay/max-function-length': 'off' } },
    { files: ['vitest.config.ts', 'oxlint.config.js', 'scripts/lint-plugin.mjs'], rules: { 'no-restricted-exports': 'off' } },
  ],
};

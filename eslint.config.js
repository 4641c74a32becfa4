import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Which layers a layer may import, and which packages it must not (see docs/architecture.md). */
const NEST = ['@nestjs/*', 'rxjs', 'reflect-metadata', 'class-validator', 'class-transformer', 'fastify'];
const DRIVERS = ['better-sqlite3', 'typeorm', '@nats-io/*', 'ws', 'bcrypt'];

const layers = [
  { layer: 'domain', may: ['domain'], bans: [...NEST, ...DRIVERS] },
  { layer: 'port', may: ['domain', 'port'], bans: [...NEST, ...DRIVERS] },
  { layer: 'engine', may: ['domain', 'port', 'engine'], bans: [...NEST, ...DRIVERS] },
  { layer: 'adapter', may: ['domain', 'port'], bans: NEST.filter((name) => name !== 'reflect-metadata') },
  {
    layer: 'support',
    may: ['domain', 'port', 'support'],
    bans: [...NEST, ...DRIVERS.filter((name) => name !== 'bcrypt')],
  },
  { layer: 'platform', may: ['domain', 'port', 'support', 'adapter', 'platform'], bans: DRIVERS },
  {
    layer: 'service',
    may: ['domain', 'port', 'engine', 'adapter', 'support', 'platform'],
    bans: ['better-sqlite3', 'typeorm'],
  },
  {
    layer: 'launcher',
    may: ['domain', 'port', 'engine', 'adapter', 'support', 'platform', 'service'],
    bans: ['@nats-io/*'],
  },
  { layer: 'test', may: ['domain', 'port', 'engine', 'adapter', 'support', 'platform', 'test'], bans: [] },
  {
    layer: 'tool',
    may: ['domain', 'port', 'engine', 'adapter', 'support', 'platform', 'test', 'service', 'launcher'],
    bans: [],
  },
];

/** Specs and benchmarks may also use the test kit. */
const boundaries = (extra = []) => [
  'error',
  {
    allow: [],
    // What a launcher loads lazily, its tests may load at once.
    checkDynamicDependenciesExceptions: extra.length > 0 ? ['.*'] : [],
    depConstraints: layers.map(({ layer, may, bans }) => ({
      sourceTag: `layer:${layer}`,
      onlyDependOnLibsWithTags: [...may, ...extra].map((name) => `layer:${name}`),
      bannedExternalImports: extra.length > 0 ? [] : bans,
    })),
  },
];

export default tseslint.config(
  { ignores: ['**/dist/**', 'apps/edge/bundle/**', '**/node_modules/**', '.nx/**', '**/fixtures/**', '**/data/**'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { project: './tsconfig.spec.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': boundaries(),
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      // The rules against `any` refuse its fixes of generic calls and of Nest's untyped getters.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    // Nest finds what to inject through the emitted types of constructor parameters.
    files: ['apps/*/src/**/*.ts', 'libs/{platform,split}/src/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  {
    files: [
      'libs/{async,errors,document,revision,access,sync-policy,query,config,blip,sync-protocol,bus-contract,ports,change-feed,replicator}/src/**/*.ts',
    ],
    ignores: ['**/*.spec.ts', '**/*.bench.ts', 'libs/blip/src/deflate.ts', 'libs/*/src/testing/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [{ group: ['node:*'], message: 'Domain and engines take time, randomness and I/O as arguments.' }],
        },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', '**/*.bench.ts', '{apps,libs}/*/src/testing/**/*.ts', 'libs/test-kit/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries(['test', 'adapter', 'engine']),
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': 'off',
    },
  },
);

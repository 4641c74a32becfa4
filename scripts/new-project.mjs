// Creates the folder of a new app or lib with its package.json, tsconfig.json and an empty entry,
// and lists it in the root tsconfig.json. Usage: node scripts/new-project.mjs libs/name layer [dependency ...]
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [folder, layer, ...dependencies] = process.argv.slice(2);
if (!folder || !layer) throw new Error('usage: new-project.mjs <apps|libs>/<name> <layer> [dependency ...]');
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
const name = basename(folder);

mkdirSync(join(folder, 'src'), { recursive: true });
writeFileSync(
  join(folder, 'package.json'),
  json({
    name: `@edgesync/${name}`,
    version: '0.1.0',
    private: true,
    license: 'Apache-2.0',
    type: 'module',
    exports: {
      '.': { '@edgesync/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    },
    dependencies: Object.fromEntries(dependencies.map((d) => [`@edgesync/${d}`, 'workspace:*'])),
    nx: { tags: [`layer:${layer}`] },
  }),
);
writeFileSync(
  join(folder, 'tsconfig.json'),
  json({
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
    include: ['src/**/*.ts'],
    exclude: ['src/**/*.spec.ts', 'src/**/*.bench.ts'],
    references: dependencies.map((d) => ({ path: `../../libs/${d}` })),
  }),
);
if (!existsSync(join(folder, 'src/index.ts'))) writeFileSync(join(folder, 'src/index.ts'), 'export {};\n');
const root = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
if (!root.references.some((r) => r.path === folder)) root.references.push({ path: folder });
root.references.sort((a, b) => a.path.localeCompare(b.path));
writeFileSync('tsconfig.json', json(root));

// Lets a bare `node --import` run the TypeScript sources, decorators included, so that tests can start processes.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  experimentalDecorators: true,
  useDefineForClassFields: false,
};

registerHooks({
  resolve: (specifier, context, next) =>
    next(context.parentURL?.endsWith('.ts') ? specifier.replace(/^(\..*)\.js$/, '$1.ts') : specifier, context),
  load: (url, context, next) => {
    if (!url.endsWith('.ts')) return next(url, context);
    const source = ts.transpileModule(readFileSync(fileURLToPath(url), 'utf8'), { compilerOptions }).outputText;
    return { format: 'module', source, shortCircuit: true };
  },
});

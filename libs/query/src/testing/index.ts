export * from './golden.js';
export * from './golden-answers.js';
export * from './memory-access.js';

export * from './catalogue.js';
export * from './edge-error.js';

export * from './ast.js';
export * from './plan.js';
export * from './rows.js';
export * from './statement.js';
export * from './values.js';

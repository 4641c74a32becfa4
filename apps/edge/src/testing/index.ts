export { RandomWriter, type Content } from './random-writer.js';
export { EdgeProcess, EdgeSandbox } from './edge-process.js';

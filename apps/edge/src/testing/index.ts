export { RandomWriter, type Content } from './random-writer.js';

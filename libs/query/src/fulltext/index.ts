export { Analyzer, type AnalyzerOptions, indexedText } from './analyzer.js';
export { languageCode } from './languages.js';
export * from './match.js';
export { parseTextQuery, type Phrase, type Term, type TextQuery } from './text-query.js';

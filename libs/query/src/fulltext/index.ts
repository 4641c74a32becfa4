export { Analyzer, type AnalyzerOptions, indexedText, languageCode } from './analyzer.js';
export * from './match.js';
export { parseTextQuery, type Phrase, type Term, type TextQuery } from './text-query.js';

import { stemmer as danish } from '@orama/stemmers/danish';
import { stemmer as dutch } from '@orama/stemmers/dutch';
import { stemmer as finnish } from '@orama/stemmers/finnish';
import { stemmer as french } from '@orama/stemmers/french';
import { stemmer as german } from '@orama/stemmers/german';
import { stemmer as hungarian } from '@orama/stemmers/hungarian';
import { stemmer as italian } from '@orama/stemmers/italian';
import { stemmer as norwegian } from '@orama/stemmers/norwegian';
import { stemmer as portuguese } from '@orama/stemmers/portuguese';
import { stemmer as romanian } from '@orama/stemmers/romanian';
import { stemmer as russian } from '@orama/stemmers/russian';
import { stemmer as spanish } from '@orama/stemmers/spanish';
import { stemmer as swedish } from '@orama/stemmers/swedish';
import { stemmer as turkish } from '@orama/stemmers/turkish';
import { stem as english } from 'porter2';
import { isArray, isObject, type Value } from '../values.js';
import { languageCode, type LanguageCode } from './languages.js';
import { STOP_WORDS } from './stop-words.js';

/** How a full-text index takes text apart. */
export interface AnalyzerOptions {
  /** A code (`en`) or English name (`english`) of {@link LANGUAGES}. Without one: no stemming, no stop words. */
  readonly language?: string;
  readonly ignoreAccents?: boolean;
  readonly disableStemming?: boolean;
  /** In place of those of the language; an empty list switches them off. */
  readonly stopWords?: readonly string[];
}

/** The Snowball stemmers. */
const STEMMERS: Readonly<Record<LanguageCode, (word: string) => string>> = {
  da: danish,
  de: german,
  en: english,
  es: spanish,
  fi: finnish,
  fr: french,
  hu: hungarian,
  it: italian,
  nl: dutch,
  no: norwegian,
  pt: portuguese,
  ro: romanian,
  ru: russian,
  sv: swedish,
  tr: turkish,
};

const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
const ACCENTS = /[\u0300-\u036f]/g;

/** A word as the index holds it, and where it stood in the text. */
export interface Word {
  readonly token: string;
  /** Behind its last character. */
  readonly end: number;
}

/**
 * Takes text apart into the tokens of an index: runs of letters and digits, lower case, without stop words, stemmed.
 * A stop word takes no position: the words around it are neighbours.
 */
export class Analyzer {
  private readonly stem: ((word: string) => string) | undefined;
  private readonly stopWords: ReadonlySet<string>;
  private readonly ignoreAccents: boolean;

  constructor({ language, ignoreAccents = false, disableStemming = false, stopWords }: AnalyzerOptions) {
    const code = language === undefined ? undefined : languageCode(language);
    this.ignoreAccents = ignoreAccents;
    this.stem = code === undefined || disableStemming ? undefined : STEMMERS[code];
    const words = stopWords ?? (code === undefined ? undefined : STOP_WORDS[code])?.split(/\s+/) ?? [];
    this.stopWords = new Set(words.map((word) => this.fold(word)));
  }

  /** The tokens of a text in order. */
  tokens(text: string): string[] {
    return Array.from(this.words(text), ({ token }) => token);
  }

  /** @param prefixes whether a word followed by `*` is the beginning of one, and so never a stop word */
  *words(text: string, prefixes = false): Generator<Word, void, undefined> {
    const normal = text.normalize('NFC');
    for (const { 0: word, index } of normal.matchAll(WORD)) {
      const end = index + word.length;
      const folded = this.fold(word);
      const isPrefix = prefixes && normal[end] === '*';
      if (folded === '' || (!isPrefix && this.stopWords.has(folded))) continue;
      yield { token: this.stem ? this.stem(folded) : folded, end };
    }
  }

  private fold(word: string): string {
    // A sigma has one lower-case form here, so that a word is the same wherever it was cut.
    const lower = word.normalize('NFC').toLowerCase().replaceAll('ς', 'σ');
    return this.ignoreAccents ? lower.normalize('NFD').replace(ACCENTS, '').normalize('NFC') : lower;
  }
}

/** The indexed parts of a value: text, numbers, booleans as `T` and `F`, and all of these inside containers. */
export function indexedText(value: Value): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
      return value ? 'T' : 'F';
    case 'bigint':
    case 'number':
      return String(value);
    default:
      if (isArray(value)) return value.items.map(indexedText).join('\n');
      if (isObject(value)) return [...value.members.values()].map(indexedText).join('\n');
      return '';
  }
}

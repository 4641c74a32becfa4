import { describe, expect, it } from 'vitest';
import { decode } from '../values.js';
import {
  Analyzer,
  type AnalyzerOptions,
  hitsOf,
  indexedText,
  languageCode,
  matchesText,
  parseTextQuery,
  phrasesOf,
  rankOf,
} from './index.js';

const tokens = (text: string, options: AnalyzerOptions = {}) => new Analyzer(options).tokens(text);

describe('tokens of text', () => {
  it('are runs of letters and digits in lower case', () => {
    expect(tokens('Foo_bar-baz.QUX 42nd')).toEqual(['foo', 'bar', 'baz', 'qux', '42nd']);
    expect(tokens('東京 山小屋')).toEqual(['東京', '山小屋']);
    expect(tokens('... --- ')).toEqual([]);
    expect(tokens('ΟΔΟΣ οδός')).toEqual(['οδοσ', 'οδόσ']);
  });

  it('are the same for composed and decomposed letters', () => {
    expect(tokens('cafe\u0301')).toEqual(tokens('café'));
  });

  it('lose accents only where the index ignores them', () => {
    expect(tokens('Café naïve Ångström')).toEqual(['café', 'naïve', 'ångström']);
    expect(tokens('Café naïve Ångström', { ignoreAccents: true })).toEqual(['cafe', 'naive', 'angstrom']);
  });

  it.each([
    ['en', 'running boots of generously dying skies', ['run', 'boot', 'generous', 'die', 'sky']],
    ['english', 'hikers hiking', ['hiker', 'hike']],
    ['de', 'Häuser und Hütten', ['haus', 'und', 'hutt']],
    ['fr', 'les chevaux nationales', ['cheval', 'national']],
    ['ru', 'собаками', ['собак']],
  ])('are stemmed for %s', (language, text, expected) => {
    expect(tokens(text, { language })).toEqual(expected);
  });

  it('keep their endings without stemming, and stop words of their own where the index names them', () => {
    expect(tokens('the boots', { language: 'en', disableStemming: true })).toEqual(['boots']);
    expect(tokens('the boots and huts', { language: 'en', stopWords: ['boots'] })).toEqual(['the', 'and', 'hut']);
    expect(tokens('the boots', { language: 'en', stopWords: [] })).toEqual(['the', 'boot']);
  });

  it('come from scalars at any depth', () => {
    expect(indexedText(decode('{"a":["hut",{"b":7}],"c":true,"d":null,"e":1.5}'))).toBe('hut\n7\nT\n\n1.5');
    expect(indexedText(undefined)).toBe('');
  });

  it('know languages by code and English name', () => {
    expect(languageCode('Norwegian')).toBe('no');
    expect(languageCode('sv')).toBe('sv');
    expect(languageCode('klingon')).toBeUndefined();
  });
});

describe('text to MATCH', () => {
  const english = new Analyzer({ language: 'en' });
  const document = ['Mountain hut', 'A small hut on the mountain; hikers sleep here in summer.'].map((text) =>
    english.tokens(text),
  );
  const matches = (text: string) => {
    const query = parseTextQuery(text, english, ['title', 'body']);
    return query !== undefined && matchesText(query, document);
  };

  it.each([
    ['hut', true],
    ['huts', true],
    ['hut hikers', true],
    ['hut boots', false],
    ['hut OR boots', true],
    ['boots OR hut', true],
    ['hut NOT boots', true],
    ['hut NOT hikers', false],
    ['hut AND hikers', true],
    ['hut or boots', false],
    ['boots OR hut hikers', true],
    ['boots hut OR hikers', true],
    ['(boots OR hut) hikers', true],
    ['boots (hut OR hikers)', false],
    ['hik*', true],
    ['"small hut"', true],
    ['"hut small"', false],
    ['"hut on the mountain"', true],
    ['"small hu*"', true],
    ['title:hut', true],
    ['TITLE:hut', true],
    ['title: hut', true],
    ['title:hikers', false],
    ['title:hikers OR hut', true],
    ['title:"mountain hut"', false],
    ['nocol:hut', false],
    ['hut NEAR hikers', true],
    ['hut NEAR/0 mountain', true],
    ['small NEAR/1 mountain', true],
    ['small NEAR/0 mountain', false],
    ['mountain NEAR/0 small', false],
    ['small NEAR/0 hut NEAR/0 mountain', true],
    ['small NEAR/0 hut NEAR/0 hikers', false],
    ['the', false],
    ['the hut', true],
    ['hut AND the', true],
    ['hut NOT the', true],
    ['', false],
    ['  ', false],
    ['*', false],
    ['()', false],
    ['hut-mountain', true],
    ["'hut'", true],
    ['^hut', true],
  ])('%s', (text, expected) => {
    expect(matches(text)).toBe(expected);
  });

  it.each(['(hut', '"hut', 'AND', 'hut AND', 'OR hut', 'hut)', '(hut OR)', 'hut NEAR (lake OR boots)', '(hut) NOT'])(
    'is malformed: %s',
    (text) => {
      expect(() => parseTextQuery(text, english, [])).toThrow('malformed');
    },
  );

  it('is bounded in nesting', () => {
    expect(() => parseTextQuery('('.repeat(100_000), english, [])).toThrow('nested');
  });
});

describe('the rank of a document', () => {
  it('is the sum over phrases and properties of its share of all hits', () => {
    const plain = new Analyzer({});
    const documents = [
      [['hut'], ['hut', 'boots']],
      [['boots'], ['hut', 'hut', 'hut']],
    ];
    const query = parseTextQuery('hut OR boots', plain, [])!;
    const hits = documents.map((document) => phrasesOf(query).map((phrase) => hitsOf(phrase, document)));
    const totals = hits[0]!.map((counts, phrase) =>
      counts.map((count, property) => count + hits[1]![phrase]![property]!),
    );
    expect(rankOf(hits[0]!, totals)).toBe(1 + 1 / 4 + 1);
    expect(rankOf(hits[1]!, totals)).toBe(3 / 4 + 1);
  });
});

import { describe, expect, it } from 'vitest';
import { decode, encode, type Value } from '../values.js';
import { SCALAR_FUNCTIONS } from './index.js';
import { FUNCTIONS } from './signatures.js';

/** The result of a call as JSON, its arguments as JSON; `MISSING` stands for itself. */
function call(name: string, ...jsons: string[]): string {
  const values = jsons.map((json): Value => (json === 'MISSING' ? undefined : decode(json)));
  const result = SCALAR_FUNCTIONS[name]!(...values);
  return result === undefined ? 'MISSING' : encode(result);
}

const text = (value: string): string => JSON.stringify(value);

describe('scalar functions', () => {
  it('are those that the parser knows', () => {
    expect(Object.keys(SCALAR_FUNCTIONS).sort()).toEqual(Object.keys(FUNCTIONS).sort());
  });

  it.each(Object.entries(FUNCTIONS).map(([name, { min, max }]) => [name, min, Math.min(max, 4)] as const))(
    '%s answers any kind of value without failing',
    (name, min, max) => {
      const kinds = [
        'MISSING',
        'null',
        'true',
        '0',
        '-7',
        '1.5',
        '1e300',
        '""',
        '"a"',
        '"2024-03-10"',
        '[]',
        '[1,null]',
        '{}',
      ];
      for (let count = min; count <= max; count++)
        for (const first of kinds)
          for (const other of kinds) {
            const result = call(name, ...Array.from({ length: count }, (_, index) => (index === 0 ? first : other)));
            expect(result === 'MISSING' || decode(result) !== undefined).toBe(true);
          }
    },
  );
});

describe('numbers', () => {
  it.each([
    ['ROUND', ['2.5'], '3.0'],
    ['ROUND', ['-2.5'], '-3.0'],
    ['ROUND', ['0.49999999999999994'], '0.0'],
    ['ROUND', ['1.235', '2'], '1.24'],
    ['ROUND', ['1250', '-2'], '1300.0'],
    ['ROUND', ['1.5', 'MISSING'], 'MISSING'],
    ['ROUND', ['1.5', '"a"'], 'null'],
    ['ROUND', ['1e300', '300'], '1e+300'],
    ['ROUND_EVEN', ['2.5'], '2.0'],
    ['ROUND_EVEN', ['3.5'], '4.0'],
    ['ROUND_EVEN', ['-2.5'], '-2.0'],
    ['TRUNC', ['-1.99'], '-1.0'],
    ['TRUNC', ['1.99', '1'], '1.9'],
    ['DIV', ['7', '2'], '3.5'],
    ['DIV', ['1', '0'], 'null'],
    ['IDIV', ['-7', '2'], '-3'],
    ['IDIV', ['9223372036854775807', '1'], '9223372036854775807'],
    ['SIGN', ['-0.5'], '-1'],
    ['POWER', ['10', '400'], 'null'],
    ['GREATEST', ['1', '"a"', 'null'], 'null'],
    ['LEAST', ['2', '1.5', 'true'], 'true'],
    ['GREATEST', ['1', 'MISSING'], 'MISSING'],
  ])('%s%j is %s', (name, values, expected) => {
    expect(call(name, ...values)).toBe(expected);
  });
});

describe('arrays', () => {
  it.each([
    ['ARRAY_MAX', '[-5,-3]', '-3.0'],
    ['ARRAY_MIN', '["a",4,2.5]', '2.5'],
    ['ARRAY_MAX', '["a"]', 'null'],
    ['ARRAY_AVG', '[1,"a",2]', '1.5'],
    ['ARRAY_SUM', '[true,1,null]', '2.0'],
    ['ARRAY_COUNT', '[null,0]', '1'],
    ['ARRAY_LENGTH', '{}', 'null'],
    ['ARRAY_LENGTH', 'MISSING', 'MISSING'],
    ['ARRAY_IFNULL', '[null,null]', 'null'],
  ])('%s(%s) is %s', (name, array, expected) => {
    expect(call(name, array)).toBe(expected);
  });

  it('are searched by value: an integer equals its double only', () => {
    expect(call('ARRAY_CONTAINS', '[9.5,10.0]', '9')).toBe('false');
    expect(call('ARRAY_CONTAINS', '[9.5,10.0]', '10')).toBe('true');
    expect(call('ARRAY_CONTAINS', '[[1]]', '[1.0]')).toBe('true');
  });
});

describe('text', () => {
  it.each([
    ['TRIM', [text('\u00a0\u3000 a b\t\n')], text('a b')],
    ['LTRIM', [text('xyxa'), text('xy')], text('a')],
    ['RTRIM', [text('a😀😀'), text('😀')], text('a')],
    ['TRIM', ['[1]'], '[1]'],
    ['LENGTH', [text('👩‍👩‍👧')], '5'],
    ['CONTAINS', [text('aab'), text('ab')], 'true'],
    ['CONTAINS', [text('a'), '""'], 'true'],
    ['LOWER', [text('İ')], text('i̇')],
    ['CONCAT', ['1.0', 'null', '[1,{"b":2.50,"a":1}]'], text('1.0null[1,{"a":1,"b":2.5}]')],
    ['TONUMBER', [text(' -7 ')], '-7'],
    ['TONUMBER', [text('7x')], 'null'],
    ['TONUMBER', [text('9223372036854775808')], '9223372036854776000.0'],
  ])('%s%j is %s', (name, values, expected) => {
    expect(call(name, ...values)).toBe(expected);
  });

  it.each([
    ['(a)(b)?', '[$1$2$3]', 'x[a$3]x'],
    ['a', '$$&', 'x$&x'],
    ['a', "<$`|$'>", 'x<x|x>x'],
    ['(?<n>a)', '$<n>$<m>', 'xax'],
    ['', '-', '-x-a-x-'],
    ['a', '$10', 'x$10x'],
    ['(a)', '$10', 'xa0x'],
  ])('REGEXP_REPLACE of /%s/ by %s', (pattern, replacement, expected) => {
    expect(call('REGEXP_REPLACE', text('xax'), text(pattern), text(replacement))).toBe(text(expected));
    expect('xax'.replace(new RegExp(pattern, 'gu'), replacement)).toBe(expected);
  });

  it('REGEXP_POSITION counts code points', () => {
    expect(call('REGEXP_POSITION', text('😀é!'), text('!'))).toBe('2');
  });
});

describe('dates', () => {
  it.each([
    ['2024-02-29', 1709164800000],
    ['2024-02-29 23:59', 1709251140000],
    ['2024-02-29T23:59:59.9996Z', 1709251200000],
    ['2024-02-29T24:00:00', 1709251200000],
    ['2024-03-10T08:15:30 +14:30', 1710006330000],
    ['0001-01-01', -62135596800000],
  ])('%s is read', (date, expected) => {
    expect(call('STR_TO_MILLIS', text(date))).toBe(String(expected));
  });

  it.each([
    '2023-02-29',
    '2024-13-01',
    '2024-00-10',
    '2024-3-1',
    ' 2024-03-10',
    '2024-03-10T25:00',
    '2024-03-10T08:60',
    '2024-03-10T08:15:30+15:00',
    '2024-03-10T08:15:30Zoo',
    '08:15:30',
    '',
  ])('"%s" is no date', (date) => {
    expect(call('STR_TO_MILLIS', text(date))).toBe('null');
  });

  it.each([
    ['1111-11-11', '2024-03-10'],
    ['1111-11-11T11:11:11', '2024-03-10T13:45:30'],
    ['1111-11-11 11:11:11.111', '2024-03-10 13:45:30.250'],
    ['1111-11-11T11:11:11Z', '2024-03-10T13:45:30+0530'],
    ['1111-11-11T11:11:11+00:00', '2024-03-10T13:45:30+05:30'],
    ['11:11:11', '13:45:30'],
    ['%F', '2024-03-10'],
    ['%H:%M:%S', '13:45:30'],
    ['%FT%T%Ez', '2024-03-10T13:45:30.250+05:30'],
    ['%Y-%m-%d %H:%M:%S', '2024-03-10 13:45:30'],
    ['nonsense', '2024-03-10T13:45:30.250+0530'],
    ['', '2024-03-10T13:45:30.250+0530'],
    ['T11:11:11', '2024-03-10T13:45:30.250+0530'],
  ])('the format %s', (format, expected) => {
    expect(call('MILLIS_TO_TZ', '1710058530250', '330', text(format))).toBe(text(expected));
  });

  it.each([
    ['2024-01-31', '1', 'month', '2024-03-02T00:00:00Z'],
    ['2024-02-29', '1', 'year', '2025-03-01T00:00:00Z'],
    ['2024-03-31', '-1', 'MONTH', '2024-03-02T00:00:00Z'],
    ['2024-03-10T23:30:00+02:00', '1', 'day', '2024-03-11T23:30:00+0200'],
    ['2024-01-31', '-13', 'month', '2022-12-31T00:00:00Z'],
  ])('%s and %s %s', (date, count, part, expected) => {
    expect(call('DATE_ADD_STR', text(date), count, text(part))).toBe(text(expected));
  });

  it('are null where no calendar reaches', () => {
    expect(call('DATE_ADD_STR', text('2024-01-01'), '9007199254740993', text('year'))).toBe('null');
    expect(call('DATE_ADD_MILLIS', '0', '9007199254740993', text('millisecond'))).toBe('9007199254740993');
    expect(call('MILLIS_TO_UTC', '1e300')).toBe('null');
  });

  it('differ by their fields, in one zone', () => {
    expect(call('DATE_DIFF_STR', text('2018-01-01'), text('2017-12-31'), text('quarter'))).toBe('1');
    expect(call('DATE_DIFF_STR', text('2017-12-31'), text('2018-01-01'), text('year'))).toBe('-1');
    expect(call('DATE_DIFF_STR', text('2024-01-02T00:00:00+02:00'), text('2024-01-02T00:00:00Z'), text('hour'))).toBe(
      '-2',
    );
    expect(
      call('DATE_DIFF_STR', text('2024-01-02T00:30:00+02:00'), text('2024-01-01T23:30:00+02:00'), text('day')),
    ).toBe('1');
  });
});

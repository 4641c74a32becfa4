import { describe, expect, it } from 'vitest';
import { parseSubject } from './certificate-subject.js';

const cn = (value: string) => ({ type: 'CN', value });

describe('the subject of a certificate', () => {
  it.each<[string, object[], object[]]>([
    ['edge.local', [cn('edge.local')], [{ type: 'dns', value: 'edge.local' }]],
    ['10.0.0.7', [cn('10.0.0.7')], [{ type: 'ip', value: '10.0.0.7' }]],
    ['::1', [cn('::1')], [{ type: 'ip', value: '::1' }]],
    ['CN=edge.local', [cn('edge.local')], [{ type: 'dns', value: 'edge.local' }]],
    [
      'CN=edge, O=Plant\\, North, C=de, DNS=edge.local, ip=10.0.0.7, dNSName=edge',
      [cn('edge'), { type: 'O', value: 'Plant, North' }, { type: 'C', value: 'de' }],
      [
        { type: 'dns', value: 'edge.local' },
        { type: 'ip', value: '10.0.0.7' },
        { type: 'dns', value: 'edge' },
      ],
    ],
    ['cn=a=b,GN=Ada', [cn('a=b'), { type: '2.5.4.42', value: 'Ada' }], [{ type: 'dns', value: 'a=b' }]],
  ])('%s', (text, attributes, alternativeNames) => {
    expect(parseSubject(text)).toEqual({ attributes, alternativeNames });
  });

  it.each([
    ['', 'CN is empty in the subject'],
    ['O=Plant', 'the subject has no CN'],
    ['CN=', 'CN is empty in the subject'],
    ['CN=a,X=b', 'unknown name X in the subject'],
    ['CN=a,b', '"b" in the subject is not name=value'],
    ['CN=a,IP=edge', 'edge is not an IP address'],
    ['CN=a,C=Germany', 'C is a country code of two letters'],
  ])('%j is refused', (text, message) => expect(() => parseSubject(text)).toThrow(message));
});

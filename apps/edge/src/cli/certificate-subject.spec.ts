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
    ['cn=a=b,GN=Ada,DNS=edge', [cn('a=b'), { type: '2.5.4.42', value: 'Ada' }], [{ type: 'dns', value: 'edge' }]],
    ['[::1]', [cn('::1')], [{ type: 'ip', value: '::1' }]],
    ['CN=[fe80::1]', [cn('[fe80::1]')], [{ type: 'ip', value: 'fe80::1' }]],
    ['CN=Plant,IP=[::1]', [cn('Plant')], [{ type: 'ip', value: '::1' }]],
    ['bücher.example', [cn('xn--bcher-kva.example')], [{ type: 'dns', value: 'xn--bcher-kva.example' }]],
    ['CN=Bücherei,DNS=BÜCHER.example', [cn('Bücherei')], [{ type: 'dns', value: 'xn--bcher-kva.example' }]],
    ['*.shop.example', [cn('*.shop.example')], [{ type: 'dns', value: '*.shop.example' }]],
    ['edge_1', [cn('edge_1')], [{ type: 'dns', value: 'edge_1' }]],
    ['CN=x,URI=https://bücher.example/a b', [cn('x')], [{ type: 'url', value: 'https://xn--bcher-kva.example/a%20b' }]],
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
    ['https://edge.local', '"https://edge.local" is not a host name (write it without scheme, port and path)'],
    ['edge.local:59840', '"edge.local:59840" is not a host name'],
    ['edge local', '"edge local" is not a host name'],
    ['-edge.local', 'is not a host name'],
    ['10.0.0', 'is not a host name'],
    ['a.*.example', 'is not a host name'],
    ['[10.0.0.1]', 'is not a host name'],
    ['CN=Plant Server', 'add DNS=… or IP=… to the subject'],
    ['CN=a,DNS=10.0.0.7', '10.0.0.7 is an IP address: write IP=10.0.0.7'],
    ['CN=a,DNS=edge/x', '"edge/x" is not a host name'],
    ['CN=a,email=jörg@example', 'is not an email address in ASCII'],
    ['CN=a,URI=nowhere', 'nowhere is not a URI'],
    ['CN=a,C=Germany', 'C is a country code of two letters'],
  ])('%j is refused', (text, message) => expect(() => parseSubject(text)).toThrow(message));
});

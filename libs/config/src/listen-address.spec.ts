import { describe, expect, it } from 'vitest';
import { parseListenAddress } from './listen-address.js';

describe('interface', () => {
  it.each([
    ['0.0.0.0:59840', '0.0.0.0', 59840],
    ['127.0.0.1', '127.0.0.1', 59840],
    [':8080', '0.0.0.0', 8080],
    [':0', '0.0.0.0', 0],
    ['', '0.0.0.0', 59840],
    ['[::1]:4984', '::1', 4984],
    ['[::]', '::', 59840],
    ['localhost:1', 'localhost', 1],
  ])('%j is %s port %d', (text, host, port) => expect(parseListenAddress(text)).toEqual({ host, port }));

  it.each([
    '::1',
    '256.0.0.1',
    '1.2.3',
    '1.2.3.4:',
    '1.2.3.4:65536',
    '1.2.3.4:x',
    '[1.2.3.4]',
    '[::g]:1',
    'example.com',
    ' :1',
  ])('%j is refused', (text) => expect(parseListenAddress(text)).toBeUndefined());
});

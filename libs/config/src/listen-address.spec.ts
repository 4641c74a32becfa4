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
    ['::1', 'is "::1"'],
    ['256.0.0.1', 'has the host 256.0.0.1, which is no IPv4 address'],
    ['1.2.3', 'is "1.2.3"'],
    ['1.2.3.4:', 'is "1.2.3.4:"'],
    ['1.2.3.4:65536', 'has the port 65536, and ports end at 65535'],
    [':99999', 'has the port 99999, and ports end at 65535'],
    [':5984000', 'has the port 5984000, and ports end at 65535'],
    ['1.2.3.4:x', 'is "1.2.3.4:x"'],
    ['[1.2.3.4]', 'has the host [1.2.3.4], which is no IPv6 address'],
    ['[::g]:1', 'is "[::g]:1"'],
    ['example.com', 'is "example.com"'],
    [' :1', 'is " :1"'],
  ])('%j is refused: %s', (text, reason) => expect(parseListenAddress(text)).toBe(reason));
});

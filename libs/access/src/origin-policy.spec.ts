import { describe, expect, it } from 'vitest';
import { OriginPolicy } from './origin-policy.js';

describe('an origin', () => {
  const policy = new OriginPolicy(['https://app.example', 'http://LOCALHOST:3000/', 'capacitor://localhost']);

  it.each([
    ['https://app.example', true],
    ['http://localhost:3000', true],
    ['capacitor://localhost', true],
    ['http://app.example', false],
    ['https://app.example:8443', false],
    ['https://app.example.evil', false],
    ['https://sub.app.example', false],
    ['null', false],
    ['', false],
  ])('%s is listed: %s', (origin, expected) => {
    expect(policy.lists(origin)).toBe(expected);
  });

  it('is listed, whatever it is, when any may come', () => {
    const any = new OriginPolicy(['*']);
    expect(any.lists('https://app.example')).toBe(true);
    expect(any.lists('null')).toBe(true);
  });
});

describe('a WebSocket', () => {
  const policy = new OriginPolicy(['https://app.example']);

  it.each([
    [undefined, 'edge:59840', true],
    ['https://app.example', 'edge:59840', true],
    ['https://evil.example', 'edge:59840', false],
    ['null', 'edge:59840', false],
    ['http://edge:59840', 'edge:59840', true],
    ['ws://edge:59840', 'edge:59840', true],
    ['https://edge', 'edge', true],
    ['https://edge', 'edge:443', true],
    ['https://edge:443', 'edge', true],
    ['http://edge', 'edge:59840', false],
    ['http://edge:59841', 'edge:59840', false],
    ['http://EDGE:59840', 'Edge:59840', true],
    ['http://[::1]:59840', '[::1]:59840', true],
    ['http://edge:59840', undefined, false],
  ])('of a page from %s to %s is admitted: %s', (origin, host, expected) => {
    expect(policy.admitsWebSocket(origin, host)).toBe(expected);
  });

  it('of a page from elsewhere is not admitted when no origin is listed', () => {
    expect(new OriginPolicy([]).admitsWebSocket('https://app.example', 'edge')).toBe(false);
    expect(new OriginPolicy(['*']).admitsWebSocket('https://app.example', 'edge')).toBe(true);
  });
});

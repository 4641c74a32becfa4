import { EdgeError } from '@edgesync/errors';

/** Reads the fields of a received payload, each checked for its type. Whatever is wrong is `bus.invalid`. */
export class Fields {
  private readonly values: Record<string, unknown>;

  constructor(
    private readonly payload: string,
    value: unknown,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new EdgeError('bus.invalid', `${payload} is not an object`);
    this.values = value as Record<string, unknown>;
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.fail(name, 'a text');
  }

  optionalText(name: string): string | undefined {
    const value = this.values[name];
    return value === undefined || typeof value === 'string' ? value : this.fail(name, 'a text');
  }

  /** An integer that is not negative. */
  count(name: string): number {
    return this.optionalCount(name) ?? this.fail(name, 'a count');
  }

  optionalCount(name: string): number | undefined {
    const value = this.values[name];
    return value === undefined || isCount(value) ? value : this.fail(name, 'a count');
  }

  flag(name: string): boolean {
    const value = this.values[name];
    return typeof value === 'boolean' ? value : this.fail(name, 'true or false');
  }

  optionalFlag(name: string): boolean | undefined {
    return this.values[name] === undefined ? undefined : this.flag(name);
  }

  /** Any value, which somebody else checks. */
  optional(name: string): unknown {
    return this.values[name];
  }

  texts(name: string): string[] {
    return this.optionalTexts(name) ?? this.fail(name, 'a list of texts');
  }

  optionalTexts(name: string): string[] | undefined {
    const value = this.values[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) this.fail(name, 'a list of texts');
    return value;
  }

  list(name: string): readonly unknown[] {
    const value = this.values[name];
    return Array.isArray(value) ? value : this.fail(name, 'a list');
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.values[name];
    return choices.includes(value as T) ? (value as T) : this.fail(name, `one of ${choices.join(', ')}`);
  }

  private fail(name: string, expected: string): never {
    throw new EdgeError('bus.invalid', `${this.payload}.${name} is not ${expected}`);
  }
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

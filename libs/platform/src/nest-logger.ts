import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@edgesync/logging';

/** Passes Nest's own messages on to a logger. Nest logs every route and module at `log`: that is our `verbose`. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.logger.verbose(compose(message, rest));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.logger.error(compose(message, rest));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.logger.error(compose(message, rest));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warning(compose(message, rest));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.verbose(compose(message, rest));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.verbose(compose(message, rest));
  }
}

/** Nest appends the context, and before it an error's stack. */
function compose(message: unknown, rest: readonly unknown[]): string {
  const context = rest.at(-1);
  const stack = rest.length > 1 ? rest[0] : undefined;
  const text = message instanceof Error ? (message.stack ?? message.message) : asText(message);
  return `${context === undefined ? '' : `${asText(context)}: `}${text}${stack === undefined ? '' : ` ${asText(stack)}`}`;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { breakLength: Infinity });
}

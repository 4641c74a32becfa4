import type { AuditConfig, LogFileConfig, LoggingConfig } from './edge-config.js';
import { NOT_EMPTY } from './names.js';
import {
  boolean,
  defaulted,
  dictionary,
  either,
  integer,
  list,
  mapped,
  object,
  oneOf,
  optional,
  required,
  text,
  type Shape,
} from './shape.js';

/** Edge Server's own default is `binary` (ref 3.4). Only a file that asks for it by name is refused. */
const formatShape: Shape<'text'> = {
  ...mapped(oneOf(['text', 'binary']), (format, place) =>
    format === 'binary'
      ? place.refuse('is "binary", which is not written', 'Write "text", or leave the key out, for text files.')
      : format,
  ),
  json: { enum: ['text'] },
};

const fileShape = mapped(
  object({
    dir: required(text(NOT_EMPTY), 'An existing directory for the log files.'),
    format: defaulted(formatShape, 'text', 'The format of the log files: always text, also when left out.'),
    maxSize: defaulted(integer({ min: 1024 }), 1_000_000, 'Bytes after which a new file is begun.'),
    rotateCount: defaulted(integer({ min: 0 }), 0, 'How many older files are kept for each level.'),
  }),
  ({ dir, maxSize, rotateCount }): LogFileConfig => ({ dir, maxSize, rotateCount }),
);

const events = either(oneOf(['*']), list(integer({ min: 0 })));

const auditShape = mapped(
  object({
    file: optional(text(NOT_EMPTY), 'The audit log file. Absent: no audit log.'),
    enable: optional(events, 'Events to switch on, by number, or "*" for all; wins over disable.'),
    disable: optional(events, 'Events to switch off, by number, or "*" for all.'),
    omit_description: defaulted(boolean(), false, 'Whether events are written without their description.'),
  }),
  (audit): AuditConfig => ({
    file: audit.file,
    enable: audit.enable,
    disable: audit.disable,
    omitDescription: audit.omit_description,
  }),
);

export const DEFAULT_LOGGING: LoggingConfig = { console: true, domains: new Map() };

/** `logging` (ref 3.4). */
export const loggingShape = mapped(
  object({
    console: defaulted(boolean(), true, 'Whether the operational log goes to the console.'),
    file: optional(fileShape, 'Write the operational log to files.'),
    domains: optional(
      dictionary(oneOf(['error', 'warning', 'info', 'verbose']), NOT_EMPTY),
      'Levels by domain (Default, REST, Listener, DB, Query, Sync and others). Default: warning, for REST info.',
    ),
    audit: optional(auditShape, 'Write an audit log.'),
  }),
  (logging): LoggingConfig => ({
    console: logging.console,
    file: logging.file,
    domains: logging.domains ?? new Map(),
    audit: logging.audit,
  }),
);

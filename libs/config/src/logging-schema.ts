import { didYouMean } from './did-you-mean.js';
import type { AuditConfig, LogFileConfig, LoggingConfig, LogLevel } from './edge-config.js';
import { NOT_EMPTY } from './names.js';
import {
  boolean,
  defaulted,
  dictionary,
  either,
  integer,
  isPath,
  list,
  mapped,
  needing,
  object,
  oneOf,
  optional,
  required,
  text,
  type Place,
  type Shape,
} from './shape.js';

/** A path whose directory must exist. */
function directory(of: (path: string) => string): Shape<string> {
  return needing(text(NOT_EMPTY), (written, place) => {
    if (isPath(written)) place.need({ kind: 'directory', key: place.path, path: of(written) });
  });
}

/** The directory of a file: `.` for a bare name. */
const parentOf = (path: string): string =>
  /^(.*[^/\\])[/\\]+[^/\\]*$/.exec(path)?.[1] ?? (/^[/\\]/.test(path) ? '/' : '.');

/** Edge Server's own default is `binary`. Only a file that asks for it by name is refused. */
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
    dir: required(
      directory((path) => path),
      'An existing directory for the log files.',
    ),
    format: defaulted(formatShape, 'text', 'The format of the log files: always text, also when left out.'),
    maxSize: defaulted(integer({ min: 1024 }), 1_000_000, 'Bytes after which a new file is begun.'),
    rotateCount: defaulted(integer({ min: 0 }), 0, 'How many older files are kept for each level.'),
  }),
  ({ dir, maxSize, rotateCount }): LogFileConfig => ({ dir, maxSize, rotateCount }),
);

const events = either(oneOf(['*']), list(integer({ min: 0 })));

const auditShape = mapped(
  object({
    file: optional(directory(parentOf), 'The audit log file. Absent: no audit log.'),
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

/** Domains of this server's messages; Edge Server's configurations name others too, which log nothing here. */
export const LOG_DOMAINS = ['Default', 'REST', 'Listener', 'DB', 'Query', 'Sync'] as const;

function warnOfMisspelledDomains(levels: Map<string, LogLevel>, place: Place): Map<string, LogLevel> {
  for (const name of levels.keys()) {
    const meant = (LOG_DOMAINS as readonly string[]).includes(name) ? undefined : didYouMean(name, LOG_DOMAINS);
    if (meant !== undefined) place.at(name).warn('is no domain of this server', `Did you mean "${meant}"?`);
  }
  return levels;
}

export const DEFAULT_LOGGING: LoggingConfig = { console: true, domains: new Map() };

/** `logging`. */
export const loggingShape = mapped(
  object({
    console: defaulted(boolean(), true, 'Whether the operational log goes to the console.'),
    file: optional(fileShape, 'Write the operational log to files.'),
    domains: optional(
      mapped(dictionary(oneOf(['error', 'warning', 'info', 'verbose']), NOT_EMPTY), warnOfMisspelledDomains),
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

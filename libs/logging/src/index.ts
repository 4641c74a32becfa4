export { createLoggers } from './create-loggers.js';
export { LineQueue, passesByItself, toBytes, type LineSink, type LogOutput } from './line-queue.js';
export { Logger, Loggers, type LogDomain, type LoggersOptions, type RequestRecord } from './loggers.js';
export { redact } from './redact.js';

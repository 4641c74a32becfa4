export { createLoggers } from './create-loggers.js';
export { DescriptorOutput } from './descriptor-output.js';
export { LineQueue, passesByItself, toBytes, type LineSink, type LogOutput } from './line-queue.js';
export { LogFiles, type LogFilesOptions } from './log-files.js';
export { Logger, Loggers, type LogDomain, type LoggersOptions, type RequestRecord } from './loggers.js';
export { oneLine, redact } from './redact.js';

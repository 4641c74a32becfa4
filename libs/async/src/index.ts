export { backOffMs, retry, type BackOff, type RetryOptions } from './retry.js';
export { systemScheduler, type Scheduler } from './scheduler.js';
export { Semaphore, type SemaphoreLimits } from './semaphore.js';
export { aborted, finishesWithin, sleep } from './waiting.js';

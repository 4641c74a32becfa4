import { Controller, Inject, UseFilters } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { STORAGE_OPERATIONS } from '@edgesync/bus-contract';
import { answer, type Request, type Result } from '@edgesync/bus-nats';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { PassErrorsFilter } from './pass-errors.filter.js';

/** Has a method for each operation of the table, made below. */
@Controller()
@UseFilters(PassErrorsFilter)
export class StorageController {
  constructor(@Inject(SqliteStorage) readonly storage: SqliteStorage) {}
}

for (const operation of Object.values(STORAGE_OPERATIONS)) {
  const { name } = operation;
  const handler = {
    configurable: true,
    value(this: StorageController, request: Request): Promise<Result> {
      return answer(operation, this.storage, request);
    },
  };
  Object.defineProperty(StorageController.prototype, name, handler);
  MessagePattern(name)(StorageController.prototype, name, handler);
}

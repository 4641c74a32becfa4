import { Controller, Inject, UseFilters } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { HANDLERS, type Request, type Result } from '@edgesync/bus-nats';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { PassErrorsFilter } from './pass-errors.filter.js';

/** What other processes may ask of storage, an operation of the contract each. Bodies are the bytes that came. */
@Controller()
@UseFilters(PassErrorsFilter)
export class StorageController {
  constructor(@Inject(SqliteStorage) private readonly storage: SqliteStorage) {}

  @MessagePattern('describe')
  describe(request: Request): Promise<Result> {
    return HANDLERS.describe.handle(this.storage, request);
  }

  @MessagePattern('collection')
  collection(request: Request): Promise<Result> {
    return HANDLERS.collection.handle(this.storage, request);
  }

  @MessagePattern('read')
  read(request: Request): Promise<Result> {
    return HANDLERS.read.handle(this.storage, request);
  }

  @MessagePattern('readRevision')
  readRevision(request: Request): Promise<Result> {
    return HANDLERS.readRevision.handle(this.storage, request);
  }

  @MessagePattern('list')
  list(request: Request): Promise<Result> {
    return HANDLERS.list.handle(this.storage, request);
  }

  @MessagePattern('changes')
  changes(request: Request): Promise<Result> {
    return HANDLERS.changes.handle(this.storage, request);
  }

  @MessagePattern('write')
  write(request: Request): Promise<Result> {
    return HANDLERS.write.handle(this.storage, request);
  }

  @MessagePattern('loadCheckpoint')
  loadCheckpoint(request: Request): Promise<Result> {
    return HANDLERS.loadCheckpoint.handle(this.storage, request);
  }

  @MessagePattern('saveCheckpoint')
  saveCheckpoint(request: Request): Promise<Result> {
    return HANDLERS.saveCheckpoint.handle(this.storage, request);
  }

  @MessagePattern('putBlob')
  putBlob(request: Request): Promise<Result> {
    return HANDLERS.putBlob.handle(this.storage, request);
  }

  @MessagePattern('openBlob')
  openBlob(request: Request): Promise<Result> {
    return HANDLERS.openBlob.handle(this.storage, request);
  }

  @MessagePattern('readBlob')
  readBlob(request: Request): Promise<Result> {
    return HANDLERS.readBlob.handle(this.storage, request);
  }

  @MessagePattern('missingBlobs')
  missingBlobs(request: Request): Promise<Result> {
    return HANDLERS.missingBlobs.handle(this.storage, request);
  }
}

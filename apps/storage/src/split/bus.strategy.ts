import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { STORAGE_OPERATIONS, type StorageOwner } from '@edgesync/bus-contract';
import { type Bus, type Request, type Result, StorageServer } from '@edgesync/bus-nats';
import { firstValueFrom, isObservable } from 'rxjs';

/**
 * Nest's transport over our bus: requests for the databases that are served reach the `@MessagePattern` of their
 * operation. Frames, chunks, bounds, repeated requests and ownership are matters of the bus.
 */
export class BusStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('edgesync bus');
  private readonly server: StorageServer;

  constructor(bus: Bus, storage: StorageOwner, report: (error: unknown) => void) {
    super();
    this.server = new StorageServer(bus, storage, {
      handle: (operation, request) => this.dispatch(operation.name, request),
      report,
    });
  }

  /** Nothing is asked before a database is served. */
  listen(callback: (error?: Error) => void): void {
    const missing = Object.keys(STORAGE_OPERATIONS).filter((operation) => !this.messageHandlers.has(operation));
    callback(missing.length > 0 ? new Error(`nothing handles ${missing.join(', ')}`) : undefined);
  }

  /** Serves an open database; see {@link StorageServer.serve}. */
  serve(database: string, isOwned: () => boolean, opened?: Promise<void>): Promise<void> {
    return this.server.serve(database, isOwned, opened);
  }

  /** Takes no more requests for a database and resolves when those under way are answered. */
  withdraw(database: string): Promise<void> {
    return this.server.withdraw(database);
  }

  /** Answers what has been taken. */
  close(): Promise<void> {
    return this.server.close();
  }

  /** The bus has no events of its own. */
  on(): void {}

  unwrap<T>(): T {
    return this.server as T;
  }

  private async dispatch(operation: string, request: Request): Promise<Result> {
    const outcome: unknown = await this.messageHandlers.get(operation)!(request);
    // An observable is how Nest passes an error on.
    return (isObservable(outcome) ? await firstValueFrom(outcome) : outcome) as Result;
  }
}

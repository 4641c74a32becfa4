import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { sampleDocument } from '../load/documents.js';
import { httpLoad } from '../load/http-load.js';
import type { Report } from '../report.js';

/** Limits of the machine itself, in the same run as the figures that are compared with them. */
export async function measureLimits(report: Report): Promise<void> {
  measureSqlite(report);
  await measureHttp(report);
}

function measureSqlite(report: Report): void {
  const directory = mkdtempSync(join(tmpdir(), 'edgesync-limits-'));
  const handle = new Database(join(directory, 'limits.sqlite3'));
  try {
    handle.pragma('journal_mode = WAL');
    handle.pragma('synchronous = FULL');
    handle.exec('CREATE TABLE documents (id TEXT PRIMARY KEY, body TEXT)');
    const insert = handle.prepare('INSERT INTO documents VALUES (?, ?)');
    const rate = (batch: number, count: number): number => {
      const start = performance.now();
      for (let done = 0; done < count; done += batch)
        handle.transaction(() => {
          for (let at = done; at < done + batch; at++) insert.run(`${batch}-${at}`, JSON.stringify(sampleDocument(at)));
        })();
      return Math.round((count / (performance.now() - start)) * 1_000);
    };
    report.add('limit: SQLite inserts of 0.9 kB, WAL, FULL, batches of 100', rate(100, 50_000), '/s');
    report.add('limit: SQLite inserts, one per commit', rate(1, 3_000), '/s');
  } finally {
    handle.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureHttp(report: Report): Promise<void> {
  const worker = new Worker(import.meta.filename);
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: bench\r\n\r\n');
  const { perSecond } = await httpLoad({ port, connections: 32, requests: 100_000, next: () => request, status: 200 });
  await worker.terminate();
  report.add('limit: bare Node HTTP, 0.9 kB reply, 32 connections', perSecond, '/s');
}

if (!isMainThread && parentPort) {
  const body = JSON.stringify(sampleDocument(1));
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as { port: number }).port));
}

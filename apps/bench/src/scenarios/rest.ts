import { sampleDocument } from '../load/documents.js';
import { httpLoad } from '../load/http-load.js';
import { ServerProcess } from '../load/server-process.js';
import type { Report } from '../report.js';

const CONNECTIONS = 32;

/** Documents over REST: rates with 32 connections and 0.9 kB documents, and what a large collection costs. */
export async function measureRest(report: Report, { large }: { readonly large: boolean }): Promise<void> {
  await using server = await ServerProcess.start();
  await settle();
  report.add('REST: resident memory, idle after start', server.residentMb(), 'MB', { atMost: 110 });

  const bulk = await loadBulk(server.port, 0, 100_000);
  report.add('REST: _bulk_docs of 1,000', Math.round(bulk.perSecond * 1_000), 'documents/s', { atLeast: 30_000 });
  const small = await measurePoints(server.port, 10_000);
  report.add('REST: GET one document', small.get, '/s', { atLeast: 20_000 });
  report.add('REST: durable PUT of new documents', small.put, '/s', { atLeast: 5_000 });
  report.add('REST: _all_docs?include_docs=true', await measureListing(server.port), 'rows/s', { atLeast: 60_000 });
  report.add('REST: resident memory after this load', server.residentMb(), 'MB');
  if (!large) return;

  await loadBulk(server.port, 100_000, 900_000);
  const big = await measurePoints(server.port, 1_000_000);
  report.add('REST: GET at 1,000,000 documents, cost against 10,000', ratio(small.get, big.get), '×', { atMost: 1.5 });
  report.add('REST: PUT at 1,000,000 documents, cost against 10,000', ratio(small.put, big.put), '×', { atMost: 1.5 });
}

const ratio = (before: number, after: number): number => Math.round((before / after) * 100) / 100;

function loadBulk(port: number, from: number, count: number): ReturnType<typeof httpLoad> {
  const next = (sequence: number): Buffer => {
    const docs = Array.from({ length: 1_000 }, (_, index) => {
      const n = from + sequence * 1_000 + index;
      return { _id: `doc-${n}`, ...sampleDocument(n) };
    });
    return request('POST', '/db/_bulk_docs', JSON.stringify({ docs }));
  };
  return httpLoad({ port, connections: 4, requests: count / 1_000, next, status: 201 });
}

let rounds = 0;

async function measurePoints(port: number, documents: number): Promise<{ get: number; put: number }> {
  const gets = Array.from({ length: 5_000 }, (_, index) =>
    request('GET', `/db/doc-${Math.floor((index * 7_919) % Math.min(documents, 1_000_000))}`),
  );
  const load = { port, connections: CONNECTIONS };
  const get = async (requests: number): Promise<number> =>
    (await httpLoad({ ...load, requests, next: (n) => gets[n % gets.length]!, status: 200 })).perSecond;
  // Until the compiler has seen enough of it: what is measured is a server that runs, not one that starts.
  await get(100_000);
  const round = rounds++;
  const body = JSON.stringify(sampleDocument(7));
  const put = async (requests: number, prefix: string): Promise<number> => {
    const next = (n: number): Buffer => request('PUT', `/db/${prefix}-${round}-${n}`, body);
    return (await httpLoad({ ...load, requests, next, status: 201 })).perSecond;
  };
  await put(5_000, 'warm');
  return { get: await get(100_000), put: await put(30_000, 'put') };
}

async function measureListing(port: number): Promise<number> {
  const start = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/db/_all_docs?include_docs=true`);
  let tail = '';
  for await (const chunk of response.body!)
    tail = (
      tail +
      Buffer.from(chunk as Uint8Array)
        .subarray(-200)
        .toString('latin1')
    ).slice(-200);
  const rows = Number(/"total_rows":(\d+)/.exec(tail)?.[1]);
  return Math.round((rows / (performance.now() - start)) * 1_000);
}

function request(method: string, path: string, body?: string): Buffer {
  const head = `${method} ${path} HTTP/1.1\r\nHost: bench\r\n`;
  if (body === undefined) return Buffer.from(`${head}\r\n`);
  const length = Buffer.byteLength(body);
  return Buffer.from(`${head}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`);
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3_000));

import { setTimeout as pause } from 'node:timers/promises';
import { sampleDocument } from '../load/documents.js';
import { OpenFeeds } from '../load/open-feeds.js';
import { ServerProcess } from '../load/server-process.js';
import type { Report } from '../report.js';

const FEEDS = 1_000;
const IDLE_FEEDS = 5_000;
const SLOW_FEEDS = 2_000;
const WRITES = 30;

/** Changes feeds: how long a write takes to the last of many, and what a feed costs that waits. */
export async function measureFeeds(report: Report): Promise<void> {
  await measureLatency(report, '', 'rows alone');
  await measureLatency(report, '&include_docs=true', 'with 0.9 kB documents');
  await measureMemory(report);
  await measureSlowReaders(report);
}

async function measureLatency(report: Report, query: string, what: string): Promise<void> {
  await using server = await ServerProcess.start();
  using feeds = new OpenFeeds(server.port, `feed=continuous&since=now&heartbeat=60000${query}`);
  await feeds.open(FEEDS);
  const times: number[] = [];
  for (let write = 0; write < WRITES; write++) {
    const id = `feed-doc-${String(write).padStart(6, '0')}`;
    const seen = feeds.all(id);
    const start = performance.now();
    const response = await fetch(`http://127.0.0.1:${server.port}/db/${id}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(sampleDocument(write)),
    });
    if (response.status !== 201) throw new Error(`a write was answered with ${response.status}`);
    await response.arrayBuffer();
    await seen;
    times.push(performance.now() - start);
    // So that every write finds the feeds at rest.
    await pause(400);
  }
  times.sort((a, b) => a - b);
  report.add(`feeds: write to the last of ${FEEDS} continuous, ${what}, median`, Math.round(times[WRITES / 2]!), 'ms');
  report.add(`feeds: write to the last of ${FEEDS} continuous, ${what}, worst`, Math.round(times.at(-1)!), 'ms', {
    atMost: 500,
  });
}

async function measureMemory(report: Report): Promise<void> {
  await using server = await ServerProcess.start();
  using feeds = new OpenFeeds(server.port, 'feed=continuous&since=now&heartbeat=60000');
  // What the first ones load and compile is no feed's cost.
  await feeds.open(500);
  await pause(5_000);
  const before = server.residentMb();
  await feeds.open(IDLE_FEEDS);
  await pause(10_000);
  const perFeed = ((server.residentMb() - before) * 1_024) / IDLE_FEEDS;
  report.add(`feeds: resident memory of each of ${IDLE_FEEDS} idle ones`, Math.round(perFeed * 10) / 10, 'kB', {
    atMost: 30,
  });
}

/** Clients that ask for 18 MB of documents and read none of it, each at a place of its own. */
async function measureSlowReaders(report: Report): Promise<void> {
  await using server = await ServerProcess.start();
  for (let from = 0; from < 20_000; from += 1_000) {
    const docs = Array.from({ length: 1_000 }, (_, index) => sampleDocument(from + index));
    const response = await fetch(`http://127.0.0.1:${server.port}/db/_bulk_docs`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ docs }),
    });
    if (response.status !== 201) throw new Error(`documents were answered with ${response.status}`);
    await response.arrayBuffer();
  }
  const before = server.residentMb();
  using feeds = new OpenFeeds(server.port, 'feed=continuous&include_docs=true');
  await feeds.openDeaf(SLOW_FEEDS);
  let most = 0;
  for (let second = 0; second < 20; second++) {
    await pause(1_000);
    most = Math.max(most, server.residentMb());
  }
  report.add(`feeds: resident memory, most, with ${SLOW_FEEDS} clients that do not read`, most, 'MB', { atMost: 512 });
  const start = performance.now();
  const answer = await fetch(`http://127.0.0.1:${server.port}/`);
  await answer.arrayBuffer();
  report.add('feeds: resident memory before them', before, 'MB');
  report.add('feeds: answer to another client meanwhile', Math.round(performance.now() - start), 'ms');
}

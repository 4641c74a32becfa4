import { readFileSync } from 'node:fs';

/** Of the kernel's accounts of processor time, per second. */
const CLOCK_TICKS = 100;

/** Resident memory of a process in MB. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024);
}

/** Memory in MB that would be free if the process ended: what no other process shares, such as the pages of the Node program. */
export function privateMb(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].map(([, amount]) => Number(amount));
  return Math.round(kilobytes.reduce((sum, amount) => sum + amount) / 1_024);
}

/** Seconds of processor time a process has used so far, over all threads. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

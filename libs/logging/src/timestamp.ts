/** Wall-clock time in milliseconds with a fraction: exact to the microsecond, and following adjustments of the system clock. */
export function preciseClock(): () => number {
  let anchor = Date.now() - performance.now();
  return () => {
    const precise = anchor + performance.now();
    const coarse = Date.now();
    if (Math.abs(precise - coarse) < 20) return precise;
    anchor = coarse - performance.now();
    return coarse;
  };
}

let formattedSecond = Number.NaN;
let secondText = '';

/** `2026-08-01T12:34:56.123456Z`; the part that stays the same for a second is formatted once. */
export function formatTimestamp(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== formattedSecond) {
    formattedSecond = second;
    secondText = new Date(second * 1000).toISOString().slice(0, 20);
  }
  const microseconds = Math.floor((milliseconds - second * 1000) * 1000);
  return `${secondText}${String(microseconds).padStart(6, '0')}Z`;
}

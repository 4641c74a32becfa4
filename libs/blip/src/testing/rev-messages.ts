import { Properties } from '../properties.js';
import { fromText } from './bytes.js';

/** A revision as it is sent: properties and a document of about 0.9 kB. */
export interface RevMessage {
  readonly properties: Properties;
  readonly body: Uint8Array;
}

/** Revisions of travel documents, all different, the same on every call. */
export function revMessages(count: number): RevMessage[] {
  return Array.from({ length: count }, (_, i) => {
    const digest = ((i * 2654435761) >>> 0).toString(16).padStart(8, '0').repeat(5);
    const words = Array.from(
      { length: 14 },
      (_unused, k) => `${((i + 1) * (k + 17) * 40503) % 99991} rooms near the sea, no ${k}`,
    );
    const body = {
      type: 'hotel',
      id: i,
      name: `Hotel ${(i * 7919) % 10007}`,
      address: `${(i * 31) % 997} Station Road`,
      geo: { lat: i / 7, lon: i / 13, accuracy: 'ROOFTOP' },
      reviews: words,
      vacancy: i % 2 === 0,
      description: `A house with ${(i * 17) % 300} windows, ${(i * 13) % 70} doors and a view of the hills.`,
    };
    return {
      properties: Properties.of(
        'Profile',
        'rev',
        'collection',
        '0',
        'id',
        `hotel-${i}`,
        'rev',
        `1-${digest}`,
        'sequence',
        String(i),
        'noconflicts',
        '1',
      ),
      body: fromText(JSON.stringify(body)),
    };
  });
}

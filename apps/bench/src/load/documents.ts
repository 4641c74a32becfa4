/** A document of about 0.9 kB, as the figures in this project assume: fields of several types and one longer text. */
export function sampleDocument(n: number): Record<string, unknown> {
  return {
    type: 'hotel',
    name: `Hotel ${n}`,
    number: n,
    rating: (n % 50) / 10,
    open: n % 3 !== 0,
    address: {
      street: `${n} Harbour Road`,
      city: `City ${n % 100}`,
      country: 'Country',
      geo: { lat: 48.1 + n / 1e6, lon: 11.5 },
    },
    tags: ['wifi', 'pool', `t${n % 10}`],
    description: TEXT.slice(n % 40, 600 + (n % 40)),
  };
}

const TEXT =
  'The quick ferry crosses the narrow strait at dawn while the crew counts meals, blankets and signatures. '.repeat(8);

/** `1 document`, `2 documents`. */
export const count = (amount: number, unit: string, units = `${unit}s`): string =>
  `${amount} ${amount === 1 ? unit : units}`;

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

import type { ValueTransformer } from 'typeorm';

/** bigint columns hold milliseconds and byte counts, which fit a number exactly; pg hands them over as text. */
export const bigintAsNumber: ValueTransformer = {
  from: (value: string | null) => (value === null ? null : Number(value)),
  to: (value: number | null) => value,
};

import { changes } from './changes.js';
import { decisions } from './decisions.js';
import { exceptions } from './exceptions.js';
import { findings } from './findings.js';
import type { Population } from './population.js';
import { reviews } from './reviews.js';
import { uploads } from './uploads.js';

/** What there is whole files of, in their order. */
export const POPULATION_KINDS = [
  'uploads',
  'findings',
  'reviews',
  'decisions',
  'exceptions',
  'changes',
] as const;
export type PopulationKind = (typeof POPULATION_KINDS)[number];

const POPULATIONS = { uploads, findings, reviews, decisions, exceptions, changes };

/** Its rows are nobody's business but its columns'. */
export const populationOf = (kind: PopulationKind): Population<unknown> =>
  POPULATIONS[kind] as Population<unknown>;

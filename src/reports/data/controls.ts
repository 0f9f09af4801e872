import { z } from 'zod';
import { count, listed, text, time } from './parts.js';

/** A check with the rows behind it. */
export const Control = z
  .object({
    id: z.enum([
      'self_approval',
      'below_quorum',
      'after_expiry',
      'not_in_group',
      'admin_override',
      'without_reason',
      'automatic_decision',
      'signature_age',
      'scanner_outage',
      'uploads_unaccounted',
      'chain_broken',
      'report_unread',
    ]),
    title: text,
    /** `fail`: at least one row that must not be. `note`: allowed, and worth a look. `unknown`: it could not be looked at. */
    result: z.enum(['pass', 'fail', 'note', 'unknown']),
    /** How many rows were looked at. */
    population: count,
    /** What was looked at and how, in one sentence. */
    how: text,
    exceptions: listed(z.object({ id: text, what: text, at: time.nullable(), note: text })),
  })
  .meta({ id: 'Control' });
export type Control = z.infer<typeof Control>;
export type ControlId = Control['id'];

/** The sections of a report by their ids: what a mapping names, and what its pages and their anchors are called. */
export const SECTIONS = [
  'coverage',
  'scanning',
  'findings',
  'people',
  'decisions',
  'controls',
  'exceptions',
  'changes',
  'health',
  'process',
  'previous',
  'restated',
] as const;
export type SectionId = (typeof SECTIONS)[number];

/** A requirement of a framework for which a section holds evidence. It is no statement of conformity. */
export const Mapping = z
  .object({
    framework: z.enum(['SOC 2', 'ISO 27001:2022', 'PCI DSS 4.0.1']),
    control: text,
    /** What of this report speaks to it. */
    sections: z.array(z.enum(SECTIONS)),
    /** The data file or request that holds the evidence. */
    evidence: text,
  })
  .meta({ id: 'Mapping' });
export type Mapping = z.infer<typeof Mapping>;

import type { SectionId } from '../../data/controls.js';

export const SECTION_TITLES: Readonly<Record<SectionId, string>> = {
  coverage: 'Coverage',
  scanning: 'Scanning',
  findings: 'Findings',
  people: 'People',
  decisions: 'Who decided what, and when',
  controls: 'Checks',
  exceptions: 'Exceptions',
  changes: 'Changes',
  health: 'The service itself',
  process: 'The process in figures',
  previous: 'The report before',
  restated: 'Restated',
};

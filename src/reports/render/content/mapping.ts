import type { ReportData } from '../../data/report-data.js';
import type { Block } from '../document.js';
import { SECTION_TITLES } from './titles.js';

/** Which requirement finds its evidence where. */
export const mappingBlocks = ({ mapping }: ReportData): Block[] => [
  {
    kind: 'text',
    tone: 'soft',
    text: 'Where a report holds evidence for a requirement. It is no statement of conformity: whether the evidence is enough is for whoever examines it to say.',
  },
  {
    kind: 'table',
    caption: 'Requirements and where their evidence is',
    columns: [
      { heading: 'Framework', width: 1.4 },
      { heading: 'Requirement' },
      { heading: 'Sections', width: 2 },
      { heading: 'Evidence', width: 3 },
    ],
    rows: mapping.map((row) => [
      row.framework,
      [{ text: row.control, isStrong: true }],
      row.sections.map((id) => ({ text: SECTION_TITLES[id] })),
      row.evidence,
    ]),
    empty: 'This report is mapped to no framework.',
  },
];

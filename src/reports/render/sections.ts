import type { SectionId } from '../data/controls.js';
import type { ReportData, ReportMeta } from '../data/report-data.js';
import { aboutBlocks } from './content/about.js';
import { changeBlocks } from './content/changes.js';
import { controlBlocks } from './content/controls.js';
import { coverageBlocks } from './content/coverage.js';
import { decisionBlocks } from './content/decisions.js';
import { exceptionBlocks } from './content/exceptions.js';
import { findingsBlocks } from './content/findings.js';
import { healthBlocks } from './content/health.js';
import { mappingBlocks } from './content/mapping.js';
import { peopleBlocks } from './content/people.js';
import { previousBlocks, restatedBlocks } from './content/previous.js';
import { processBlocks } from './content/process.js';
import { scanningBlocks } from './content/scanning.js';
import { SECTION_TITLES } from './content/titles.js';
import type { Block, Section } from './document.js';

const BLOCKS: Readonly<Record<SectionId, (data: ReportData) => Block[]>> = {
  controls: controlBlocks,
  coverage: coverageBlocks,
  scanning: scanningBlocks,
  findings: findingsBlocks,
  people: peopleBlocks,
  decisions: decisionBlocks,
  exceptions: exceptionBlocks,
  changes: changeBlocks,
  health: healthBlocks,
  process: processBlocks,
  previous: previousBlocks,
  restated: restatedBlocks,
};

/** All sections in the order of reading: what is wrong comes first. */
export function sectionsOf(data: ReportData, meta: ReportMeta): Section[] {
  const ids = Object.keys(BLOCKS) as SectionId[];
  return [
    { id: 'about', title: 'About this report', speaksTo: [], blocks: aboutBlocks(data, meta) },
    ...ids.map((id) => ({
      id,
      title: SECTION_TITLES[id],
      speaksTo: speaksTo(data, id),
      blocks: BLOCKS[id](data),
    })),
    { id: 'mapping', title: 'Frameworks', speaksTo: [], blocks: mappingBlocks(data) },
  ];
}

/** `SOC 2 CC7.1, CC7.2` of each framework that names the section. */
function speaksTo({ mapping }: ReportData, id: SectionId): string[] {
  const naming = mapping.filter(({ sections }) => sections.includes(id));
  const frameworks = [...new Set(naming.map(({ framework }) => framework))];
  return frameworks.map((framework) => {
    const controls = naming.filter((row) => row.framework === framework).map(({ control }) => control);
    return `${framework} ${[...new Set(controls)].join(', ')}`;
  });
}

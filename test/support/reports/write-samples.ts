// npm run report:sample -- FOLDER: each sample report as its readers get it, to be looked at.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderHtml } from '../../../src/reports/render/html/page.js';
import { reportMail } from '../../../src/reports/render/mail.js';
import { renderPdf } from '../../../src/reports/render/pdf/render.js';
import { emptyWeek } from './empty-week.js';
import { hostileWeek } from './hostile-week.js';
import { ordinaryWeek } from './ordinary-week.js';
import { reportMeta } from './parts.js';
import { stormWeek } from './storm-week.js';

const [, , folder = 'report-samples'] = process.argv;
mkdirSync(folder, { recursive: true });
const weeks = { ordinary: ordinaryWeek(), empty: emptyWeek(), storm: stormWeek(), hostile: hostileWeek() };
for (const [name, data] of Object.entries(weeks)) {
  writeFileSync(join(folder, `${name}.html`), renderHtml(data, reportMeta));
  const start = performance.now();
  writeFileSync(join(folder, `${name}.pdf`), await renderPdf(data, reportMeta));
  console.log(
    `${name}.pdf in ${Math.round(performance.now() - start)} ms, ${Math.round(process.resourceUsage().maxRSS / 1024)} MB at most so far`,
  );
  const { subject, text, html } = reportMail(data, reportMeta);
  writeFileSync(join(folder, `${name}-mail.html`), html);
  writeFileSync(join(folder, `${name}-mail.txt`), `Subject: ${subject}\n\n${text}`);
}

// The simulated quarter in a process of its own: node test/support/run-typescript.mjs prove/quarter/program.ts SIZE SEED URL ADMIN_URL FOLDER.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '../../src/database/migrate.js';
import { simulate } from './simulate.js';

const [, , size = '', seed = '', url = '', adminUrl = '', folder = ''] = process.argv;
if (size !== 'small' && size !== 'full') throw new Error(`size: ${size}`);
await migrate(adminUrl, url);
const told = await simulate({ size, seed: Number(seed) }, { url, home: join(folder, 'home') }, folder);
writeFileSync(join(folder, 'figures.json'), JSON.stringify(told));
// What a library keeps open must not keep the proof waiting.
process.exit(0);

import { median } from '../engine/statistics.js';
import type { Engines, Rig } from './rig.js';
import { atLeast, beside, figure, type Say } from './row.js';
import type { Row } from '../row.js';
import { allTagged, KILOBYTES_10, MEGABYTES_10, uploadMany, whilePaused } from './uploads.js';
import { scanLoop } from './peer.js';

const CLIENTS = 8;
const TIMEOUT_MS = 600_000;
const BARS: Readonly<Record<Engines, number>> = { 'built-in': 300, clamd: 150 };

/** Small objects, uploaded as fast as they are taken: from the first PUT to the last tag, so what is sustained. */
export async function smallObjects(
  rig: Rig,
  engines: Engines,
  { rounds, objects }: { readonly rounds: number; readonly objects: number },
  say: Say,
): Promise<Row[]> {
  const bytes = KILOBYTES_10;
  await round(rig, `warm-${engines}`, { count: Math.ceil(objects / 4), bytes });
  const ours: number[] = [];
  const backlogs: number[] = [];
  const loops: number[] = [];
  for (let turn = 0; turn < rounds; turn += 1) {
    const { keys, seconds } = await round(rig, `${engines}-${turn}`, { count: objects, bytes });
    ours.push(keys.length / seconds);
    backlogs.push(await backlog(rig, `${engines}-waiting-${turn}`, { count: objects, bytes }));
    if (engines === 'clamd') loops.push((await loopOver(rig, keys)).perSecond);
    const loop = loops.at(-1);
    say(
      `${figure(ours.at(-1) ?? 0)} objects/s; of a backlog ${figure(backlogs.at(-1) ?? 0)}${loop === undefined ? '' : `; the loop ${figure(loop)}`}`,
    );
  }
  const value = median(ours);
  const name = `10 KB objects, ${engines === 'clamd' ? 'with clamd' : 'built-in engines'}`;
  const from = `rounds of ${objects}: ${ours.map(figure).join(', ')}`;
  const rows: Row[] = [
    { name, value, unit: 'objects/s', ...atLeast(value, BARS[engines]), from },
    {
      name: `${name}: of a backlog`,
      value: median(backlogs),
      unit: 'objects/s',
      ...beside,
      from: `uploaded before, from the end of the pause to the last tag: ${backlogs.map(figure).join(', ')}`,
    },
  ];
  if (loops.length > 0)
    rows.push({
      name: 'GET and clamd in a loop, 10 KB',
      value: median(loops),
      unit: 'objects/s',
      ...beside,
      from: `the same objects, already uploaded, ${CLIENTS} at a time: ${loops.map(figure).join(', ')}`,
    });
  return rows;
}

/** 10 MB objects, with clamd and secrets reading the same bytes. */
export async function largeObjects(
  rig: Rig,
  { rounds }: { readonly rounds: number },
  say: Say,
): Promise<Row[]> {
  const count = 60;
  const bytes = MEGABYTES_10;
  await round(rig, 'warm-large', { count: 8, bytes });
  const ours: number[] = [];
  const loops: number[] = [];
  for (let turn = 0; turn < rounds; turn += 1) {
    const { keys, seconds } = await round(rig, `large-${turn}`, { count, bytes });
    ours.push((keys.length * bytes) / 1e6 / seconds);
    loops.push((await loopOver(rig, keys)).megabytesPerSecond);
    say(`${figure(ours.at(-1) ?? 0)} MB/s; the loop ${figure(loops.at(-1) ?? 0)}`);
  }
  const value = median(ours);
  return [
    {
      name: '10 MB objects, with clamd',
      value,
      unit: 'MB/s',
      ...atLeast(value, 60),
      from: `rounds of ${count}, uploads included: ${ours.map(figure).join(', ')}`,
    },
    {
      name: 'GET and clamd in a loop, 10 MB',
      value: median(loops),
      unit: 'MB/s',
      ...beside,
      from: `the same objects, already uploaded: ${loops.map(figure).join(', ')}`,
    },
  ];
}

/** What is worked off in a second when nothing is uploaded beside it. */
async function backlog(rig: Rig, prefix: string, size: { readonly count: number; readonly bytes: number }) {
  const s3 = rig.s3();
  try {
    const keys = await whilePaused(rig.service, () => uploadMany(s3, prefix, { ...size, clients: CLIENTS }));
    const began = Date.now();
    const ended = await allTagged(rig, keys, TIMEOUT_MS);
    return keys.length / ((ended - began) / 1000);
  } finally {
    s3.destroy();
  }
}

async function round(
  rig: Rig,
  prefix: string,
  size: { readonly count: number; readonly bytes: number },
): Promise<{ keys: string[]; seconds: number }> {
  const s3 = rig.s3();
  try {
    const began = Date.now();
    const keys = await uploadMany(s3, prefix, { ...size, clients: CLIENTS });
    const ended = await allTagged(rig, keys, TIMEOUT_MS);
    return { keys, seconds: (ended - began) / 1000 };
  } finally {
    s3.destroy();
  }
}

async function loopOver(rig: Rig, keys: readonly string[]) {
  const s3 = rig.s3();
  try {
    return await scanLoop(rig, s3, keys, CLIENTS);
  } finally {
    s3.destroy();
  }
}

import { expect, it } from 'vitest';
import { fuzz } from '../../../../prove/fuzz/fuzz.js';
import { parsers } from '../../../../prove/fuzz/parsers.js';
import { randomFrom } from '../../../../prove/proof.js';

it.each(['zip', 'tar', 'gzip', 'bzip2', 'zstd', 'pdf', 'mail', 'toml', 'regex', 'events'])(
  'changed inputs neither break nor hold up the parser: %s',
  async (name) => {
    const parser = (await parsers())[name];
    if (parser === undefined) throw new Error(`no parser ${name}`);
    const { inputs, problems } = await fuzz(parser, 700, randomFrom(7));
    expect(problems).toEqual([]);
    expect(inputs).toBeGreaterThan(5);
  },
);

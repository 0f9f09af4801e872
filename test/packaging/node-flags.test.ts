import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { nodeFlags } from '../../scripts/launch/node-flags.mjs';

describe('the flags of Node', () => {
  test('are the same in the image as for npm start', () => {
    const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
    expect(/NODE_OPTIONS="([^"]*)"/.exec(dockerfile)?.[1]).toBe(nodeFlags({}).join(' '));
  });

  test('leave what the operator sets in NODE_OPTIONS to him', () => {
    const flags = nodeFlags({ NODE_OPTIONS: '--trace-warnings --max_old_space_size=4096' });
    expect(flags.some((flag) => flag.startsWith('--max-old-space-size'))).toBe(false);
    expect(flags.some((flag) => flag.startsWith('--max-semi-space-size'))).toBe(true);
  });
});

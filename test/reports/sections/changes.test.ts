import { describe, expect, it } from 'vitest';
import { wordsOf } from '../../../src/reports/sections/changes.js';

const words = (data: object) => wordsOf(JSON.stringify(data));

describe('the words of a change', () => {
  it('are its fields, and what each was and is', () => {
    expect(words({ name: 'w', version: 2, owner: null, roles: { from: ['viewer'], to: [] } })).toBe(
      'name: w; version: 2; roles: viewer → none',
    );
    expect(words({ quotas: { maxRunning: 3, note: null }, enabled: { from: true, to: false } })).toBe(
      'quotas: (maxRunning: 3); enabled: true → false',
    );
    expect(words({})).toBe('');
  });

  it('end where they are long, and say how long they are', () => {
    const said = words({ text: 'x'.repeat(5000) });
    expect(said.length).toBeLessThan(700);
    expect(said).toMatch(/… \(5006 characters\)$/);
  });
});

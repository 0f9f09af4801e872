import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DerivedTraces,
  formatTraceparent,
  parseTraceparent,
  spanIdOf,
} from '../../../src/engine/observability/trace-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const WORKFLOW = '7f1c3a52-9b1e-4d9a-8f5e-0c2d4b6a8e10';
const TASK = '11111111-2222-5333-8444-555555555555';

describe('a traceparent', () => {
  test('is read as W3C has it', () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      sampled: true,
    });
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled).toBe(false);
    // A later version may say more.
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-03-what-the-future-will-be`)?.sampled).toBe(true);
  });

  test.each([
    ['', 'empty'],
    [`ff-${TRACE}-${SPAN}-01`, 'the version that is none'],
    [`00-${'0'.repeat(32)}-${SPAN}-01`, 'a trace of zeros'],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, 'a span of zeros'],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`, 'capitals'],
    [`00-${TRACE}-${SPAN}-01-more`, 'more than version 00 says'],
    [`00-${TRACE}-${SPAN}`, 'no flags'],
    [`cc-${TRACE}-${SPAN}-01-${'x'.repeat(300)}`, 'endless'],
  ])('%s is ignored: %s', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  test('is read again as it was written, and anything else without a fault', () => {
    const hex = (length: number) =>
      fc
        .array(fc.constantFrom(...'0123456789abcdef'.split('')), { minLength: length, maxLength: length })
        .map((digits) => digits.join(''))
        .filter((digits) => !/^0+$/.test(digits));
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
        const context = { traceId, spanId, sampled };
        expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => parseTraceparent(text) !== null));
  });
});

describe('the trace of a workflow', () => {
  test('is its id without dashes, the same on every node', () => {
    const one = new DerivedTraces().ofWorkflow(WORKFLOW, undefined);
    expect(one).toEqual({
      traceId: '7f1c3a529b1e4d9a8f5e0c2d4b6a8e10',
      parentSpanId: undefined,
      sampled: true,
    });
    expect(new DerivedTraces().ofTask({ taskId: TASK, workflowInstanceId: WORKFLOW })).toBe(
      '00-7f1c3a529b1e4d9a8f5e0c2d4b6a8e10-8444555555555555-01',
    );
  });

  test('goes on with what came in, and with its decision not to be sampled', () => {
    const traces = new DerivedTraces();
    expect(traces.ofWorkflow(WORKFLOW, `00-${TRACE}-${SPAN}-00`)).toEqual({
      traceId: TRACE,
      parentSpanId: SPAN,
      sampled: false,
    });
    expect(traces.following({ workflowId: WORKFLOW, taskId: TASK }, `00-${TRACE}-${SPAN}-01`)).toBe(
      `00-${TRACE}-8444555555555555-01`,
    );
  });

  test('is never all zeros, whatever the id', () => {
    for (const id of [
      '00000000-0000-0000-0000-000000000000',
      '00000000-0000-0000-0000-000000000001',
      '',
      'π',
      'x',
    ]) {
      const { traceId } = new DerivedTraces().ofWorkflow(id, undefined);
      expect(traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
      expect(spanIdOf(id)).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
    }
  });

  test('is sampled by share, alike on every node', () => {
    const ids = Array.from({ length: 2_000 }, (_, index) => `run ${index}`);
    const sampled = (share: number) =>
      ids.filter((id) => new DerivedTraces(share).ofWorkflow(id, undefined).sampled).length;
    expect(sampled(0)).toBe(0);
    expect(sampled(1)).toBe(2_000);
    expect(sampled(0.25)).toBeGreaterThan(400);
    expect(sampled(0.25)).toBeLessThan(600);
    expect(sampled(0.25)).toBe(sampled(0.25));
  });
});

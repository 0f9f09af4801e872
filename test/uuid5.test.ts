import * as fc from 'fast-check';
import { v5 } from 'uuid';
import { describe, expect, it } from 'vitest';
import { taskIdOf } from '../src/engine/decider/task-id.js';
import { uuid5 } from '../src/uuid5.js';

describe('uuid5', () => {
  it.each([
    // RFC 9562, appendix A.4; and the DNS name of RFC 4122's namespaces as every library gives it.
    ['6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com', '2ed6657d-e927-568b-95e1-2665a8aea6a2'],
    ['6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'python.org', '886313e1-3b8a-5372-9b90-0c9aee199e5d'],
  ])('names %s/%s as the RFC says', (namespace, name, id) => {
    expect(uuid5(namespace, name)).toBe(id);
  });

  it('agrees with the uuid package on every namespace and name', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string({ unit: 'grapheme' }), (namespace, name) => {
        expect(uuid5(namespace, name)).toBe(v5(name, namespace));
      }),
    );
  });

  it('takes a namespace that is no UUID', () => {
    expect(uuid5('order-17', 'a')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(uuid5('order-17', 'a')).not.toBe(uuid5('order-18', 'a'));
  });

  it('gives every attempt, step, iteration and epoch its own task id', () => {
    const workflowId = '3f2b1c00-0000-4000-8000-000000000001';
    const ids = [
      taskIdOf({ workflowId, runEpoch: 0 }, 'a', 0, 0),
      taskIdOf({ workflowId, runEpoch: 0 }, 'a', 0, 1),
      taskIdOf({ workflowId, runEpoch: 0 }, 'a', 1, 0),
      taskIdOf({ workflowId, runEpoch: 1 }, 'a', 0, 0),
      taskIdOf({ workflowId, runEpoch: 0 }, 'b', 0, 0),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(taskIdOf({ workflowId, runEpoch: 0 }, 'a', 0, 0)).toBe(ids[0]);
  });
});

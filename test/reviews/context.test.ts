import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reviewsApp } from './app.js';
import { reviewsStage, type ReviewsStage } from './stage.js';

let stage: ReviewsStage;
let app: NestFastifyApplication;
beforeAll(async () => {
  stage = await reviewsStage();
  ({ app } = await reviewsApp(stage, { ROLES: 'api' }));
});
afterAll(async () => {
  await app.close();
  await stage.close();
});

const read = (id: string, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'GET',
    url: `/api/v1/reviews/${id}/context`,
    headers: { host: '127.0.0.1:8080', 'x-test-user': 'alice', ...headers },
  });

it('the lines around a review’s findings are asked for by its scan, for those who see the review', async () => {
  const review = await stage.open();
  stage.contexts.answer = {
    state: 'shown',
    readFrom: 'quarantine',
    detail: null,
    items: [
      { fingerprint: 'k1:5f0e', path: 'x', lines: [{ number: 3, text: 'A=…', isFinding: true }], why: null },
    ],
  };
  const answer = await read(review.id);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ state: 'shown', items: [{ lines: [{ number: 3 }] }] });
  expect(stage.contexts.asked.at(-1)).toMatchObject({ scanId: review.scanId, findings: [{ line: 3 }] });
  // An approver of another queue sees none of it.
  const stranger = { 'x-test-roles': 'viewer', 'x-test-grants': 'another' };
  expect((await read(review.id, stranger)).statusCode).toBe(403);
  expect((await read('0d2f5f0e-0000-4000-8000-00000000dead')).statusCode).toBe(404);
});

it('of a question without a scan there is none', async () => {
  const review = await stage.open({ scanId: null });
  expect((await read(review.id)).json()).toMatchObject({ state: 'none' });
});

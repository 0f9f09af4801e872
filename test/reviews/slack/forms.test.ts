import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  atFields,
  formAnswers,
  untouched,
} from '../../../src/reviews/channels/slack/answers/form/form-answers.js';
import type { FormField } from '../../../src/reviews/channels/slack/answers/form/form-field.js';
import { formInputs } from '../../../src/reviews/channels/slack/answers/form/form-inputs.js';
import { Said } from '../../../src/reviews/channels/slack/answers/said.js';
import type { InputState } from '../../../src/reviews/channels/slack/inbound/payloads.js';
import { refuseForm } from '../../../src/reviews/review-form.js';
import { PLAIN_POLICY } from '../../../src/reviews/rules/policy.js';
import { InvalidInput } from '../../../src/errors.js';
import { viewProblems } from '../../support/slack/limits.js';
import { undrawn } from '../../support/slack/page/drawn.js';

const form = (properties: Record<string, unknown>, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  required,
});
const fieldsOf = (schema: Record<string, unknown>): readonly FormField[] => {
  const inputs = formInputs(schema, true);
  if (!inputs.fits) throw new Error(inputs.why);
  return inputs.fields;
};
const whyNot = (property: unknown): string | undefined => {
  const inputs = formInputs(form({ x: property }), true);
  return inputs.fits ? undefined : inputs.why;
};
const said = (states: Readonly<Record<string, InputState>>): Said =>
  new Said(Object.fromEntries(Object.entries(states).map(([block, state]) => [block, { text: state }])));

const title = fc.option(fc.string({ maxLength: 400, unit: 'binary' }), { nil: undefined });
const scalar = fc.oneof(fc.string({ maxLength: 100 }), fc.integer(), fc.double(), fc.boolean());
const text = fc.record(
  {
    type: fc.constantFrom('string', ['string', 'null']),
    minLength: fc.integer({ min: -1, max: 4000 }),
    maxLength: fc.integer({ min: -1, max: 100_000 }),
    format: fc.constantFrom('date', 'date-time', 'email', 'uri', 'time', 'textarea', 'password', 'byte'),
    default: fc.oneof(fc.string(), fc.constantFrom('2026-11-23', '2026-11-23T09:00:00Z'), fc.integer()),
  },
  { requiredKeys: ['type'] },
);
const number = fc.record(
  {
    type: fc.constantFrom('number', 'integer'),
    minimum: fc.oneof(fc.integer(), fc.double()),
    exclusiveMaximum: fc.oneof(fc.integer(), fc.double()),
    default: fc.oneof(fc.integer(), fc.double()),
  },
  { requiredKeys: ['type'] },
);
const choice = fc.record(
  { enum: fc.array(scalar, { maxLength: 120 }), default: scalar },
  { requiredKeys: ['enum'] },
);
const titled = fc.record({
  oneOf: fc.array(fc.record({ const: scalar, title: fc.string({ maxLength: 120 }) }), { maxLength: 20 }),
});
const several = fc.record({
  type: fc.constant('array'),
  items: choice,
  maxItems: fc.oneof(fc.integer({ min: -1, max: 30 }), fc.constant('many')),
  default: fc.array(scalar, { maxLength: 5 }),
});
const property = fc
  .tuple(
    fc.oneof(
      text,
      number,
      choice,
      titled,
      several,
      fc.record({ type: fc.constant('boolean'), default: fc.boolean() }),
      fc.constantFrom({}, true, false, null, { type: 'object' }, { $ref: '#/x' }, { type: 'array' }),
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
    ),
    title,
    title,
  )
  .map(([base, heading, description]): unknown =>
    typeof base === 'object' && base !== null ? { ...base, title: heading, description } : base,
  );
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 30 }),
  fc.constantFrom('__proto__', 'a/b', 'a.b', '~'),
);
const schema = fc
  .tuple(
    fc.array(fc.tuple(name, property), { maxLength: 12 }),
    fc.array(fc.nat(20), { maxLength: 5 }),
    fc.boolean(),
  )
  .map(([entries, needed, stray]) => {
    const required = needed.flatMap((n) => entries[n]?.[0] ?? []);
    return form(Object.fromEntries(entries), stray ? [...required, 'nowhere'] : required);
  });

/** What somebody fills in, as Slack says it, and as the schema means it. */
function filled(field: FormField): fc.Arbitrary<readonly [InputState, unknown]> {
  const nothing = fc.constant([{}, undefined] as const);
  const options = field.options.map((value, n) => [{ value: String(n) }, value] as const);
  switch (field.kind) {
    case 'text':
      return fc
        .string({ maxLength: 50 })
        .map((value) => [{ value }, value === '' ? undefined : value] as const);
    case 'number':
      return fc.integer({ min: -1e9, max: 1e9 }).map((n) => [{ value: String(n / 100) }, n / 100] as const);
    case 'integer':
      return fc.integer().map((n) => [{ value: String(n) }, n] as const);
    case 'tick':
      return fc.boolean().map((on) => [{ selected_options: on ? [{ value: '0' }] : [] }, on] as const);
    case 'choice':
      return fc.oneof(
        nothing,
        fc.constantFrom(...options).map(([one, value]) => [{ selected_option: one }, value] as const),
      );
    case 'choices':
      return fc
        .subarray(options)
        .map(
          (some) =>
            [
              { selected_options: some.map(([one]) => one) },
              some.length === 0 ? undefined : some.map(([, value]) => value),
            ] as const,
        );
    case 'date':
      return fc.constantFrom(
        [{ selected_date: '2026-11-23' }, '2026-11-23'] as const,
        [{}, undefined] as const,
      );
    case 'moment':
      return fc.constantFrom(
        [{ selected_date_time: 1_795_424_400 }, '2026-11-23T09:00:00Z'] as const,
        [{}, undefined] as const,
      );
    default:
      return field.kind satisfies never;
  }
}

describe('a question’s form in Slack', () => {
  it('is fields within Slack’s limits for any schema, or says why it is not', () => {
    fc.assert(
      fc.property(schema, fc.boolean(), (given, isNeeded) => {
        const inputs = formInputs(given, isNeeded);
        if (!inputs.fits) {
          expect(inputs.why).not.toBe('');
          return;
        }
        expect(inputs.fields).toHaveLength(Object.keys(given.properties).length);
        const blocks = inputs.fields.map(({ block }) => block);
        const heading = { type: 'plain_text', text: 'Form' };
        expect(viewProblems({ type: 'modal', title: heading, submit: heading, blocks })).toEqual([]);
        expect(undrawn(blocks)).toEqual([]);
      }),
    );
  });

  it('is read back as the schema’s values, whatever is filled in', () => {
    const filledIn = schema
      .map((given) => formInputs(given, true))
      .filter((inputs) => inputs.fits)
      .chain(({ fields }) => fc.tuple(fc.constant(fields), fc.tuple(...fields.map(filled))));
    fc.assert(
      fc.property(filledIn, ([fields, states]) => {
        const answers = formAnswers(
          fields,
          said(Object.fromEntries(fields.map(({ blockId }, n) => [blockId, states[n]?.[0] ?? {}]))),
        );
        expect(answers.problems).toEqual({});
        const expected = fields.flatMap((field, n) => {
          const value = states[n]?.[1];
          return value === undefined ? [] : [[field.name, value] as const];
        });
        expect(Object.entries(answers.form)).toEqual(Object.entries(Object.fromEntries(expected)));
      }),
    );
  });

  it('draws each kind of property as the field that fits it', () => {
    const fields = fieldsOf(
      form(
        {
          why: { type: 'string', title: 'Why so?', description: 'In a sentence.', maxLength: 100 },
          story: { type: 'string', maxLength: 5000 },
          risk: { enum: ['low', 'high'], default: 'low' },
          country: { enum: Array.from({ length: 60 }, (_, n) => `country ${n}`) },
          team: { oneOf: [{ const: 't1', title: 'Red team' }] },
          sure: { type: 'boolean', default: true },
          tags: { type: 'array', items: { enum: ['a', 'b'] } },
          many: { type: 'array', items: { enum: Array.from({ length: 20 }, (_, n) => n) }, maxItems: 3 },
          count: { type: 'integer', exclusiveMinimum: 0, maximum: 10, default: 2 },
          share: { type: 'number', minimum: 0.5 },
          day: { type: 'string', format: 'date', default: '2026-11-23' },
          at: { type: 'string', format: 'date-time' },
          mail: { type: 'string', format: 'email' },
          link: { type: 'string', format: 'uri' },
        },
        ['why', 'sure'],
      ),
    );
    expect(fields.map(({ block }) => block.element.type)).toEqual([
      'plain_text_input',
      'plain_text_input',
      'radio_buttons',
      'static_select',
      'radio_buttons',
      'checkboxes',
      'checkboxes',
      'multi_static_select',
      'number_input',
      'number_input',
      'datepicker',
      'datetimepicker',
      'email_text_input',
      'url_text_input',
    ]);
    expect(undrawn(fields.map(({ block }) => block))).toEqual([]);
    const [why, story, risk, , team, sure, , many, count] = fields.map(({ block }) => block);
    expect(why).toMatchObject({ label: { text: 'Why so?' }, hint: { text: 'In a sentence.' } });
    expect(why).not.toHaveProperty('optional');
    expect(story).toMatchObject({ optional: true, element: { multiline: true, max_length: 3000 } });
    expect(risk?.element).toMatchObject({ initial_option: { text: { text: 'low' } } });
    expect(team?.element).toMatchObject({ options: [{ text: { text: 'Red team' } }] });
    // A box that need not be ticked: Slack would take no “no” for an answer.
    expect(sure).toMatchObject({ optional: true, element: { initial_options: [{ value: '0' }] } });
    expect(many?.element).toMatchObject({ max_selected_items: 3 });
    expect(count?.element).toMatchObject({ min_value: '1', max_value: '10', initial_value: '2' });
    expect(untouched(fields)).toEqual({ risk: 'low', sure: true, count: 2, day: '2026-11-23' });
  });

  it('says of what Slack has no field for that it does not fit', () => {
    expect(whyNot({ type: 'object', properties: {} })).toBe('“x” asks for the type object');
    expect(whyNot({ type: 'array', items: { type: 'string' } })).toMatch(/list of values that are not given/);
    expect(whyNot({ $ref: '#/$defs/x' })).toMatch(/described by other schemas/);
    expect(whyNot({ type: ['string', 'number'] })).toMatch(/of the types string, number/);
    expect(whyNot({ type: 'string', format: 'password' })).toMatch(/secret/);
    expect(whyNot({ type: 'string', contentEncoding: 'base64' })).toMatch(/file/);
    expect(whyNot({ enum: Array.from({ length: 101 }, (_, n) => n) })).toMatch(/101 options/);
    expect(whyNot({ enum: [{ a: 1 }] })).toMatch(/no plain values/);
    expect(
      whyNot({ enum: [`${'a'.repeat(90)}1${'b'.repeat(30)}`, `${'a'.repeat(90)}2${'b'.repeat(30)}`] }),
    ).toMatch(/look the same/);
    expect(whyNot({ type: 'string', minLength: 3001 })).toMatch(/3001 characters/);
    const fields = Object.fromEntries(Array.from({ length: 91 }, (_, n) => [`f${n}`, { type: 'string' }]));
    expect(formInputs(form(fields), true)).toMatchObject({
      fits: false,
      why: expect.stringContaining('91 fields'),
    });
    expect(formInputs(form({}, ['ghost']), true)).toMatchObject({
      fits: false,
      why: expect.stringContaining('“ghost”'),
    });
  });

  it('shows what the server finds wrong at the field that it is about', () => {
    const given = form(
      {
        'a/b': { type: 'string', maxLength: 2 },
        'c~d': { type: 'string', pattern: '^x' },
        tags: { type: 'array', items: { enum: ['a'] }, uniqueItems: true },
      },
      ['a/b'],
    );
    const fields = fieldsOf(given);
    const problemsOf = (filledIn: Record<string, unknown>) => {
      try {
        refuseForm(
          { ...PLAIN_POLICY, form: given },
          { kind: 'decide', outcome: 'go', reason: '', form: filledIn },
        );
      } catch (error) {
        if (error instanceof InvalidInput) return atFields(fields, error.problems);
        throw error;
      }
      throw new Error('nothing is wrong');
    };
    expect(problemsOf({ 'a/b': 'abc', 'c~d': 'y', tags: ['a', 'a', 'z'] })).toEqual({
      errors: {
        'form.0': 'It must NOT have more than 2 characters.',
        'form.1': 'It must match pattern "^x".',
        'form.2': expect.stringContaining('It must be equal to one of the allowed values.'),
      },
      others: [],
    });
    expect(problemsOf({})).toEqual({ errors: { 'form.0': 'It is needed.' }, others: [] });
  });

  it('takes nothing for an answer that is none of its options, nor a number that is none', () => {
    const fields = fieldsOf(
      form({
        pick: { enum: ['a'] },
        tags: { type: 'array', items: { enum: ['a'] } },
        n: { type: 'integer' },
      }),
    );
    const wrong = formAnswers(
      fields,
      said({
        'form.0': { selected_option: { value: '7' } },
        'form.1': { selected_options: [{ value: 'toString' }] },
        'form.2': { value: '1.5' },
      }),
    );
    expect(wrong.form).toEqual({});
    expect(Object.keys(wrong.problems)).toEqual(['form.0', 'form.1', 'form.2']);
    const huge = formAnswers(fields, said({ 'form.2': { value: '12345678901234567890' } }));
    expect(huge.problems['form.2']).toMatch(/not larger/);
  });
});

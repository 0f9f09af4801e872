import { parseArgs } from 'node:util';

/** What a bench can be told on its command line, beside `--json` and `--only`. */
export interface BenchSpec<Measure extends string, Number extends string, Text extends string> {
  /** As in `bench:e2e`. */
  readonly script: string;
  /** The measurements, in the order in which they run. */
  readonly measures: readonly Measure[];
  /** Options that are whole numbers, each with what holds when it is not said, and the least that may be. */
  readonly numbers: Readonly<Record<Number, { readonly usual: number; readonly min: number }>>;
  /** Options that are text, each with the word for it in the usage, or its choices as in `this|that`; undefined when it is not said. */
  readonly texts: Readonly<Record<Text, string>>;
}

/** What every bench knows. */
export interface BenchOptions<Measure extends string> {
  readonly json: boolean;
  /** Those that are to run, in their order. */
  readonly only: readonly Measure[];
}

/** Reads the command line of a bench. Throws with the usage on anything that it does not know. */
export function readBench<Measure extends string, Number extends string, Text extends string>(
  args: readonly string[],
  { script, measures, numbers, texts }: BenchSpec<Measure, Number, Text>,
): BenchOptions<Measure> & Readonly<Record<Number, number>> & Readonly<Record<Text, string | undefined>> {
  const numberNames = Object.keys(numbers) as Number[];
  const textNames = Object.keys(texts) as Text[];
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean' },
        only: { type: 'string' },
        ...Object.fromEntries(
          [...numberNames, ...textNames].map((name) => [name, { type: 'string' as const }]),
        ),
      },
    });
    const given = values as Readonly<Record<string, string | boolean | undefined>>;
    const text = (name: string): string | undefined => {
      const value = given[name];
      const choices = (texts as Readonly<Record<string, string>>)[name]?.split('|') ?? [];
      if (choices.length > 1 && typeof value === 'string' && !choices.includes(value))
        throw new Error(`--${name}: must be ${choices.join(' or ')}, not "${value}"`);
      return typeof value === 'string' ? value : undefined;
    };
    const names = text('only')?.split(',') ?? measures;
    const unknown = names.filter((name) => !measures.some((measure) => measure === name));
    if (unknown.length > 0) throw new Error(`--only: there is no ${unknown.join(', ')}`);
    return {
      json: given['json'] === true,
      only: measures.filter((measure) => names.includes(measure)),
      ...(Object.fromEntries(
        numberNames.map((name) => [name, wholeNumber(name, text(name), numbers[name])]),
      ) as Record<Number, number>),
      ...(Object.fromEntries(textNames.map((name) => [name, text(name)])) as Record<
        Text,
        string | undefined
      >),
    };
  } catch (error) {
    const usage = [
      '[--json] [--only NAME,…]',
      ...numberNames.map((name) => `[--${name} N]`),
      ...textNames.map((name) => `[--${name} ${texts[name]}]`),
    ].join(' ');
    throw new Error(
      `${(error as Error).message}\nnpm run ${script} -- ${usage}\nnames: ${measures.join(', ')}`,
      { cause: error },
    );
  }
}

function wholeNumber(
  name: string,
  text: string | undefined,
  { usual, min }: { readonly usual: number; readonly min: number },
): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min) return value;
  throw new Error(`--${name}: must be a whole number from ${min}, not "${text}"`);
}

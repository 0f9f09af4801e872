import { cpus, totalmem } from 'node:os';
import { quantile } from './engine/statistics.js';
import { atMost, beside, figure, type Say } from './e2e/row.js';
import { table, type Row } from './row.js';
import { interactions, questionsFor, STEPS, type Load } from './slack/load.js';
import { readOptions, type Options, type Transport } from './slack/options.js';
import { ask, questionsOf } from './slack/questions.js';
import { setUp, type Rig } from './slack/rig.js';

const ACK_MS = 500;
/** As long as a click may open a form. */
const TRIGGER_MS = 3000;

/**
 * How soon Slack is acknowledged while people click and send forms: the built service with its embedded PostgreSQL, the
 * stand-in for Slack and the people, all on this machine's cores.
 *
 * @returns whether every figure is as it must be.
 */
export async function bench(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const say: Say = (line) => void process.stdout.write(`${line}\n`);
  const [cpu] = cpus();
  say(
    `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${figure(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`,
  );
  say(
    `${options.rate} interactions a second for ${options.seconds} s by ${options.people} people: ${STEPS.join(', ')}, of each question`,
  );
  const rows: Row[] = [];
  for (const transport of options.only) {
    say('');
    say(`== ${transport}`);
    const rig = await setUp(transport, options.people);
    try {
      rows.push(...(await measure(transport, rig, options, say)));
    } finally {
      await rig.takeDown();
    }
  }
  say(table(rows, figure));
  if (options.json) {
    const measures = rows.map(({ name, value, unit, must, ok }) => ({ name, value, unit, must, ok }));
    say(JSON.stringify({ measures, rate: options.rate, seconds: options.seconds }));
  }
  return rows.every(({ ok }) => ok);
}

async function measure(transport: Transport, rig: Rig, options: Options, say: Say): Promise<Row[]> {
  const questions = await ask(rig.service, questionsFor(options));
  say(`${questions.length} questions wait`);
  const load = await interactions(rig, questions, options);
  for (const failure of load.failures.slice(0, 5)) say(`failed: ${failure}`);
  const p99 = {
    ack: quantile(load.ackMs, 0.99),
    decision: quantile(load.decisionMs, 0.99),
    form: quantile(load.formMs, 0.99),
  };
  const p50 = quantile(load.ackMs, 0.5);
  const from = `${load.ackMs.length} acknowledgements, ${transport}`;
  const failed = load.failures.length + (await undecided(rig, load));
  return [
    {
      name: `slack_ack_p99_${transport}`,
      value: p99.ack,
      unit: 'ms',
      ...atMost(p99.ack, ACK_MS),
      from,
    },
    { name: `slack_ack_p50_${transport}`, value: p50, unit: 'ms', ...beside, from },
    {
      name: `slack_decision_ack_p99_${transport}`,
      value: p99.decision,
      unit: 'ms',
      ...atMost(p99.decision, ACK_MS),
      from: `${load.decisionMs.length} of them decide`,
    },
    {
      name: `slack_form_p99_${transport}`,
      value: p99.form,
      unit: 'ms',
      ...atMost(p99.form, TRIGGER_MS),
      from: `${load.formMs.length} forms, from the click`,
    },
    {
      name: `slack_failed_${transport}`,
      value: failed,
      unit: '',
      ...atMost(failed, 0),
      from: `unacknowledged, or of ${load.answered.length} decisions not stored as they were made`,
    },
  ];
}

/** Answers that were acknowledged and are not what is stored. */
async function undecided({ service }: Rig, { answered }: Load): Promise<number> {
  const questions = new Map((await questionsOf(service)).map((question) => [question.id, question]));
  return answered.filter((id) => {
    const decision = questions.get(id)?.decision;
    return decision?.outcome !== 'release' || decision.via !== 'slack';
  }).length;
}

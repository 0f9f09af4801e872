import { visible } from '../../outbound/safe-text.js';
import type { Telling } from './channel.js';

/** Why somebody is told, in one line, and what was said to them with it. People's words, not yet escaped. */
export interface TellingWords {
  readonly line: string;
  /** An answer, or a reason; several lines. */
  readonly said?: string | undefined;
}

const NAME = 80;
const QUESTION = 200;

/** The same in every channel. */
export function tellingWords(telling: Telling): TellingWords {
  switch (telling.kind) {
    case 'opened':
      return { line: 'You are asked to decide.' };
    case 'assigned':
      return telling.by === undefined
        ? { line: 'This review was given to you.' }
        : because(
            telling.staysWith === true
              ? `${nameOf(telling.by)} handed this review on to you, and stays responsible`
              : `${nameOf(telling.by)} gave this review to you`,
            telling.reason,
          );
    case 'reminder':
      return { line: 'A reminder: this review still waits for your decision.' };
    case 'escalated':
      return telling.by === undefined
        ? { line: 'This review was escalated to you: nobody decided so far.' }
        : because(`${nameOf(telling.by)} escalated this review to you`, telling.reason);
    case 'renewed':
      return {
        line: 'What is asked about has changed: please look again. Earlier votes no longer count.',
      };
    case 'answered': {
      if (telling.by === undefined) return { line: 'Your question was answered; see the timeline.' };
      const asked = telling.question === undefined ? '' : ` “${visible(telling.question, QUESTION)}”`;
      return because(`${nameOf(telling.by)} answered your question${asked}`, telling.answer);
    }
    default:
      return telling satisfies never;
  }
}

const nameOf = (name: string): string => visible(name, NAME);

const because = (line: string, said: string | undefined): TellingWords =>
  said === undefined || said.trim() === '' ? { line: `${line}.` } : { line: `${line}:`, said };

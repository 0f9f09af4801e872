import { visible } from '../../../outbound/safe-text.js';
import { DATA_FILE } from '../document.js';
import { MAX_SHOWN } from '../html/markup.js';
import { whole } from '../words.js';

/** At most so many characters as they are shown; of a longer text the middle is left out, and it says so. */
export function shortened(text: string, most: number): string {
  const characters = Array.from(visible(text, MAX_SHOWN));
  if (characters.length <= most) return text;
  const tail = Math.floor(most / 3);
  const head = most - tail;
  const left = `${whole(characters.length - most)} characters left out, whole in ${DATA_FILE}`;
  return `${characters.slice(0, head).join('')} …[${left}]… ${characters.slice(-tail).join('')}`;
}

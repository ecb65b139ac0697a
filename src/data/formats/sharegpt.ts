/** Conversations as ShareGPT and chat logs hold them: texts without times or token counts. */
import { DataError } from '../errors.js';
import type { ImportLog } from '../import/options.js';
import { TraceBuilder } from '../import/trace-builder.js';
import { at, isObject, list, text } from '../read/json.js';
import type { RequestTrace } from '../request-trace.js';

/** Characters of English a token has on average in the vocabularies of today's models. */
const CHARS_PER_TOKEN = 4;

interface Turn {
  readonly isAnswer: boolean;
  readonly text: string;
}

export function isShareGpt(value: unknown): boolean {
  const [first] = list(value);
  return isObject(first) && turnsOf(first).length > 0;
}

function turnsOf(conversation: unknown): Turn[] {
  const turns = at(conversation, 'conversations') ?? at(conversation, 'messages');
  return list(turns).flatMap((turn) => {
    const role = text(at(turn, 'from')) ?? text(at(turn, 'role'));
    const said = text(at(turn, 'value')) ?? text(at(turn, 'content'));
    if (role === undefined || said === undefined) return [];
    return [{ isAnswer: /^(gpt|assistant|chatgpt|bing|bard|model)$/.test(role), text: said }];
  });
}

/**
 * One request an answer: its prompt is all that was said before, its parent the answer before it.
 * Tokens are estimated from characters, arrivals spaced by the rate that was given.
 *
 * @throws DataError where no rate was given
 */
export function shareGptTrace(value: unknown, source: string, log: ImportLog): RequestTrace {
  const { rate } = log.options;
  if (rate === undefined) {
    const problem = 'conversations hold no arrival times';
    throw new DataError(problem, { option: '--rate REQUESTS_PER_S' });
  }
  const builder = new TraceBuilder(source, log);
  const tokens = (chars: number) => Math.max(1, Math.round(chars / CHARS_PER_TOKEN));
  let row = 0;
  for (const [c, conversation] of list(value).entries()) {
    const session = text(at(conversation, 'id')) ?? String(c);
    let before = 0;
    let parent: number | undefined;
    let prefixTokens = 0;
    for (const turn of turnsOf(conversation)) {
      if (turn.isAnswer && before > 0) {
        const at_s = row / rate;
        const prompt = tokens(before);
        const output = tokens(turn.text.length);
        const place = { whole_s: at_s, fraction_s: 0, session, parent, prefixTokens };
        builder.add({ ...place, prompt, output }, row + 1);
        parent = row++;
        prefixTokens = prompt;
      }
      before += turn.text.length;
    }
  }
  log.count('converted', `tokens estimated as characters / ${CHARS_PER_TOKEN}`, row);
  log.count('repaired', `arrivals spaced evenly at ${rate} a second (--rate)`, row);
  return builder.finish('relative');
}

/** The tables of an environment's page, written between two markers; the prose is by hand. */
import { type FamilySpec, type NamedDoc, namedPlaces } from './spec.js';

export const BEGIN = '<!-- begin: written by `npm run generate` from the spec, do not edit -->';
export const END = '<!-- end -->';

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const unitOf = (field: NamedDoc): string => field.unit ?? '';
const bound = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return '∞';
  return String(value);
};

function actionRows(family: FamilySpec) {
  return family.actions.map((action, i) => {
    const range = action.choices
      ? action.choices.join(', ')
      : `${bound(action.low)} .. ${bound(action.high)}${action.integer ? ', integer' : ''}`;
    return [i, `\`${action.name}\``, range, unitOf(action), action.doc ?? ''];
  });
}

/** The generated part of `docs/environments/<stem>.md`. */
function docsTables(family: FamilySpec): string {
  const observations = family.observations.map((o, i) => {
    const only = o.variant ? ` (${o.variant} only)` : '';
    return [
      i,
      `\`${o.name}\``,
      `${bound(o.low)} .. ${bound(o.high)}`,
      unitOf(o),
      (o.doc ?? '') + only,
    ];
  });
  const named = (fields: readonly NamedDoc[]) =>
    fields.map((field) => [`\`${field.name}\``, unitOf(field), field.doc ?? '']);
  const statistics = namedPlaces(family.statistics).map(([s]) => [
    `\`${s.name}\`${s.bins ? ` .. \`${s.name.replace(/0$/, '')}${s.bins - 1}\`` : ''}`,
    s.fold,
    s.of ? `\`${s.of}\`` : (s.doc ?? ''),
  ]);
  return [
    BEGIN,
    '',
    '### Action row',
    '',
    table(['index', 'field', 'range', 'unit', 'meaning'], actionRows(family)),
    '',
    '### Observation row (f32)',
    '',
    table(['index', 'field', 'range', 'unit', 'meaning'], observations),
    '',
    '### What `info` reports (f32)',
    '',
    table(['metric', 'unit', 'meaning'], named(family.metrics)),
    '',
    '### Episode statistics (f64)',
    '',
    table(['statistic', 'fold', 'of'], statistics),
    '',
    END,
  ].join('\n');
}

/** A page with its generated part renewed; a page without markers gets it at its end. */
export function renewPage(page: string, family: FamilySpec): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END, begin);
  if (begin < 0 || end < 0) return `${page.trimEnd()}\n\n## Tables\n\n${docsTables(family)}\n`;
  return page.slice(0, begin) + docsTables(family) + page.slice(end + END.length);
}

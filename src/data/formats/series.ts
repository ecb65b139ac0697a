/** The formats of series. */

import { timeColumn } from '../import/columns-of.js';
import { EventCounts } from '../import/counts.js';
import type { JsonFormat, Part, RowFormat, TextFormat } from '../import/format.js';
import type { ImportLog } from '../import/options.js';
import { isSeriesRows, seriesFromRows, timeReaderOf } from '../import/series-rows.js';
import { attempt, plainName, type Rows } from '../read/rows.js';
import { accessLogCounts, isAccessLog } from './access-log.js';
import { cloudwatchSeries, isCloudwatch } from './cloudwatch.js';
import { isPrometheus, prometheusSeries } from './prometheus.js';

const countsPart = (counts: EventCounts): Part => ({ as: 'series', series: [], counts });

export const SERIES_JSON: readonly JsonFormat[] = [
  {
    id: 'prometheus',
    label: "Prometheus' answer to query_range",
    kinds: ['series'],
    recognise: isPrometheus,
    read: (value, _as, _source, log) => ({ as: 'series', series: prometheusSeries(value, log) }),
  },
  {
    id: 'cloudwatch',
    label: "CloudWatch's metric data",
    kinds: ['series'],
    recognise: isCloudwatch,
    read: (value, _as, _source, log) => ({ as: 'series', series: cloudwatchSeries(value, log) }),
  },
];

export const SERIES_ROWS: readonly RowFormat[] = [
  {
    id: 'events',
    label: 'times of events, one a row',
    kinds: ['series'],
    recognise: isEventRows,
    read: async (rows, _as, _source, log) => countsPart(await eventsFromRows(rows, log)),
  },
  {
    id: 'series',
    label: 'a series: times and numbers',
    kinds: ['series'],
    recognise: isSeriesRows,
    read: async (rows, _as, _source, log) => ({
      as: 'series',
      series: await seriesFromRows(rows, log),
    }),
  },
];

export const SERIES_TEXT: readonly TextFormat[] = [
  {
    id: 'access-log',
    label: 'an access log',
    kinds: ['series'],
    recognise: isAccessLog,
    read: async (file, encoding, _as, log) =>
      countsPart(await accessLogCounts(file, encoding, log)),
  },
];

/** Columns of a log in JSON lines: each row is a request, whatever numbers it holds. */
const LOG_COLUMN = /^(request|request_method|request_uri|remote_addr|user_agent|method|uri|path)$/;

function isEventRows(rows: Rows): boolean {
  const time = timeColumn(rows, undefined);
  if (time < 0) return false;
  return !isSeriesRows(rows) || rows.columns.some((name) => LOG_COLUMN.test(plainName(name)));
}

async function eventsFromRows(rows: Rows, log: ImportLog): Promise<EventCounts> {
  const column = timeColumn(rows, log.options.columns);
  const reader = timeReaderOf(rows, column, log);
  const counts = new EventCounts('events', log, reader.format.origin);
  let row = 0;
  for await (const batch of rows.batches(log.badRow)) {
    for (const cells of batch) {
      row++;
      attempt(() => {
        reader.read(cells[column], row);
        counts.add(reader.whole + reader.fraction);
      }, log.badRow);
    }
  }
  return counts;
}

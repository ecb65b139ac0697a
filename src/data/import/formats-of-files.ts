/** The names of our own files' formats. */
export const SERIES_FORMAT = 'infragym-series/1';
export const TRACE_FORMAT = 'infragym-trace/1';
export const MEASUREMENTS_FORMAT = 'infragym-measurements/1';

// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers and times for people, in their language.

import {_, fill, getLocale, ngettext} from './i18n.js';

// The years 1 to 9999. Timestamps beyond are no seconds (milliseconds, often), and are shown as numbers.
const FIRST_DATE = -62135596800;
const LAST_DATE = 253402300799;
// By powers of a thousand, from the minus third on.
const PREFIXES = ['n', 'µ', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const formats = new Map();

function numberFormat(options) {
  const name = JSON.stringify(options);
  let format = formats.get(name);
  if (!format) {
    format = new Intl.NumberFormat(getLocale(), options);
    formats.set(name, format);
  }
  return format;
}

function dateFormat(options) {
  const name = `date ${JSON.stringify(options)}`;
  let format = formats.get(name);
  if (!format) {
    format = new Intl.DateTimeFormat(getLocale(), options);
    formats.set(name, format);
  }
  return format;
}

/** A number of things. */
export function formatCount(number) {
  return numberFormat({}).format(number);
}

/** All digits that a value has. */
export function formatExact(value) {
  if (value !== 0 && (Math.abs(value) >= 1e15 || Math.abs(value) < 1e-6))
    return numberFormat({notation: 'scientific', maximumSignificantDigits: 17}).format(value);
  return numberFormat({maximumSignificantDigits: 17}).format(value);
}

/**
 * A value in few digits, with a prefix of the SI where it is large or small, and its unit.
 * @param {number} value
 * @param {string} [unit]
 * @param {number} [digits] how many count
 */
export function formatShort(value, unit = '', digits = 4) {
  if (!Number.isFinite(value))
    return '–';
  const size = Math.abs(value);
  let power = 0;
  if (size >= 9999.5 || (unit !== '' && unit !== '%' && size >= 999.95))
    power = Math.min(6, Math.floor(Math.log10(size) / 3 + 1e-9));
  else if (size > 0 && size < 1e-3)
    power = Math.floor(Math.log10(size) / 3 + 1e-9);
  if (unit === '%' || power < -3 || size >= 1e21) {
    if (size !== 0 && (size >= 1e6 || size < 1e-3))
      return join(numberFormat({notation: 'scientific', maximumSignificantDigits: digits}).format(value), unit);
    power = 0;
  }
  let number = value / 1000 ** power;
  // 999.96 k would be rounded up to 1,000 k.
  if (power !== 0 && power < 6 && Math.abs(Number(number.toPrecision(digits))) >= 1000) {
    power += 1;
    number = value / 1000 ** power;
  }
  return join(numberFormat({maximumSignificantDigits: digits}).format(number), PREFIXES[power + 3] + unit);
}

function join(number, unit) {
  return unit === '' ? number : `${number}\u00a0${unit}`;
}

const UNITS = [
  [/(^|[._-])bytes?$|_b$/i, 'B'],
  [/(^|[._-])bits?$/i, 'bit'],
  [/(^|[._-])(percent|pct|percentage)$/i, '%'],
  [/(^|[._-])(seconds?|secs?)$/i, 's'],
  [/(^|[._-])(hertz|hz)$/i, 'Hz'],
  [/(^|[._-])(watts?)$/i, 'W'],
  [/(^|[._-])(volts?)$/i, 'V'],
];

/** The unit that the name of a series says, or none; `rate` is by the second, and `count` counts. */
export function unitOf(key, func = '') {
  if (func === 'count')
    return '';
  const unit = UNITS.find(([pattern]) => pattern.test(key))?.[1] ?? '';
  return func === 'rate' ? `${unit}/s` : unit;
}

/** Whether timestamps such as this one are shown as times. */
export function isTime(seconds) {
  return seconds >= FIRST_DATE && seconds <= LAST_DATE;
}

/** A timestamp as date and time, or as a number where it can be none. */
export function formatTime(seconds) {
  if (!isTime(seconds))
    return numberFormat({maximumFractionDigits: 0}).format(seconds);
  return dateFormat({dateStyle: 'medium', timeStyle: 'medium'}).format(seconds * 1000);
}

/** A timestamp for where the day is known. */
export function formatClock(seconds, options) {
  return dateFormat(options).format(seconds * 1000);
}

/** From one timestamp to another, in few words: what both have is said once, and not that they are of today. */
export function formatRange(from, to, options) {
  const day = dateFormat({dateStyle: 'short'});
  const [first, last, today] = [from * 1000, to * 1000, Date.now()].map((each) => day.format(each));
  const date = first === today && last === today ? {} : {month: 'short', day: 'numeric'};
  return dateFormat({...date, ...options}).formatRange(from * 1000, to * 1000);
}

/** A span, in its largest unit where that is exact: 5 min, 90 s. @param {'short'|'narrow'|'long'} [unitDisplay] */
export function formatDuration(seconds, unitDisplay = 'short') {
  const units = [[31536000, 'year'], [86400, 'day'], [3600, 'hour'], [60, 'minute']];
  for (const [size, unit] of units) {
    if (seconds >= size && seconds % size === 0)
      return numberFormat({style: 'unit', unit, unitDisplay}).format(seconds / size);
  }
  const [size, unit] = units.find(([each]) => seconds >= each * 10) ?? [1, 'second'];
  return numberFormat({style: 'unit', unit, unitDisplay, maximumFractionDigits: 1}).format(seconds / size);
}

/** "3 series". */
export function formatSeries(number) {
  // The plural of this English word is the same; that of others is not.
  return fill(ngettext('{n} series', '{n} series', number), {n: formatCount(number)});
}

/** The names of functions, for people. */
export function functionNames() {
  return new Map([
    ['auto', _('Average (automatic)')],
    ['avg', _('Average')],
    ['min', _('Minimum')],
    ['max', _('Maximum')],
    ['sum', _('Sum')],
    ['count', _('Number of points')],
    ['first', _('First')],
    ['last', _('Last')],
    ['median', _('Median')],
    ['p95', _('95th percentile')],
    ['p99', _('99th percentile')],
    ['rate', _('Rate (per second)')],
  ]);
}

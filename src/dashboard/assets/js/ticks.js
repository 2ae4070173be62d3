// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the marks of a time axis are, in the local time of the reader, and what stands there.

import {formatClock, formatShort, isTime} from './format.js';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
/** Units, and how many of them from one mark to the next; seconds by which the fitting one is found. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((times) => ({unit: 'second', times, seconds: times})),
  ...[1, 2, 5, 10, 15, 30].map((times) => ({unit: 'minute', times, seconds: times * MINUTE})),
  ...[1, 2, 3, 6, 12].map((times) => ({unit: 'hour', times, seconds: times * HOUR})),
  ...[1, 2, 7].map((times) => ({unit: 'day', times, seconds: times * DAY})),
  ...[1, 3, 6].map((times) => ({unit: 'month', times, seconds: times * 30.4 * DAY})),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000]
    .map((times) => ({unit: 'year', times, seconds: times * 365.25 * DAY})),
];
const MOST = 60;

/**
 * @param {number} from seconds
 * @param {number} to
 * @param {number} most marks that there is room for
 * @returns {{v: number, label: string}[]}
 */
export function timeTicks(from, to, most) {
  if (!isTime(from) || !isTime(to))
    return valueTicks(from, to, most, '');
  const least = (to - from) / Math.max(1, most);
  const step = STEPS.find(({seconds}) => seconds >= least) ?? STEPS[STEPS.length - 1];
  const ticks = [];
  for (const date of marks(step, from, to)) {
    const v = date.getTime() / 1000;
    if (v > to || ticks.length >= MOST)
      break;
    if (v >= from && v > (ticks[ticks.length - 1]?.v ?? -Infinity))
      ticks.push({v, label: labelOf(date, step)});
  }
  return ticks;
}

/** Dates at round local times, from before `from` on. */
function* marks({unit, times, seconds}, from, to) {
  const start = new Date(from * 1000);
  const year = start.getFullYear();
  const month = start.getMonth();
  const day = start.getDate();
  for (let i = 0; i <= (to - from) / seconds + 3; i++) {
    if (unit === 'year')
      yield makeDate(Math.floor(year / times) * times + i * times, 0, 1);
    else if (unit === 'month')
      yield makeDate(year, Math.floor(month / times) * times + i * times, 1);
    else if (unit === 'day')
      yield makeDate(year, month, day - (times === 7 ? (start.getDay() + 6) % 7 : day % times) + times * i);
    else if (unit === 'hour')
      yield makeDate(year, month, day, Math.floor(start.getHours() / times) * times + i * times);
    else
      // Zones differ from another by whole quarters of an hour; these marks fall on them.
      yield new Date((Math.floor(from / seconds) + i) * seconds * 1000);
  }
}

/** As Date makes it, but for the years 0 to 99, which it takes for those of the last century. */
function makeDate(year, month, day, hour = 0) {
  const date = new Date(year, month, day, hour);
  if (year >= 0 && year < 100)
    date.setFullYear(date.getFullYear() - 1900);
  return date;
}

function labelOf(date, {unit}) {
  const seconds = date.getTime() / 1000;
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (unit === 'year')
    return formatClock(seconds, {year: 'numeric'});
  if (unit === 'month')
    return formatClock(seconds, date.getMonth() === 0 ? {year: 'numeric'} : {month: 'short'});
  if (unit === 'day' || isMidnight)
    return formatClock(seconds, {month: 'short', day: 'numeric'});
  if (unit === 'second')
    return formatClock(seconds, {hour: '2-digit', minute: '2-digit', second: '2-digit'});
  return formatClock(seconds, {hour: '2-digit', minute: '2-digit'});
}

/** Marks at 1, 2 or 5 of a power of ten. */
export function numberTicks(from, to, most, label) {
  const least = (to - from) / Math.max(1, most);
  if (!(least > 0) || !Number.isFinite(least))
    return [];
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= least * 0.9999) ?? 10 * power;
  const ticks = [];
  const first = Math.ceil(from / step);
  for (let i = 0; ticks.length < MOST && (first + i) * step <= to; i++) {
    const v = (first + i) * step;
    // Where numbers have no finer digits, all marks would fall on one place.
    if (ticks.length > 0 && v <= ticks[ticks.length - 1].v)
      break;
    ticks.push({v, label: label(v, step)});
  }
  return ticks;
}

/** Marks of values, with as many digits as tell them apart. */
export function valueTicks(low, high, most, unit) {
  return numberTicks(low, high, most, (value, step) => {
    const tidy = Math.abs(value) < step / 1000 ? 0 : value;
    const size = Math.max(Math.abs(low), Math.abs(high));
    const digits = Math.min(15, Math.max(3, Math.ceil(Math.log10(size / step)) + 1));
    return formatShort(tidy, unit, digits);
  });
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Spans of time, and the step that fits one.

const UNITS = {s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31536000};
/** The spans to choose from, in seconds. */
export const PRESETS = [300, 3600, 21600, 86400, 604800, 2592000, 31536000];
export const DEFAULT_SPAN = 3600;
/** The shortest that is shown. */
export const SHORTEST = 4;
// Beyond the range of timestamps there is nothing.
export const LONGEST = 1.8e19;
const EDGE = 9.2e18;

const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** A span as it is written in an address: 6h, 90s. */
export function writeSpan(seconds) {
  for (const unit of ['y', 'd', 'h', 'm']) {
    if (seconds % UNITS[unit] === 0)
      return `${seconds / UNITS[unit]}${unit}`;
  }
  return `${seconds}s`;
}

/** @returns {number|null} seconds */
export function readSpan(text) {
  const match = /^(\d{1,15})([smhdwy]?)$/.exec(text);
  if (!match)
    return null;
  const seconds = Number(match[1]) * UNITS[match[2] || 's'];
  return seconds >= SHORTEST && seconds <= LONGEST ? seconds : null;
}

/** The shortest step of those people think in that gives at most `most` points. */
export function stepFor(span, most) {
  const least = span / Math.max(1, most);
  const found = STEPS.find((step) => step >= least);
  if (found)
    return found;
  for (let size = 86400; size < 1e19; size *= 10) {
    for (const times of [2, 5, 10]) {
      if (size * times >= least)
        return size * times;
    }
  }
  return 86400;
}

/**
 * What somebody sees first who chose no span: the shortest in which nothing is cut off, but of what still goes on not more
 * than DEFAULT_SPAN. What is not of these times at all is shown whole.
 * @param {{from: number, to: number}} extent of the points
 * @param {number} present
 * @returns {import('./view.js').Range}
 */
export function firstRange({from, to}, present) {
  const goesOn = Math.abs(present - to) < DEFAULT_SPAN;
  const span = PRESETS.find((each) => from >= present - each && to < present + DEFAULT_SPAN);
  if (goesOn)
    return {kind: 'live', span: Math.min(span ?? DEFAULT_SPAN, DEFAULT_SPAN)};
  return span ? {kind: 'live', span} : {kind: 'all'};
}

/** A span that can be shown, from one that was dragged or typed. */
export function tidy(from, to) {
  let length = Math.max(SHORTEST, Math.min(LONGEST, to - from));
  if (!Number.isFinite(length))
    length = SHORTEST;
  const middle = Number.isFinite(from + to) ? (from + to) / 2 : 0;
  const start = Math.max(-EDGE, Math.min(EDGE - length, middle - length / 2));
  return {from: start, to: start + length};
}

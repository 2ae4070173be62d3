// SPDX-License-Identifier: LGPL-2.1-or-later
// The points of a series that a chart shows: merging what comes, finding gaps, and laying several side by side.

/** @typedef {[number, number]} Point time and value */

// More raw points than that a series does not get, however densely they are put while it is watched.
const MOST_POINTS = 20000;

/** The place of the first point at `time` or later. */
export function placeOf(points, time) {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < time)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/** The place of the first point later than `time`. */
export function placeAfter(points, time) {
  let place = placeOf(points, time);
  while (points[place]?.[0] === time)
    place++;
  return place;
}

/** Puts one point; a later one for the same time takes the place of the one before. */
export function putPoint(points, time, value) {
  const place = placeOf(points, time);
  if (points[place]?.[0] === time)
    points[place] = [time, value];
  else
    points.splice(place, 0, [time, value]);
  if (points.length > MOST_POINTS)
    points.shift();
}

/** Puts what there is in a span in the place of what there was. */
export function mergePoints(points, from, to, fresh) {
  const begin = placeOf(points, from);
  const end = placeAfter(points, to);
  return [...points.slice(0, begin), ...fresh, ...points.slice(end)];
}

/**
 * How far apart two points can be that are joined by a line: twice what nine in ten are, so that what comes irregularly is
 * a line, and what is missing from what comes regularly a gap.
 */
export function gapLimit(points, step) {
  const distances = [];
  // A sample is enough: thousands of them.
  const stride = Math.max(1, Math.floor(points.length / 2000));
  for (let i = 1; i < points.length; i += stride)
    distances.push(points[i][0] - points[i - 1][0]);
  if (distances.length < 3)
    return Infinity;
  distances.sort((a, b) => a - b);
  return Math.max(2.1 * distances[Math.floor(distances.length * 0.9)], 1.5 * step);
}

/**
 * The rows that dygraphs draws: a time, and each series' value; null where it has none of its own (the line goes on),
 * NaN where it has a gap.
 * @param {Point[][]} lists
 * @param {number} step
 */
export function makeRows(lists, step) {
  const width = lists.length + 1;
  const rows = new Map();
  const rowAt = (time) => {
    let row = rows.get(time);
    if (!row) {
      row = new Array(width).fill(null);
      row[0] = time;
      rows.set(time, row);
    }
    return row;
  };
  lists.forEach((points, i) => {
    const limit = gapLimit(points, step);
    points.forEach(([time, value], at) => {
      if (at > 0 && time - points[at - 1][0] > limit) {
        const row = rowAt((time + points[at - 1][0]) / 2);
        row[i + 1] ??= NaN;
      }
      rowAt(time)[i + 1] = value;
    });
  });
  return [...rows.values()].sort((a, b) => a[0] - b[0]);
}

/** The values that an axis reaches over, so that all points of a span, and those beside it, are seen. */
export function valueRange(lists, from, to) {
  let low = Infinity;
  let high = -Infinity;
  for (const points of lists) {
    const end = Math.min(points.length, placeOf(points, to) + 1);
    for (let i = Math.max(0, placeOf(points, from) - 1); i < end; i++) {
      low = Math.min(low, points[i][1]);
      high = Math.max(high, points[i][1]);
    }
  }
  if (low > high)
    return [0, 1];
  // The largest numbers leave no room around them.
  const edge = 8e307;
  [low, high] = [Math.max(-edge, Math.min(edge, low)), Math.max(-edge, Math.min(edge, high))];
  const margin = high > low ? (high - low) * 0.05 : Math.abs(low) * 0.1 || 1;
  return [low - margin, high + margin];
}

/** The point nearest to a time, or null where there is none within `reach`. */
export function nearest(points, time, reach = Infinity) {
  const place = placeOf(points, time);
  const after = points[place];
  const before = points[place - 1];
  const point = !before || (after && after[0] - time < time - before[0]) ? after : before;
  return point && Math.abs(point[0] - time) <= reach ? point : null;
}

/** What a list of points comes to within a span, or null without any. */
export function summarise(points, from, to) {
  const begin = placeOf(points, from);
  const end = placeAfter(points, to);
  if (begin >= end)
    return null;
  let low = Infinity;
  let high = -Infinity;
  for (let i = begin; i < end; i++) {
    low = Math.min(low, points[i][1]);
    high = Math.max(high, points[i][1]);
  }
  return {low, high, last: points[end - 1], count: end - begin};
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Spark lines: asked for in lots, only for rows in view, and kept fresh by the stream.

import {ask, askForKeys, lots, now} from './api.js';

const POINTS = 48;
const MOST_KEPT = 3000;
const DELAY = 120;
// What is this old is asked for again when it is in view: the stream need not have all keys.
const AGE = 60000;
const PAUSE = 5000;
// How far a line reaches back, by how often there are points: an hour for what comes each minute or more often.
// Of a young series all is shown.
const YOUNG = 300;
const WINDOWS = [[120, 3600], [3600, 86400], [86400, 2592000], [Infinity, 31536000]];

/**
 * @typedef {object} Spark
 * @property {[number, number][]} points
 * @property {number} window how far it reaches back
 */

/** Event: `change` with the keys whose lines, or last values, are new. */
export class Sparks extends EventTarget {
  /** @type {Map<string, Spark>} */
  #sparks = new Map();
  /** @type {Map<string, number>} when a key was asked for, or came by the stream */
  #asked = new Map();
  #timer = 0;
  #wanted = [];
  #controller = new AbortController();
  #keys;

  /** @param {import('./keys.js').Keys} keys */
  constructor(keys) {
    super();
    this.#keys = keys;
  }

  get(key) {
    return this.#sparks.get(key);
  }

  /** Forgets all: they are asked for again. */
  clear() {
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#sparks.clear();
    this.#asked.clear();
  }

  /** Says which keys are in view. Who scrolls by asks for nothing. */
  want(keys) {
    const isSame = keys.length === this.#wanted.length && keys.every((key, i) => key === this.#wanted[i]);
    this.#wanted = keys;
    // A row that is drawn again, for a point that came, does not put it off.
    if (isSame && (this.#timer !== 0 || keys.every((key) => this.#isFresh(key))))
      return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), DELAY);
  }

  #isFresh(key) {
    return performance.now() - (this.#asked.get(key) ?? -Infinity) < AGE;
  }

  async #ask() {
    this.#timer = 0;
    const nodes = this.#wanted.filter((key) => !this.#isFresh(key)).map((key) => this.#keys.get(key))
      .filter((node) => node?.isKey);
    if (nodes.length === 0)
      return;
    const signal = this.#controller.signal;
    const unknown = nodes.filter((node) => node.value === undefined || this.#asked.has(node.path)).map((node) => node.path);
    for (const node of nodes)
      this.#asked.set(node.path, performance.now());
    try {
      if (unknown.length > 0) {
        this.#keys.takeLast(await askForKeys('last', unknown, [], signal));
        this.dispatchEvent(new CustomEvent('change', {detail: unknown}));
      }
      await Promise.all([...groups(nodes).values()].map((group) => this.#askGroup(group, signal)));
    } catch {
      if (signal.aborted)
        return;
      // They are asked for again, but not with each point that comes; that the server is gone is told by the stream.
      for (const node of nodes)
        this.#asked.set(node.path, performance.now() - AGE + PAUSE);
    }
    this.#forget();
  }

  async #askGroup({keys, window, to}, signal) {
    const step = Math.max(1, Math.round(window / POINTS));
    const parameters = [['from', Math.trunc(to - window)], ['to', Math.trunc(to)], ['step', step], ['function', 'avg']];
    for (const lot of lots(keys)) {
      const {series} = await ask('points', [...lot.map((key) => ['key', key]), ...parameters], signal);
      for (const key of lot)
        this.#sparks.set(key, {points: [], window});
      for (const {key, points} of series)
        this.#sparks.set(key, {points, window});
      this.dispatchEvent(new CustomEvent('change', {detail: lot}));
    }
  }

  /** The oldest go where there are too many. */
  #forget() {
    const wanted = new Set(this.#wanted);
    for (const key of this.#sparks.keys()) {
      if (this.#sparks.size <= MOST_KEPT)
        return;
      if (!wanted.has(key)) {
        this.#sparks.delete(key);
        this.#asked.delete(key);
      }
    }
  }

  /** Takes points of the stream. */
  take(series) {
    for (const {key, points} of series) {
      const spark = this.#sparks.get(key);
      if (!spark)
        continue;
      this.#asked.set(key, performance.now());
      const step = spark.window / POINTS;
      for (const point of points) {
        const last = spark.points[spark.points.length - 1];
        if (last && point[0] < last[0])
          continue;
        // The newest place shows the newest value, which is what somebody looks for.
        if (last && spark.points.length > 1 && Math.floor(point[0] / step) === Math.floor(last[0] / step))
          spark.points[spark.points.length - 1] = [last[0], point[1]];
        else
          spark.points.push([point[0], point[1]]);
      }
      const end = spark.points[spark.points.length - 1]?.[0] ?? 0;
      while (spark.points.length > 2 && spark.points[0][0] < end - spark.window) {
        spark.points.shift();
        // It has grown up: it is asked for again.
        if (spark.window === YOUNG)
          this.#asked.delete(key);
      }
    }
  }
}

/** Keys that can be asked for together: those whose lines end about the same time and are as long. */
function groups(nodes) {
  const result = new Map();
  const present = now();
  for (const node of nodes) {
    const interval = node.points > 1 ? (node.last - node.first) / (node.points - 1) : 0;
    const window = node.last - node.first < YOUNG ? YOUNG : WINDOWS.find(([most]) => interval <= most)[1];
    const isFresh = node.last > present - window && node.last <= present + window;
    const to = isFresh ? present + 1 : (Math.floor(node.last / window) + 1) * window;
    const name = `${window} ${to}`;
    const group = result.get(name) ?? {keys: [], window: isFresh ? window : 2 * window, to};
    group.keys.push(node.path);
    result.set(name, group);
  }
  return result;
}

/**
 * Draws a line as large as its canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {Spark|undefined} spark
 */
export function drawSpark(canvas, spark, colour) {
  const ratio = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, width, height);
  const points = spark?.points;
  if (!points || points.length === 0 || width === 0)
    return;
  const values = points.map(([, value]) => value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const end = points[points.length - 1][0];
  const begin = Math.min(points[0][0], end - spark.window * 0.25);
  const edge = 1.5 * ratio;
  const x = (time) => edge + (end > begin ? (time - begin) / (end - begin) : 1) * (width - 2 * edge);
  const y = (value) => (high > low ? height - edge - (value - low) / (high - low) * (height - 2 * edge) : height / 2);
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = 1.25 * ratio;
  context.lineJoin = 'round';
  context.beginPath();
  points.forEach(([time, value], i) => {
    // A line would hide that there was nothing for an eighth of the time.
    if (i > 0 && time - points[i - 1][0] < spark.window / 8)
      context.lineTo(x(time), y(value));
    else
      context.moveTo(x(time), y(value));
  });
  context.stroke();
  const last = points[points.length - 1];
  context.beginPath();
  context.arc(x(last[0]), y(last[1]), 1.5 * ratio, 0, 2 * Math.PI);
  context.fill();
}

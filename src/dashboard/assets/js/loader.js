// SPDX-License-Identifier: LGPL-2.1-or-later
// The data of one chart: asks for the span at the step that fits the pixels, and keeps it fresh by the stream.

import {askForKeys, integer} from './api.js';
import {mergePoints, placeOf, putPoint} from './series.js';
import {stepFor} from './span.js';

// What lies beside the view is asked for as well, so that lines reach its edges.
const MARGIN = 0.03;
// Buckets that a put falls into are asked for again, at most so often (milliseconds).
const TAIL_DELAY = 300;
// Bands of more series than that would cover each other.
const MOST_BANDS = 3;

/** Event: `change`, when there is something else to draw: points, the state or an error. */
export class Loader extends EventTarget {
  /** @type {Map<string, [number, number][]>} */
  points = new Map();
  /**
   * The lowest and the highest values of each bucket, where these are asked for: an average hides peaks.
   * @type {Map<string, {low: [number, number][], high: [number, number][]}>}
   */
  bands = new Map();
  /** @type {'idle'|'loading'|'ready'} */
  state = 'idle';
  error = null;
  /** Seconds of a bucket; 0 where points are shown as they were put. */
  step = 0;
  func = 'avg';
  #keys = [];
  #controller = null;
  #loaded = null;
  #pending = null;
  #failed = null;
  #dirty = null;
  #tailTimer = 0;
  #isTailAsked = false;
  #late = [];
  #tooDense = 0;

  /**
   * The step and the function for a span that is `pixels` wide.
   * @param {number} estimate how many points of a series there probably are in it
   */
  #fit(func, from, to, pixels, estimate) {
    // About a point a pixel.
    const step = stepFor(to - from, pixels / 1.1);
    if (func !== 'auto')
      return {step, func};
    return {step: step <= 1 || this.#isSparse(to - from, pixels, estimate) ? 0 : step, func: 'avg'};
  }

  /** Whether the points themselves are few enough: then they are shown at the very times at which they were put. */
  #isSparse(span, pixels, estimate) {
    // An estimate can be wrong; where it could be so by far it is not relied on, nor twice.
    if (estimate > pixels * 1.2 || span > pixels * 100 || this.#tooDense === span)
      return false;
    const most = Math.max(0, ...[...this.points.values()].map((points) => points.length));
    if (this.step === 0 && most > pixels * 5) {
      this.#tooDense = span;
      return false;
    }
    return true;
  }

  /**
   * Sees that a span is there. While it is asked for, what there is stays.
   * @param {{keys: string[], func: string, from: number, to: number, pixels: number, estimate: number}} wanted
   * @param {boolean} isOpen whether the end of the span is the present, and comes by the stream
   */
  async load({keys, func: chosen, from, to, pixels, estimate}, isOpen, force = false) {
    const {step, func} = this.#fit(chosen, from, to, pixels, estimate);
    this.#keys = keys;
    for (const key of this.points.keys()) {
      if (!keys.includes(key))
        this.points.delete(key);
    }
    // What is asked for is not asked for again with each pixel of time; what was refused only when somebody says so.
    const hasBand = chosen === 'auto' && step > 0 && keys.length <= MOST_BANDS;
    const asked = this.#pending ?? this.#failed ?? this.#loaded;
    if (!force && asked?.hasBand === hasBand && covers(asked, keys, func, step, from, to)) {
      this.#tell();
      return;
    }
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    const margin = Math.max(MARGIN * (to - from), step);
    const begin = Math.floor(from - margin);
    // What is put with a clock ahead of the server's is in the future; that of the present is not complete.
    const end = Math.ceil(to + margin);
    const loading = {keys, func, step, hasBand, from: begin, to: isOpen ? Infinity : end};
    this.#late = [];
    this.#pending = loading;
    this.state = 'loading';
    this.#tell();
    try {
      this.points = await fetchPoints(loading, begin, end, func, controller.signal);
      this.#loadBands(loading, begin, end, controller.signal);
      this.step = step;
      this.func = func;
      this.#loaded = loading;
      this.#failed = null;
      this.error = null;
      this.#dirty = null;
    } catch (error) {
      if (controller.signal.aborted)
        return;
      this.#failed = loading;
      this.error = error;
    }
    this.#pending = null;
    this.state = 'ready';
    const late = this.#late;
    this.#late = [];
    this.take(late);
    if (this.#dirty)
      this.#spoil(this.#dirty.from);
    this.#tell();
  }

  /** Asks for bands when the lines are there: who waits sees these first. Until they come, those of before stay. */
  async #loadBands(loading, from, to, signal) {
    for (const key of this.bands.keys()) {
      if (!loading.hasBand || !loading.keys.includes(key))
        this.bands.delete(key);
    }
    try {
      const bands = await fetchBands(loading, from, to, signal);
      if (this.#loaded !== loading)
        return;
      this.bands = bands;
      this.#tell();
    } catch {
      // Then there are lines without bands.
    }
  }

  /** Takes points of the stream. */
  take(series) {
    const ours = series.filter(({key}) => this.#keys.includes(key));
    if (ours.length === 0)
      return;
    if (this.state === 'loading')
      this.#late.push(...ours);
    if (!this.#loaded)
      return;
    for (const {key, points} of ours) {
      for (const [time, value] of points) {
        if (time < this.#loaded.from || time > this.#loaded.to)
          continue;
        if (this.step === 0)
          this.#put(key, time, value);
        else
          this.#spoil(time);
      }
    }
    if (this.step === 0)
      this.#tell();
  }

  #put(key, time, value) {
    const points = this.points.get(key) ?? [];
    putPoint(points, time, value);
    this.points.set(key, points);
  }

  #markDirty(from, to) {
    const old = this.#dirty ?? {from, to};
    this.#dirty = {from: Math.min(old.from, from), to: Math.max(old.to, to)};
  }

  #spoil(time) {
    this.#markDirty(time, time);
    if (!this.#tailTimer && !this.#isTailAsked)
      this.#tailTimer = setTimeout(() => this.#loadTail(), TAIL_DELAY);
  }

  /** Asks again for the buckets that points fell into. */
  async #loadTail() {
    const dirty = this.#dirty;
    const loaded = this.#loaded;
    this.#tailTimer = 0;
    // What is being loaded has it; where that fails, it is asked for again.
    if (!dirty || !loaded || this.state === 'loading')
      return;
    this.#dirty = null;
    // One at a time: an answer that comes late must not take the place of a newer one.
    this.#isTailAsked = true;
    let isRefused = false;
    const {step, func, keys} = loaded;
    const merge = (old, fresh) => mergePoints(old ?? [], from, to, fresh ?? []);
    // A rate belongs to the bucket of the later point, which can be the next one.
    const from = Math.floor(dirty.from / step) * step;
    const to = Math.floor(dirty.to / step) * step + (func === 'rate' ? 2 : 1) * step - 1;
    try {
      const signal = this.#controller?.signal;
      const [points, bands] = await Promise.all([fetchPoints(loaded, from, to, func, signal),
                                                 fetchBands(loaded, from, to, signal)]);
      if (this.#loaded === loaded) {
        for (const key of keys)
          this.points.set(key, merge(this.points.get(key), points.get(key)));
        for (const [key, {low, high}] of bands)
          this.bands.set(key, {low: merge(this.bands.get(key)?.low, low), high: merge(this.bands.get(key)?.high, high)});
        this.#tell();
      }
    } catch {
      // The server is gone, of which the stream tells, or the view is another by now.
      if (this.#loaded === loaded) {
        this.#markDirty(dirty.from, dirty.to);
        isRefused = true;
      }
    }
    this.#isTailAsked = false;
    if (this.#dirty && !isRefused && this.#keys.length > 0)
      this.#spoil(this.#dirty.from);
  }

  /** Drops what left the view long ago. */
  trim(from) {
    if (!this.#loaded || this.#loaded.to !== Infinity)
      return;
    for (const points of this.points.values()) {
      if (points.length > 2000 && points[points.length >> 1][0] < from) {
        points.splice(0, points.length >> 2);
        this.#loaded.from = Math.max(this.#loaded.from, points[0][0]);
      }
    }
    for (const [key, {low, high}] of this.bands) {
      const begin = this.points.get(key)?.[0]?.[0] ?? from;
      low.splice(0, placeOf(low, begin));
      high.splice(0, placeOf(high, begin));
    }
  }

  stop() {
    this.#controller?.abort();
    clearTimeout(this.#tailTimer);
    this.#tailTimer = 0;
    this.#keys = [];
  }

  #tell() {
    this.dispatchEvent(new Event('change'));
  }
}

/** Asks for the points of a span, or its buckets. @returns {Promise<Map<string, [number, number][]>>} by key */
async function fetchPoints({keys, step}, from, to, func, signal) {
  const series = await askForKeys('points', keys, parametersOf(from, to, step, func), signal);
  const points = new Map(keys.map((key) => [key, []]));
  for (const {key, points: list} of series)
    points.set(key, list);
  return points;
}

async function fetchBands(wanted, from, to, signal) {
  if (!wanted.hasBand)
    return new Map();
  const [low, high] = await Promise.all(['min', 'max'].map((func) => fetchPoints(wanted, from, to, func, signal)));
  return new Map(wanted.keys.map((key) => [key, {low: low.get(key), high: high.get(key)}]));
}

/** Whether what was asked for is what would be asked for. */
function covers(asked, keys, func, step, from, to) {
  return asked && asked.func === func && asked.step === step && asked.from <= from && asked.to >= to
    && keys.every((key) => asked.keys.includes(key));
}

function parametersOf(from, to, step, func) {
  const parameters = [['from', integer(from)], ['to', integer(to)]];
  if (step > 0)
    parameters.push(['step', integer(step)], ['function', func]);
  return parameters;
}

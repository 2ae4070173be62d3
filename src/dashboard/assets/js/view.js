// SPDX-License-Identifier: LGPL-2.1-or-later
// What is looked at: the span and the charts. It is kept in the fragment of the address, so that a copy of the address
// shows the same, and back and forward work:
//   #span=6h&chart=rate:net.rx,net.tx&chart=room.temperature        or #from=1700000000&to=1700003600&...

import {integer} from './api.js';
import {DEFAULT_SPAN, LONGEST, SHORTEST, readSpan, tidy, writeSpan} from './span.js';

const MOST_CHARTS = 50;
export const MOST_SERIES = 24;
const FUNCTIONS = ['auto', 'avg', 'min', 'max', 'sum', 'count', 'first', 'last', 'median', 'p95', 'p99', 'rate'];
const LONGEST_KEY = 1024;

/**
 * @typedef {{kind: 'live', span: number} | {kind: 'all'} | {kind: 'fixed', from: number, to: number}} Range
 * @typedef {{id: number, func: string, keys: string[]}} ChartState
 */

let nextId = 1;

/** Writes a view as the fragment of an address, without #. */
export function writeView(range, charts) {
  const parts = [];
  if (range.kind === 'live')
    parts.push(`span=${writeSpan(range.span)}`);
  else if (range.kind === 'all')
    parts.push('span=all');
  else
    parts.push(`from=${integer(range.from)}`, `to=${integer(range.to)}`);
  for (const chart of charts) {
    const func = chart.func === 'auto' ? '' : `${chart.func}:`;
    parts.push(`chart=${func}${chart.keys.map(encodeURIComponent).join(',')}`);
  }
  return parts.join('&');
}

/** Reads a fragment. What is wrong in it is left out; `range` is null where it says none. */
export function readView(fragment) {
  /** @type {Range|null} */
  let range = null;
  let from = NaN;
  let to = NaN;
  const charts = [];
  for (const part of fragment.replace(/^#/, '').split('&')) {
    const [name, value = ''] = part.split(/=(.*)/s);
    if (name === 'span') {
      const span = readSpan(value);
      if (value === 'all')
        range = {kind: 'all'};
      else if (span !== null)
        range = {kind: 'live', span};
    } else if (name === 'from' && /^-?\d+$/.test(value)) {
      from = Number(value);
    } else if (name === 'to' && /^-?\d+$/.test(value)) {
      to = Number(value);
    } else if (name === 'chart' && charts.length < MOST_CHARTS) {
      const chart = readChart(value);
      if (chart)
        charts.push(chart);
    }
  }
  if (to > from)
    range = {kind: 'fixed', ...tidy(from, to)};
  return {range, charts};
}

/** Whether a server can have this key: it would refuse another, and all that is asked for with it. */
function isKey(text) {
  return text !== '' && text !== '*' && !/[\p{White_Space}\p{Cc}]/u.test(text)
    && new TextEncoder().encode(text).length <= LONGEST_KEY;
}

function readChart(text) {
  const [, func = 'auto', list] = /^(?:([a-z0-9]+):)?(.*)$/s.exec(text);
  const keys = [];
  for (const word of list.split(',')) {
    let key;
    try {
      key = decodeURIComponent(word);
    } catch {
      continue;
    }
    if (isKey(key) && !keys.includes(key) && keys.length < MOST_SERIES)
      keys.push(key);
  }
  return keys.length > 0 ? {func: FUNCTIONS.includes(func) ? func : 'auto', keys} : null;
}

/** Events: `change`, when anything did; `range`, when it was the span. */
export class View extends EventTarget {
  /** @type {Range} */
  range = {kind: 'live', span: DEFAULT_SPAN};
  /** @type {ChartState[]} */
  charts = [];
  /** What is begun with where nobody chose a span: it is asked with the keys shown, and says null while it does not know. */
  suggest = (keys) => null;
  #isChosen = false;
  #pushTimer = 0;
  #written = '';

  start() {
    addEventListener('popstate', () => this.#read());
    addEventListener('hashchange', () => this.#read());
    this.#read();
  }

  #read() {
    if (this.#written !== '' && location.hash === `#${this.#written}`)
      return;
    clearTimeout(this.#pushTimer);
    const {range, charts} = readView(location.hash);
    this.#isChosen = range !== null;
    this.range = range ?? {kind: 'live', span: DEFAULT_SPAN};
    // A chart that stays keeps its number, and so its place on the page.
    const old = [...this.charts];
    this.charts = charts.map((chart) => {
      const place = old.findIndex((each) => each.keys.join('\n') === chart.keys.join('\n'));
      const id = place >= 0 ? old.splice(place, 1)[0].id : nextId++;
      return {...chart, id};
    });
    this.#written = location.hash.slice(1);
    this.#fit();
    this.#tell(true);
  }

  /** @returns {boolean} whether the span is another now */
  #fit() {
    const range = this.#isChosen || this.charts.length === 0 ? null : this.suggest(this.charts.flatMap(({keys}) => keys));
    if (!range)
      return false;
    this.#isChosen = true;
    this.range = range;
    return true;
  }

  /** More is known of the series that are shown. */
  fit() {
    if (this.#fit())
      this.#tell(true);
  }

  #tell(ranged) {
    if (ranged)
      this.dispatchEvent(new Event('range'));
    this.dispatchEvent(new Event('change'));
  }

  #write(soon) {
    const text = writeView(this.range, this.charts);
    clearTimeout(this.#pushTimer);
    const push = () => {
      if (text === this.#written)
        return;
      try {
        history.pushState(null, '', `#${text}`);
        this.#written = text;
      } catch {
        // Browsers refuse to take very many in a short time; one of the next is taken.
      }
    };
    // While somebody drags, each picture is not a page to go back to.
    if (soon)
      this.#pushTimer = setTimeout(push, 400);
    else
      push();
  }

  /** Nothing more comes: what is shown is a page to go back to. */
  settle() {
    this.#write(false);
  }

  /** @param {Range} range @param {boolean} [moving] there is more to come */
  setRange(range, moving = false) {
    this.#isChosen = true;
    this.range = range.kind === 'fixed' ? {kind: 'fixed', ...tidy(range.from, range.to)} : range;
    if (this.range.kind === 'live')
      this.range = {kind: 'live', span: Math.max(SHORTEST, Math.min(LONGEST, Math.round(this.range.span)))};
    this.#write(moving);
    this.#tell(true);
  }

  /** @param {string[]} keys @param {string} [func] @returns {ChartState|null} */
  addChart(keys, func = 'auto') {
    if (this.charts.length >= MOST_CHARTS)
      return null;
    const chart = {id: nextId++, func, keys: [...new Set(keys)].slice(0, MOST_SERIES)};
    this.charts = [...this.charts, chart];
    const isFitted = this.#fit();
    this.#write(false);
    this.#tell(isFitted);
    return chart;
  }

  /** @returns {boolean} whether there was room */
  addSeries(id, key) {
    const chart = this.charts.find((each) => each.id === id);
    if (!chart || chart.keys.includes(key))
      return Boolean(chart);
    if (chart.keys.length >= MOST_SERIES)
      return false;
    this.#replace(id, {...chart, keys: [...chart.keys, key]});
    return true;
  }

  removeSeries(id, key) {
    const chart = this.charts.find((each) => each.id === id);
    const keys = chart?.keys.filter((each) => each !== key) ?? [];
    if (keys.length === 0)
      this.removeChart(id);
    else
      this.#replace(id, {...chart, keys});
  }

  setFunction(id, func) {
    const chart = this.charts.find((each) => each.id === id);
    if (chart)
      this.#replace(id, {...chart, func});
  }

  removeChart(id) {
    this.charts = this.charts.filter((chart) => chart.id !== id);
    this.#changed();
  }

  /** Moves a chart to a place among the others. */
  moveChart(id, place) {
    const chart = this.charts.find((each) => each.id === id);
    const others = this.charts.filter((each) => each.id !== id);
    if (!chart || place < 0 || place > others.length)
      return;
    this.charts = [...others.slice(0, place), chart, ...others.slice(place)];
    this.#changed();
  }

  #replace(id, chart) {
    this.charts = this.charts.map((each) => (each.id === id ? chart : each));
    this.#changed();
  }

  #changed() {
    this.#write(false);
    this.#tell(false);
  }
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// All charts, one below the other or side by side where there is room: they show the same span, and move together.

import {now} from './api.js';
import {Chart} from './chart.js';
import {eachFrame, h, setAttributes} from './dom.js';
import {_} from './i18n.js';

const KEY_TYPE = 'application/x-metricsd-key';
const CHART_TYPE = 'application/x-metricsd-chart';
// Charts follow the time as far as a pixel shows it.
const FASTEST = 200;
const SLOWEST = 5000;

export class Board {
  /** @type {Map<number, Chart>} */
  #charts = new Map();
  #view;
  #keys;
  #say;
  #tell;
  #current = 0;
  #timer = 0;
  #hovered = null;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./keys.js').Keys} keys
   * @param {(text: string) => void} say to screen readers
   * @param {(text: string) => void} tell to everybody
   */
  constructor(view, keys, say, tell) {
    this.#view = view;
    this.#keys = keys;
    this.#say = say;
    this.#tell = tell;
    this.element = h('div', {
      id: 'board', class: 'board', 'data-testid': 'board',
      on: {
        dragstart: (event) => this.#dragStart(event), dragover: (event) => this.#dragOver(event),
        drop: (event) => this.#drop(event), pointerdown: (event) => this.#choose(event),
        focusin: (event) => this.#choose(event),
      },
    });
    view.addEventListener('change', () => this.#reconcile());
    view.addEventListener('range', () => this.showAll());
    keys.addEventListener('change', eachFrame(() => {
      for (const chart of this.#charts.values())
        chart.keysChanged();
    }));
    document.addEventListener('visibilitychange', () => this.#tick());
    new ResizeObserver(eachFrame(() => this.#fitRows())).observe(this.element);
  }

  /** The chart that series are added to: the one used last. */
  get current() {
    return this.#view.charts.find(({id}) => id === this.#current) ?? this.#view.charts[this.#view.charts.length - 1] ?? null;
  }

  #choose(event) {
    const id = Number(event.target.closest('.chart')?.dataset.id ?? 0);
    if (id !== 0)
      this.setCurrent(id);
  }

  setCurrent(id) {
    this.#current = id;
    this.#markCurrent();
  }

  #markCurrent() {
    const current = this.current?.id;
    for (const chart of this.#charts.values())
      setAttributes(chart.element, {'data-current': this.#charts.size > 1 && chart.id === current ? 'true' : null});
  }

  #reconcile() {
    const states = this.#view.charts;
    const ids = new Set(states.map(({id}) => id));
    for (const [id, chart] of this.#charts) {
      if (!ids.has(id)) {
        chart.destroy();
        this.#charts.delete(id);
      }
    }
    states.forEach((state, i) => {
      let chart = this.#charts.get(state.id);
      const isNew = !chart;
      if (!chart) {
        chart = new Chart(state, this.#surroundings());
        this.#charts.set(state.id, chart);
      }
      if (this.element.children[i] !== chart.element)
        this.element.insertBefore(chart.element, this.element.children[i] ?? null);
      chart.set(state, i === 0, i === states.length - 1);
      if (isNew)
        chart.show();
    });
    this.#markCurrent();
    this.#fitRows();
    this.#tick();
  }

  /** A chart alone has the page for itself; several share its height as far as they stay readable. */
  #fitRows() {
    const columns = getComputedStyle(this.element).gridTemplateColumns.split(' ').length;
    const rows = Math.ceil(this.#view.charts.length / columns);
    this.element.style.setProperty('--rows', String(Math.max(1, Math.min(3, rows))));
    setAttributes(this.element, {'data-count': this.#view.charts.length});
  }

  /** @returns {import('./chart.js').Surroundings} */
  #surroundings() {
    return {
      view: this.#view,
      window: () => this.window(),
      isMissing: (key) => this.#keys.known && !this.#keys.get(key)?.isKey,
      estimate: (keys, span) => Math.max(...keys.map((key) => this.#keys.estimate(key, span))),
      hover: (at) => {
        this.#hovered = at;
        this.#point();
      },
      pan: (parts, isOver) => this.pan(parts, isOver),
      zoom: (factor, at) => this.zoom(factor, at),
      show: (from, to) => this.#view.setRange({kind: 'fixed', from, to}),
      live: () => this.goLive(),
      showAll: () => this.#view.setRange({kind: 'all'}),
      say: this.#say,
      tell: this.#tell,
    };
  }

  /** The span that is shown now. */
  window() {
    const {range} = this.#view;
    const present = now();
    if (range.kind === 'live')
      return {from: present - range.span, to: present, isOpen: true};
    if (range.kind === 'fixed')
      return {from: range.from, to: range.to, isOpen: false};
    const extent = this.#keys.extent(this.#view.charts.flatMap(({keys}) => keys));
    if (!extent)
      return {from: present - 3600, to: present, isOpen: true};
    const margin = Math.max(2, (extent.to - extent.from) * 0.01);
    return {from: extent.from - margin, to: extent.to + margin, isOpen: true};
  }

  /** Marks in all charts what is pointed at, in the span that is shown now. */
  #point() {
    const {from, to} = this.window();
    if (this.#hovered && 'time' in this.#hovered && (this.#hovered.time < from || this.#hovered.time > to))
      this.#hovered = null;
    const time = this.#hovered && (this.#hovered.time ?? from + this.#hovered.part * (to - from));
    for (const chart of this.#charts.values())
      chart.point(time);
  }

  /** Moves the span by a part of its length. Who moves it stops following the time; beyond the present it is followed again. */
  pan(parts, isOver) {
    if (parts === 0) {
      if (isOver)
        this.#view.settle();
      return;
    }
    const {from, to} = this.window();
    const by = parts * (to - from);
    const wasLive = this.#view.range.kind === 'live';
    if (parts > 0 && (wasLive || (to < now() && to + by >= now())))
      this.#view.setRange({kind: 'live', span: to - from});
    else
      this.#view.setRange({kind: 'fixed', from: from + by, to: to + by}, !isOver || Math.abs(parts) <= 0.1);
  }

  /** Makes the span longer or shorter around a place. While the time is followed its end stays the present. */
  zoom(factor, at) {
    const {from, to} = this.window();
    const length = to - from;
    if (this.#view.range.kind === 'live') {
      this.#view.setRange({kind: 'live', span: length * factor}, true);
      return;
    }
    const middle = from + at * length;
    this.#view.setRange({kind: 'fixed', from: middle - at * length * factor, to: middle + (1 - at) * length * factor}, true);
  }

  goLive() {
    const {from, to} = this.window();
    this.#view.setRange({kind: 'live', span: Math.min(to - from, 31536000)});
  }

  showAll(force = false) {
    for (const chart of this.#charts.values())
      chart.show(force);
    this.#point();
    this.#tick();
  }

  /** Reads all again, but for what is being read: a server that takes longer would never be done. */
  poll() {
    for (const chart of this.#charts.values()) {
      if (chart.loader.state !== 'loading')
        chart.show(true);
    }
  }

  /** The server is there again: what it did not answer is asked for once more. */
  retry() {
    for (const chart of this.#charts.values()) {
      if (chart.loader.error)
        chart.show(true);
    }
  }

  /** Takes points of the stream. */
  take(series) {
    for (const chart of this.#charts.values())
      chart.take(series);
    if (this.#view.range.kind === 'all') {
      for (const chart of this.#charts.values())
        chart.follow();
      this.#point();
    }
  }

  restyle() {
    for (const chart of this.#charts.values())
      chart.restyle();
  }

  /** Follows the time: each time that a pixel's worth of it has passed. */
  #tick() {
    clearTimeout(this.#timer);
    if (this.#view.range.kind !== 'live' || document.hidden || this.#charts.size === 0)
      return;
    const slowest = matchMedia('(prefers-reduced-motion: reduce)').matches ? 2000 : FASTEST;
    const pixel = this.#view.range.span / Math.max(200, this.element.clientWidth) * 1000;
    this.#timer = setTimeout(() => {
      for (const chart of this.#charts.values())
        chart.follow();
      this.#point();
      this.#tick();
    }, Math.max(slowest, Math.min(SLOWEST, pixel)));
  }

  /** Shows a chart to somebody who asked for what it has. */
  reveal(id) {
    const chart = this.#charts.get(id);
    if (!chart)
      return;
    this.setCurrent(id);
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    chart.element.scrollIntoView({block: 'nearest', behavior: calm ? 'auto' : 'smooth'});
  }

  #dragStart(event) {
    const head = event.target.closest?.('.chart-head');
    if (!head)
      return;
    event.dataTransfer.setData(CHART_TYPE, head.closest('.chart').dataset.id);
    event.dataTransfer.effectAllowed = 'move';
  }

  #dragOver(event) {
    const types = [...event.dataTransfer.types];
    if (!types.includes(CHART_TYPE) && !types.includes(KEY_TYPE))
      return;
    event.preventDefault();
    event.dataTransfer.dropEffect = types.includes(CHART_TYPE) ? 'move' : 'copy';
  }

  #drop(event) {
    const target = Number(event.target.closest('.chart')?.dataset.id ?? 0);
    const moved = Number(event.dataTransfer.getData(CHART_TYPE));
    const key = event.dataTransfer.getData(KEY_TYPE);
    event.preventDefault();
    if (moved !== 0 && target !== 0 && moved !== target) {
      this.#view.moveChart(moved, this.#view.charts.findIndex(({id}) => id === target));
    } else if (key !== '' && target !== 0) {
      if (!this.#view.addSeries(target, key))
        this.#tell(_('This chart has no room for more series.'));
    } else if (key !== '') {
      this.#view.addChart([key]);
    }
  }
}

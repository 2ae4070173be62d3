// SPDX-License-Identifier: LGPL-2.1-or-later
// One chart on the page: its head, its legend, the plot, and the same as a table.

import {saveCsv} from './csv.js';
import {ICONS, eachFrame, h, iconButton, setAttributes, setText} from './dom.js';
import {formatCount, formatDuration, formatExact, formatSeries, formatShort, formatTime, functionNames, isTime, unitOf}
  from './format.js';
import {listen} from './gestures.js';
import {_, fill} from './i18n.js';
import {Legend, titleOf} from './legend.js';
import {Loader} from './loader.js';
import {Plot} from './plot.js';
import {gapLimit, makeRows, nearest, placeAfter, placeOf, summarise, valueRange} from './series.js';
import {ValueTable} from './table.js';

/**
 * @typedef {object} Surroundings what a chart needs of the page
 * @property {import('./view.js').View} view
 * @property {() => {from: number, to: number, isOpen: boolean}} window
 * @property {(key: string) => boolean} isMissing whether there certainly is no such series
 * @property {(keys: string[], span: number) => number} estimate how many points one of them probably has in a span
 * @property {(at: {time: number}|{part: number}|null) => void} hover shows the values at a time in all charts, or those at a
 *   part of the span, whichever is shown
 * @property {(parts: number, isOver: boolean) => void} pan
 * @property {(factor: number, at: number) => void} zoom
 * @property {(from: number, to: number) => void} show
 * @property {() => void} live
 * @property {() => void} showAll all points that there are
 * @property {(text: string) => void} say to screen readers
 * @property {(text: string) => void} tell to everybody
 */

// Not for each point, which would never let a screen reader finish (milliseconds).
const DESCRIBED = 5000;

export class Chart {
  /** @param {import('./view.js').ChartState} state @param {Surroundings} around */
  constructor(state, around) {
    this.id = state.id;
    this.state = state;
    this.around = around;
    this.loader = new Loader();
    this.plot = new Plot();
    this.#rows = [];
    this.#draw = eachFrame(() => this.#render());
    this.legend = new Legend((key) => around.view.removeSeries(this.id, key), (key) => this.#toggle(key),
                             (key) => !this.#hidden.has(key));
    this.table = new ValueTable();
    this.element = this.#build();
    this.loader.addEventListener('change', () => {
      this.#stale = true;
      // It is over when it is drawn.
      if (this.loader.state === 'loading')
        setAttributes(this.element, {'aria-busy': 'true'});
      this.#draw();
    });
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(this.plot.element);
    listen(this.plot.surface, this.#hands());
  }

  #rows;
  #limits = [];
  #draw;
  #stale = true;
  #hovered = null;
  /** Keys that are not drawn. This is for a closer look, and is not in the address. */
  #hidden = new Set();
  #span = {from: 0, to: 1, isOpen: true};
  #described = -Infinity;

  #build() {
    const {view} = this.around;
    this.title = h('h2', {class: 'chart-title', dir: 'auto', id: `chart-${this.id}-title`});
    this.func = h('select', {
      class: 'chart-function', 'aria-label': _('Function'), 'data-testid': 'chart-function',
      on: {change: (event) => view.setFunction(this.id, event.target.value)},
    }, ...[...functionNames()].map(([value, text]) => h('option', {value, text})));
    this.step = h('span', {class: 'chart-step', 'data-testid': 'chart-step'});
    const move = (by) => {
      view.moveChart(this.id, view.charts.findIndex(({id}) => id === this.id) + by);
      (by < 0 ? this.up : this.down).focus();
    };
    this.up = iconButton(ICONS.up, _('Move up'), () => move(-1), {class: 'icon-button move', 'data-testid': 'chart-up'});
    this.down = iconButton(ICONS.down, _('Move down'), () => move(1), {class: 'icon-button move', 'data-testid': 'chart-down'});
    this.tableButton = iconButton(ICONS.table, _('Values as a table'), () => this.#toggleTable(),
                                  {'aria-expanded': 'false', 'data-testid': 'chart-table'});
    const save = iconButton(ICONS.download, _('Download as CSV'), () => this.#save(), {'data-testid': 'chart-save'});
    const remove = iconButton(ICONS.close, _('Remove this chart'), () => view.removeChart(this.id),
                              {'data-testid': 'chart-remove'});
    this.message = h('div', {class: 'chart-message', hidden: true, role: 'status', 'data-testid': 'chart-message'});
    this.progress = h('div', {class: 'chart-progress', 'aria-hidden': 'true', hidden: true});
    const head = h('header', {class: 'chart-head', draggable: 'true', title: _('Drag to reorder')},
                   this.title, this.func, this.step,
                   h('span', {class: 'chart-actions'}, this.up, this.down, this.tableButton, save, remove));
    const body = h('div', {class: 'chart-body'}, this.plot.element, this.message, this.progress);
    const section = h('section', {
      class: 'chart', 'aria-labelledby': this.title.id, 'data-testid': 'chart',
      on: {keydown: (event) => this.#key(event, move)},
    }, head, this.legend.element, body, this.table.element);
    section.dataset.id = String(this.id);
    return section;
  }

  #key(event, move) {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown'))
      return;
    const {activeElement} = document;
    move(event.key === 'ArrowUp' ? -1 : 1);
    activeElement.focus();
    event.preventDefault();
  }

  #hands() {
    const {around, plot} = this;
    return {
      // A pointer stays where it is when the span changes; where a finger was, only the time is left.
      hover: (part, isHeld = false) => around.hover(part === null ? null : isHeld ? {part} : {time: plot.timeAt(part)}),
      select: (begin, end, isOver) => {
        plot.select(isOver ? null : begin, end);
        if (isOver && begin !== null)
          around.show(plot.timeAt(Math.min(begin, end)), plot.timeAt(Math.max(begin, end)));
        if (!isOver)
          around.hover({part: end});
      },
      pan: (parts, isOver) => around.pan(parts, isOver),
      zoom: (factor, at) => around.zoom(factor, at),
      step: (steps) => this.#stepHover(steps),
      live: () => around.live(),
    };
  }

  /** Takes its state in the view. @param {import('./view.js').ChartState} state */
  set(state, isFirst, isLast) {
    const isOther = state.keys.join('\n') !== this.state.keys.join('\n') || state.func !== this.state.func;
    this.state = state;
    const focused = document.activeElement;
    this.up.disabled = isFirst;
    this.down.disabled = isLast;
    if (focused === this.up && isFirst && !isLast)
      this.down.focus();
    else if (focused === this.down && isLast && !isFirst)
      this.up.focus();
    this.func.value = state.func;
    setText(this.title, titleOf(state.keys));
    this.title.title = state.keys.join('\n');
    for (const key of this.#hidden) {
      if (!state.keys.includes(key))
        this.#hidden.delete(key);
    }
    this.legend.set(state.keys);
    if (isOther) {
      this.#stale = true;
      this.#described = -Infinity;
      this.show(true);
    }
  }

  /** Shows another span of the page. */
  show(force = false) {
    this.#described = -Infinity;
    this.follow(force);
  }

  /** Shows the span of the page, which is the same, a little later. */
  follow(force = false) {
    this.#span = this.around.window();
    const {from, to, isOpen} = this.#span;
    this.loader.trim(from);
    const {keys, func} = this.state;
    const estimate = this.around.estimate(keys, to - from);
    this.loader.load({keys, func, from, to, pixels: this.plot.width, estimate}, isOpen, force);
    this.#draw();
  }

  take(series) {
    this.loader.take(series);
  }

  #resized() {
    this.plot.resize();
    this.show();
  }

  /** Looks again which of its series there are. */
  keysChanged() {
    this.#showMessage();
  }

  restyle() {
    this.plot.restyle();
    this.legend.restyle();
    this.#draw();
  }

  /** Hides a series, or shows it again. @returns {boolean} whether it is shown now */
  #toggle(key) {
    if (!this.#hidden.delete(key))
      this.#hidden.add(key);
    this.#stale = true;
    this.#described = -Infinity;
    this.#draw();
    return !this.#hidden.has(key);
  }

  /** The points of each series, in order; none of those that are hidden. */
  get lists() {
    return this.state.keys.map((key) => (this.#hidden.has(key) ? [] : this.loader.points.get(key) ?? []));
  }

  get unit() {
    const units = new Set(this.state.keys.map((key) => unitOf(key, this.loader.func)));
    return units.size === 1 ? [...units][0] : '';
  }

  #render() {
    if (!this.element.isConnected)
      return;
    const {from, to} = this.#span;
    if (this.#stale) {
      this.#rows = makeRows(this.lists, this.loader.step);
      this.#limits = this.lists.map((points) => gapLimit(points, this.loader.step));
      this.#stale = false;
    }
    const bands = this.#bands();
    const range = valueRange([...this.lists, ...bands.flatMap(({low, high}) => [low, high])], from, to);
    this.plot.draw({keys: this.state.keys, rows: this.#rows, from, to, unit: this.unit, range, bands});
    const {step, func, state} = this.loader;
    const hasBand = this.loader.bands.size > 0;
    setAttributes(this.step, {title: hasBand ? _('The band reaches from the lowest to the highest value.') : null});
    const duration = isTime(to) ? formatDuration(step) : formatCount(step);
    setText(this.step, step > 0 ? fill(_('a point per {step}'), {step: duration}) : _('all points'));
    const points = this.lists.reduce((sum, list) => sum + (summarise(list, from, to)?.count ?? 0), 0);
    Object.assign(this.element.dataset, {from, to, step, function: func, points});
    this.progress.hidden = state !== 'loading';
    setAttributes(this.element, {'aria-busy': String(state === 'loading')});
    this.#showMessage();
    this.#showValues();
    this.#describe();
    if (!this.table.element.hidden)
      this.table.show(this.state.keys, this.#rows, from, to);
  }

  #bands() {
    const {bands, step} = this.loader;
    return this.state.keys.filter((key) => bands.has(key)).map((key) => {
      const {low, high} = this.#hidden.has(key) ? {low: [], high: []} : bands.get(key);
      return {low, high, limit: gapLimit(low, step)};
    });
  }

  #showMessage() {
    const {state, error} = this.loader;
    const {from, to} = this.#span;
    const isEmpty = state === 'ready' && !error && this.#hidden.size === 0 && this.lists.every((points) => !summarise(points, from, to));
    const isMissing = isEmpty && this.state.keys.every((key) => this.around.isMissing(key));
    const name = error ? `error ${error.message}` : isMissing ? `missing ${this.state.keys.join(' ')}` : isEmpty ? 'empty' : '';
    this.message.hidden = name === '' || (state === 'loading' && !error);
    if (this.message.dataset.name === name)
      return;
    this.message.dataset.name = name;
    if (error) {
      this.message.replaceChildren(
        h('p', {text: error.inWords ? error.inWords() : String(error.message)}),
        h('button', {type: 'button', text: _('Try again'), on: {click: () => this.show(true)}}));
    } else if (isMissing) {
      const [key, ...others] = this.state.keys;
      this.message.replaceChildren(h('p', {
        text: others.length === 0 ? fill(_('There is no series {key} yet.'), {key}) : _('None of these series is there yet.'),
      }));
    } else if (isEmpty) {
      this.message.replaceChildren(
        h('p', {text: _('There are no points in this span.')}),
        h('button', {type: 'button', text: _('Show all points'), on: {click: () => this.around.showAll()}}));
    }
  }

  /** Marks a time: the values of all series there, or of the newest points with null. */
  point(time) {
    if (time === null && this.#hovered === null)
      return;
    this.#hovered = time;
    this.#showValues();
  }

  #showValues() {
    const {from, to} = this.#span;
    const {keys} = this.state;
    const unit = (key) => unitOf(key, this.loader.func);
    if (this.#hovered === null) {
      this.plot.point(null);
      this.legend.show(null, '', keys.map((key, i) => {
        const summary = summarise(this.lists[i], from, to);
        return summary ? formatShort(summary.last[1], unit(key), 5) : '–';
      }));
      return;
    }
    const found = this.#valuesAt(this.#hovered);
    this.plot.point(found);
    this.legend.show(found.time, formatTime(found.time), keys.map((key, i) => {
      const point = found.points[i];
      return point ? formatShort(point[1], unit(key), 6) : '–';
    }));
  }

  /** The time of the point nearest to a time, and each series' point there: not exactly, for each has its own times. */
  #valuesAt(time) {
    const {from, to} = this.#span;
    const near = this.lists.map((points) => nearest(points, time))
      .filter((point) => point && point[0] >= from && point[0] <= to);
    near.sort((a, b) => Math.abs(a[0] - time) - Math.abs(b[0] - time));
    const at = near.length > 0 ? near[0][0] : time;
    // As far as a line reaches from it, and some pixels.
    const reach = Math.max(this.loader.step, (to - from) / this.plot.width * 6);
    const reachOf = (i) => (Number.isFinite(this.#limits[i]) ? Math.max(reach, this.#limits[i] / 2) : reach);
    return {time: at, points: this.lists.map((points, i) => nearest(points, at, reachOf(i)))};
  }

  /** Goes from point to point, for who has no pointer. */
  #stepHover(steps) {
    const {from, to} = this.#span;
    const times = [...new Set(this.lists.flatMap((points) => points.slice(placeOf(points, from), placeAfter(points, to))
      .map(([time]) => time)))].sort((a, b) => a - b);
    if (times.length === 0) {
      this.around.say(_('There are no points in this span.'));
      return;
    }
    let place = times.length - 1;
    if (this.#hovered !== null) {
      const at = this.#valuesAt(this.#hovered).time;
      place = Math.max(0, Math.min(times.length - 1, times.indexOf(at) + steps));
    }
    this.around.hover({time: times[place]});
    const {points} = this.#valuesAt(times[place]);
    const values = this.state.keys.map((key, i) => `${this.legend.names[i]} ${points[i] ? formatExact(points[i][1]) : '–'}`);
    this.around.say(`${formatTime(times[place])}: ${values.join(', ')}`);
  }

  /** What the chart shows, in words. */
  #describe() {
    const present = performance.now();
    if (present - this.#described < DESCRIBED)
      return;
    this.#described = this.loader.state === 'ready' ? present : -Infinity;
    const {from, to} = this.#span;
    const parts = this.state.keys.slice(0, 8).map((key, i) => {
      const summary = summarise(this.lists[i], from, to);
      const unit = unitOf(key, this.loader.func);
      return summary ? fill(_('{key}: last {last}, lowest {low}, highest {high}'), {
        key, last: formatShort(summary.last[1], unit),
        low: formatShort(summary.low, unit), high: formatShort(summary.high, unit),
      }) : fill(_('{key}: no points'), {key});
    });
    setAttributes(this.plot.surface, {
      'aria-label': fill(_('Chart, {series}, {from} to {to}. {values}'), {
        series: formatSeries(this.state.keys.length), from: formatTime(from), to: formatTime(to), values: parts.join('; '),
      }),
      'aria-roledescription': _('chart'),
    });
  }

  /** Downloads what is shown. */
  async #save() {
    const {from, to} = this.#span;
    const {step, func} = this.loader;
    try {
      await saveCsv({keys: this.state.keys, from, to, step, func});
    } catch (error) {
      this.around.tell(error.inWords ? error.inWords() : String(error.message));
    }
  }

  #toggleTable() {
    this.table.element.hidden = !this.table.element.hidden;
    setAttributes(this.tableButton, {'aria-expanded': String(!this.table.element.hidden)});
    this.#draw();
  }

  destroy() {
    this.loader.stop();
    this.observer.disconnect();
    this.plot.destroy();
    this.element.remove();
  }
}

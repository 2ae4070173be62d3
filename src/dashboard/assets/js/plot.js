// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines in a frame, drawn by dygraphs: of its parts only the grid and the axes, since the others write style attributes,
// which the Content-Security-Policy forbids. Pointers and keys are ours (gestures.js).

import {h} from './dom.js';
import {timeTicks, valueTicks} from './ticks.js';

const {Dygraph} = window;
// Of the labels beside the frame, where the page is wide and where it is narrow.
const LABEL_WIDTH = 60;
const NARROW = 54;
const NEWLINE = '\n';

Dygraph.PLUGINS = [Dygraph.Plugins.Axes, Dygraph.Plugins.Grid];

/** The colours of series in the theme that holds; beyond eight, lines are dashed. */
export function seriesStyle(element, place) {
  const colour = getComputedStyle(element).getPropertyValue(`--series-${place % 8 + 1}`).trim();
  const dash = [null, [7, 3], [2, 2]][Math.floor(place / 8) % 3];
  return {colour, dash};
}

export class Plot {
  #graph = null;
  #keys = [];
  #from = 0;
  #to = 1;
  #unit = '';
  #dots = [];
  #bands = [];

  constructor() {
    this.drawing = h('div', {class: 'plot-drawing', 'aria-hidden': 'true'});
    this.cross = h('div', {class: 'plot-cross', hidden: true});
    this.selection = h('div', {class: 'plot-selection', hidden: true});
    this.marks = h('div', {class: 'plot-marks'});
    this.surface = h('div', {
      class: 'plot-surface', tabindex: '0', role: 'application', 'data-testid': 'plot',
    });
    this.element = h('div', {class: 'plot'}, this.drawing, this.cross, this.marks, this.selection, this.surface);
  }

  /** The width of the frame itself, in pixels. */
  get width() {
    return Math.max(50, this.drawing.clientWidth - this.#labelWidth - 12);
  }

  get #labelWidth() {
    return this.drawing.clientWidth < 480 ? NARROW : LABEL_WIDTH;
  }

  /**
   * Draws rows (series.js) of the keys in a span.
   * @param {{low: [number, number][], high: [number, number][], limit: number}[]} bands behind the lines, in the order of the
   *   keys; a band is broken where its points are further apart than `limit`
   */
  draw({keys, rows, from, to, unit, range, bands}) {
    this.#from = from;
    this.#to = to;
    this.#unit = unit;
    this.#bands = bands;
    if (this.drawing.clientWidth === 0 || this.drawing.clientHeight === 0)
      return;
    const isNew = !this.#graph || keys.join(NEWLINE) !== this.#keys.join(NEWLINE);
    this.#keys = [...keys];
    const data = rows.length > 0 ? rows : [[from, ...keys.map(() => null)]];
    if (isNew) {
      this.#graph?.destroy();
      this.#graph = new Dygraph(this.drawing, data, this.#options(keys, range));
    } else {
      this.#graph.updateOptions({file: data, dateWindow: [from, to], valueRange: range});
    }
    this.#place();
  }

  #options(keys, valueRange) {
    const styles = keys.map((key, i) => seriesStyle(this.element, i));
    const look = getComputedStyle(this.element);
    const colour = (name) => look.getPropertyValue(name).trim();
    const labels = keys.map((key, i) => String(i));
    return {
      labels: ['x', ...labels],
      colors: styles.map((style) => style.colour),
      series: Object.fromEntries(labels.map((label, i) => [label, {strokePattern: styles[i].dash}])),
      dateWindow: [this.#from, this.#to],
      valueRange,
      underlayCallback: (context, area, graph) => this.#drawBands(context, graph),
      axes: {
        x: {ticker: (low, high, pixels) => timeTicks(low, high, pixels / 100), axisLabelWidth: 90, axisLabelFormatter: String,
            drawGrid: true},
        y: {ticker: (low, high, pixels) => valueTicks(low, high, pixels / 36, this.#unit), axisLabelWidth: this.#labelWidth,
            axisLabelFormatter: String},
      },
      axisLabelFontSize: 12,
      axisLineColor: colour('--axis'),
      gridLineColor: colour('--grid'),
      gridLineWidth: 1,
      strokeWidth: 1.5,
      connectSeparatedPoints: true,
      drawGapEdgePoints: true,
      pointSize: 2,
      highlightCircleSize: 0,
      rightGap: 8,
      xRangePad: 0,
      interactionModel: {},
      animatedZooms: false,
      legend: 'never',
    };
  }

  #drawBands(context, graph) {
    this.#bands.forEach(({low, high, limit}, i) => {
      const x = (point) => graph.toDomXCoord(point[0]);
      const y = (point) => graph.toDomYCoord(point[1]);
      context.save();
      context.globalAlpha = 0.18;
      context.fillStyle = seriesStyle(this.element, i).colour;
      for (let begin = 0, end = 1; begin < low.length; begin = end, end = begin + 1) {
        while (end < low.length && low[end][0] - low[end - 1][0] <= limit)
          end++;
        context.beginPath();
        for (let at = begin; at < end; at++)
          context.lineTo(x(low[at]), y(low[at]));
        for (let at = Math.min(end, high.length) - 1; at >= begin; at--)
          context.lineTo(x(high[at]), y(high[at]));
        context.fill();
      }
      context.restore();
    });
  }

  /** Draws all anew: the theme or the size is another. */
  restyle() {
    this.#keys = [];
  }

  resize() {
    if (!this.#graph)
      return;
    this.#graph.resize();
    this.#place();
  }

  /** Lays the surface over the frame, without the axes. */
  #place() {
    const {x, y, w, h: height} = this.#graph.getArea();
    for (const element of [this.surface, this.marks, this.selection, this.cross]) {
      element.style.top = `${y}px`;
      element.style.height = `${height}px`;
    }
    for (const element of [this.surface, this.marks]) {
      element.style.left = `${x}px`;
      element.style.width = `${w}px`;
    }
  }

  /** The time at a place of the surface, as a part of its width. */
  timeAt(part) {
    return this.#from + part * (this.#to - this.#from);
  }

  /**
   * Shows a line at a time and a dot at each point; null hides them.
   * @param {{time: number, points: ([number, number]|null)[]}|null} at
   */
  point(at) {
    this.cross.hidden = at === null || at.time < this.#from || at.time > this.#to;
    if (!this.#graph || this.cross.hidden) {
      this.marks.replaceChildren();
      this.#dots = [];
      return;
    }
    const area = this.#graph.getArea();
    this.cross.style.left = `${Math.round(this.#graph.toDomXCoord(at.time))}px`;
    while (this.#dots.length < at.points.length) {
      const dot = h('i', {class: 'plot-dot'});
      this.#dots.push(dot);
      this.marks.append(dot);
    }
    this.#dots.forEach((dot, i) => {
      const point = at.points[i];
      dot.hidden = !point;
      if (!point)
        return;
      dot.style.left = `${this.#graph.toDomXCoord(point[0]) - area.x}px`;
      dot.style.top = `${this.#graph.toDomYCoord(point[1]) - area.y}px`;
      dot.style.backgroundColor = seriesStyle(this.element, i).colour;
    });
  }

  /** Shows what is being selected, as parts of the width; null hides it. */
  select(begin, end) {
    this.selection.hidden = begin === null;
    if (begin === null || !this.#graph)
      return;
    const {x, w} = this.#graph.getArea();
    this.selection.style.left = `${x + Math.min(begin, end) * w}px`;
    this.selection.style.width = `${Math.abs(end - begin) * w}px`;
  }

  destroy() {
    this.#graph?.destroy();
    this.#graph = null;
  }
}

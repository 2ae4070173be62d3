// SPDX-License-Identifier: LGPL-2.1-or-later
// The values of a chart that are in view, as a table: for who does not see lines, or wants to copy numbers.

import {h} from './dom.js';
import {formatCount, formatExact, formatTime} from './format.js';
import {_, fill, ngettext} from './i18n.js';

const MOST = 250;
// It is not made anew for each point.
const PAUSE = 1000;

export class ValueTable {
  #last = 0;
  #timer = 0;

  constructor() {
    this.element = h('div', {class: 'chart-table', hidden: true, tabindex: '0', role: 'region',
                             'aria-label': _('Values as a table'), 'data-testid': 'table'});
  }

  /** @param {string[]} keys @param {any[][]} rows */
  show(keys, rows, from, to) {
    clearTimeout(this.#timer);
    const wait = this.#last + PAUSE - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => this.show(keys, rows, from, to), wait);
      return;
    }
    this.#last = performance.now();
    const shown = rows.filter((row) => row[0] >= from && row[0] <= to && row.slice(1).some(Number.isFinite));
    const newest = shown.slice(-MOST).reverse();
    const caption = shown.length > MOST
      ? fill(ngettext('The newest {most} of {n} time', 'The newest {most} of {n} times', shown.length),
             {most: formatCount(MOST), n: formatCount(shown.length)})
      : fill(ngettext('{n} time', '{n} times', shown.length), {n: formatCount(shown.length)});
    this.element.replaceChildren(h('table', {},
      h('caption', {text: caption}),
      h('thead', {}, h('tr', {}, h('th', {scope: 'col', text: _('Time')}),
                       ...keys.map((key) => h('th', {scope: 'col', dir: 'auto', text: key})))),
      h('tbody', {}, ...newest.map((row) => h('tr', {}, h('th', {scope: 'row', text: formatTime(row[0])}),
        ...row.slice(1).map((value) => h('td', {text: Number.isFinite(value) ? formatExact(value) : ''})))))));
  }
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// The series of a chart, each with its colour, its value and ways to hide and to remove it.

import {ICONS, h, iconButton, setAttributes, setText} from './dom.js';
import {_, fill} from './i18n.js';
import {seriesStyle} from './plot.js';

/** What all keys begin with, up to a dot; without it, each is what it is called in the chart. */
function commonPrefix(keys) {
  if (keys.length < 2)
    return '';
  const parts = keys.map((key) => key.split('.'));
  let length = 0;
  while (parts.every((each) => each.length > length + 1 && each[length] === parts[0][length]))
    length++;
  return length > 0 ? `${parts[0].slice(0, length).join('.')}.` : '';
}

/** What a chart is called. */
export function titleOf(keys) {
  if (keys.length === 1)
    return keys[0];
  const prefix = commonPrefix(keys);
  const names = keys.map((key) => key.slice(prefix.length)).join(', ');
  return prefix === '' ? names : `${prefix.slice(0, -1)}: ${names}`;
}

export class Legend {
  /**
   * @param {(key: string) => void} remove
   * @param {(key: string) => boolean} toggle hides a series or shows it again; returns whether it is shown now
   * @param {(key: string) => boolean} isShown
   */
  constructor(remove, toggle, isShown) {
    this.remove = remove;
    this.toggle = toggle;
    this.isShown = isShown;
    /** @type {string[]} */
    this.names = [];
    this.keys = [];
    this.time = h('span', {class: 'legend-time', 'data-testid': 'legend-time'});
    this.list = h('ul', {class: 'legend-list'});
    this.element = h('div', {class: 'legend', 'data-testid': 'legend'}, this.list, this.time);
  }

  set(keys) {
    if (keys.join('\n') === this.keys.join('\n'))
      return;
    this.keys = keys;
    const prefix = commonPrefix(keys);
    this.names = keys.map((key) => key.slice(prefix.length));
    this.list.replaceChildren(...keys.map((key, i) => {
      const item = h('li', {class: 'legend-item', title: key, 'data-testid': 'legend-item'},
                     h('i', {class: 'legend-mark', 'aria-hidden': 'true'}),
                     this.#name(key, this.names[i]),
                     h('output', {class: 'legend-value', 'aria-live': 'off', 'data-testid': 'legend-value'}),
                     iconButton(ICONS.close, fill(_('Remove {key} from this chart'), {key}), () => this.remove(key),
                                {class: 'icon-button small', 'data-testid': 'legend-remove'}));
      item.dataset.key = key;
      return item;
    }));
    requestAnimationFrame(() => this.restyle());
  }

  #name(key, name) {
    const button = h('button', {
      type: 'button', class: 'legend-name', dir: 'auto', text: name, 'aria-pressed': String(this.isShown(key)),
      'data-testid': 'legend-name', on: {click: () => setAttributes(button, {'aria-pressed': String(this.toggle(key))})},
    });
    return button;
  }

  restyle() {
    [...this.list.children].forEach((item, i) => {
      const {colour, dash} = seriesStyle(this.element, i);
      const mark = item.firstElementChild;
      mark.style.borderTopColor = colour;
      mark.style.borderTopStyle = dash === null ? 'solid' : dash[0] > 3 ? 'dashed' : 'dotted';
    });
  }

  /**
   * @param {number|null} time of the values, or null where they are the newest
   * @param {string} text
   * @param {string[]} values
   */
  show(time, text, values) {
    setText(this.time, text);
    this.time.dataset.time = time === null ? '' : String(time);
    [...this.list.children].forEach((item, i) => setText(item.children[2], values[i] ?? ''));
  }
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// The tree of keys on the page. Only rows in view are elements, and the one that has the focus.

import {ICONS, debounce, eachFrame, h, iconButton, setAttributes, setText} from './dom.js';
import {formatCount, formatExact, formatShort, formatTime, unitOf} from './format.js';
import {_, fill} from './i18n.js';
import {drawSpark} from './spark.js';
import {MOST_SERIES} from './view.js';

// Rows beyond the view on both sides, so that none is missing while it is scrolled.
const SPARE = 6;
const INDENT = 14;
const DEEPEST_INDENT = 12;

/**
 * Events, all with `detail`: `open` a key, `add` a key to the chart in hand, `group` the keys of a group, as far as a chart
 * has room for them, and how many there are, `view` the keys that are in view.
 */
export class Tree extends EventTarget {
  #keys;
  #sparks;
  /** @type {import('./keys.js').KeyNode[]} */
  #rows = [];
  #places = new Map();
  /** @type {Map<string, HTMLElement>} */
  #elements = new Map();
  #active = '';
  #shown = new Set();
  #typed = '';
  #rowHeight = 28;
  #draw = eachFrame(() => this.#render());
  #forgetTyped = debounce(800, () => {
    this.#typed = '';
  });

  /** @param {import('./keys.js').Keys} keys @param {import('./spark.js').Sparks} sparks */
  constructor(keys, sparks) {
    super();
    this.#keys = keys;
    this.#sparks = sparks;
    this.space = h('div', {class: 'tree-space', role: 'presentation'});
    this.element = h('div', {
      id: 'tree', class: 'tree', role: 'tree', 'aria-label': _('Series'), 'aria-multiselectable': 'true', 'aria-busy': 'true',
      'data-testid': 'tree',
      on: {
        scroll: this.#draw, keydown: (event) => this.#key(event), click: (event) => this.#click(event),
        focusin: (event) => this.#focused(event), dragstart: (event) => this.#drag(event),
      },
    }, this.space);
    keys.addEventListener('change', eachFrame(() => this.#layOut()));
    sparks.addEventListener('change', this.#draw);
    new ResizeObserver(() => this.#measure()).observe(this.element);
  }

  /** Draws rows again whose values are new. */
  refresh() {
    this.#draw();
  }

  /** @param {Iterable<string>} keys those that are in a chart */
  showSelected(keys) {
    this.#shown = new Set(keys);
    this.#draw();
  }

  /** Goes to the first row of the tree as it is now. */
  focusFirst() {
    this.#layOut();
    if (this.#rows.length > 0)
      this.#moveTo(0);
  }

  #measure() {
    const height = parseFloat(getComputedStyle(this.element).getPropertyValue('--row'));
    this.#rowHeight = height > 0 ? height : 28;
    this.#layOut();
  }

  #layOut() {
    this.#rows = this.#keys.rows();
    this.#places = new Map(this.#rows.map((node, i) => [node.path, i]));
    if (!this.#places.has(this.#active))
      this.#active = this.#rows[0]?.path ?? '';
    this.space.style.height = `${this.#rows.length * this.#rowHeight}px`;
    this.#draw();
  }

  #render() {
    const first = Math.max(0, Math.floor(this.element.scrollTop / this.#rowHeight) - SPARE);
    const count = Math.ceil(this.element.clientHeight / this.#rowHeight) + 2 * SPARE;
    const places = new Set();
    for (let i = first; i < Math.min(this.#rows.length, first + count); i++)
      places.add(i);
    const active = this.#places.get(this.#active);
    if (active !== undefined)
      places.add(active);
    const left = new Map(this.#elements);
    const wanted = [];
    const colour = getComputedStyle(this.element).getPropertyValue('--spark');
    const sorted = [...places].sort((a, b) => a - b);
    for (const place of sorted) {
      const node = this.#rows[place];
      left.delete(node.path);
      let element = this.#elements.get(node.path);
      if (!element) {
        element = this.#makeRow(node);
        this.#elements.set(node.path, element);
        this.space.append(element);
      }
      this.#updateRow(element, node, place, colour);
      if (node.isKey)
        wanted.push(node.path);
    }
    for (const [path, element] of left) {
      this.#elements.delete(path);
      element.remove();
    }
    this.#keepOrder(sorted);
    this.#sparks.want(wanted);
    this.dispatchEvent(new CustomEvent('view', {detail: wanted}));
  }

  /** Screen readers read in the order of elements. Who has the focus is not moved, which would take it away. */
  #keepOrder(sorted) {
    let before = null;
    for (let i = sorted.length - 1; i >= 0; i--) {
      const element = this.#elements.get(this.#rows[sorted[i]].path);
      if (element.nextSibling !== before && !element.contains(document.activeElement))
        this.space.insertBefore(element, before);
      before = element;
    }
  }

  #makeRow(node) {
    const row = h('div', {class: 'row', role: 'treeitem', draggable: 'true', 'data-testid': 'tree-row'});
    row.dataset.path = node.path;
    const fold = h('span', {class: 'fold', 'aria-hidden': 'true'});
    const name = h('span', {class: 'name', dir: 'auto'});
    const spark = h('canvas', {class: 'spark', 'aria-hidden': 'true'});
    const value = h('span', {class: 'value', 'data-testid': 'tree-value'});
    const add = iconButton(ICONS.add, '', () => {}, {class: 'icon-button add', tabindex: '-1', 'data-testid': 'tree-add'});
    row.append(fold, name, spark, value, add);
    return row;
  }

  #updateRow(row, node, place, colour) {
    const isGroup = node.children !== null && node.children.size > 0;
    const isOpen = isGroup && this.#keys.isOpen(node);
    const unit = unitOf(node.path);
    const value = node.isKey && node.value !== undefined ? formatShort(node.value, unit) : '';
    const [fold, name, spark, shown, add] = row.children;
    const label = node.name === '' ? _('(empty)') : node.name;
    row.style.transform = `translateY(${place * this.#rowHeight}px)`;
    row.style.paddingInlineStart = `${4 + Math.min(node.level - 1, DEEPEST_INDENT) * INDENT}px`;
    const said = node.isKey ? label : fill(_('{name}, group of {n}'), {name: label, n: formatCount(node.count)});
    setAttributes(row, {
      'aria-level': node.level, 'aria-setsize': node.siblings, 'aria-posinset': node.place,
      'aria-expanded': isGroup ? String(isOpen) : null, 'aria-selected': String(this.#shown.has(node.path)),
      'aria-label': value === '' ? said : `${said}, ${value}`, tabindex: node.path === this.#active ? '0' : '-1',
      title: describe(node),
    });
    if (node.isKey)
      row.dataset.key = node.path;
    else
      delete row.dataset.key;
    row.dataset.kind = node.isKey ? 'key' : 'group';
    setAttributes(fold, {class: isGroup ? (isOpen ? 'fold open' : 'fold closed') : 'fold'});
    setText(name, label);
    setText(shown, node.isKey ? value : isGroup ? formatCount(node.count) : '');
    const action = node.isKey ? _('Add to the current chart') : _('Chart of this group');
    setAttributes(add, {'aria-label': `${action}: ${node.path}`, title: action});
    if (node.isKey)
      drawSpark(spark, this.#sparks.get(node.path), colour);
    spark.hidden = !node.isKey;
  }

  #focused(event) {
    const row = event.target.closest('.row');
    if (row && row.dataset.path !== this.#active) {
      this.#active = row.dataset.path;
      this.#draw();
    }
  }

  #click(event) {
    const row = event.target.closest('.row');
    const node = row && this.#rows[this.#places.get(row.dataset.path)];
    if (!node)
      return;
    if (event.target.closest('.add'))
      this.#add(node);
    else if (node.children && (!node.isKey || event.target.closest('.fold')))
      this.#keys.setOpen(node, !this.#keys.isOpen(node));
    else if (event.shiftKey || event.ctrlKey || event.metaKey)
      this.#tell('add', node.path);
    else
      this.#tell('open', node.path);
  }

  #add(node) {
    if (node.isKey)
      this.#tell('add', node.path);
    else
      this.#tell('group', {keys: this.#keys.keysIn(node, MOST_SERIES), count: node.count});
  }

  #drag(event) {
    const row = event.target.closest('.row');
    const node = row && this.#rows[this.#places.get(row.dataset.path)];
    if (!node?.isKey) {
      event.preventDefault();
      return;
    }
    event.dataTransfer.setData('application/x-metricsd-key', node.path);
    event.dataTransfer.setData('text/plain', node.path);
    event.dataTransfer.effectAllowed = 'copy';
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }

  #moveTo(place) {
    const node = this.#rows[Math.max(0, Math.min(this.#rows.length - 1, place))];
    if (!node)
      return;
    this.#active = node.path;
    const top = this.#places.get(node.path) * this.#rowHeight;
    if (top < this.element.scrollTop)
      this.element.scrollTop = top;
    else if (top + this.#rowHeight > this.element.scrollTop + this.element.clientHeight)
      this.element.scrollTop = top + this.#rowHeight - this.element.clientHeight;
    this.#render();
    this.#elements.get(node.path).focus({preventScroll: true});
  }

  #key(event) {
    const place = this.#places.get(this.#active);
    const node = this.#rows[place];
    if (!node || event.altKey || event.ctrlKey || event.metaKey)
      return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.#rowHeight) - 1);
    const moves = {ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page, Home: 0,
                   End: this.#rows.length - 1};
    if (event.key in moves)
      this.#moveTo(moves[event.key]);
    else if (event.key === 'ArrowRight')
      this.#unfold(node, place);
    else if (event.key === 'ArrowLeft')
      this.#fold(node);
    else if (event.key === 'Enter' || event.key === ' ')
      this.#choose(node, event.shiftKey);
    else if (event.key === '+')
      this.#add(node);
    else if (event.key === '*')
      this.#unfoldSiblings(node);
    else if (event.key.length === 1 && event.key !== '/' && event.key !== '?')
      this.#type(event.key, place);
    else
      return;
    event.preventDefault();
    event.stopPropagation();
  }

  #choose(node, beside) {
    if (!node.isKey)
      this.#keys.setOpen(node, !this.#keys.isOpen(node));
    else
      this.#tell(beside ? 'add' : 'open', node.path);
  }

  #unfold(node, place) {
    if (!node.children)
      return;
    if (this.#keys.isOpen(node))
      this.#moveTo(place + 1);
    else
      this.#keys.setOpen(node, true);
  }

  #fold(node) {
    if (node.children && this.#keys.isOpen(node))
      this.#keys.setOpen(node, false);
    else if (node.parent && node.parent.level > 0)
      this.#moveTo(this.#places.get(node.parent.path));
  }

  #unfoldSiblings(node) {
    for (const sibling of this.#keys.childrenOf(node.parent)) {
      if (sibling.children)
        this.#keys.setOpen(sibling, true);
    }
  }

  /** Goes to the next row that begins with what is typed. */
  #type(letter, place) {
    this.#typed += letter.toLocaleLowerCase();
    this.#forgetTyped();
    const start = this.#typed.length === 1 ? 1 : 0;
    for (let i = 0; i < this.#rows.length; i++) {
      const at = (place + start + i) % this.#rows.length;
      if (this.#rows[at].name.toLocaleLowerCase().startsWith(this.#typed)) {
        this.#moveTo(at);
        return;
      }
    }
  }
}

function describe(node) {
  if (!node.isKey || node.value === undefined)
    return node.path;
  return `${node.path}\n${formatExact(node.value)}\n${formatTime(node.last)}`;
}

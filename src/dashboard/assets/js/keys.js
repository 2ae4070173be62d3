// SPDX-License-Identifier: LGPL-2.1-or-later
// All keys, as a tree: split at dots, searched, and laid out as the rows that are unfolded.

import {getLocale} from './i18n.js';

/**
 * @typedef {object} KeyNode
 * @property {string} path the key, or what all keys below begin with
 * @property {string} lower the key in lower case, to search in
 * @property {string} name its last part
 * @property {number} level 1 at the top
 * @property {KeyNode|null} parent
 * @property {Map<string, KeyNode>|null} children
 * @property {KeyNode[]|null} sorted
 * @property {boolean} isKey
 * @property {boolean|null} open null: as it comes
 * @property {number} keys in it, and itself
 * @property {number} count of them, those that the search found
 * @property {number} points
 * @property {number} first @property {number} last timestamps
 * @property {number|undefined} value the newest, where it is known
 * @property {number} found by which search
 * @property {number} place among its siblings that are shown, from 1
 * @property {number} siblings
 */

// Up to so many rows a tree is unfolded as it comes.
const ROOM = 100;
// How many keys of one group are suggested for a chart, and how many rows of the tree are looked at to find some.
const SMALL_GROUP = 8;
const SUGGESTED_FROM = 2000;

function makeNode(path, name, level, parent) {
  return {path, lower: '', name, level, parent, children: null, sorted: null, isKey: false, open: null, keys: 0, count: 0,
          points: 0, first: 0, last: 0, value: undefined, found: 0, place: 1, siblings: 1};
}

/**
 * A search, of keys in lower case: all words have to be in a key; `*` and `?` make a word a pattern of a whole key. Null
 * finds all.
 */
export function makeMatcher(text) {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== '');
  if (words.length === 0)
    return null;
  const tests = words.map((word) => {
    if (!/[*?]/.test(word))
      return (key) => key.includes(word);
    const source = word.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*').replace(/\?/g, '.');
    const pattern = new RegExp(`^${source}$`, 'su');
    return (key) => pattern.test(key);
  });
  return (lower) => tests.every((test) => test(lower));
}

/** Event: `change`, when keys came or went, or the search is another. */
export class Keys extends EventTarget {
  /** @type {Map<string, KeyNode>} */
  #byKey = new Map();
  #root = makeNode('', '', 0, null);
  #fresh = new Set();
  #search = 0;
  #matcher = null;
  #depth = Infinity;
  #collator = new Intl.Collator(getLocale(), {numeric: true});
  /** How many keys the search found. */
  found = 0;
  /** Whether the server has said which there are. */
  known = false;

  get size() {
    return this.#byKey.size;
  }

  get isSearched() {
    return this.#matcher !== null;
  }

  /** @returns {KeyNode|undefined} */
  get(key) {
    return this.#byKey.get(key);
  }

  /** Says that the list is being asked for: what comes by the stream from now on is not gone though the list lacks it. */
  expect() {
    this.#fresh.clear();
  }

  /** Takes the list of the server: what is not in it is gone, and what came by the stream meanwhile stays newer. */
  replace(list) {
    const gone = new Set(this.#byKey.keys());
    for (const key of this.#fresh)
      gone.delete(key);
    for (const {key, points, first, last} of list) {
      gone.delete(key);
      const node = this.#byKey.get(key) ?? this.#add(key);
      node.points = points;
      node.first = first;
      if (last !== node.last && !(node.value !== undefined && node.last > last)) {
        node.last = last;
        node.value = undefined;
      }
    }
    for (const key of gone)
      this.#remove(key);
    // Once, for groups must not fold by themselves.
    if (this.#depth === Infinity && this.#byKey.size > 0)
      this.#depth = this.#measureDepth();
    this.known = true;
    this.#changed();
  }

  /** Takes points of the stream: a list of {key, points}. */
  take(series) {
    let isNew = false;
    for (const {key, points} of series) {
      let node = this.#byKey.get(key);
      if (!node) {
        node = this.#add(key);
        this.#fresh.add(key);
        isNew = true;
      }
      for (const [time, value] of points) {
        if (node.points === 0 || time < node.first)
          node.first = time;
        if (node.points === 0 || time >= node.last) {
          node.last = time;
          node.value = value;
        }
        node.points++;
      }
    }
    if (isNew)
      this.dispatchEvent(new Event('change'));
  }

  /** Takes last values that were asked for. */
  takeLast(series) {
    for (const {key, points} of series) {
      const node = this.#byKey.get(key);
      const point = points[points.length - 1];
      if (node && point && (node.value === undefined || point[0] >= node.last)) {
        [node.last, node.value] = point;
      }
    }
  }

  #add(key) {
    let node = this.#root;
    let path = '';
    const names = key.split('.');
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      path = i === 0 ? name : `${path}.${name}`;
      node.children ??= new Map();
      let child = node.children.get(name);
      if (!child) {
        child = makeNode(path, name, i + 1, node);
        node.children.set(name, child);
        node.sorted = null;
      }
      node = child;
    }
    node.isKey = true;
    node.lower = key.toLowerCase();
    for (let each = node; each; each = each.parent)
      each.keys++;
    this.#byKey.set(key, node);
    this.#match(node);
    return node;
  }

  #remove(key) {
    let node = this.#byKey.get(key);
    this.#byKey.delete(key);
    node.isKey = false;
    node.value = undefined;
    node.points = 0;
    for (let each = node; each; each = each.parent)
      each.keys--;
    for (; node.parent && node.keys === 0; node = node.parent) {
      node.parent.children.delete(node.name);
      node.parent.sorted = null;
    }
  }

  /** Marks what the search finds, and what it is in. */
  #match(node) {
    if (this.#matcher && !this.#matcher(node.lower))
      return;
    this.found++;
    for (let each = node; each; each = each.parent) {
      if (each.found !== this.#search)
        each.count = 0;
      each.found = this.#search;
      each.count++;
    }
  }

  search(text) {
    this.#matcher = makeMatcher(text);
    this.#changed();
  }

  #changed() {
    this.#search++;
    this.found = 0;
    for (const node of this.#byKey.values())
      this.#match(node);
    this.dispatchEvent(new Event('change'));
  }

  /** How many levels are unfolded as they come: so many that not many more rows than a page has are shown. */
  #measureDepth() {
    let level = [this.#root];
    let rows = 0;
    for (let depth = 0; ; depth++) {
      level = level.flatMap((node) => (node.children ? [...node.children.values()] : []));
      rows += level.length;
      if (level.length === 0)
        return Infinity;
      if (rows > ROOM)
        return Math.max(0, depth - 1);
    }
  }

  /** Whether a group shows what is in it. */
  isOpen(node) {
    if (node.open !== null)
      return node.open;
    // A search shows what it found while that is little, and the tree its upper levels, as far as they fit a page.
    return this.isSearched ? this.found <= 2000 : node.level <= this.#depth;
  }

  setOpen(node, open) {
    node.open = open;
    this.dispatchEvent(new Event('change'));
  }

  /** The children of a node that the search leaves, in order. */
  childrenOf(node) {
    return this.#sortedChildren(node).filter((child) => child.found === this.#search);
  }

  #sortedChildren(node) {
    if (!node.children)
      return [];
    node.sorted ??= [...node.children.values()].sort((a, b) => this.#collator.compare(a.name, b.name));
    return node.sorted;
  }

  /** The rows that are unfolded, from the top. @returns {KeyNode[]} */
  rows() {
    const rows = [];
    const walk = (node) => {
      const children = this.childrenOf(node);
      children.forEach((child, i) => {
        child.place = i + 1;
        child.siblings = children.length;
        rows.push(child);
        if (child.children && this.isOpen(child))
          walk(child);
      });
    };
    walk(this.#root);
    return rows;
  }

  /** The first key, from the top, that the search found, whether its groups are unfolded or not. */
  firstFound() {
    return this.keysIn(this.#root, 1)[0] ?? null;
  }

  /**
   * What is worth a first look: groups of a few keys, from the top; single keys where there are no such groups.
   * @returns {{name: string, keys: string[]}[]} at most `most`
   */
  suggest(most) {
    const groups = [];
    const alone = [];
    const stack = [this.#root];
    // Of a tree that is wide, the beginning is enough.
    for (let seen = 0; stack.length > 0 && groups.length < most && seen < SUGGESTED_FROM; seen++) {
      const node = stack.pop();
      if (node.level > 0 && node.keys >= 2 && node.keys <= SMALL_GROUP) {
        groups.push({name: node.path, keys: this.#all(node)});
        continue;
      }
      if (node.isKey && alone.length < most)
        alone.push({name: node.path, keys: [node.path]});
      stack.push(...this.#sortedChildren(node).slice(0, SUGGESTED_FROM).reverse());
    }
    return [...groups, ...alone].slice(0, most);
  }

  #all(node) {
    return [...(node.isKey ? [node.path] : []), ...this.#sortedChildren(node).flatMap((child) => this.#all(child))];
  }

  /** The keys in a group that the search leaves, in the order of rows, as far as `most`. @returns {string[]} */
  keysIn(node, most) {
    const keys = [];
    const walk = (each) => {
      for (const child of this.childrenOf(each)) {
        if (keys.length >= most)
          return;
        if (child.isKey)
          keys.push(child.path);
        walk(child);
      }
    };
    walk(node);
    return keys;
  }

  /** How many points of a key there probably are in a span, if they come evenly; Infinity where nothing is known. */
  estimate(key, span) {
    const node = this.#byKey.get(key);
    if (!node?.isKey || node.points === 0)
      return Infinity;
    const length = node.last - node.first;
    return length <= span ? node.points : node.points * span / length;
  }

  /** From the first to the last point of some keys, or null where there is none. */
  extent(keys) {
    let from = Infinity;
    let to = -Infinity;
    for (const key of keys) {
      const node = this.#byKey.get(key);
      if (node?.isKey && node.points > 0) {
        from = Math.min(from, node.first);
        to = Math.max(to, node.last);
      }
    }
    return from <= to ? {from, to} : null;
  }
}

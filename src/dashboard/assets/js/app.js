// SPDX-License-Identifier: LGPL-2.1-or-later
// The page: the tree on one side, the bar and the charts on the other, and what goes between them.

import {now} from './api.js';
import {Board} from './board.js';
import {ICONS, debounce, eachFrame, h, iconButton, setAttributes, setText} from './dom.js';
import {Feed} from './feed.js';
import {formatCount, formatSeries} from './format.js';
import {showHelp} from './help.js';
import {_, fill, ngettext} from './i18n.js';
import {Keys} from './keys.js';
import {firstRange} from './span.js';
import {Sparks} from './spark.js';
import {Banner, Notice, makeHint, makeWelcome} from './states.js';
import {themeChanges} from './theme.js';
import {Toolbar} from './toolbar.js';
import {Tree} from './tree.js';
import {View} from './view.js';

// How many groups are offered for a first chart.
const SUGGESTED = 6;

export class App {
  #noteShown = '';

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.isRefused = false;
    this.live = h('div', {class: 'unseen', 'aria-live': 'polite', id: 'said', 'data-testid': 'said'});
    this.say = (text) => {
      // The same text again would not be read.
      setText(this.live, this.live.textContent === text ? `${text}\u00a0` : text);
    };
    this.keys = new Keys();
    this.view = new View();
    this.sparks = new Sparks(this.keys);
    this.tree = new Tree(this.keys, this.sparks);
    this.feed = new Feed(this.keys);
    this.board = new Board(this.view, this.keys, (text) => this.say(text), (text) => this.#tell(text));
    this.toolbar = new Toolbar(this.view, this.board, () => this.openDrawer());
    this.banner = new Banner(() => this.feed.hurry());
    this.notice = new Notice();
    this.#build();
    this.#listen();
  }

  #build() {
    this.search = h('input', {
      type: 'search', id: 'search', class: 'search', placeholder: _('Search series'), 'aria-label': _('Search series'),
      autocomplete: 'off', spellcheck: 'false', 'aria-controls': 'tree', 'data-testid': 'search',
      on: {input: debounce(80, () => this.#searched()), keydown: (event) => this.#searchKey(event)},
    });
    this.count = h('p', {class: 'tree-count', 'data-testid': 'tree-count'});
    this.nothing = h('p', {class: 'tree-nothing', dir: 'auto', hidden: true, 'data-testid': 'tree-nothing'});
    const skip = h('a', {class: 'skip', href: '#', text: _('Skip to the charts'), on: {click: (event) => {
      // Not by the fragment, which holds the view.
      event.preventDefault();
      this.closeDrawer();
      this.main.setAttribute('tabindex', '-1');
      this.main.focus();
    }}});
    const close = iconButton(ICONS.close, _('Close'), () => this.closeDrawer(),
                             {class: 'icon-button close-drawer', 'data-testid': 'close-drawer'});
    this.side = h('aside', {class: 'side', id: 'side', 'aria-label': _('Series')},
                  skip, h('div', {class: 'side-head'}, h('p', {class: 'brand', text: 'metricsd'}), close),
                  this.search, this.count, this.nothing, this.tree.element);
    this.veil = h('div', {class: 'veil', on: {click: () => this.closeDrawer()}});
    this.note = h('div', {class: 'note'});
    this.main = h('main', {class: 'main', id: 'main', 'aria-label': _('Charts')}, this.note, this.board.element);
    this.toolbar.element.prepend(h('h1', {class: 'unseen', text: 'metricsd'}));
    this.content = h('div', {class: 'content'}, this.toolbar.element, this.banner.element, this.main);
    this.root.append(this.side, this.veil, this.content, this.notice.element, this.live);
    this.#showNote();
  }

  #listen() {
    const {board, feed, keys, sparks, tree, view} = this;
    tree.addEventListener('open', (event) => this.#open(event.detail));
    tree.addEventListener('add', (event) => this.#add(event.detail));
    tree.addEventListener('group', (event) => this.#openAll(event.detail));
    tree.addEventListener('view', (event) => feed.show(null, event.detail));
    keys.addEventListener('change', eachFrame(() => this.#keysChanged()));
    view.addEventListener('change', () => this.#viewChanged());
    feed.addEventListener('points', (event) => {
      keys.take(event.detail);
      sparks.take(event.detail);
      board.take(event.detail);
      tree.refresh();
    });
    feed.addEventListener('again', () => {
      sparks.clear();
      tree.refresh();
      board.showAll(true);
    });
    feed.addEventListener('poll', () => board.poll());
    feed.addEventListener('lost', (event) => this.banner.lost(event.detail.error, event.detail.retryAt));
    feed.addEventListener('found', () => {
      this.banner.found();
      board.retry();
    });
    feed.addEventListener('refused', (event) => {
      // That nobody answers is said by the banner.
      if (event.detail.status !== 0)
        setText(this.count, event.detail.inWords());
      this.isRefused = true;
      this.#showNote();
    });
    feed.addEventListener('dropped', (event) => this.banner.dropped(event.detail));
    themeChanges.addEventListener('change', () => {
      board.restyle();
      tree.refresh();
    });
    document.addEventListener('keydown', (event) => this.#key(event));
    // On a wide screen it lies over nothing.
    matchMedia('(max-width: 760px)').addEventListener('change', () => this.closeDrawer());
  }

  async start() {
    this.view.suggest = (keys) => {
      const extent = this.keys.known ? this.keys.extent(keys) : null;
      return extent && firstRange(extent, now());
    };
    await this.feed.start();
    this.view.start();
    // The list says how far points reach, which "all" needs.
    this.keys.addEventListener('change', () => {
      this.view.fit();
      if (this.view.range.kind === 'all')
        this.board.showAll();
    });
  }

  /** Says something that everybody should know. */
  #tell(text) {
    this.say(text);
    this.notice.show(text);
  }

  #open(key) {
    const there = this.view.charts.find(({keys}) => keys.includes(key));
    const chart = there ?? this.view.addChart([key]);
    if (!chart) {
      this.#tell(_('There are too many charts.'));
      return;
    }
    this.closeDrawer();
    this.board.reveal(chart.id);
    this.say(fill(there ? _('{key} is in a chart already.') : _('Chart of {key} opened.'), {key}));
  }

  #openAll({keys, count}) {
    const chart = keys.length > 0 ? this.view.addChart(keys) : null;
    if (!chart) {
      this.#tell(_('There are too many charts.'));
      return;
    }
    this.closeDrawer();
    this.board.reveal(chart.id);
    const opened = fill(ngettext('Chart of {n} series opened.', 'Chart of {n} series opened.', keys.length),
                        {n: formatCount(keys.length)});
    const left = count - keys.length;
    if (left > 0)
      this.#tell(`${opened} ${fill(ngettext('{n} more has no room in it.', '{n} more have no room in it.', left),
                                   {n: formatCount(left)})}`);
    else
      this.say(opened);
  }

  #add(key) {
    const {current} = this.board;
    if (!current) {
      this.#open(key);
      return;
    }
    const added = this.view.addSeries(current.id, key);
    this.board.reveal(current.id);
    if (added)
      this.say(fill(_('{key} added to the chart.'), {key}));
    else
      this.#tell(_('This chart has no room for more series.'));
  }

  #searched() {
    this.keys.search(this.search.value);
    this.tree.element.scrollTop = 0;
    const {found, isSearched} = this.keys;
    this.say(!isSearched ? '' : found === 0 ? this.#foundNothing()
      : fill(ngettext('{n} series found', '{n} series found', found), {n: formatCount(found)}));
  }

  #foundNothing() {
    return fill(_('No series matches “{text}”.'), {text: this.search.value.trim()});
  }

  #searchKey(event) {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      // What was typed last counts as well.
      this.#searched();
      const first = event.key === 'Enter' && this.keys.isSearched ? this.keys.firstFound() : null;
      if (first && event.shiftKey)
        this.#add(first);
      else if (first)
        this.#open(first);
      else if (event.key === 'ArrowDown' || !this.keys.isSearched)
        this.tree.focusFirst();
      event.preventDefault();
    } else if (event.key === 'Escape') {
      this.search.value = '';
      this.#searched();
    }
  }

  #keysChanged() {
    const {found, isSearched, known, size} = this.keys;
    setAttributes(this.tree.element, {'aria-busy': String(!known)});
    if (!known)
      setText(this.count, _('Loading …'));
    else if (isSearched)
      setText(this.count, fill(ngettext('{found} of {n} series', '{found} of {n} series', size),
                               {found: formatCount(found), n: formatCount(size)}));
    else
      setText(this.count, formatSeries(size));
    this.nothing.hidden = !known || !isSearched || found > 0;
    setText(this.nothing, this.nothing.hidden ? '' : this.#foundNothing());
    this.#showNote();
  }

  #viewChanged() {
    const keys = this.view.charts.flatMap((chart) => chart.keys);
    this.tree.showSelected(keys);
    this.feed.show(keys, null);
    document.title = keys.length > 0 ? `${keys[0]}${keys.length > 1 ? ' …' : ''} – metricsd` : 'metricsd';
    this.#showNote();
  }

  #noteName() {
    const {known, size} = this.keys;
    if (this.view.charts.length > 0)
      return '';
    if (!known)
      return this.isRefused ? '' : 'loading';
    return size === 0 ? 'welcome' : 'hint';
  }

  #showNote() {
    const name = this.#noteName();
    const suggestions = name === 'hint' ? this.keys.suggest(SUGGESTED) : [];
    const shown = JSON.stringify([name, suggestions]);
    // Who has a button in hand keeps it, though there would be others by now.
    const isHeld = this.note.dataset.name === name && this.note.contains(document.activeElement);
    if (this.#noteShown === shown || isHeld)
      return;
    this.#noteShown = shown;
    this.note.dataset.name = name;
    const made = {
      loading: () => h('p', {class: 'welcome', text: _('Loading …')}),
      welcome: () => makeWelcome(this.say),
      hint: () => makeHint(() => this.openDrawer(), suggestions, (keys) => this.#openAll({keys, count: keys.length})),
    }[name]?.();
    this.note.replaceChildren(...(made ? [made] : []));
  }

  /** On a narrow screen the tree lies over the charts. */
  openDrawer() {
    this.root.dataset.drawer = 'open';
    this.content.inert = true;
    this.search.focus();
  }

  closeDrawer() {
    if (this.root.dataset.drawer !== 'open')
      return;
    delete this.root.dataset.drawer;
    this.content.inert = false;
    document.getElementById('menu').focus();
  }

  #key(event) {
    const isTyping = event.target.closest?.('input, select, textarea, dialog');
    if (event.key === 'Escape' && this.root.dataset.drawer === 'open') {
      this.closeDrawer();
    } else if (!isTyping && !event.ctrlKey && !event.metaKey && !event.altKey && event.key === '/') {
      if (matchMedia('(max-width: 760px)').matches)
        this.openDrawer();
      this.search.focus();
      this.search.select();
      event.preventDefault();
    } else if (!isTyping && event.key === '?') {
      showHelp();
      event.preventDefault();
    }
  }
}

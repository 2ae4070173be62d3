// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page says when there is nothing to show, or nobody to ask.

import {ICONS, h, icon, setText} from './dom.js';
import {_, fill, ngettext} from './i18n.js';
import {formatCount, formatSeries} from './format.js';

/** A line to copy. */
function copyable(text, say) {
  const code = h('code', {text, tabindex: '0'});
  const button = h('button', {type: 'button', class: 'copy', 'data-testid': 'copy', on: {click: async () => {
    try {
      await navigator.clipboard.writeText(text);
      say(_('Copied.'));
      setText(label, _('Copied.'));
    } catch {
      // The clipboard is for pages of a safe origin: the line is selected for the reader to copy.
      getSelection().selectAllChildren(code);
    }
  }}}, icon(ICONS.copy));
  const label = h('span', {text: _('Copy')});
  button.append(label);
  return h('div', {class: 'copyable'}, code, button);
}

/** There are no points yet: how to put one. */
export function makeWelcome(say) {
  const body = '{"points":[{"key":"room.temperature","value":21.5}]}';
  const line = `curl -H 'Content-Type: application/json' -d '${body}' ${new URL('api/v1/points', document.baseURI)}`;
  return h('div', {class: 'welcome', 'data-testid': 'no-points'},
           h('h2', {text: _('There are no points yet')}),
           h('p', {text: _('Put one, and it appears here at once:')}),
           copyable(line, say),
           h('p', {text: _('or, with the command line of metricsd:')}),
           copyable('metricsctl put room.temperature 21.5', say));
}

/**
 * There are series, and no chart.
 * @param {() => void} openDrawer
 * @param {{name: string, keys: string[]}[]} suggestions
 * @param {(keys: string[]) => void} open
 */
export function makeHint(openDrawer, suggestions, open) {
  const buttons = suggestions.map(({name, keys}) => h('button', {
    type: 'button', class: 'suggestion', 'data-testid': 'suggestion', title: keys.join('\n'), on: {click: () => open(keys)},
  }, h('span', {class: 'suggestion-name', dir: 'auto', text: name}),
     keys.length > 1 ? h('span', {class: 'suggestion-count', text: formatSeries(keys.length)}) : null));
  return h('div', {class: 'welcome hint', 'data-testid': 'no-charts'},
           h('h2', {text: _('Choose a series')}),
           h('p', {text: _('Each opens a chart. + adds a series to the chart that is there.')}),
           h('button', {type: 'button', class: 'primary only-narrow', text: _('Show the series'), on: {click: openDrawer}}),
           h('p', {class: 'suggestions-head', text: _('Or begin with one of these:')}),
           h('div', {class: 'suggestions'}, ...buttons));
}

// As long as two short sentences are read without haste (milliseconds).
const NOTICED = 8000;

/** What is said for a while beside what somebody did; screen readers are told by the caller. */
export class Notice {
  #timer = 0;

  constructor() {
    this.element = h('p', {class: 'notice', hidden: true, 'aria-hidden': 'true', 'data-testid': 'notice'});
    this.element.addEventListener('click', () => this.#hide());
  }

  show(text) {
    setText(this.element, text);
    this.element.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#hide(), NOTICED);
  }

  #hide() {
    this.element.hidden = true;
  }
}

/** The banner: the server is gone, and when it is tried again. */
export class Banner {
  #timer = 0;
  #retryAt = 0;
  #dropTimer = 0;

  /** @param {() => void} retry */
  constructor(retry) {
    this.text = h('span', {'data-testid': 'banner-text'});
    this.button = h('button', {type: 'button', text: _('Try now'), on: {click: retry}});
    this.element = h('div', {class: 'banner', role: 'alert', hidden: true, 'data-testid': 'banner'}, this.text,
                     this.counter = h('span', {class: 'banner-counter', 'aria-live': 'off'}), this.button);
  }

  /** @param {import('./api.js').ApiError} error */
  lost(error, retryAt) {
    this.#retryAt = retryAt;
    setText(this.text, error.status === 0 ? _('The connection to the server is lost.') : error.inWords());
    this.button.hidden = false;
    this.element.hidden = false;
    clearTimeout(this.#dropTimer);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#count(), 500);
    this.#count();
  }

  #count() {
    const seconds = Math.max(0, Math.ceil((this.#retryAt - Date.now()) / 1000));
    setText(this.counter, seconds === 0 ? _('Trying again …')
      : fill(ngettext('Next attempt in {n} second.', 'Next attempt in {n} seconds.', seconds), {n: formatCount(seconds)}));
  }

  found() {
    clearInterval(this.#timer);
    this.element.hidden = true;
  }

  /** Says for a while that this page was too slow. */
  dropped(points) {
    if (!this.element.hidden && this.button.hidden === false)
      return;
    setText(this.text, fill(ngettext('{n} point came too fast for this page; it is read again.',
                                     '{n} points came too fast for this page; they are read again.', points),
                            {n: formatCount(points)}));
    setText(this.counter, '');
    this.button.hidden = true;
    this.element.hidden = false;
    clearTimeout(this.#dropTimer);
    this.#dropTimer = setTimeout(() => {
      this.element.hidden = true;
    }, 5000);
  }
}

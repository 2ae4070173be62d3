// SPDX-License-Identifier: LGPL-2.1-or-later
// The bar above the charts: which span is shown, whether it follows the time, and the page's own switches.

import {ICONS, h, icon, iconButton, setAttributes, setText} from './dom.js';
import {formatDuration, formatRange, formatTime, isTime} from './format.js';
import {showHelp} from './help.js';
import {_, fill} from './i18n.js';
import {PRESETS, writeSpan} from './span.js';
import {nextTheme, themeName} from './theme.js';

export class Toolbar {
  /**
   * @param {import('./view.js').View} view
   * @param {import('./board.js').Board} board
   * @param {() => void} openDrawer
   */
  constructor(view, board, openDrawer) {
    this.view = view;
    this.board = board;
    this.presets = h('div', {class: 'presets', role: 'group', 'aria-label': _('Span')},
                     ...PRESETS.map((span) => this.#preset(span)), this.#allButton());
    this.live = h('button', {
      type: 'button', class: 'live', id: 'live', 'aria-pressed': 'true', 'data-testid': 'live', title: _('Follow the time'),
      on: {click: () => this.#toggleLive()},
    }, h('i', {class: 'live-mark', 'aria-hidden': 'true'}), h('span', {text: _('Live')}));
    this.range = h('button', {
      type: 'button', class: 'range', 'aria-haspopup': 'dialog', 'data-testid': 'range', title: _('Choose from and to'),
      on: {click: () => this.#openDialog()},
    }, icon(ICONS.calendar), h('span', {class: 'range-text'}));
    this.theme = iconButton(ICONS.theme, '', () => {
      nextTheme();
      this.#showTheme();
    }, {'data-testid': 'theme', id: 'theme'});
    const menu = iconButton(ICONS.menu, _('Series'), openDrawer,
                            {class: 'icon-button menu', 'data-testid': 'menu', id: 'menu'});
    const moves = h('div', {class: 'moves', role: 'group', 'aria-label': _('Move and zoom')},
                    iconButton(ICONS.back, _('Earlier'), () => board.pan(-0.5, true), {'data-testid': 'earlier'}),
                    iconButton(ICONS.forward, _('Later'), () => board.pan(0.5, true), {'data-testid': 'later'}),
                    iconButton(ICONS.minus, _('Zoom out'), () => board.zoom(2, 0.5), {'data-testid': 'zoom-out'}),
                    iconButton(ICONS.add, _('Zoom in'), () => board.zoom(0.5, 0.5), {'data-testid': 'zoom-in'}));
    this.element = h('header', {class: 'toolbar'}, menu, this.presets, moves, this.live, this.range,
                     h('span', {class: 'toolbar-space'}), this.theme,
                     iconButton(ICONS.help, _('Keys and gestures'), showHelp, {'data-testid': 'help'}));
    this.dialog = this.#makeDialog();
    this.element.append(this.dialog);
    view.addEventListener('range', () => this.update());
    this.#showTheme();
  }

  #showTheme() {
    const label = fill(_('Colours: {theme}'), {theme: themeName()});
    setAttributes(this.theme, {'aria-label': label, title: label});
  }

  #preset(span) {
    const button = h('button', {
      type: 'button', text: formatDuration(span, 'narrow'), title: formatDuration(span, 'long'),
      'aria-pressed': 'false', 'data-testid': `span-${writeSpan(span)}`,
      on: {click: () => this.view.setRange({kind: 'live', span})},
    });
    button.dataset.span = String(span);
    return button;
  }

  #allButton() {
    const button = h('button', {
      type: 'button', text: _('All'), 'aria-pressed': 'false', 'data-testid': 'span-all',
      on: {click: () => this.view.setRange({kind: 'all'})},
    });
    button.dataset.span = 'all';
    return button;
  }

  #toggleLive() {
    const {from, to} = this.board.window();
    if (this.view.range.kind === 'live')
      this.view.setRange({kind: 'fixed', from, to});
    else
      this.board.goLive();
  }

  update() {
    const {range} = this.view;
    const shown = range.kind === 'live' ? String(range.span) : range.kind;
    for (const button of this.presets.children)
      setAttributes(button, {'aria-pressed': String(button.dataset.span === shown)});
    setAttributes(this.live, {'aria-pressed': String(range.kind === 'live')});
    const text = this.#rangeText();
    setText(this.range.querySelector('.range-text'), text);
    setAttributes(this.range, {title: `${_('Choose from and to')}\n${text}`});
  }

  #rangeText() {
    const {range} = this.view;
    if (range.kind === 'live' && !PRESETS.includes(range.span))
      return fill(_('the last {span}'), {span: formatDuration(range.span)});
    if (range.kind !== 'fixed')
      return _('Other span …');
    const {from, to} = range;
    if (!isTime(from) || !isTime(to))
      return `${formatTime(from)} – ${formatTime(to)}`;
    return formatRange(from, to, {
      ...(to - from > 180 * 86400 ? {year: 'numeric'} : {hour: '2-digit', minute: '2-digit'}),
      ...(to - from < 600 ? {second: '2-digit'} : {}),
    });
  }

  #makeDialog() {
    const field = (name) => h('input', {
      type: 'datetime-local', step: '1', required: true, name, 'data-testid': `range-${name}`,
    });
    this.from = field('from');
    this.to = field('to');
    this.wrong = h('p', {class: 'dialog-wrong', role: 'alert'});
    const form = h('form', {
      method: 'dialog',
      on: {submit: (event) => {
        const from = Date.parse(this.from.value) / 1000;
        const to = Date.parse(this.to.value) / 1000;
        if (!(from < to)) {
          event.preventDefault();
          setText(this.wrong, _('The end has to be after the beginning.'));
          return;
        }
        setText(this.wrong, '');
        this.view.setRange({kind: 'fixed', from, to});
      }},
    }, h('h2', {text: _('From and to')}), h('label', {}, h('span', {text: _('From')}), this.from),
                   h('label', {}, h('span', {text: _('To')}), this.to), this.wrong,
                   h('div', {class: 'dialog-buttons'},
                     h('button', {type: 'button', text: _('Cancel'), on: {click: () => this.dialog.close()}}),
                     h('button', {type: 'submit', class: 'primary', text: _('Show'), 'data-testid': 'range-show'})));
    return /** @type {HTMLDialogElement} */ (h('dialog', {class: 'dialog', 'aria-label': _('From and to')}, form));
  }

  #openDialog() {
    const {from, to} = this.board.window();
    this.from.value = localText(from);
    this.to.value = localText(to);
    setText(this.wrong, '');
    this.dialog.showModal();
  }
}

/** A time as the input field has it, in local time. */
function localText(seconds) {
  const date = new Date(seconds * 1000);
  const year = date.getFullYear();
  if (!(year >= 1 && year <= 9999))
    return '';
  const two = (number) => String(number).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:`
    + `${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

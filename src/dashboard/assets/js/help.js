// SPDX-License-Identifier: LGPL-2.1-or-later
// What keys and gestures do.

import {h} from './dom.js';
import {_} from './i18n.js';

/** @returns {[string, [string, string][]][]} */
function sections() {
  return [
    [_('Everywhere'), [
      ['/', _('search')],
      [_('Enter in the search'), _('show the first series found')],
      ['?', _('this help')],
    ]],
    [_('Series'), [
      ['↑ ↓ ← →', _('go, fold and unfold')],
      ['Enter', _('show in a new chart')],
      ['Shift+Enter, +', _('add to the current chart')],
      [_('+ on a group'), _('show all its series in a new chart')],
      ['*', _('unfold all groups beside this one')],
    ]],
    [_('Charts'), [
      ['← →', _('earlier, later')],
      ['↑ ↓, + −', _('zoom')],
      [', .', _('values, point by point')],
      ['End', _('follow the time')],
      ['Alt+↑ ↓', _('move the chart')],
      [_('drag'), _('zoom into what is selected')],
      [_('Shift and drag'), _('move; on a touch screen one finger does')],
      [_('wheel, two fingers'), _('zoom')],
      [_('double click'), _('zoom out')],
    ]],
  ];
}

export function showHelp() {
  const dialog = /** @type {HTMLDialogElement} */ (h('dialog', {class: 'dialog help', 'aria-label': _('Keys and gestures')},
    h('form', {method: 'dialog'},
      h('h2', {text: _('Keys and gestures')}),
      ...sections().flatMap(([title, keys]) => [
        h('h3', {text: title}),
        h('dl', {}, ...keys.flatMap(([key, text]) => [h('dt', {}, h('kbd', {text: key})), h('dd', {text})])),
      ]),
      h('div', {class: 'dialog-buttons'}, h('button', {type: 'submit', class: 'primary', text: _('Close')})))));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

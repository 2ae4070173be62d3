// SPDX-License-Identifier: LGPL-2.1-or-later
// Light, dark, or as the system has it. It belongs to the reader, not to the view: it is not in the address.

import {_} from './i18n.js';

const NAME = 'metricsd.theme';
const ORDER = ['auto', 'light', 'dark'];

export const themeChanges = new EventTarget();

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

function current() {
  return document.documentElement.dataset.theme ?? 'auto';
}

export function themeName() {
  return {auto: _('as the system'), light: _('light'), dark: _('dark')}[current()];
}

export function nextTheme() {
  const theme = ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length];
  if (theme === 'auto')
    delete document.documentElement.dataset.theme;
  else
    document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // Then it holds for this visit.
  }
  applyScheme();
}

function applyScheme() {
  const {dataset} = document.documentElement;
  dataset.scheme = dataset.theme ?? (systemIsDark.matches ? 'dark' : 'light');
  themeChanges.dispatchEvent(new Event('change'));
}

systemIsDark.addEventListener('change', applyScheme);

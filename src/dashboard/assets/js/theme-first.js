// SPDX-License-Identifier: LGPL-2.1-or-later
// A script of its own, not a module: it runs before the first paint, so that no light page flashes up in a dark room.
// What the reader has chosen is the theme (data-theme), what it comes to the scheme (data-scheme), which the style sheet has.
'use strict';

(() => {
  const {dataset} = document.documentElement;
  let theme = null;
  try {
    theme = localStorage.getItem('metricsd.theme');
  } catch {
    // Storage can be forbidden; then the system's choice holds.
  }
  if (theme === 'light' || theme === 'dark')
    dataset.theme = theme;
  dataset.scheme = dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
})();

// SPDX-License-Identifier: LGPL-2.1-or-later
// A script of its own, not a module: it runs before the first paint, so that no light page flashes up in a dark room.
'use strict';

(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('metricsd.theme');
  } catch {
    // Storage can be forbidden; then the system's choice holds.
  }
  if (theme === 'light' || theme === 'dark')
    document.documentElement.dataset.theme = theme;
})();

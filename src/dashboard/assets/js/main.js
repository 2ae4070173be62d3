// SPDX-License-Identifier: LGPL-2.1-or-later
// Joins the parts of the page.

import {load} from './i18n.js';

// What is made of texts has to wait for them.
await load();
const {App} = await import('./app.js');
new App(document.getElementById('app')).start();

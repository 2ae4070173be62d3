// SPDX-License-Identifier: LGPL-2.1-or-later
// What a chart shows, as a file for other programs: as the server writes it, for its numbers and times have all digits.

import {askText, integer, lots} from './api.js';
import {h} from './dom.js';

// The browser has begun to read the file by then (milliseconds).
const KEPT = 60000;

/**
 * Has the browser save the points of a span, or its buckets.
 * @param {{keys: string[], from: number, to: number, step: number, func: string}} wanted
 */
export async function saveCsv({keys, from, to, step, func}) {
  const parameters = [['from', integer(Math.ceil(from))], ['to', integer(Math.floor(to))]];
  if (step > 0)
    parameters.push(['step', integer(step)], ['function', func]);
  const parts = [];
  for (const lot of lots(keys)) {
    const text = await askText('points', [...lot.map((key) => ['key', key]), ...parameters], 'text/csv');
    // One line names the columns.
    parts.push(parts.length === 0 ? text : text.slice(text.indexOf('\n') + 1));
  }
  const address = URL.createObjectURL(new Blob(parts, {type: 'text/csv'}));
  const name = keys[0].replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80);
  const link = h('a', {href: address, download: `${name}.csv`});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), KEPT);
}

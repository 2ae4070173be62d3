// SPDX-License-Identifier: LGPL-2.1-or-later
// What the modules of the page compute, without a page. Run by Node where there is one: test-modules.mjs SOURCES

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import {pathToFileURL} from 'node:url';

// Node takes them for modules where a package.json beside them says so, which browsers have no use for.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'metricsd-modules-'));
after(() => fs.rmSync(folder, {recursive: true}));
fs.cpSync(path.join(process.argv[2], 'src/dashboard/assets/js'), folder, {recursive: true});
fs.writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}');
const load = (name) => import(pathToFileURL(path.join(folder, `${name}.js`)).href);

const {choose, fill, ngettext} = await load('i18n');
const {formatExact, formatShort, formatTime, unitOf} = await load('format');
const {Keys, makeMatcher} = await load('keys');
const {gapLimit, makeRows, mergePoints, nearest, putPoint, summarise, valueRange} = await load('series');
const {readSpan, stepFor, tidy, writeSpan} = await load('span');
const {EventParser} = await load('stream');
const {timeTicks, valueTicks} = await load('ticks');
const {integer, lots} = await load('api');
const {readView, writeView} = await load('view');

test('a view is the same when it is read back', () => {
  const odd = 'a,b:c&d=e#f%g<h>"i".größe.日本語.🙂';
  const live = [21600, 91].map((span) => ({kind: 'live', span}));
  for (const range of [...live, {kind: 'all'}, {kind: 'fixed', from: -5, to: 1700000000}]) {
    const charts = [{func: 'auto', keys: ['a']}, {func: 'rate', keys: [odd, 'b']}, {func: 'p95', keys: ['rate:x']}];
    assert.deepEqual(readView(`#${writeView(range, charts)}`), {range, charts});
  }
  assert.equal(writeView({kind: 'live', span: 3600}, [{func: 'rate', keys: ['a,b']}]), 'span=1h&chart=rate:a%2Cb');
});

test('what is wrong in an address is left out', () => {
  for (const text of ['', '#', '#&&=&==', '#span=', '#span=-5h', '#span=1x', '#from=1', '#from=5&to=5', '#from=a&to=b', '#chart=',
                      '#chart=,,', '#chart=rate:'])
    assert.deepEqual(readView(text), {range: null, charts: []}, text);
  assert.deepEqual(readView('#chart=nope:a,%ZZ,a').charts, [{func: 'auto', keys: ['a']}]);
  const longest = 'x'.repeat(1024);
  assert.deepEqual(readView(`#chart=a%20b,*,%00,%C2%A0,${longest}x,${longest}`).charts[0].keys, [longest]);
  const {range} = readView('#from=-99999999999999999999999&to=99999999999999999999999');
  assert.ok(range.to > range.from && range.to < 9.3e18 && range.from > -9.3e18);
  assert.equal(readView(`#${'chart=a&'.repeat(1000)}`).charts.length, 50);
});

test('spans and steps', () => {
  assert.deepEqual(['5m', '6h', '7d', '90', '1y'].map(readSpan), [300, 21600, 604800, 90, 31536000]);
  assert.deepEqual([300, 90, 86400, 2592000].map(writeSpan), ['5m', '90s', '1d', '30d']);
  assert.deepEqual([300, 3600, 86400, 31536000].map((span) => stepFor(span, 900)), [1, 5, 120, 43200]);
  assert.equal(stepFor(1.8e19, 1000) >= 1.8e16, true);
  assert.deepEqual(tidy(10, 10.5), {from: 8.25, to: 12.25});
  assert.equal(integer(1e300), '9223372036854774784');
  assert.equal(integer(-1.6), '-2');
});

test('points are put and merged in order', () => {
  const points = [[10, 1], [20, 2]];
  putPoint(points, 15, 7);
  putPoint(points, 20, 8);
  putPoint(points, 30, 9);
  assert.deepEqual(points, [[10, 1], [15, 7], [20, 8], [30, 9]]);
  assert.deepEqual(mergePoints(points, 12, 20, [[16, 0]]), [[10, 1], [16, 0], [30, 9]]);
  assert.deepEqual(nearest(points, 17), [15, 7]);
  assert.equal(nearest(points, 100, 5), null);
  assert.deepEqual(summarise(points, 11, 25), {low: 7, high: 8, last: [20, 8], count: 2});
  assert.equal(summarise(points, 21, 25), null);
  // The end belongs to a span, also where numbers have no digits for what comes behind it.
  assert.equal(summarise([[1.7e18, 1]], 0, 1.7e18).count, 1);
  assert.deepEqual(mergePoints([[1.7e18, 1]], 1.7e18, 1.7e18, []), []);
});

test('gaps are gaps, and what comes irregularly is a line', () => {
  const regular = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 200, 210].map((time) => [time, 1]);
  const rows = makeRows([regular], 0);
  assert.deepEqual(rows.filter((row) => Number.isNaN(row[1])), [[145, NaN]]);
  const irregular = [0, 1, 5, 6, 20, 22, 40, 41, 60, 61].map((time) => [time, 1]);
  assert.ok(gapLimit(irregular, 0) > 20);
  // Of two series with times of their own neither breaks the other's line.
  assert.deepEqual(makeRows([[[0, 1], [2, 3]], [[1, 5]]], 0), [[0, 1, null], [1, null, 5], [2, 3, null]]);
  assert.deepEqual(valueRange([[[0, 0], [5, 10]]], 0, 5), [-0.5, 10.5]);
  assert.deepEqual(valueRange([[]], 0, 5), [0, 1]);
  assert.ok(valueRange([[[0, 1.7e308], [5, -1.7e308]]], 0, 5).every(Number.isFinite));
});

test('numbers and times for people', () => {
  assert.deepEqual([0, 21.5, 9999, 12345, 1.5e9, 0.00012, 999999, -12345678].map((value) => formatShort(value)),
                   ['0', '21.5', '9,999', '12.35\u00a0k', '1.5\u00a0G', '120\u00a0µ', '1\u00a0M', '-12.35\u00a0M']);
  assert.equal(formatShort(1234, 'B'), '1.234\u00a0kB');
  assert.equal(formatShort(NaN), '–');
  for (const value of [5e-324, 1.7976931348623157e308, -1e-9])
    assert.ok(formatShort(value).length < 16 && formatExact(value).length > 0, formatShort(value));
  assert.deepEqual(['net.rx_bytes', 'cpu.percent', 'x'].map((key) => unitOf(key)), ['B', '%', '']);
  assert.equal(unitOf('net.rx_bytes', 'rate'), 'B/s');
  // Milliseconds and nanoseconds are no times.
  assert.equal(formatTime(1700000000000), '1,700,000,000,000');
  assert.match(formatTime(1700000000), /2023/);
});

test('marks of an axis', () => {
  const spans = [[1.7e9, 1.7e9 + 60], [1.7e9, 1.7e9 + 86400 * 400], [0, 4], [-6e10, 2.5e11], [1.7e18, 1.7e18 + 4], [-9.2e18, 9.2e18]];
  for (const [from, to] of spans) {
    const ticks = timeTicks(from, to, 8);
    assert.ok(ticks.length <= 20, `${from} ${to}: ${ticks.length}`);
    assert.ok(ticks.every(({v, label}, i) => v >= from && v <= to && label !== '' && (i === 0 || v > ticks[i - 1].v)));
  }
  assert.ok(timeTicks(1.7e9, 1.7e9 + 3600, 8).length >= 3);
  assert.deepEqual(valueTicks(0, 1, 5, '').map(({label}) => label), ['0', '0.2', '0.4', '0.6', '0.8', '1']);
});

test('a stream of events, however it is cut', () => {
  const text = ': hello\n\nevent: points\nid: 7\ndata: {"a":\ndata: 1}\n\r\nevent:reset\n\ndata: x\n\n';
  for (const size of [1, 2, 3, 7, 1000]) {
    const events = [];
    const parser = new EventParser((event) => events.push(event));
    for (let i = 0; i < text.length; i += size)
      parser.push(text.slice(i, i + size));
    assert.deepEqual(events, [{id: '7', name: 'points', data: '{"a":\n1}'}, {id: null, name: 'reset', data: ''},
                              {id: null, name: 'message', data: 'x'}]);
  }
});

test('the tree of keys', () => {
  const keys = new Keys();
  keys.expect();
  keys.take([{key: 'late', points: [[5, 1]]}]);
  keys.replace(['b.y', 'b.x', 'a', 'a.z', 'n.10', 'n.9', 'a..q'].map((key) => ({key, points: 2, first: 1, last: 9})));
  assert.equal(keys.size, 8);
  assert.deepEqual(keys.rows().map(({path}) => path), ['a', 'a.', 'a..q', 'a.z', 'b', 'b.x', 'b.y', 'late', 'n', 'n.9', 'n.10']);
  assert.deepEqual(keys.extent(['a', 'late']), {from: 1, to: 9});
  keys.search('B x');
  assert.deepEqual(keys.rows().map(({path}) => path), ['b', 'b.x']);
  assert.equal(keys.found, 1);
  keys.take([{key: 'b.xx', points: [[1, 1]]}, {key: 'c', points: [[1, 1]]}]);
  assert.deepEqual(keys.rows().map(({path}) => path), ['b', 'b.x', 'b.xx']);
  keys.search('');
  keys.expect();
  keys.replace([{key: 'b.x', points: 1, first: 1, last: 1}]);
  assert.deepEqual(keys.rows().map(({path}) => path), ['b', 'b.x']);
  assert.ok(makeMatcher('n.*0')('n.10') && !makeMatcher('n.?')('n.10') && makeMatcher('(')('a(b'));
});

test('keys go into addresses that are not too long', () => {
  const keys = Array.from({length: 300}, (each, i) => `${'ü'.repeat(100)}${i}`);
  assert.deepEqual(lots(keys).flat(), keys);
  assert.ok(lots(keys).every((lot) => lot.map(encodeURIComponent).join('&key=').length <= 6000 || lot.length === 1));
});

test('languages', () => {
  const all = ['de', 'es', 'fr', 'ja', 'pt_BR', 'ru', 'uk', 'zh_CN'];
  const chosen = (...wanted) => choose(wanted, all).name;
  assert.deepEqual([chosen('de-AT', 'en'), chosen('en-GB', 'de'), chosen('pt-PT'), chosen('zh-TW', 'ja'), chosen('zh-SG'),
                    chosen('xx', '!', 'uk')],
                   ['de', 'en', 'pt_BR', 'ja', 'zh_CN', 'uk']);
  assert.deepEqual([ngettext('{n} a', '{n} b', 1), ngettext('{n} a', '{n} b', 0)], ['{n} a', '{n} b']);
  assert.equal(fill('{a} {b} {a}', {a: 1}), '1 {b} 1');
});

test('a tree is unfolded as far as it fits a page', () => {
  const rowsOf = (names) => {
    const keys = new Keys();
    keys.replace(names.map((key) => ({key, points: 1, first: 1, last: 1})));
    return keys.rows().length;
  };
  const many = (count, make) => Array.from({length: count}, (each, i) => make(i));
  assert.equal(rowsOf(many(20, (i) => `host.vm.cpu.${i}.user`)), 43);
  assert.equal(rowsOf(many(2000, (i) => `host.vm.g${i % 10}.${i}`)), 12);
  assert.equal(rowsOf(many(50000, (i) => `k${i}`)), 50000);
});

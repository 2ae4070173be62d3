// SPDX-License-Identifier: LGPL-2.1-or-later
// What comes from the server by itself: all points while they are few; else those of the keys on the page, and the list
// of keys now and then.

import {ask} from './api.js';
import {takeSlot} from './slots.js';
import {Stream} from './stream.js';

// More points a second than that are not all taken.
const MANY = 20000;
const MEASURED = 3000;
const LIST_PERIOD = 60000;
const NARROW_LIST_PERIOD = 20000;
// The keys that are watched by name, of which the server takes no more, and the room in an address for them.
const MOST_WATCHED = 64;
const URL_ROOM = 6000;
// A page that nobody sees lets go of the stream: a browser has six connections to a server, for all its pages.
const HIDDEN = 2000;
// Who comes back to the page sees the keys as they are now.
const LIST_AGE = 5000;
const HELLO = 1500;
const LIST_WAIT = 300;
// Without a stream what is shown is asked for so often.
const POLL = 5000;
// How long only some keys are watched before all are tried again; longer each time.
const PATIENCE = 60000;
const MOST_PATIENCE = 1800000;

/** @type {[string, string][]} */
const EVERYTHING = [['pattern', '*']];

/** When the page is on a screen for the first time. */
async function isSeen() {
  while (document.hidden)
    await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, {once: true}));
}

/**
 * Events: `points` with a list of {key, points}; `again`, when all that is shown has to be read again; `lost` and `found`;
 * `dropped` with how many; `poll`, when charts have to be read again since there is no stream.
 */
export class Feed extends EventTarget {
  #stream = new Stream();
  #keys;
  #isNarrow = false;
  #watched = '';
  #view = [];
  #charts = [];
  #since = 0;
  #count = 0;
  #listTimer = 0;
  #hiddenTimer = 0;
  #isClosed = false;
  #listed = -Infinity;
  #wasLost = false;
  #narrowTimer = 0;
  #patience = PATIENCE;
  #widenTimer = 0;
  #pollTimer = 0;
  #againTimer = 0;
  #turn = 0;
  #isBlind = false;
  #release = null;

  /** @param {import('./keys.js').Keys} keys */
  constructor(keys) {
    super();
    this.#keys = keys;
    this.#stream.addEventListener('points', (event) => this.#points(event.detail.series ?? []));
    this.#stream.addEventListener('reset', () => this.#again());
    this.#stream.addEventListener('hello', () => this.#greeted());
    this.#stream.addEventListener('dropped', (event) => this.#dropped(event.detail.points ?? 0));
    this.#stream.addEventListener('open', () => this.#found());
    this.#stream.addEventListener('lost', (event) => {
      this.#wasLost = true;
      this.#tell('lost', event.detail);
    });
    document.addEventListener('visibilitychange', () => this.#visibility());
    // Pages to go back to are kept as they are, with their connections.
    addEventListener('pagehide', () => this.#pause());
    addEventListener('pageshow', () => this.#resume());
    addEventListener('focus', () => {
      if (this.#keys.known && performance.now() - this.#listed > LIST_AGE)
        this.readKeys();
    });
    addEventListener('online', () => this.#stream.hurry());
  }

  /** Opens the stream and reads the list of keys; resolves when what is read from now on misses nothing. */
  async start() {
    await isSeen();
    const greeted = new Promise((resolve) => {
      this.#stream.addEventListener('hello', resolve, {once: true});
      this.#stream.addEventListener('lost', resolve, {once: true});
      setTimeout(resolve, HELLO);
    });
    await this.#open();
    if (this.#release)
      await greeted;
    this.#isBlind = !this.#stream.hasId;
    // Charts do not wait for a long list.
    await Promise.race([this.readKeys(), new Promise((resolve) => setTimeout(resolve, LIST_WAIT))]);
  }

  /** Opens the stream, where there is a place for one more. */
  async #open(parameters) {
    clearTimeout(this.#pollTimer);
    const turn = ++this.#turn;
    const release = this.#release ?? await takeSlot();
    // Whoever came later, or closed meanwhile, counts: a place that nobody knows of would be held for ever.
    if (turn !== this.#turn || this.#isClosed) {
      release?.();
      return;
    }
    this.#release = release;
    if (release)
      this.#stream.open(parameters);
    else
      this.#pollTimer = setTimeout(() => {
        this.#tell('poll', null);
        this.#open(parameters);
      }, POLL);
  }

  #letGo() {
    clearTimeout(this.#pollTimer);
    this.#stream.close();
    this.#release?.();
    this.#release = null;
  }

  hurry() {
    this.#stream.hurry();
  }

  async readKeys() {
    clearTimeout(this.#listTimer);
    this.#listed = performance.now();
    try {
      this.#keys.expect();
      const {keys} = await ask('keys', []);
      this.#keys.replace(keys);
    } catch (error) {
      if (!this.#keys.known)
        this.#tell('refused', error);
    }
    const period = this.#isNarrow || !this.#keys.known ? NARROW_LIST_PERIOD : LIST_PERIOD;
    if (!this.#isClosed)
      this.#listTimer = setTimeout(() => this.readKeys(), period);
  }

  #found() {
    if (this.#wasLost && !this.#keys.known)
      this.readKeys();
    this.#wasLost = false;
    this.#tell('found', null);
  }

  /** What was read before the first stream began has no end that it goes on from, of which the server does not know. */
  #greeted() {
    if (this.#isBlind)
      this.#again();
    this.#isBlind = false;
  }

  async #again() {
    await this.readKeys();
    this.#tell('again', null);
  }

  #points(series) {
    const present = performance.now();
    for (const {points} of series)
      this.#count += points.length;
    if (present - this.#since > MEASURED) {
      if (!this.#isNarrow && this.#since > 0 && this.#count / (present - this.#since) * 1000 > MANY)
        this.#narrow();
      this.#since = present;
      this.#count = 0;
    }
    this.#tell('points', series);
  }

  #dropped(points) {
    this.#tell('dropped', points);
    if (!this.#isNarrow)
      this.#narrow();
    // Who is too slow does not get better by reading all again each time.
    clearTimeout(this.#againTimer);
    this.#againTimer = setTimeout(() => this.#again(), Math.max(0, this.#listed + LIST_AGE - performance.now()));
  }

  /** From now on only what is on the page is watched. */
  #narrow() {
    this.#isNarrow = true;
    this.#watch();
    clearTimeout(this.#widenTimer);
    this.#widenTimer = setTimeout(() => this.#widen(), this.#patience);
    this.#patience = Math.min(MOST_PATIENCE, 2 * this.#patience);
  }

  /** It may have been many points for a while only. */
  #widen() {
    this.#isNarrow = false;
    this.#watched = '';
    this.#since = 0;
    if (!this.#isClosed)
      this.#open(EVERYTHING);
  }

  /** Says which keys are in charts, or in view. */
  show(charts, view) {
    this.#charts = charts ?? this.#charts;
    this.#view = view ?? this.#view;
    if (!this.#isNarrow)
      return;
    clearTimeout(this.#narrowTimer);
    this.#narrowTimer = setTimeout(() => this.#watch(), 400);
  }

  #watch() {
    if (!this.#isNarrow || this.#isClosed)
      return;
    const parameters = [];
    let room = URL_ROOM;
    for (const key of new Set([...this.#charts, ...this.#view])) {
      room -= encodeURIComponent(key).length + 5;
      if (room < 0 || parameters.length >= MOST_WATCHED)
        break;
      parameters.push(['key', key]);
    }
    const watched = JSON.stringify(parameters);
    if (parameters.length === 0 || watched === this.#watched)
      return;
    this.#watched = watched;
    this.#open(parameters);
  }

  #visibility() {
    clearTimeout(this.#hiddenTimer);
    if (document.hidden)
      this.#hiddenTimer = setTimeout(() => this.#pause(), HIDDEN);
    else
      this.#resume();
  }

  #pause() {
    this.#isClosed = true;
    clearTimeout(this.#listTimer);
    this.#letGo();
  }

  /** Goes on where it stopped: what came meanwhile comes now, or `reset`, where it is too much. */
  #resume() {
    if (!this.#isClosed || document.hidden)
      return;
    this.#isClosed = false;
    this.#open(this.#isNarrow ? undefined : EVERYTHING);
    this.readKeys();
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}

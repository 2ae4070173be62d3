// SPDX-License-Identifier: LGPL-2.1-or-later
// Points as they are put, by server-sent events. Not by EventSource: that gives up for good when a server that starts
// answers 503, says nothing of when it tries again, and does not notice a line that has gone dead.

import {ApiError, errorOf, noteClock} from './api.js';

// The server sends a comment every 15 seconds.
const SILENCE = 40000;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 8000;

/**
 * Events: `open`; `lost` with `error` and `retryAt`; and by name what the server sends, with its data as `detail`.
 */
export class Stream extends EventTarget {
  #controller = null;
  #lastId = '';
  #parameters = [['pattern', '*']];
  #delay = FIRST_DELAY;
  #wake = () => {};

  /** Watches what `parameters` say, from now on; what came since the last event comes too, where the server still has it. */
  open(parameters = this.#parameters) {
    this.#parameters = parameters;
    this.#controller?.abort();
    this.#controller = new AbortController();
    this.#run(this.#controller);
  }

  close() {
    this.#controller?.abort();
    this.#controller = null;
  }

  /** Whether it can come back to where it was: then the server says what was missed meanwhile. */
  get hasId() {
    return this.#lastId !== '';
  }

  /** Tries at once where it waits for the next attempt. */
  hurry() {
    this.#wake();
  }

  async #run(controller) {
    while (!controller.signal.aborted) {
      let error;
      try {
        await this.#attempt(controller);
        error = new ApiError(0, 'ended', 'the stream ended');
      } catch (caught) {
        error = caught instanceof ApiError ? caught : new ApiError(0, 'unreachable', String(caught?.message ?? caught));
      }
      if (controller.signal.aborted)
        return;
      const delay = this.#delay;
      this.#delay = Math.min(LONGEST_DELAY, delay * 2);
      this.dispatchEvent(new CustomEvent('lost', {detail: {error, retryAt: Date.now() + delay}}));
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, delay);
      });
    }
  }

  async #attempt(controller) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    controller.signal.addEventListener('abort', stop);
    let timer = setTimeout(stop, SILENCE);
    try {
      const headers = {Accept: 'text/event-stream'};
      if (this.#lastId)
        headers['Last-Event-ID'] = this.#lastId;
      const response = await fetch(`api/v1/stream?${new URLSearchParams(this.#parameters)}`,
                                   {headers, signal: attempt.signal, cache: 'no-store'});
      noteClock(response);
      if (!response.ok)
        throw await errorOf(response);
      this.dispatchEvent(new CustomEvent('open'));
      this.#delay = FIRST_DELAY;
      const parser = new EventParser((event) => this.#take(event));
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const {value, done} = await reader.read();
        clearTimeout(timer);
        if (done || controller.signal.aborted)
          return;
        timer = setTimeout(stop, SILENCE);
        parser.push(decoder.decode(value, {stream: true}));
      }
    } finally {
      clearTimeout(timer);
      controller.signal.removeEventListener('abort', stop);
      attempt.abort();
    }
  }

  #take({id, name, data}) {
    if (id !== null)
      this.#lastId = id;
    let detail;
    try {
      detail = data === '' ? {} : JSON.parse(data);
    } catch {
      return;
    }
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}

/** Takes a stream of events apart, however it was cut. */
export class EventParser {
  #rest = '';
  #data = [];
  #id = null;
  #name = '';
  #take;

  constructor(take) {
    this.#take = take;
  }

  push(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines)
      this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  #line(line) {
    if (line === '') {
      if (this.#data.length > 0 || this.#name !== '')
        this.#take({id: this.#id, name: this.#name || 'message', data: this.#data.join('\n')});
      this.#data = [];
      this.#id = null;
      this.#name = '';
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0)
      return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data')
      this.#data.push(value);
    else if (field === 'event')
      this.#name = value;
    else if (field === 'id')
      this.#id = value;
  }
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions to the server.

import {_, fill} from './i18n.js';

// A head has room for 100 KiB at the server, and less at proxies.
const URL_ROOM = 6000;
const TIMEOUT = 60000;
// A clock that is less wrong than this is as good as the server's, of which only whole seconds are known.
const CLOCK_SLACK = 2000;

let clockOffset = 0;

/** The time in seconds, by the server's clock where this machine's is another. */
export function now() {
  return (Date.now() + clockOffset) / 1000;
}

/** Takes the server's time from an answer. */
export function noteClock(response) {
  const date = Date.parse(response.headers.get('Date') ?? '');
  if (Number.isFinite(date)) {
    const offset = date + 500 - Date.now();
    clockOffset = Math.abs(offset) < CLOCK_SLACK ? 0 : offset;
  }
}

/** What the server refused, or that it was not reached (status 0). */
export class ApiError extends Error {
  constructor(status, code, message, where = '') {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.where = where;
  }

  /** In words, for people. */
  inWords() {
    if (this.status === 0)
      return _('The server cannot be reached.');
    const words = {
      403: _('The server does not allow this here.'),
      404: _('The server does not know this.'),
      429: _('The server has too much to do.'),
      503: _('The server has too much to do, or is stopping.'),
    }[this.status] ?? _('The server refused the request.');
    const place = this.where ? `${this.where}: ` : '';
    // What the server says is English: it comes behind, for who looks for the reason.
    return fill(_('{words} It says: {message}'), {words, message: `${place}${this.message}`});
  }
}

/** The error that an answer describes. */
export async function errorOf(response) {
  try {
    const {error} = await response.json();
    return new ApiError(response.status, String(error.code), String(error.message), error.where ? String(error.where) : '');
  } catch {
    return new ApiError(response.status, 'http', `HTTP ${response.status}`);
  }
}

/** An integer for the API: whatever a number is, the server takes 64 bits. */
export function integer(number) {
  const bound = 9223372036854774784;
  return BigInt(Math.round(Math.max(-bound, Math.min(bound, number)))).toString();
}

/**
 * @param {string} path below api/v1
 * @param {[string, string|number][]} parameters
 * @param {AbortSignal} [signal]
 */
export async function ask(path, parameters, signal) {
  return request(path, parameters, 'application/json', (response) => response.json(), signal);
}

/** The same as text, of a type that the server has. */
export async function askText(path, parameters, type) {
  return request(path, parameters, type, (response) => response.text());
}

async function request(path, parameters, type, read, signal) {
  const query = new URLSearchParams(parameters.map(([name, value]) => [name, String(value)]));
  const signals = [AbortSignal.timeout(TIMEOUT), ...(signal ? [signal] : [])];
  let response;
  try {
    response = await fetch(`api/v1/${path}?${query}`, {signal: anyOf(signals), headers: {Accept: type}});
    noteClock(response);
    if (response.ok)
      return await read(response);
  } catch (error) {
    if (signal?.aborted)
      throw error;
    throw new ApiError(0, 'unreachable', error.message);
  }
  throw await errorOf(response);
}

function anyOf(signals) {
  if (AbortSignal.any)
    return AbortSignal.any(signals);
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted)
      controller.abort(signal.reason);
    signal.addEventListener('abort', () => controller.abort(signal.reason), {once: true});
  }
  return controller.signal;
}

/** Keys in lots that an address has room for. */
export function lots(keys, most = 100) {
  const result = [];
  let lot = [];
  let room = URL_ROOM;
  for (const key of keys) {
    const length = encodeURIComponent(key).length + 5;
    if (lot.length > 0 && (length > room || lot.length >= most)) {
      result.push(lot);
      lot = [];
      room = URL_ROOM;
    }
    lot.push(key);
    room -= length;
  }
  if (lot.length > 0)
    result.push(lot);
  return result;
}

/** The answers for many keys, put together: a list of {key, points}. */
export async function askForKeys(path, keys, parameters, signal, most) {
  const answers = await Promise.all(lots(keys, most).map((lot) =>
    ask(path, [...lot.map((key) => /** @type {[string, string]} */ (['key', key])), ...parameters], signal)));
  return answers.flatMap((answer) => answer.series);
}

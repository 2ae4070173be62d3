// SPDX-License-Identifier: LGPL-2.1-or-later
// Who may hold a stream. A browser has six connections to a server, for all its windows: if each held one, the seventh
// window would wait for ever. So four hold a stream, and the others ask now and then.

const SLOTS = 4;

/** @returns {Promise<(() => void)|null>} lets go of the place again; null while there is none */
export async function takeSlot() {
  // Over plain HTTP from another machine there are no locks.
  if (!navigator.locks)
    return () => {};
  for (let i = 0; i < SLOTS; i++) {
    const release = await tryLock(`metricsd-stream-${i}`);
    if (release)
      return release;
  }
  return null;
}

function tryLock(name) {
  return new Promise((resolve) => {
    navigator.locks.request(name, {ifAvailable: true}, (lock) => {
      if (!lock) {
        resolve(null);
        return undefined;
      }
      return new Promise((release) => resolve(() => release(undefined)));
    }).catch(() => resolve(() => {}));
  });
}

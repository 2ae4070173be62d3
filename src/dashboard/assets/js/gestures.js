// SPDX-License-Identifier: LGPL-2.1-or-later
// What hands do on a chart: dragging selects (with Shift, or the middle button: moves), a finger moves, two fingers and the
// wheel zoom, a double click zooms out; and the keys for all of it.

// Who scrolls the page and comes across a chart goes on scrolling.
const SCROLL_PAUSE = 400;
const CLICK = 4;

let lastScroll = -Infinity;
addEventListener('scroll', () => {
  lastScroll = performance.now();
}, {capture: true, passive: true});

/**
 * @typedef {object} Hands what a chart does; places are parts of the width, 0 to 1
 * @property {(part: number|null, isHeld?: boolean) => void} hover held: the mark stays there whatever span is shown
 * @property {(begin: number|null, end: number, isOver: boolean) => void} select
 * @property {(parts: number, isOver: boolean) => void} pan by how much of the width, to the later
 * @property {(factor: number, at: number) => void} zoom below 1 in
 * @property {(steps: number) => void} step the mark of values, by points
 * @property {() => void} live
 */

/** @param {HTMLElement} surface @param {Hands} hands */
export function listen(surface, hands) {
  const pointers = new Map();
  let mode = '';
  let begin = 0;
  const partOf = (event) => {
    const box = surface.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  const width = () => Math.max(1, surface.clientWidth);
  const spread = () => {
    const [a, b] = [...pointers.values()];
    const box = surface.getBoundingClientRect();
    return {distance: Math.max(20, Math.abs(a.x - b.x)), middle: ((a.x + b.x) / 2 - box.left) / box.width};
  };

  surface.addEventListener('pointerdown', (event) => {
    if (event.button > 1)
      return;
    pointers.set(event.pointerId, {x: event.clientX});
    surface.setPointerCapture(event.pointerId);
    begin = partOf(event);
    if (pointers.size > 1)
      mode = 'pinch';
    else if (event.pointerType === 'touch' || event.shiftKey || event.button === 1)
      mode = 'pan';
    else
      mode = 'select';
    if (event.button === 1)
      event.preventDefault();
  });

  surface.addEventListener('pointermove', (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) {
      hands.hover(partOf(event), true);
      return;
    }
    const dx = event.clientX - before.x;
    if (mode === 'pinch' && pointers.size === 2) {
      const old = spread();
      before.x = event.clientX;
      const now = spread();
      hands.zoom(old.distance / now.distance, now.middle);
      hands.pan(old.middle - now.middle, false);
    } else if (mode === 'pan') {
      before.x = event.clientX;
      if (event.pointerType !== 'touch')
        hands.hover(partOf(event), true);
      hands.pan(-dx / width(), false);
    } else if (mode === 'select' && Math.abs(dx) >= CLICK) {
      hands.select(begin, partOf(event), false);
    }
  });

  const end = (event) => {
    const before = pointers.get(event.pointerId);
    if (!before)
      return;
    pointers.delete(event.pointerId);
    if (event.type === 'pointercancel') {
      hands.select(null, 0, true);
      hands.pan(0, true);
    } else if (mode === 'select') {
      const moved = Math.abs(event.clientX - before.x) >= CLICK;
      hands.select(moved ? begin : null, partOf(event), true);
    } else if (mode === 'pan') {
      hands.pan(0, true);
      // A tap shows the values there.
      if (Math.abs(partOf(event) - begin) * width() < CLICK)
        hands.hover(partOf(event), event.pointerType !== 'touch');
    }
    mode = pointers.size === 0 ? '' : 'pan';
  };
  surface.addEventListener('pointerup', end);
  surface.addEventListener('pointercancel', end);
  // What is drawn is not what the browser would drag or mark.
  surface.addEventListener('dragstart', (event) => event.preventDefault());
  surface.addEventListener('pointerleave', (event) => {
    if (event.pointerType !== 'touch')
      hands.hover(null);
  });
  surface.addEventListener('dblclick', (event) => hands.zoom(2, partOf(event)));
  listenToWheel(surface, hands, partOf, width);
  listenToKeys(surface, hands);
}

function listenToWheel(surface, hands, partOf, width) {
  surface.addEventListener('wheel', (event) => {
    if (performance.now() - lastScroll < SCROLL_PAUSE && !event.ctrlKey) {
      lastScroll = performance.now();
      return;
    }
    event.preventDefault();
    const unit = [1, 16, 400][event.deltaMode] ?? 1;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      hands.pan((event.deltaX || event.deltaY) * unit / width(), true);
    } else {
      // Pinching on a touchpad comes as a wheel with Ctrl, in small steps.
      const strength = event.ctrlKey ? 0.01 : 0.002;
      hands.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY * unit * strength))), partOf(event));
    }
  }, {passive: false});
}

function listenToKeys(surface, hands) {
  const keys = {
    ArrowLeft: (event) => (event.shiftKey ? hands.step(-1) : hands.pan(-0.1, true)),
    ArrowRight: (event) => (event.shiftKey ? hands.step(1) : hands.pan(0.1, true)),
    PageUp: () => hands.pan(-1, true),
    PageDown: () => hands.pan(1, true),
    ArrowUp: () => hands.zoom(0.7, 0.5),
    ArrowDown: () => hands.zoom(1 / 0.7, 0.5),
    '+': () => hands.zoom(0.7, 0.5),
    '=': () => hands.zoom(0.7, 0.5),
    '-': () => hands.zoom(1 / 0.7, 0.5),
    ',': () => hands.step(-1),
    '.': () => hands.step(1),
    End: () => hands.live(),
    Escape: () => hands.hover(null),
  };
  surface.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !Object.hasOwn(keys, event.key))
      return;
    keys[event.key](event);
    event.preventDefault();
    event.stopPropagation();
  });
}

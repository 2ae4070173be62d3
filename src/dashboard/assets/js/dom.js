// SPDX-License-Identifier: LGPL-2.1-or-later
// Making elements. Texts only ever become text nodes: a key may have any characters.

/**
 * @param {string} tag
 * @param {Object<string, any>} [properties] attributes; `class`, `text`; `on` with handlers by event
 * @param {...(Node|string|null)} children
 * @returns {HTMLElement}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, properties);
  for (const child of children) {
    if (child !== null && child !== undefined)
      element.append(child);
  }
  return element;
}

/** Sets what changed alone: screen readers are told of each mutation. */
export function setAttributes(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'text') {
      setText(element, value);
    } else if (name === 'on') {
      for (const [event, handler] of Object.entries(value))
        element.addEventListener(event, handler);
    } else if (value === null || value === undefined || value === false) {
      element.removeAttribute(name);
    } else {
      const text = value === true ? '' : String(value);
      if (element.getAttribute(name) !== text)
        element.setAttribute(name, text);
    }
  }
}

export function setText(element, text) {
  if (element.textContent !== text)
    element.textContent = text;
}

/** An icon: a path of 24 by 24, drawn with the colour of the text. */
export function icon(path) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(space, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

export const ICONS = {
  add: 'M12 5v14M5 12h14',
  back: 'M15 5l-7 7 7 7',
  calendar: 'M5 6h14v14H5zM5 10h14M9 3v5M15 3v5',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  down: 'M12 5v14M6 13l6 6 6-6',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  forward: 'M9 5l7 7-7 7',
  help: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.500 1.200-1.500 2.400M12 17.500v.5',
  menu: 'M4 6h16M4 12h16M4 18h16',
  minus: 'M5 12h14',
  table: 'M4 5h16v14H4zM4 10h16M4 14.500h16M10 5v14',
  theme: 'M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16',
  up: 'M12 19V5M6 11l6-6 6 6',
};

/**
 * A button with an icon; its name is said by screen readers and shown by the pointer.
 * @returns {HTMLButtonElement}
 */
export function iconButton(path, label, onClick, properties = {}) {
  return /** @type {HTMLButtonElement} */ (h('button', {
    type: 'button', class: 'icon-button', 'aria-label': label, title: label, on: {click: onClick}, ...properties,
  }, icon(path)));
}

/** Calls a function once, when `delay` milliseconds have brought no further call. */
export function debounce(delay, func) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => func(...values), delay);
  };
}

/** Calls a function with the next frame, however often it is asked for. */
export function eachFrame(func) {
  let asked = false;
  return () => {
    if (asked)
      return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      func();
    });
  };
}

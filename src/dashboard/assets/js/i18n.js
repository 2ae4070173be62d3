// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts in the reader's language: catalogs made of po/*.po when the project is built (catalogs.py), as gettext has them.

/** @type {Object<string, string[]>} */
let messages = {};
/** Which form each number takes: a digit for each of 0 to 199; above, the last hundred repeats. */
let plurals = '';
let language = 'en';
let locale = 'en';

/** The translation of a text. */
export function _(text) {
  return messages[text]?.[0] ?? text;
}

/** The translation that goes with a number. */
export function ngettext(one, many, number) {
  const forms = messages[one];
  if (!forms)
    return number === 1 ? one : many;
  const place = number < 200 ? number : 100 + number % 100;
  return forms[Number(plurals[place] ?? 0)] ?? forms[0];
}

/** Puts values in the place of {name}. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** What Intl takes: the reader's own, with a region, where the texts are in that language. */
export function getLocale() {
  return locale;
}

/** The language of the texts, for `lang`. */
export function getLanguage() {
  return language.replace('_', '-');
}

/** The first of the reader's languages that there is a catalog for, or English. */
export function choose(wanted, available) {
  for (const tag of wanted) {
    let parts;
    try {
      parts = new Intl.Locale(tag).maximize();
    } catch {
      continue;
    }
    if (parts.language === 'en')
      return {name: 'en', locale: tag};
    const exact = `${parts.language}_${parts.region}`;
    // Traditional and simplified Chinese are not read by the same people; Portuguese of any country is.
    const name = available.find((each) => each === exact && sameScript(each, parts))
      ?? available.find((each) => each.split('_')[0] === parts.language && sameScript(each, parts));
    if (name)
      return {name, locale: tag};
  }
  return {name: 'en', locale: wanted[0] ?? 'en'};
}

function sameScript(name, parts) {
  return new Intl.Locale(name.replace('_', '-')).maximize().script === parts.script;
}

async function fetchJson(path) {
  const response = await fetch(path);
  if (!response.ok)
    throw new Error(`${path}: ${response.status}`);
  return response.json();
}

/** Reads the catalog. What goes wrong leaves the texts English: a page that is read beats none. */
export async function load() {
  try {
    const chosen = choose(navigator.languages ?? [navigator.language], await fetchJson('assets/texts/languages.json'));
    if (chosen.name !== 'en') {
      const catalog = await fetchJson(`assets/texts/${chosen.name}.json`);
      messages = catalog.messages;
      plurals = catalog.plurals;
    }
    language = chosen.name;
    locale = chosen.name === 'en' && !/^en\b/i.test(chosen.locale) ? 'en' : chosen.locale;
  } catch (error) {
    console.warn(`translations: ${error.message}`);
  }
  document.documentElement.lang = getLanguage();
}

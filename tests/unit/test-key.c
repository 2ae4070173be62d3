/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-key.h"

#include <string.h>

static gboolean
is_valid (const char *key)
{
  return metrics_key_is_valid (key, strlen (key));
}

static void
test_cases (void)
{
  static const char *const valid[] = { "a",  "test_key", "host.name.cpu",    "**",       "a*", "*a", "?",
                                       "\\", "\xc3\xa9", "\xf0\x9f\x98\x80", "{a=\"b\"}" };
  static const char *const refused[] = {
    "",
    "*",
    " ",
    "a b",
    "a ",
    "\ta",
    "a\r",
    "a\n",
    "a\x0b",
    "\x1f",
    "a\x7f",
    "a\xc2\xa0z",       /* U+00A0, at which clients split lines */
    "a\xc2\x85",        /* U+0085, a control character */
    "\xe2\x80\xa8",     /* U+2028, a line separator */
    "\xe3\x80\x80",     /* U+3000, a wide space */
    "\xc3",             /* cut short */
    "\xe2\x82",         /* cut short */
    "\x80",             /* a continuation without a start */
    "\xc0\xaf",         /* longer than needed */
    "\xed\xa0\x80",     /* a surrogate */
    "\xf4\x90\x80\x80", /* beyond the last code point */
    "\xff",
  };

  for (guint i = 0; i < G_N_ELEMENTS (valid); i++)
    if (!is_valid (valid[i]))
      g_error ("'%s' is refused", valid[i]);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    if (is_valid (refused[i]))
      g_error ("number %u is taken", i);
  g_assert_false (metrics_key_is_valid ("a\0b", 3));
  g_assert_false (metrics_key_is_valid ("a\0", 2));
}

/* What a store makes itself is stored, but no client can name it. */
static void
test_hidden (void)
{
  static const char *const hidden[] = { "a\x1fsum/60", "\xc3\xa9\x1fz" };
  static const char *const refused[]
      = { "\x1f", "a\x1f", "\x1fsum/60", "a b\x1fsum/60", "a\x1f b", "a\x1f\x1f", "*\x1fz" };

  for (guint i = 0; i < G_N_ELEMENTS (hidden); i++)
    {
      gsize len = strlen (hidden[i]);

      g_assert_true (metrics_key_is_hidden (hidden[i], len));
      g_assert_true (metrics_key_is_storable (hidden[i], len));
      g_assert_false (metrics_key_is_valid (hidden[i], len));
      g_assert_cmpint (hidden[i][metrics_key_get_public_len (hidden[i], len)], ==, METRICS_KEY_MARK);
    }
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    g_assert_false (metrics_key_is_storable (refused[i], strlen (refused[i])));
  g_assert_false (metrics_key_is_hidden ("a/b", 3));
  g_assert_false (metrics_key_is_hidden ("\xc3\xa9", 2));
  g_assert_true (metrics_key_is_storable ("a/b", 3));
}

static void
test_length (void)
{
  g_autofree char *key = g_strnfill (METRICS_KEY_MAX + 1, 'k');

  g_assert_true (metrics_key_is_valid (key, METRICS_KEY_MAX));
  g_assert_false (metrics_key_is_valid (key, METRICS_KEY_MAX + 1));
  /* The limit is one of bytes, and no character is cut by it. */
  memcpy (key + METRICS_KEY_MAX - 1, "\xc3\xa9", 2);
  g_assert_false (metrics_key_is_valid (key, METRICS_KEY_MAX));
  memcpy (key + METRICS_KEY_MAX - 2, "\xc3\xa9", 2);
  g_assert_true (metrics_key_is_valid (key, METRICS_KEY_MAX));
}

/* Every character that there is, alone and among others. */
static void
test_characters (void)
{
  for (gunichar c = 0; c <= 0x10ffff; c++)
    {
      gboolean expected
          = g_unichar_validate (c) && c != '*' && c != 0 && !g_unichar_isspace (c) && !g_unichar_iscntrl (c);
      char key[10] = "k";
      gint len = g_unichar_to_utf8 (c, key + 1);

      if (c == '*')
        continue;
      key[1 + len] = 'k';
      if (metrics_key_is_valid (key + 1, len) != expected || metrics_key_is_valid (key, len + 2) != expected)
        g_error ("U+%04X", c);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/key/cases", test_cases);
  g_test_add_func ("/key/hidden", test_hidden);
  g_test_add_func ("/key/length", test_length);
  g_test_add_func ("/key/characters", test_characters);
  return g_test_run ();
}

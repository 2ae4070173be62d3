/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-paint.h"

#include "ctl/metrics-ctl-text.h"

#include <string.h>

/* Colours that those who see no red or no green can tell apart, and that can be read on a light and on a dark
 * ground: after Okabe and Ito, "Color Universal Design" (2008), their yellow darker. The sixteen are what
 * comes near to them. */
static const guint8 palette_256[] = { 33, 208, 36, 169, 178, 74, 166, 245 };
static const guint8 palette_16[] = { 94, 33, 36, 35, 93, 96, 31, 37 };

G_STATIC_ASSERT (sizeof palette_256 == sizeof palette_16);

/**
 * metrics_ctl_terminal_is_dumb:
 *
 * Returns: whether the terminal, or what is used as one, does not know escape sequences
 */
gboolean
metrics_ctl_terminal_is_dumb (void)
{
  const char *term = g_getenv ("TERM");

  return term == NULL || *term == '\0' || strcmp (term, "dumb") == 0;
}

static MetricsCtlColors
get_terminal_colors (void)
{
  const char *term = g_getenv ("TERM");
  const char *colorterm = g_getenv ("COLORTERM");

  if (colorterm != NULL && (strstr (colorterm, "truecolor") != NULL || strstr (colorterm, "24bit") != NULL))
    return METRICS_CTL_COLORS_256;
  if (term != NULL && (strstr (term, "256color") != NULL || strstr (term, "-direct") != NULL))
    return METRICS_CTL_COLORS_256;
  return METRICS_CTL_COLORS_16;
}

/**
 * metrics_ctl_colors_choose:
 * @when: (nullable): `auto`, `always` or `never`, or %NULL for `auto`
 * @terminal: whether a terminal will show it
 * @colors: (out): the colours
 *
 * Chooses by the command line, $NO_COLOR (https://no-color.org), $TERM and $COLORTERM.
 *
 * Returns: %FALSE where @when is none of these
 */
gboolean
metrics_ctl_colors_choose (const char *when, gboolean terminal, MetricsCtlColors *colors)
{
  const char *no_color = g_getenv ("NO_COLOR");

  *colors = METRICS_CTL_COLORS_NONE;
  if (g_strcmp0 (when, "always") == 0)
    *colors = get_terminal_colors ();
  else if (when == NULL || strcmp (when, "auto") == 0)
    {
      if (terminal && !metrics_ctl_terminal_is_dumb () && (no_color == NULL || *no_color == '\0'))
        *colors = get_terminal_colors ();
    }
  else
    return strcmp (when, "never") == 0;
  return TRUE;
}

/**
 * metrics_ctl_paint_init:
 * @self: what to make ready
 * @colors: the colours that may be used
 * @ascii: whether there is nothing but ASCII for what is drawn
 * @width: how many cells a line has
 *
 * Begins a text that is no screen. Whoever paints a screen sets the members for that.
 */
void
metrics_ctl_paint_init (MetricsCtlPaint *self, MetricsCtlColors colors, gboolean ascii, guint width)
{
  *self = (MetricsCtlPaint){
    .text = g_string_new (NULL),
    .colors = colors,
    .attributes = colors != METRICS_CTL_COLORS_NONE,
    .ascii = ascii,
    .width = width,
  };
}

/**
 * metrics_ctl_paint_clear:
 * @self: what is not needed any more
 */
void
metrics_ctl_paint_clear (MetricsCtlPaint *self)
{
  if (self->text != NULL)
    g_string_free (g_steal_pointer (&self->text), TRUE);
}

/**
 * metrics_ctl_paint_restart:
 * @self: what was painted
 * @width: how many cells a line has from now on
 *
 * Forgets what was painted; a screen is painted from its first line on.
 */
void
metrics_ctl_paint_restart (MetricsCtlPaint *self, guint width)
{
  g_string_assign (self->text, self->screen ? "\033[H" : "");
  self->width = width;
  self->column = self->blanks = self->style = 0;
}

static void
write_style (MetricsCtlPaint *self, guint style)
{
  guint nth = style >= METRICS_CTL_STYLE_SERIES
                  ? (style - METRICS_CTL_STYLE_SERIES) % G_N_ELEMENTS (palette_256)
                  : 0;

  if (style == self->style)
    return;
  if (self->style != METRICS_CTL_STYLE_PLAIN)
    g_string_append (self->text, "\033[0m");
  self->style = style;
  if (style >= METRICS_CTL_STYLE_SERIES && self->colors == METRICS_CTL_COLORS_256)
    g_string_append_printf (self->text, "\033[38;5;%um", palette_256[nth]);
  else if (style >= METRICS_CTL_STYLE_SERIES)
    g_string_append_printf (self->text, "\033[%um", palette_16[nth]);
  else if (style == METRICS_CTL_STYLE_BOLD)
    g_string_append (self->text, "\033[1m");
  else if (style == METRICS_CTL_STYLE_FAINT)
    g_string_append (self->text, "\033[2m");
  else if (style == METRICS_CTL_STYLE_REVERSE)
    g_string_append (self->text, "\033[7m");
}

static void
set_style (MetricsCtlPaint *self, guint style)
{
  gboolean allowed
      = style >= METRICS_CTL_STYLE_SERIES ? self->colors != METRICS_CTL_COLORS_NONE : self->attributes;

  write_style (self, allowed ? style : METRICS_CTL_STYLE_PLAIN);
}

static void
write_blanks (MetricsCtlPaint *self)
{
  if (self->blanks == 0)
    return;
  set_style (self, METRICS_CTL_STYLE_PLAIN);
  g_string_append_printf (self->text, "%*s", (int) self->blanks, "");
  self->blanks = 0;
}

static guint
get_width (gunichar c)
{
  return g_unichar_iswide (c) ? 2 : g_unichar_iszerowidth (c) ? 0 : 1;
}

/**
 * metrics_ctl_paint_unichar:
 * @self: what is painted
 * @style: how it looks
 * @c: a character
 *
 * Paints a character, where there is room for it.
 */
void
metrics_ctl_paint_unichar (MetricsCtlPaint *self, guint style, gunichar c)
{
  guint width = get_width (c);

  if (self->column + width > self->width)
    return;
  /* What is reverse can be seen. */
  if (c == ' ' && (style != METRICS_CTL_STYLE_REVERSE || !self->attributes))
    {
      metrics_ctl_paint_blanks (self, 1);
      return;
    }
  write_blanks (self);
  set_style (self, style);
  g_string_append_unichar (self->text, c);
  self->column += width;
}

/**
 * metrics_ctl_paint_text:
 * @self: what is painted
 * @style: how it looks
 * @text: valid UTF-8 without control characters
 *
 * Paints a text as far as the line reaches.
 */
void
metrics_ctl_paint_text (MetricsCtlPaint *self, guint style, const char *text)
{
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      /* What is behind a character that is left out is left out, narrow or not. */
      if (self->column + get_width (c) > self->width)
        return;
      metrics_ctl_paint_unichar (self, style, c);
    }
}

/**
 * metrics_ctl_paint_fitted:
 * @self: what is painted
 * @style: how it looks
 * @text: valid UTF-8 without control characters
 * @width: how many cells it takes
 *
 * Paints a text at the left of so many cells. What does not fit is left out in its middle, for keys differ
 * most at their ends.
 */
void
metrics_ctl_paint_fitted (MetricsCtlPaint *self, guint style, const char *text, guint width)
{
  gsize text_width = metrics_ctl_text_width (text);
  const char *dots = self->ascii ? ".." : "\u2026";
  guint head_width, used = 0;
  const char *p = text;

  if (text_width <= width)
    {
      metrics_ctl_paint_text (self, style, text);
      if (style == METRICS_CTL_STYLE_REVERSE)
        for (gsize i = text_width; i < width; i++)
          metrics_ctl_paint_unichar (self, style, ' ');
      else
        metrics_ctl_paint_blanks (self, width - text_width);
      return;
    }
  if (width < 4)
    dots = "";
  head_width = (width - (guint) strlen (dots) / (self->ascii ? 1 : 3)) / 3;
  for (; used + get_width (g_utf8_get_char (p)) <= head_width; p = g_utf8_next_char (p))
    {
      metrics_ctl_paint_unichar (self, style, g_utf8_get_char (p));
      used += get_width (g_utf8_get_char (p));
    }
  metrics_ctl_paint_text (self, style, dots);
  used += metrics_ctl_text_width (dots);
  while (used + metrics_ctl_text_width (p) > width)
    p = g_utf8_next_char (p);
  /* A mark belongs to the character before it, which is left out. */
  while (*p != '\0' && get_width (g_utf8_get_char (p)) == 0)
    p = g_utf8_next_char (p);
  metrics_ctl_paint_text (self, style, p);
  for (used += metrics_ctl_text_width (p); used < width; used++)
    metrics_ctl_paint_unichar (self, style, ' ');
}

/**
 * metrics_ctl_paint_right:
 * @self: what is painted
 * @style: how it looks
 * @text: valid UTF-8 without control characters
 * @width: how many cells it takes
 *
 * Paints a text at the right of so many cells, more where it does not fit.
 */
void
metrics_ctl_paint_right (MetricsCtlPaint *self, guint style, const char *text, guint width)
{
  for (gsize used = metrics_ctl_text_width (text); used < width; used++)
    metrics_ctl_paint_unichar (self, style, ' ');
  metrics_ctl_paint_text (self, style, text);
}

/**
 * metrics_ctl_paint_blanks:
 * @self: what is painted
 * @n: how many cells to leave empty
 */
void
metrics_ctl_paint_blanks (MetricsCtlPaint *self, guint n)
{
  n = MIN (n, self->width - self->column);
  self->column += n;
  self->blanks += n;
}

/**
 * metrics_ctl_paint_end_line:
 * @self: what is painted
 *
 * Ends a line; of a screen also the last one.
 */
void
metrics_ctl_paint_end_line (MetricsCtlPaint *self)
{
  guint column = self->column - self->blanks;

  set_style (self, METRICS_CTL_STYLE_PLAIN);
  /* Behind the last cell a terminal would clear that one. */
  if (self->screen && column < self->width)
    g_string_append (self->text, "\033[K");
  g_string_append (self->text, self->screen ? "\r\n" : "\n");
  self->column = self->blanks = 0;
}

/**
 * metrics_ctl_paint_take:
 * @self: what is painted
 * @n_bytes: (out): how many bytes it has
 *
 * Takes what was painted, in what the locale says that the terminal shows. A screen has no line feed behind
 * its last line, where it would scroll.
 *
 * Returns: (transfer full): the bytes
 */
char *
metrics_ctl_paint_take (MetricsCtlPaint *self, gsize *n_bytes)
{
  const char *charset;
  char *converted;

  if (self->screen && g_str_has_suffix (self->text->str, "\r\n"))
    g_string_truncate (self->text, self->text->len - strlen ("\r\n"));
  if (!g_get_charset (&charset))
    {
      converted = g_convert_with_fallback (self->text->str, (gssize) self->text->len, charset, "UTF-8", "?",
                                           NULL, n_bytes, NULL);
      if (converted != NULL)
        return converted;
    }
  *n_bytes = self->text->len;
  return g_strndup (self->text->str, self->text->len);
}

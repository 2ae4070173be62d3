/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-progress.h"
#include "ctl/metrics-ctl-reader.h"
#include "ctl/metrics-ctl-sender.h"
#include "ctl/metrics-ctl-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const MetricsCtlUsage usage = {
  N_ ("[FILE]"),
  0,
  1,
  N_ ("Puts points from FILE, or from standard input (also '-'): a line a point,\n"
      "'KEY VALUE TIMESTAMP', TIMESTAMP a number of seconds since 1970. Blank lines and lines that\n"
      "begin with '#' are skipped."),
  N_ ("Points are sent as they come, many at once; the whole is never held. A bad line, and one that\n"
      "the server refuses (which has a limit, or keeps nothing so old), is counted, and the others are\n"
      "put all the same; the first 10 are shown with their numbers. To put a point again does no harm:\n"
      "after a break, run it again.\n"
      "\n"
      "It prints nothing on standard output; on standard error, a bar while it runs on a terminal,\n"
      "and at its end: how many points the server has acknowledged, and how many lines were bad or\n"
      "refused, for which its exit status is 1.\n"
      "\n"
      "Examples:\n"
      "  metricsctl import points.txt\n"
      "  zstd -dc points.txt.zst | metricsctl import\n"
      "  metricsctl export --address other:8888 | metricsctl import"),
};

/* How many lines are shown that are bad or refused. */
#define MAX_SHOWN 10
/* And about how many bytes of each. */
#define MAX_QUOTED 60
/* One that is filled, one that is sent, one in between. */
#define N_PIECES 3

typedef struct
{
  MetricsCtl *ctl;                  /* (unowned) */
  const char *name;                 /* (unowned): of the input */
  GCancellable *cancellable;        /* (unowned) */
  MetricsCtlReader *reader;         /* (owned) */
  MetricsCtlSender *sender;         /* (owned) */
  MetricsCtlProgress *progress;     /* (owned) */
  MetricsCtlPiece *piece;           /* (owned): the one that is filled */
  MetricsCtlPiece *spare[N_PIECES]; /* (owned) (array length=n_spare): empty ones */
  guint n_spare;
  guint64 n_acknowledged; /* points */
  guint64 n_bad;          /* lines that are none */
  guint64 n_refused;      /* lines that the server refused: good ones */
  guint64 last_done;      /* number of the last line before which nothing is left to do */
  GError *error;          /* (owned) (nullable): what ended it early */
} Import;

static void
import_init (Import *self, MetricsCtl *ctl, const char *name, int fd)
{
  struct stat status;
  gboolean file = fstat (fd, &status) == 0 && S_ISREG (status.st_mode);

  self->ctl = ctl;
  self->name = name;
  self->cancellable = metrics_ctl_watch_interrupt (ctl);
  self->reader = metrics_ctl_reader_new (fd);
  self->sender = metrics_ctl_sender_new (metrics_ctl_get_client (ctl), self->cancellable);
  self->progress = metrics_ctl_progress_new (file ? (guint64) status.st_size : 0);
  self->piece = metrics_ctl_piece_new ();
  while (self->n_spare < N_PIECES - 1)
    self->spare[self->n_spare++] = metrics_ctl_piece_new ();
}

static void
import_clear (Import *self)
{
  metrics_ctl_sender_free (self->sender);
  metrics_ctl_reader_free (self->reader);
  metrics_ctl_progress_free (self->progress);
  metrics_ctl_piece_free (self->piece);
  for (guint i = 0; i < self->n_spare; i++)
    metrics_ctl_piece_free (self->spare[i]);
  g_clear_error (&self->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

/* @text: (nullable): the line, where it is at hand. */
static void
report_line (Import *self, guint64 *counter, guint64 line_number, const char *reason, const char *text)
{
  guint64 n = ++*counter + (counter == &self->n_bad ? self->n_refused : self->n_bad);

  if (n > MAX_SHOWN + 1)
    return;
  metrics_ctl_progress_hide (self->progress);
  if (n > MAX_SHOWN)
    metrics_ctl_warn (self->ctl, "%s", _ ("further lines that are bad or refused are only counted"));
  else
    metrics_ctl_warn (self->ctl, "%s:%" G_GUINT64_FORMAT ": %s%s%s", self->name, line_number, reason,
                      text != NULL ? ": " : "", text != NULL ? text : "");
}

/* Takes note of what became of a piece, and empties it. */
static void
settle (Import *self, MetricsCtlPiece *piece)
{
  gboolean broken
      = piece->error != NULL && !g_error_matches (piece->error, METRICS_ERROR, METRICS_ERROR_REFUSED);
  guint n_done = broken ? metrics_ctl_count_answered (piece->batch)
                        : piece->n_accepted + metrics_batch_get_n_refused (piece->batch);
  guint n_refused = n_done - piece->n_accepted;

  if (n_refused < metrics_batch_get_n_refused (piece->batch))
    metrics_ctl_warn (self->ctl, _ ("the server's last word: %s"),
                      metrics_batch_get_refusal (piece->batch, n_refused, NULL));
  for (guint i = 0; i < n_refused; i++)
    {
      guint index = 0;
      const char *reason = metrics_batch_get_refusal (piece->batch, i, &index);

      /* The batch keeps the first ones only. */
      if (reason != NULL)
        report_line (self, &self->n_refused, piece->line_numbers[index], reason, NULL);
      else
        self->n_refused++;
    }
  self->n_acknowledged += piece->n_accepted;
  if (n_done > 0)
    self->last_done = piece->line_numbers[n_done - 1];
  if (self->error == NULL && broken)
    self->error = g_steal_pointer (&piece->error);
  metrics_ctl_piece_clear (piece);
  metrics_ctl_progress_update (self->progress, metrics_ctl_reader_get_n_bytes (self->reader),
                               self->n_acknowledged);
}

/* Sends what is in the piece that is filled, and gets an empty one. */
static void
send_piece (Import *self)
{
  if (metrics_batch_get_n_points (self->piece->batch) == 0)
    return;
  metrics_ctl_sender_push (self->sender, g_steal_pointer (&self->piece));
  if (self->n_spare > 0)
    self->piece = self->spare[--self->n_spare];
  else
    {
      self->piece = metrics_ctl_sender_pop (self->sender);
      settle (self, self->piece);
    }
}

/* Sends what there is and waits for all answers. */
static void
drain (Import *self)
{
  MetricsCtlPiece *piece;

  send_piece (self);
  while ((piece = metrics_ctl_sender_pop (self->sender)) != NULL)
    {
      settle (self, piece);
      self->spare[self->n_spare++] = piece;
    }
}

static void
take_line (Import *self, char *line, gsize len)
{
  guint64 line_number = metrics_ctl_reader_get_line_number (self->reader);
  MetricsCtlPoint point;
  g_autoptr (GError) error = NULL;
  const char *reason = metrics_ctl_read_point (line, len, &point);
  guint n;

  if (reason != NULL)
    {
      g_autofree char *text
          = self->n_bad + self->n_refused < MAX_SHOWN ? metrics_ctl_escape (line, len, MAX_QUOTED) : NULL;

      report_line (self, &self->n_bad, line_number, _ (reason), text);
      return;
    }
  if (point.key == NULL)
    return;

  n = metrics_batch_get_n_points (self->piece->batch);
  if (!metrics_batch_add (self->piece->batch, point.key, point.value, point.timestamp, &error))
    {
      report_line (self, &self->n_bad, line_number, error->message, NULL);
      return;
    }
  self->piece->line_numbers[n] = line_number;
  if (n + 1 == METRICS_CTL_PIECE_SIZE)
    send_piece (self);
}

static void
take_lines (Import *self)
{
  while (self->error == NULL)
    {
      char *line;
      gsize len;

      switch (metrics_ctl_reader_next (self->reader, &line, &len))
        {
        case METRICS_CTL_READ_LINE:
          take_line (self, line, len);
          break;
        case METRICS_CTL_READ_TOO_LONG:
          report_line (self, &self->n_bad, metrics_ctl_reader_get_line_number (self->reader),
                       _ ("line too long"), NULL);
          break;
        case METRICS_CTL_READ_MORE:
        default:
          return;
        }
    }
}

static void
import (Import *self)
{
  gssize n = 1;

  while (self->error == NULL && n > 0)
    {
      /* Whoever writes a line now and then into a pipe wants it put now, not when a piece is full. */
      if (!metrics_ctl_reader_is_ready (self->reader))
        drain (self);
      if (self->error == NULL)
        n = metrics_ctl_reader_fill (self->reader, self->cancellable, &self->error);
      take_lines (self);
    }
  drain (self);
}

/* Where to go on after a break. */
static void
say_how_far (Import *self, const char *points)
{
  g_autofree char *last = metrics_ctl_format_integer ((gint64) self->last_done);

  if (self->last_done == 0)
    metrics_ctl_warn (self->ctl, _ ("stopped: no point of %s was acknowledged"), self->name);
  else
    metrics_ctl_warn (self->ctl,
                      ngettext ("stopped: %s point was acknowledged; all is done up to line %s of %s",
                                "stopped: %s points were acknowledged; all is done up to line %s of %s",
                                self->n_acknowledged),
                      points, last, self->name);
}

/* The last lines: how far it came, and what was not put. */
static int
conclude (Import *self)
{
  double seconds = metrics_ctl_progress_get_seconds (self->progress);
  g_autofree char *points = metrics_ctl_format_integer ((gint64) self->n_acknowledged);
  g_autofree char *rate = metrics_ctl_format_integer ((gint64) (self->n_acknowledged / MAX (seconds, 1e-6)));
  g_autofree char *bad = metrics_ctl_format_integer ((gint64) self->n_bad);
  g_autofree char *refused = metrics_ctl_format_integer ((gint64) self->n_refused);
  int status = self->n_bad + self->n_refused > 0 ? METRICS_CTL_FAILED : METRICS_CTL_DONE;

  metrics_ctl_progress_hide (self->progress);
  if (self->error != NULL)
    {
      status = metrics_ctl_fail (self->ctl, self->error);
      say_how_far (self, points);
    }
  else
    metrics_ctl_warn (self->ctl,
                      ngettext ("%s point put in %.2f s, %s a second", "%s points put in %.2f s, %s a second",
                                self->n_acknowledged),
                      points, seconds, rate);
  if (self->n_bad > 0)
    metrics_ctl_warn (self->ctl, ngettext ("%s line was bad", "%s lines were bad", self->n_bad), bad);
  if (self->n_refused > 0)
    metrics_ctl_warn (self->ctl,
                      ngettext ("%s line was refused by the server", "%s lines were refused by the server",
                                self->n_refused),
                      refused);
  return status;
}

static int
run_import (MetricsCtl *ctl, const char *name, int fd)
{
  g_auto (Import) self = { 0 };

  import_init (&self, ctl, name, fd);
  if (isatty (fd))
    metrics_ctl_warn (ctl, "%s", _ ("reading from the terminal; Ctrl-D ends the input"));
  import (&self);
  return conclude (&self);
}

int
metrics_ctl_import (MetricsCtl *ctl, int argc, char **argv)
{
  g_auto (GStrv) arguments = NULL;
  int status, fd;

  arguments = metrics_ctl_parse (ctl, &usage, NULL, argc, argv, &status);
  if (arguments == NULL)
    return status;
  if (arguments[0] == NULL || strcmp (arguments[0], "-") == 0)
    return run_import (ctl, _ ("standard input"), STDIN_FILENO);

  fd = open (arguments[0], O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    {
      metrics_ctl_warn (ctl, _ ("cannot open %s: %s"), arguments[0], g_strerror (errno));
      return METRICS_CTL_FAILED;
    }
  status = run_import (ctl, arguments[0], fd);
  close (fd);
  return status;
}

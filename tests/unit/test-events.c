/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-log-bucket.h"
#include "common/metrics-log-writer.h"
#include "common/metrics-log.h"
#include "logged.h"

#include <string.h>

#define BURST 10
#define MINUTE METRICS_LOG_BUCKET_INTERVAL

static gint64 hand; /* of the clock */

static gint64
get_hand (void)
{
  return hand;
}

/* What was logged: `NAME: MESSAGE`, a line each. */
static GString *log_text;

static void
note (const GLogField *fields, gsize n_fields, gpointer user_data)
{
  g_string_append_printf (log_text, "%s: %s\n", logged_get (fields, n_fields, "METRICSD_EVENT"),
                          logged_get (fields, n_fields, "MESSAGE"));
}

static void
begin (void)
{
  hand = 1000 * MINUTE;
  metrics_log_set_clock (get_hand);
  log_text = g_string_new (NULL);
  logged_set_func (note, NULL);
}

static void
end (void)
{
  logged_set_func (NULL, NULL);
  g_string_free (g_steal_pointer (&log_text), TRUE);
  metrics_log_set_clock (NULL);
}

/* Compares what was logged since this was last asked. */
static void
assert_logged (const char *expected)
{
  g_assert_cmpstr (log_text->str, ==, expected);
  g_string_truncate (log_text, 0);
}

static void
say (void)
{
  metrics_log (METRICS_EVENT_CLIENT_HTTP, METRICS_FIELDS (METRICS_TEXT (CLIENT, "a")), "%s", "http");
}

static guint
take_many (MetricsLogBucket *bucket, guint n, gint64 now)
{
  guint n_taken = 0;

  for (guint i = 0; i < n; i++)
    n_taken += metrics_log_bucket_take (bucket, BURST, now);
  return n_taken;
}

static void
test_bucket (void)
{
  MetricsLogBucket bucket = { 0 };

  g_assert_cmpuint (take_many (&bucket, 1000, 5), ==, BURST);
  g_assert_cmpuint (metrics_log_bucket_take_suppressed (&bucket), ==, 1000 - BURST);
  g_assert_cmpuint (metrics_log_bucket_take_suppressed (&bucket), ==, 0);
  /* One a minute comes back, no sooner. */
  g_assert_cmpuint (take_many (&bucket, 3, 4 + MINUTE), ==, 0);
  g_assert_cmpuint (take_many (&bucket, 3, 5 + MINUTE), ==, 1);
  g_assert_cmpuint (take_many (&bucket, 5, 5 + 3 * MINUTE), ==, 2);
  g_assert_cmpuint (metrics_log_bucket_take_suppressed (&bucket), ==, 3 + 2 + 3);
  /* Never more than a burst. */
  g_assert_cmpuint (take_many (&bucket, 100, 5 + 1000 * MINUTE), ==, BURST);
  g_assert_cmpuint (take_many (&bucket, 100, 5 + 1000 * MINUTE), ==, 0);
}

/* What is asked about takes nothing; what is not there counts. */
static void
test_bucket_check (void)
{
  MetricsLogBucket bucket = { 0 };

  for (guint i = 0; i < 100; i++)
    g_assert_true (metrics_log_bucket_check (&bucket, BURST, 0));
  g_assert_cmpuint (take_many (&bucket, BURST, 0), ==, BURST);
  g_assert_false (metrics_log_bucket_check (&bucket, BURST, 0));
  g_assert_cmpuint (metrics_log_bucket_take_suppressed (&bucket), ==, 1);
}

/* An attacker who goes on for a year. */
static void
test_flood (void)
{
  MetricsLogBucket bucket = { 0 };
  guint n_taken = 0;

  for (gint64 second = 0; second < 365 * 24 * 60 * 60; second++)
    n_taken += metrics_log_bucket_take (&bucket, BURST, second * G_USEC_PER_SEC);
  g_assert_cmpuint (n_taken, <=, BURST + 365 * 24 * 60);
  g_assert_cmpuint (n_taken, >=, 365 * 24 * 60);
}

static void
test_suppressed (void)
{
  begin ();
  for (guint i = 0; i < BURST; i++)
    {
      say ();
      assert_logged ("client-http: http\n");
    }
  say ();
  assert_logged ("");
  hand += MINUTE;
  say ();
  assert_logged ("client-http: 1 more message 'client-http' was suppressed\nclient-http: http\n");
  for (guint i = 0; i < 5; i++)
    g_assert_false (metrics_log_is_due (METRICS_EVENT_CLIENT_HTTP));
  hand += MINUTE;
  g_assert_true (metrics_log_is_due (METRICS_EVENT_CLIENT_HTTP));
  say ();
  assert_logged ("client-http: 5 more messages 'client-http' were suppressed\nclient-http: http\n");
  say ();
  say ();
  /* At the end nothing is left unsaid, and nothing is said twice. */
  metrics_log_flush ();
  assert_logged ("client-http: 2 more messages 'client-http' were suppressed\n");
  metrics_log_flush ();
  assert_logged ("");
  /* What nobody can bring about often is always said. */
  for (guint i = 0; i < 1000; i++)
    {
      metrics_log (METRICS_EVENT_START_FAILED, METRICS_FIELDS (METRICS_TEXT (REASON, "why")), "%d", 7);
      assert_logged ("start-failed: 7\n");
    }
  end ();
}

static void
note_fields (const GLogField *fields, gsize n_fields, gpointer user_data)
{
  static const char *const keys[] = { "MESSAGE",       "MESSAGE_ID",      "PRIORITY",   "METRICSD_EVENT",
                                      "METRICSD_FILE", "METRICSD_REASON", "GLIB_DOMAIN" };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_string_append_printf (user_data, "%s=%s\n", keys[i], logged_get (fields, n_fields, keys[i]));
  g_assert_nonnull (strstr (logged_get (fields, n_fields, "CODE_FILE"), "test-events.c"));
  g_assert_cmpstr (logged_get (fields, n_fields, "CODE_FUNC"), ==, "test_fields");
}

static void
test_fields (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  logged_set_func (note_fields, text);
  metrics_log (METRICS_EVENT_WRITE_FAILED,
               METRICS_FIELDS (METRICS_TEXT (FILE, "/f"), METRICS_TEXT (REASON, "full")), "%s: %s", "/f",
               "full");
  logged_set_func (NULL, NULL);
  g_assert_cmpstr (text->str, ==,
                   "MESSAGE=/f: full\nMESSAGE_ID=2c0697a312ae48e083dfe9800c325d49\nPRIORITY=3\n"
                   "METRICSD_EVENT=write-failed\nMETRICSD_FILE=/"
                   "f\nMETRICSD_REASON=full\nGLIB_DOMAIN=metricsd\n");
}

/* The journal's catalog shows @FIELD@ as it stands where an entry has none. */
static void
test_missing_field (void)
{
  if (g_test_subprocess ())
    {
      metrics_log (METRICS_EVENT_WRITE_FAILED, METRICS_FIELDS (METRICS_TEXT (FILE, "/f")), "text");
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*the fields of 'write-failed' are not those of its table*");
}

static void
test_table (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (MetricsEvent event = 0; event < METRICS_N_EVENTS; event++)
    {
      const MetricsEventInfo *info = metrics_event_get_info (event);

      g_assert_cmpuint (strlen (info->message_id), ==, 32);
      g_assert_cmpuint (strspn (info->message_id, "0123456789abcdef"), ==, 32);
      g_assert_cmpuint (strspn (info->name, "abcdefghijklmnopqrstuvwxyz-"), ==, strlen (info->name));
      g_assert_true (g_hash_table_add (seen, (gpointer) info->message_id));
      g_assert_true (g_hash_table_add (seen, (gpointer) info->name));
      g_assert_cmpint (info->priority, >=, METRICS_PRIORITY_CRITICAL);
      g_assert_cmpint (info->priority, <=, METRICS_PRIORITY_INFO);
    }
}

static void
test_escape (void)
{
  static const struct
  {
    const char *text;
    const char *expected;
  } cases[] = {
    { "", "" },
    { "plain 'text' \\ \"", "plain 'text' \\ \"" },
    { "\xd0\xb6 \xe6\x97\xa5 \xf0\x9f\x93\x88", "\xd0\xb6 \xe6\x97\xa5 \xf0\x9f\x93\x88" },
    { "a\nmetricsd: b", "a\\x0ametricsd: b" },
    { "\r\t\x1b[31m\x7f", "\\x0d\\x09\\x1b[31m\\x7f" },
    { "\xc2\x9b"
      "31m",
      "\\x9b31m" },
    { "\xff\xfe"
      "a\xc3",
      "\\xff\\xfea\\xc3" },
    { "\xed\xa0\x80", "\\xed\\xa0\\x80" },
    { "\xc0\x8a", "\\xc0\\x8a" },
    { "\xe2\x80\xae"
      "evil\xe2\x80\xa8",
      "\\u202eevil\\u2028" },
  };
  g_autofree char *long_text = g_strnfill (100, 'x');
  g_autofree char *part = metrics_log_escape ("abc\ndef", 4, 100);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *escaped = metrics_log_escape (cases[i].text, -1, 1000);

      g_assert_cmpstr (escaped, ==, cases[i].expected);
    }
  g_assert_cmpstr (part, ==, "abc\\x0a");
  for (gsize limit = 16; limit <= 110; limit++)
    {
      g_autofree char *cut = metrics_log_escape (long_text, -1, limit);

      g_assert_cmpuint (strlen (cut), ==, MIN (limit, 100));
      g_assert_true (g_str_has_suffix (cut, limit < 100 ? "x..." : "xxxx"));
    }
}

/* What is cut is cut between characters. */
static void
test_escape_cut (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < 200; i++)
    g_string_append (text, g_rand_boolean (random)   ? "\xd0\xb6"
                           : g_rand_boolean (random) ? "\n"
                                                     : "\xe2\x80\xae");
  for (gsize limit = 16; limit < 300; limit++)
    {
      g_autofree char *cut = metrics_log_escape (text->str, text->len, limit);

      g_assert_cmpuint (strlen (cut), <=, limit);
      g_assert_cmpuint (strlen (cut), >, limit - 10);
      g_assert_true (g_utf8_validate (cut, -1, NULL));
      g_assert_true (g_str_has_suffix (cut, "..."));
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  logged_install ();

  g_test_add_func ("/events/bucket", test_bucket);
  g_test_add_func ("/events/bucket/check", test_bucket_check);
  g_test_add_func ("/events/bucket/flood", test_flood);
  g_test_add_func ("/events/suppressed", test_suppressed);
  g_test_add_func ("/events/fields", test_fields);
  g_test_add_func ("/events/fields/missing", test_missing_field);
  g_test_add_func ("/events/table", test_table);
  g_test_add_func ("/events/escape", test_escape);
  g_test_add_func ("/events/escape/cut", test_escape_cut);

  return g_test_run ();
}

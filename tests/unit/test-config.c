/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-config-file.h"
#include "daemon/metrics-config.h"

#include "common/metrics-rules.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with a configuration file and its drop-ins, and a command line. */
typedef struct
{
  char *folder;
  char *path;
  char *drop_ins;
  GPtrArray *names; /* of what is to be deleted */
  GPtrArray *problems;
  MetricsOptions *options;
} Fixture;

static void
set_up (Fixture *f, gconstpointer user_data)
{
  char *words[] = { (char *) "metricsd", (char *) "--config", NULL, NULL };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;

  f->folder = g_dir_make_tmp ("metricsd-XXXXXX", NULL);
  f->path = words[2] = g_build_filename (f->folder, "some.conf", NULL);
  f->drop_ins = g_strconcat (f->path, ".d", NULL);
  f->names = g_ptr_array_new_with_free_func (g_free);
  f->problems = metrics_problems_new ();
  arguments = g_strdupv (words);
  f->options = metrics_options_parse (&arguments, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < f->names->len; i++)
    g_assert_cmpint (g_unlink (f->names->pdata[i]), ==, 0);
  g_rmdir (f->drop_ins);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  metrics_options_free (f->options);
  g_ptr_array_unref (f->names);
  g_ptr_array_unref (f->problems);
  g_free (f->folder);
  g_free (f->path);
  g_free (f->drop_ins);
}

static void
write_bytes (Fixture *f, const char *path, const char *bytes, gssize len)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, bytes, len, &error);
  g_assert_no_error (error);
  if (!g_ptr_array_find_with_equal_func (f->names, path, g_str_equal, NULL))
    g_ptr_array_add (f->names, g_strdup (path));
}

static void
write_drop_in (Fixture *f, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (f->drop_ins, name, NULL);

  g_mkdir (f->drop_ins, 0700);
  write_bytes (f, path, text, -1);
}

static const char *
get_text (Fixture *f, guint i)
{
  return ((const MetricsProblem *) f->problems->pdata[i])->text;
}

static MetricsConfig *
load (Fixture *f)
{
  g_ptr_array_set_size (f->problems, 0);
  return metrics_config_load (f->options, f->problems);
}

static MetricsConfig *
load_good (Fixture *f)
{
  MetricsConfig *config = load (f);

  for (guint i = 0; i < f->problems->len; i++)
    g_test_message ("%s", get_text (f, i));
  g_assert_cmpuint (f->problems->len, ==, 0);
  return config;
}

static guint
count_rules (const MetricsConfig *config)
{
  return metrics_rules_get_n_rules (metrics_retention_get_rules (config->retention));
}

static void
test_rules (Fixture *f, gconstpointer user_data)
{
  g_autoptr (MetricsConfig) empty = NULL;
  g_autoptr (MetricsConfig) some = NULL;

  write_bytes (f, f->path, "# nothing\n", -1);
  empty = load_good (f);
  g_assert_cmpuint (count_rules (empty), ==, 0);
  g_assert_false (empty->has_rollup);
  g_assert_cmpuint (empty->limits.connections, ==, 1024);

  write_bytes (f, f->path, "[retention]\ncpu.*=7d\nmem[de]=1y\n*=400d\n[rollup]\n", -1);
  some = load_good (f);
  g_assert_cmpuint (count_rules (some), ==, 3);
  g_assert_true (some->has_rollup);
  g_assert_cmpint (metrics_retention_get_keep (some->retention, 1), ==, 365 * 86400);
}

static void
test_layers (Fixture *f, gconstpointer user_data)
{
  g_autoptr (MetricsConfig) config = NULL;
  const char *origin;

  write_bytes (f, f->path,
               "[server]\nline-limit=128K\nseries-limit = 5 "
               "\nlisten=127.0.0.1:0;unix:/x\n[retention]\na=1d\nb=2d\n",
               -1);
  write_drop_in (f, "20-b.conf", "[server]\nline-limit=1M\n[retention]\nc=3d\n");
  write_drop_in (f, "10-a.conf", "[server]\nline-limit=2M\nidle-timeout=7\nlisten=[::1]:0\n[rollup]\n");
  write_drop_in (f, "30.conf.off", "[server]\nline-limit=4M\n");
  write_drop_in (f, ".hidden.conf", "wrong\n");
  config = load_good (f);
  g_assert_cmpuint (config->files->len, ==, 3);
  g_assert_cmpuint (config->limits.line, ==, 1 << 20);
  g_assert_cmpuint (config->limits.idle_timeout, ==, 7);
  g_assert_cmpuint (config->series_limit, ==, 5);
  g_assert_true (metrics_config_make_listeners (config, METRICS_BUS_NONE, NULL));
#if HAVE_HTTP
  g_assert_cmpuint (config->listeners->len, ==, 2);
#else
  g_assert_cmpuint (config->listeners->len, ==, 1);
#endif
  g_assert_cmpuint (count_rules (config), ==, 1);
  g_assert_true (config->has_rollup);
  origin = metrics_settings_get_origin (config->settings, METRICS_SETTING_LINE_LIMIT);
  g_assert_true (g_str_has_suffix (origin, "some.conf.d/20-b.conf:2"));
  g_assert_null (metrics_settings_get_origin (config->settings, METRICS_SETTING_UNSENT_LIMIT));
}

static void
test_wrong_lines (Fixture *f, gconstpointer user_data)
{
  static const struct
  {
    const char *text;
    const char *mention;
  } cases[] = {
    { "cpu.*=7d\n", "some.conf:1: 'cpu.*=7d' stands before the first group" },
    { "[retention]\n\n  cpu.*\n", "some.conf:3: 'cpu.*' is not a group" },
    { "[retention\n", "some.conf:1: '[retention' is not a group" },
    { "[retention]\n=7d\n", "some.conf:2: '=7d' is not" },
    { "[retentions]\ncpu.*=7d\n",
      "some.conf:1: [retentions]: no such group; there are: server, retention, rollup" },
    { "[retention]\ncpu.*=7d\n[x\xff]\n", "some.conf:3: not UTF-8" },
    { "[retention]\ncpu.*=soon\n", "some.conf:2: [retention] cpu.*: 'soon' is not a duration" },
    { "[retention]\na b=1d\n", "some.conf:2: [retention] a b: not a pattern" },
    { "[retention]\ncpu.*=7d\n\ncpu.* = 8d\n",
      "some.conf:4: [retention] cpu.*: given twice; the first one is in line 2" },
    { "[retention]\n*=7d\ncpu.*=8d\n", "some.conf:3: [retention] cpu.*: it would never hold" },
    { "[rollup]\na=avg 1m\n", "some.conf:2: [rollup] a: '1m': a tier is" },
    { "[server]\n#\nport=1\nport=2\n", "some.conf:4: [server] port: given twice" },
    { "[server]\nport=70000\n", "some.conf:2: [server] port: '70000' is not a number from 0 to 65535" },
    { "[server]\nidle-timeout=1h\n",
      "some.conf:2: [server] idle-timeout: '1h' is not a number of seconds from 0 to 86400" },
    { "[server]\nmemory-limit=1\n", "[server] memory-limit: '1' is not a size of at least 1M" },
    { "[server]\nline-limit=1,5K\n", "[server] line-limit: '1,5K' is not a size from 64 to 16M" },
    { "[server]\nmemory-only=yes\n", "[server] memory-only: 'yes' is not true or false" },
    { "[server]\ndurability=often\n", "'often' is not one of: none, interval, always" },
    { "[server]\nstate-dir=here\n", "'here' is not an absolute path" },
    { "[server]\nstate-dir=\n", "[server] state-dir: the name is empty" },
    { "[server]\nlisten=127.0.0.1:x\n", "some.conf:2: [server] listen: " },
    { "[server]\nlisten=127.0.0.1:0;;\n", "[server] listen: one of the list is empty" },
    { "[server]\nmemory-limt=1G\n",
      "some.conf:2: [server] memory-limt: no such setting; there are: host, port," },
    { "[server]\na]b=1\n", "some.conf:2: " },
    { "[ser\tver]\n", "some.conf:1: " },
    { "[server] x\n", "some.conf:1: " },
    { "[]\n", "some.conf:1: " },
    { "[server]\nport[de]=1\n", "[server] port[de]: no such setting" },
    { "[server]\np\x1b=1\n", "[server] p\xef\xbf\xbd: no such setting" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (MetricsConfig) config = NULL;

      write_bytes (f, f->path, cases[i].text, -1);
      config = load (f);
      g_assert_cmpuint (f->problems->len, ==, 1);
      g_test_message ("%s", get_text (f, 0));
      g_assert_nonnull (strstr (get_text (f, 0), cases[i].mention));
      g_assert_true (g_str_has_prefix (get_text (f, 0), f->path));
    }
}

/* All that is wrong is found at once, in the order of the files. */
static void
test_all_problems (Fixture *f, gconstpointer user_data)
{
  static const char *const mentions[]
      = { "some.conf:2: 'x'", "some.conf:3: [server] port", "some.conf:5: [retention] a",
          "some.conf:6: [retention] b", "a.conf:1: [servers]" };
  g_autoptr (MetricsConfig) config = NULL;

  write_bytes (f, f->path, "[server]\nx\nport=x\n[retention]\na=x\nb=y\nc=1d\n", -1);
  write_drop_in (f, "a.conf", "[servers]\n");
  config = load (f);
  g_assert_cmpuint (f->problems->len, ==, G_N_ELEMENTS (mentions));
  for (guint i = 0; i < f->problems->len; i++)
    g_assert_nonnull (strstr (get_text (f, i), mentions[i]));
}

static void
expect_problem (Fixture *f, const char *mention)
{
  g_autoptr (MetricsConfig) config = load (f);

  g_assert_cmpuint (f->problems->len, ==, 1);
  g_test_message ("%s", get_text (f, 0));
  g_assert_nonnull (strstr (get_text (f, 0), mention));
}

static void
test_wrong_files (Fixture *f, gconstpointer user_data)
{
  g_autofree char *large = g_strnfill ((1 << 20) + 1, '#');
  g_autofree char *line = g_strnfill (10000, 'x');
  g_autoptr (GString) text = g_string_new ("[server]\n");

  expect_problem (f, "some.conf: No such file or directory");
  write_bytes (f, f->path, "[server]\nport=1\n\0\n", 18);
  expect_problem (f, "some.conf:3: there is a zero byte");
  write_bytes (f, f->path, large, -1);
  expect_problem (f, "some.conf: larger than 1048576 bytes");
  write_bytes (f, f->path, line, -1);
  expect_problem (f, "some.conf:1: longer than 8192 bytes");

  g_assert_cmpint (g_unlink (f->path), ==, 0);
  g_assert_cmpint (mkfifo (f->path, 0600), ==, 0);
  expect_problem (f, "some.conf: not a regular file");
  g_assert_cmpint (g_unlink (f->path), ==, 0);
  g_assert_cmpint (g_mkdir (f->path, 0700), ==, 0);
  expect_problem (f, "some.conf: Is a directory");
  g_assert_cmpint (g_rmdir (f->path), ==, 0);

  /* What is wrong from end to end is not said from end to end. */
  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text, "x%u=1\n", i);
  write_bytes (f, f->path, text->str, -1);
  {
    g_autoptr (MetricsConfig) config = load (f);

    g_assert_cmpuint (f->problems->len, ==, 33);
  }
  write_bytes (f, f->path, "", -1);
  write_bytes (f, f->drop_ins, "", -1);
  expect_problem (f, "some.conf.d: ");
}

/* A link to nothing at all is a file that says nothing. */
static void
test_masked (Fixture *f, gconstpointer user_data)
{
  g_autofree char *path = g_build_filename (f->drop_ins, "a.conf", NULL);
  g_autoptr (MetricsConfig) config = NULL;

  write_bytes (f, f->path, "[server]\nseries-limit=5\n", -1);
  g_mkdir (f->drop_ins, 0700);
  g_assert_cmpint (symlink ("/dev/null", path), ==, 0);
  g_ptr_array_add (f->names, g_strdup (path));
  config = load_good (f);
  g_assert_cmpuint (config->series_limit, ==, 5);
  g_assert_cmpuint (config->files->len, ==, 2);
}

static void
test_settings (void)
{
  g_autoptr (MetricsSettings) one = metrics_settings_new ();
  g_autoptr (MetricsSettings) two = metrics_settings_new ();
  char *texts[] = { (char *) "a;b", (char *) "c d", NULL };
  g_autofree char *format = NULL;

  for (guint i = 0; i < METRICS_N_SETTINGS; i++)
    {
      const MetricsSetting *setting = metrics_setting_get (i);
      MetricsSettingId id;

      g_assert_true (metrics_setting_find (setting->name, &id));
      g_assert_cmpuint (id, ==, i);
      g_assert_true (metrics_settings_equal (one, two, i));
      g_assert_nonnull (setting->description);
    }
  metrics_settings_set_texts (one, METRICS_SETTING_LISTEN, texts, "here");
  g_assert_false (metrics_settings_equal (one, two, METRICS_SETTING_LISTEN));
  format = metrics_settings_format (one, METRICS_SETTING_LISTEN);
  g_assert_cmpstr (format, ==, "a\\;b;c d;");
  metrics_settings_copy (two, one, METRICS_SETTING_LISTEN);
  g_assert_true (metrics_settings_equal (one, two, METRICS_SETTING_LISTEN));
  g_assert_cmpstr (metrics_settings_get_origin (two, METRICS_SETTING_LISTEN), ==, "here");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/settings", test_settings);
#define ADD(name, func) g_test_add ("/config/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("rules", test_rules);
  ADD ("layers", test_layers);
  ADD ("wrong-lines", test_wrong_lines);
  ADD ("all-problems", test_all_problems);
  ADD ("wrong-files", test_wrong_files);
  ADD ("masked", test_masked);
#undef ADD
  return g_test_run ();
}

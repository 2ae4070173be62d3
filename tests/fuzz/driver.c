/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include <string.h>

/* Stands in for libFuzzer where the fuzz targets run as tests: always the same inputs, so that a failure can
 * be repeated. They are the lines of a corpus, then what becomes of them when they are changed at random,
 * then bytes at random. */

#define SEED 20240601
#define N_MUTATED 20000
#define N_RANDOM 5000
#define MAX_SIZE 4096

typedef struct
{
  GRand *random; /* (owned) */
  char **corpus; /* (owned) */
  guint n_corpus;
} Fixture;

/* Each input has an allocation of its own size, so that a sanitizer sees what is read behind it. */
static void
run_one (const char *bytes, gsize size)
{
  g_autofree guint8 *data = g_malloc (MAX (size, 1));

  memcpy (data, bytes, size);
  LLVMFuzzerTestOneInput (data, size);
}

static void
setup (Fixture *f, gconstpointer user_data)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "corpus", FUZZ_NAME ".txt", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  f->corpus = g_strsplit (text, "\n", -1);
  f->n_corpus = g_strv_length (f->corpus);
  g_assert_cmpuint (f->n_corpus, >, 1);
  f->random = g_rand_new_with_seed (SEED);
}

static void
teardown (Fixture *f, gconstpointer user_data)
{
  g_strfreev (f->corpus);
  g_rand_free (f->random);
}

static guint
pick (Fixture *f, gsize n)
{
  return n > 1 ? g_rand_int_range (f->random, 0, n) : 0;
}

static const char *
pick_line (Fixture *f)
{
  return f->corpus[pick (f, f->n_corpus)];
}

static void
mutate (Fixture *f, GString *input)
{
  gsize at = pick (f, input->len + 1);
  gsize n = pick (f, MIN (input->len - at, 16) + 1);

  switch (pick (f, 7))
    {
    case 0: /* another byte */
      if (at < input->len)
        input->str[at] = pick (f, 256);
      break;
    case 1: /* a bit of it */
      if (at < input->len)
        input->str[at] ^= 1 << pick (f, 8);
      break;
    case 2:
      g_string_insert_c (input, at, pick (f, 256));
      break;
    case 3:
      g_string_erase (input, at, n);
      break;
    case 4: /* the same again, many times */
      for (guint i = pick (f, 200); i > 0 && n > 0; i--)
        {
          g_autofree char *part = g_memdup2 (input->str + at, n);

          g_string_insert_len (input, at, part, n);
        }
      break;
    case 5: /* another line behind it */
      g_string_append_printf (input, "\n%s\n", pick_line (f));
      break;
    default: /* some of another line */
      g_string_insert_len (input, at, pick_line (f), -1);
      break;
    }
  if (input->len > MAX_SIZE)
    g_string_truncate (input, MAX_SIZE);
}

static void
test_corpus (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < f->n_corpus; i++)
    run_one (f->corpus[i], strlen (f->corpus[i]));
}

static void
test_mutated (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < N_MUTATED; i++)
    {
      g_autoptr (GString) input = g_string_new (pick_line (f));

      for (guint j = pick (f, 9); j > 0; j--)
        mutate (f, input);
      run_one (input->str, input->len);
    }
}

static void
test_random (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < N_RANDOM; i++)
    {
      char bytes[64];
      gsize n = pick (f, sizeof bytes + 1);

      for (gsize j = 0; j < n; j++)
        bytes[j] = pick (f, 256);
      run_one (bytes, n);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/" FUZZ_NAME "/corpus", Fixture, NULL, setup, test_corpus, teardown);
  g_test_add ("/" FUZZ_NAME "/mutated", Fixture, NULL, setup, test_mutated, teardown);
  g_test_add ("/" FUZZ_NAME "/random", Fixture, NULL, setup, test_random, teardown);
  return g_test_run ();
}

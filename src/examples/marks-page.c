/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "marks-page.h"

#include "marks-routes.h"

#include <string.h>

#define NAME "marks.html"
#define MAX_SIZE (1024 * 1024)

/* Returns: (transfer full): the page at PATH or, where that is NULL, the one beside the program */
GFile *
marks_page_find (const char *path)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *directory = program != NULL ? g_path_get_dirname (program) : g_strdup (".");

  return path != NULL ? g_file_new_for_path (path) : g_file_new_build_filename (directory, NAME, NULL);
}

/* Allows the elements TAG of the page, by their hashes, and so no others: whatever text from a student's
 * subjects might become an element, no browser would run it. */
static void
allow_elements (GString *policy, const char *directive, const char *page, const char *tag)
{
  g_autofree char *begin = g_strdup_printf ("<%s>", tag);
  g_autofree char *end = g_strdup_printf ("</%s>", tag);
  const char *from = page;
  const char *to;

  g_string_append_printf (policy, "; %s", directive);
  while ((from = strstr (from, begin)) != NULL && (to = strstr (from += strlen (begin), end)) != NULL)
    {
      g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
      guint8 digest[32];
      gsize size = sizeof digest;
      g_autofree char *text = NULL;

      g_checksum_update (checksum, (const guchar *) from, to - from);
      g_checksum_get_digest (checksum, digest, &size);
      text = g_base64_encode (digest, size);
      g_string_append_printf (policy, " 'sha256-%s'", text);
      from = to;
    }
}

static void
answer_page (SoupServerMessage *message, char *page, gsize size)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  g_autoptr (GString) policy = g_string_new ("default-src 'none'; base-uri 'none'; form-action 'none'; "
                                             "frame-ancestors 'none'; connect-src 'self'; "
                                             "img-src data:");

  allow_elements (policy, "script-src", page, "script");
  allow_elements (policy, "style-src", page, "style");
  soup_message_headers_replace (headers, "Content-Security-Policy", policy->str);
  soup_message_headers_replace (headers, "Referrer-Policy", "no-referrer");
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "text/html; charset=utf-8", SOUP_MEMORY_TAKE, page, size);
}

/* Whether more of the file is read: whatever it is, it has a limit. */
static gboolean
more_cb (const char *contents, goffset size, gpointer user_data)
{
  return size <= MAX_SIZE;
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SoupServerMessage) message = user_data;
  g_autoptr (GError) error = NULL;
  char *page;
  gsize size;

  if (!g_file_load_partial_contents_finish (G_FILE (source), result, &page, &size, NULL, &error))
    g_printerr ("%s: %s\n", g_get_prgname (), error->message);
  else if (size > MAX_SIZE)
    {
      g_printerr ("%s: %s has more than %d bytes\n", g_get_prgname (), g_file_peek_path (G_FILE (source)),
                  MAX_SIZE);
      g_free (page);
    }
  else
    answer_page (message, page, size);
  /* Where the file is, and why it cannot be read, is nothing for clients. */
  if (soup_server_message_get_status (message) == 0)
    marks_routes_fail (message, SOUP_STATUS_INTERNAL_SERVER_ERROR, "page", NULL, "the page cannot be read");
  soup_server_message_unpause (message);
}

/* Answers with the page as it is on the disk now. While that is read others are served: the message is paused
 * until then. */
void
marks_page_answer (SoupServerMessage *message, GFile *page)
{
  if (!marks_routes_allow (message, "GET, HEAD"))
    return;
  soup_server_message_pause (message);
  g_file_load_partial_contents_async (page, NULL, more_cb, loaded_cb, g_object_ref (message));
}

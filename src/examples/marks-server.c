/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "marks-guard.h"
#include "marks-page.h"
#include "marks-routes.h"

#include <glib/gi18n.h>
#include <string.h>

#define SUBJECTS "/subjects/"
#define DEFAULT_MAX_STUDENTS 1000

typedef struct
{
  Example *example;   /* (unowned) */
  SoupServer *server; /* (owned) */
  MarksBook *book;    /* (owned) */
  GFile *page;        /* (owned) */
} Service;

static void
service_clear (Service *service)
{
  g_clear_object (&service->server);
  g_clear_pointer (&service->book, marks_book_free);
  g_clear_object (&service->page);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Service, service_clear)

static gboolean
is_student (const char *text)
{
  return *text != '\0' && strspn (text, "0123456789") == strlen (text);
}

/* Whatever a path asks for. A message that has no answer when this returns, as the page that is loaded, is
 * paused. */
static void
request_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  Service *service = user_data;
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Connection", "close");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  if (g_str_equal (path, "/"))
    marks_page_answer (message, service->page);
  else if (g_str_has_prefix (path, SUBJECTS) && is_student (path + strlen (SUBJECTS)))
    marks_routes_answer_subjects (message, path + strlen (SUBJECTS), service->book);
  else
    marks_routes_fail (message, SOUP_STATUS_NOT_FOUND, "not-found", NULL, "there is nothing at this path");
}

static gboolean
incoming_cb (GSocketService *listener, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  Service *service = user_data;

  marks_guard_start (service->example, connection, service->server);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autofree char *page_path = NULL;
  int max_students = DEFAULT_MAX_STUDENTS;
  const GOptionEntry entries[] = {
    { "page", 0, 0, G_OPTION_ARG_FILENAME, &page_path,
      N_ ("The page (default: marks.html beside the program)"), N_ ("FILE") },
    { "max-students", 0, 0, G_OPTION_ARG_INT, &max_students,
      N_ ("Students who may have marks (default: 1000)"), N_ ("N") },
    { NULL },
  };
  const ExampleInfo info = {
    .name = "marks-server",
    .summary = N_ ("Serves a page over HTTP, and keeps the subjects of students with their marks."),
    .address = "localhost:8000",
    .idle_seconds = 10,
    .is_server = TRUE,
    .entries = entries,
    .refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  };
  /* Outlives the example, whose end may still run callbacks. */
  g_auto (Service) service = { 0 };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  g_autoptr (GSocketService) listener = g_socket_service_new ();

  if (max_students < 1)
    {
      g_printerr (_ ("%s: --max-students is 1 or more\n"), g_get_prgname ());
      return 2;
    }
  service.example = example;
  service.server = soup_server_new ("raw-paths", TRUE, NULL);
  service.book = marks_book_new (max_students);
  service.page = marks_page_find (page_path);
  soup_server_add_handler (service.server, NULL, request_cb, &service, NULL);
  g_signal_connect (listener, "incoming", G_CALLBACK (incoming_cb), &service);
  if (!example_listen (example, G_SOCKET_LISTENER (listener)))
    return 1;
  return example_run (example);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-assets.h"
#include "http/metrics-http-client.h"
#include "http/metrics-http-gzip.h"
#include "http/metrics-http-head.h"
#include "http/metrics-http-request.h"
#include "http/metrics-http-routes.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* The most that a body may have. */
#define METRICS_HTTP_MAX_BODY (8 << 20)

/**
 * MetricsHttpRequest:
 *
 * What a client asks for, and how far the answer is. It belongs to its client, which frees it when the answer
 * is complete or nobody wants it any more.
 */
struct _MetricsHttpRequest
{
  MetricsHttpClient *client; /* (unowned) */

  /* What is asked for. */
  char *method; /* (owned) */
  char *path;   /* (owned): decoded */
  MetricsHttpParameters parameters;
  SoupMessageHeaders *headers; /* (owned) */
  GBytes *body;                /* (owned) (nullable) */
  char *host;                  /* (owned) (nullable): with its port */
  guint minor;
  gboolean is_head;
  const MetricsHttpRoute *route; /* (unowned) (nullable): once it has been let through */

  /* The answer. */
  guint status;
  char *content_type; /* (owned) (nullable) */
  char *etag;         /* (owned) (nullable) */
  char *vary;         /* (owned) (nullable): what header fields of the request it depends on */
  GString *extra;     /* (owned) (nullable): header fields, as they are sent */
  gboolean has_cache_control;
  gboolean is_packed;          /* it is there as gzip */
  MetricsHttpProduceFunc func; /* (nullable) */
  gpointer user_data;
  GDestroyNotify free_func; /* (nullable) */
  GString *made;            /* (owned) (nullable): what was made and has not been taken */
  MetricsHttpGzip *gzip;    /* (owned) (nullable) */
  gboolean is_endless;
  gboolean is_runnable; /* whether the function is to be called */
  gboolean is_called;   /* it is being called */
  gboolean is_woken;    /* and was woken meanwhile */
  gboolean has_begun;   /* the head has been sent */
  gboolean is_chunked;
  gboolean is_complete;
  gboolean is_lost;
};

MetricsHttpRequest *metrics_http_request_new (MetricsHttpClient *client,
                                              const MetricsHttpHead *head,
                                              const char *data);
void metrics_http_request_free (MetricsHttpRequest *self);

/* Whether it is let through, before its body is there; where it is not, it has been ended. */
gboolean metrics_http_request_admit (MetricsHttpRequest *self, const MetricsHttpHead *head, const char *data);

/* Writing the answer. */
void metrics_http_answer_send_whole (MetricsHttpRequest *self, GBytes *bytes);
void metrics_http_answer_step (MetricsHttpRequest *self, gint *budget);

/* What a client is told of whom there is no request. */
void metrics_http_answer_refusal (MetricsHttpClient *client,
                                  guint status,
                                  const char *code,
                                  const char *where,
                                  const char *message,
                                  const char *extra);

GString *metrics_http_format_error (guint status, const char *code, const char *where, const char *message);
gboolean metrics_http_request_takes_gzip (MetricsHttpRequest *self);
void metrics_http_request_add_vary (MetricsHttpRequest *self, const char *field);
gboolean metrics_http_request_is_text (MetricsHttpRequest *self);

MetricsHttpAssets *metrics_http_get_page (MetricsHttp *self);

/* What is counted; see #MetricsHttpFigures. */
MetricsHttpFigures *metrics_http_count (MetricsHttp *self);
void metrics_http_note_answer (MetricsHttp *self, guint status);
gboolean metrics_http_is_name (MetricsHttp *self, const char *host);
gboolean metrics_http_reserve_body (MetricsHttp *self, gssize n_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsHttpRequest, metrics_http_request_free)

G_END_DECLS

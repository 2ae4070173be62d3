/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-body-private.h"

#include <string.h>

/* Points written down as JSON: in the form in which they are given out,
 *
 *     {"series":[{"key":"a","points":[[1700000000,21.5],...]},...]}
 *
 * or one by one,
 *
 *     {"points":[{"key":"a","value":21.5,"timestamp":1700000000},...]}
 *
 * Members of an object have no order. Where the points of a series stand before its key they are skipped, and
 * read when the key is known. */

/* A token is not work as much as a point that is put; many blanks are more. */
#define TOKENS_PER_UNIT 4
#define UNITS_OF_BLANKS 64

/* Where the reader is. */
enum
{
  PLACE_BODY,
  PLACE_TOP,
  PLACE_TOP_LIST,
  PLACE_POINTS,
  PLACE_POINT,
  PLACE_SERIES_LIST,
  PLACE_SERIES,
  PLACE_PAIRS,
  PLACE_PAIR_TIME,
  PLACE_PAIR_VALUE,
  PLACE_PAIR_END,
  PLACE_SKIPPED,
  PLACE_BEHIND,
};

typedef enum
{
  MEMBER_NONE = 0,
  MEMBER_SERIES = 1 << 0,
  MEMBER_POINTS = 1 << 1,
  MEMBER_KEY = 1 << 2,
  MEMBER_VALUE = 1 << 3,
  MEMBER_TIMESTAMP = 1 << 4,
} Member;

static const struct
{
  const char *name;
  Member member;
} member_names[] = {
  { "series", MEMBER_SERIES }, { "points", MEMBER_POINTS },       { "key", MEMBER_KEY },
  { "value", MEMBER_VALUE },   { "timestamp", MEMBER_TIMESTAMP },
};

/**
 * metrics_http_body_rewind_json:
 * @self: a body
 *
 * Goes to its beginning.
 */
void
metrics_http_body_rewind_json (MetricsHttpBody *self)
{
  gsize len;
  const char *text = g_bytes_get_data (self->bytes, &len);

  metrics_json_reader_init (&self->reader, text, len);
  self->place = PLACE_BODY;
  self->member = self->members = self->top_members = MEMBER_NONE;
  self->is_back = self->has_point = FALSE;
  self->skip_depth = 0;
  self->series = self->index = 0;
}

static char *
name_series (const MetricsHttpBody *self)
{
  return g_strdup_printf ("series[%" G_GUINT64_FORMAT "]", self->series);
}

static char *
name_pair (const MetricsHttpBody *self)
{
  return g_strdup_printf ("series[%" G_GUINT64_FORMAT "].points[%" G_GUINT64_FORMAT "]", self->series,
                          self->index);
}

static char *
name_point (const MetricsHttpBody *self)
{
  return g_strdup_printf ("points[%" G_GUINT64_FORMAT "]", self->index);
}

/**
 * metrics_http_body_name_place_json:
 * @self: a body
 * @field: what of the point is meant
 *
 * Returns: (transfer full): where that is
 */
char *
metrics_http_body_name_place_json (const MetricsHttpBody *self, MetricsHttpField field)
{
  static const char *const members[] = { "", ".key", ".value", ".timestamp" };
  static const char *const elements[] = { "", "", "[1]", "[0]" };
  gboolean is_pair = self->top_members == MEMBER_SERIES;
  g_autofree char *point = NULL;

  G_STATIC_ASSERT (G_N_ELEMENTS (members) == METRICS_HTTP_N_FIELDS);
  G_STATIC_ASSERT (G_N_ELEMENTS (elements) == METRICS_HTTP_N_FIELDS);

  if (is_pair && field == METRICS_HTTP_FIELD_KEY)
    return g_strdup_printf ("series[%" G_GUINT64_FORMAT "].key", self->series);
  point = is_pair ? name_pair (self) : name_point (self);
  return g_strconcat (point, is_pair ? elements[field] : members[field], NULL);
}

/* Where the reader is, for what is no JSON at all. */
static char *
name_here (const MetricsHttpBody *self)
{
  switch (self->place)
    {
    case PLACE_TOP_LIST:
      return g_strdup (self->member == MEMBER_SERIES ? "series" : "points");
    case PLACE_POINTS:
    case PLACE_POINT:
      return name_point (self);
    case PLACE_SERIES_LIST:
    case PLACE_SERIES:
      return name_series (self);
    case PLACE_PAIRS:
      return name_pair (self);
    case PLACE_PAIR_TIME:
      return metrics_http_body_name_place_json (self, METRICS_HTTP_FIELD_TIMESTAMP);
    case PLACE_PAIR_VALUE:
      return metrics_http_body_name_place_json (self, METRICS_HTTP_FIELD_VALUE);
    case PLACE_PAIR_END:
      return name_pair (self);
    case PLACE_SKIPPED:
      return g_strdup_printf ("series[%" G_GUINT64_FORMAT "].points", self->series);
    default:
      return NULL;
    }
}

static MetricsHttpBodyState
fail_reader (MetricsHttpBody *self)
{
  gsize line, column;

  metrics_json_reader_get_place (&self->reader, &line, &column);
  return metrics_http_body_fail (self, name_here (self),
                                 "not JSON that can be read: line %" G_GSIZE_FORMAT
                                 ", column %" G_GSIZE_FORMAT ": %s",
                                 line, column, metrics_json_reader_get_message (&self->reader));
}

/* Each of these takes a token, and says PAUSED where the next one is to be read. */

static MetricsHttpBodyState
take_name (MetricsHttpBody *self, Member allowed, guint *members)
{
  const char *name = self->reader.string;

  for (guint i = 0; i < G_N_ELEMENTS (member_names); i++)
    {
      Member member = member_names[i].member;

      if ((member & allowed) == 0 || strcmp (name, member_names[i].name) != 0)
        continue;
      if ((*members & member) != 0)
        return metrics_http_body_fail (self, name_here (self), "the member '%s' is there twice", name);
      *members |= member;
      self->member = member;
      return METRICS_HTTP_BODY_PAUSED;
    }
  if (self->place == PLACE_TOP)
    return metrics_http_body_fail (self, name_here (self),
                                   "the member '%s' is not known here; 'points' or 'series' is", name);
  return metrics_http_body_fail (self, name_here (self), "the member '%s' is not known here", name);
}

static MetricsHttpBodyState
take_top (MetricsHttpBody *self, MetricsJsonToken token)
{
  if ((token == METRICS_JSON_NAME) != (self->top_members == MEMBER_NONE))
    return metrics_http_body_fail (self, NULL,
                                   "there has to be one member, 'series' or 'points', and no other");
  if (token == METRICS_JSON_NAME)
    {
      if (take_name (self, MEMBER_SERIES | MEMBER_POINTS, &self->top_members) == METRICS_HTTP_BODY_WRONG)
        return METRICS_HTTP_BODY_WRONG;
      self->place = PLACE_TOP_LIST;
    }
  else
    self->place = PLACE_BEHIND;
  return METRICS_HTTP_BODY_PAUSED;
}

static MetricsHttpBodyState
take_top_list (MetricsHttpBody *self, MetricsJsonToken token)
{
  if (token != METRICS_JSON_BEGIN_ARRAY)
    return metrics_http_body_fail (self, name_here (self), "not an array");
  self->place = self->top_members == MEMBER_SERIES ? PLACE_SERIES_LIST : PLACE_POINTS;
  return METRICS_HTTP_BODY_PAUSED;
}

/* An element of the outer list, or the end of it. */
static MetricsHttpBodyState
take_element (MetricsHttpBody *self, MetricsJsonToken token, guint place)
{
  if (token != METRICS_JSON_BEGIN_OBJECT && token != METRICS_JSON_END_ARRAY)
    return metrics_http_body_fail (self, name_here (self), "not an object");
  self->place = token == METRICS_JSON_BEGIN_OBJECT ? place : PLACE_TOP;
  self->members = self->member = MEMBER_NONE;
  self->point.time = self->now;
  return METRICS_HTTP_BODY_PAUSED;
}

/* The value of the member whose name was there before. */
static MetricsHttpBodyState
take_field (MetricsHttpBody *self, MetricsJsonToken token)
{
  Member member = self->member;
  gboolean is_taken;

  self->member = MEMBER_NONE;
  if (member == MEMBER_KEY)
    {
      if (token != METRICS_JSON_STRING)
        return metrics_http_body_fail (self, metrics_http_body_name_place_json (self, METRICS_HTTP_FIELD_KEY),
                                       "not a string");
      is_taken = metrics_http_body_take_key (self, self->reader.string, self->reader.string_len);
    }
  else if (token != METRICS_JSON_NUMBER)
    return metrics_http_body_fail (self,
                                   metrics_http_body_name_place_json (self,
                                                                      member == MEMBER_VALUE
                                                                          ? METRICS_HTTP_FIELD_VALUE
                                                                          : METRICS_HTTP_FIELD_TIMESTAMP),
                                   "not a number");
  else if (member == MEMBER_VALUE)
    is_taken = metrics_http_body_take_value (self, self->reader.number, self->reader.number_len);
  else
    is_taken = metrics_http_body_take_timestamp (self, self->reader.number, self->reader.number_len);
  return is_taken ? METRICS_HTTP_BODY_PAUSED : METRICS_HTTP_BODY_WRONG;
}

static MetricsHttpBodyState
take_point (MetricsHttpBody *self, MetricsJsonToken token)
{
  if (self->member != MEMBER_NONE)
    return take_field (self, token);
  if (token == METRICS_JSON_NAME)
    return take_name (self, MEMBER_KEY | MEMBER_VALUE | MEMBER_TIMESTAMP, &self->members);
  if ((self->members & MEMBER_KEY) == 0)
    return metrics_http_body_fail (self, name_here (self), "there is no member 'key'");
  if ((self->members & MEMBER_VALUE) == 0)
    return metrics_http_body_fail (self, name_here (self), "there is no member 'value'");
  self->place = PLACE_POINTS;
  return METRICS_HTTP_BODY_POINT;
}

static MetricsHttpBodyState
begin_pairs (MetricsHttpBody *self, MetricsJsonToken token)
{
  self->member = MEMBER_NONE;
  self->index = 0;
  if (token != METRICS_JSON_BEGIN_ARRAY)
    {
      self->place = PLACE_SKIPPED;
      return metrics_http_body_fail (self, name_here (self), "not an array");
    }
  if ((self->members & MEMBER_KEY) != 0)
    {
      self->place = PLACE_PAIRS;
      return METRICS_HTTP_BODY_PAUSED;
    }
  self->ahead = self->reader;
  self->skip_depth = self->reader.depth - 1;
  self->place = PLACE_SKIPPED;
  return METRICS_HTTP_BODY_PAUSED;
}

static void
end_series (MetricsHttpBody *self)
{
  self->series++;
  self->place = PLACE_SERIES_LIST;
}

static MetricsHttpBodyState
take_series (MetricsHttpBody *self, MetricsJsonToken token)
{
  if (self->member == MEMBER_POINTS)
    return begin_pairs (self, token);
  if (self->member == MEMBER_KEY)
    return take_field (self, token);
  if (token == METRICS_JSON_NAME)
    return take_name (self, MEMBER_KEY | MEMBER_POINTS, &self->members);
  if ((self->members & MEMBER_KEY) == 0)
    return metrics_http_body_fail (self, name_here (self), "there is no member 'key'");
  if ((self->members & MEMBER_POINTS) == 0)
    return metrics_http_body_fail (self, name_here (self), "there is no member 'points'");
  if (self->skip_depth == 0)
    {
      end_series (self);
      return METRICS_HTTP_BODY_PAUSED;
    }
  self->skip_depth = 0;
  self->behind = self->reader;
  self->reader = self->ahead;
  self->is_back = TRUE;
  self->place = PLACE_PAIRS;
  return METRICS_HTTP_BODY_PAUSED;
}

static MetricsHttpBodyState
take_skipped (MetricsHttpBody *self, MetricsJsonToken token)
{
  if (self->reader.depth == self->skip_depth)
    self->place = PLACE_SERIES;
  return METRICS_HTTP_BODY_PAUSED;
}

static MetricsHttpBodyState
take_pair (MetricsHttpBody *self, MetricsJsonToken token)
{
  if (token == METRICS_JSON_BEGIN_ARRAY)
    self->place = PLACE_PAIR_TIME;
  else if (token != METRICS_JSON_END_ARRAY)
    return metrics_http_body_fail (self, name_pair (self), "not an array");
  else if (!self->is_back)
    self->place = PLACE_SERIES;
  else
    {
      self->is_back = FALSE;
      self->reader = self->behind;
      end_series (self);
    }
  return METRICS_HTTP_BODY_PAUSED;
}

static MetricsHttpBodyState
take_number_of_pair (MetricsHttpBody *self, MetricsJsonToken token)
{
  gboolean is_time = self->place == PLACE_PAIR_TIME;

  if (token == METRICS_JSON_END_ARRAY)
    return metrics_http_body_fail (self, name_pair (self), "not a timestamp and a value");
  self->member = is_time ? MEMBER_TIMESTAMP : MEMBER_VALUE;
  self->place++;
  return take_field (self, token);
}

static MetricsHttpBodyState
end_pair (MetricsHttpBody *self, MetricsJsonToken token)
{
  if (token != METRICS_JSON_END_ARRAY)
    return metrics_http_body_fail (self, name_pair (self), "not a timestamp and a value");
  self->place = PLACE_PAIRS;
  return METRICS_HTTP_BODY_POINT;
}

static MetricsHttpBodyState
take_token (MetricsHttpBody *self, MetricsJsonToken token)
{
  switch (self->place)
    {
    case PLACE_BODY:
      if (token != METRICS_JSON_BEGIN_OBJECT)
        return metrics_http_body_fail (self, NULL, "not an object with 'points' or 'series'");
      self->place = PLACE_TOP;
      return METRICS_HTTP_BODY_PAUSED;
    case PLACE_TOP:
      return take_top (self, token);
    case PLACE_TOP_LIST:
      return take_top_list (self, token);
    case PLACE_POINTS:
      return take_element (self, token, PLACE_POINT);
    case PLACE_POINT:
      return take_point (self, token);
    case PLACE_SERIES_LIST:
      return take_element (self, token, PLACE_SERIES);
    case PLACE_SERIES:
      return take_series (self, token);
    case PLACE_PAIRS:
      return take_pair (self, token);
    case PLACE_PAIR_TIME:
    case PLACE_PAIR_VALUE:
      return take_number_of_pair (self, token);
    case PLACE_PAIR_END:
      return end_pair (self, token);
    case PLACE_SKIPPED:
      return take_skipped (self, token);
    default:
      return METRICS_HTTP_BODY_END;
    }
}

/**
 * metrics_http_body_next_json:
 * @self: a body
 * @budget: (inout): units of work
 *
 * Returns: what came
 */
MetricsHttpBodyState
metrics_http_body_next_json (MetricsHttpBody *self, gint *budget)
{
  MetricsHttpBodyState state;

  /* The places of a point are told until the next one begins. */
  if (self->has_point)
    self->index++;
  self->has_point = FALSE;
  for (; *budget > 0; *budget -= ++self->n_tokens % TOKENS_PER_UNIT == 0)
    {
      MetricsJsonToken token = metrics_json_reader_next (&self->reader);

      if (token == METRICS_JSON_WRONG)
        return fail_reader (self);
      if (token == METRICS_JSON_PAUSED)
        {
          *budget -= UNITS_OF_BLANKS;
          continue;
        }
      state = take_token (self, token);
      self->has_point = state == METRICS_HTTP_BODY_POINT;
      if (state != METRICS_HTTP_BODY_PAUSED)
        return state;
    }
  return METRICS_HTTP_BODY_PAUSED;
}

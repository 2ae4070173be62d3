/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "marks-book.h"

#include "marks-json.h"

/* Of a student, and of a subject. */
#define MAX_SUBJECTS 100
#define MAX_MARKS 100

G_STATIC_ASSERT (MARKS_BOOK_MAX_MARK <= G_MAXUINT8);

typedef struct
{
  char *name;        /* (owned) */
  GByteArray *marks; /* (owned) in the order in which they came */
} Subject;

struct MarksBook
{
  GHashTable *students; /* (owned) (element-type guint GPtrArray<Subject>) */
  guint max_students;
};

static void
subject_free (gpointer data)
{
  Subject *subject = data;

  g_free (subject->name);
  g_byte_array_unref (subject->marks);
  g_free (subject);
}

/* Makes an empty book that has room for so many students. */
MarksBook *
marks_book_new (guint max_students)
{
  MarksBook *self = g_new0 (MarksBook, 1);

  self->students = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  self->max_students = max_students;
  return self;
}

/* Frees the book with all that is in it. */
void
marks_book_free (MarksBook *self)
{
  g_hash_table_unref (self->students);
  g_free (self);
}

/* The subjects of STUDENT, or NULL. */
static GPtrArray *
find_student (MarksBook *self, guint student)
{
  return g_hash_table_lookup (self->students, GUINT_TO_POINTER (student));
}

static Subject *
find_subject (GPtrArray *subjects, const char *name)
{
  for (guint i = 0; subjects != NULL && i < subjects->len; i++)
    {
      Subject *subject = g_ptr_array_index (subjects, i);

      if (g_str_equal (subject->name, name))
        return subject;
    }
  return NULL;
}

static GPtrArray *
add_student (MarksBook *self, guint student)
{
  GPtrArray *subjects = g_ptr_array_new_with_free_func (subject_free);

  g_hash_table_insert (self->students, GUINT_TO_POINTER (student), subjects);
  return subjects;
}

static Subject *
add_subject (GPtrArray *subjects, const char *name)
{
  Subject *subject = g_new (Subject, 1);

  subject->name = g_strdup (name);
  subject->marks = g_byte_array_new ();
  g_ptr_array_add (subjects, subject);
  return subject;
}

/* Adds a mark behind the others that STUDENT has in SUBJECT, which need not be there before.
 *
 * Returns: whether there was room; if not, nothing has changed, and ERROR, a G_IO_ERROR_NO_SPACE, says for
 * what there was none */
gboolean
marks_book_add (MarksBook *self, guint student, const char *name, guint mark, GError **error)
{
  GPtrArray *subjects = find_student (self, student);
  Subject *subject = find_subject (subjects, name);
  guint8 byte = mark;

  /* All limits before the first change. */
  if (subjects == NULL && g_hash_table_size (self->students) >= self->max_students)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "there are %u students already",
                   self->max_students);
      return FALSE;
    }
  if (subject == NULL && subjects != NULL && subjects->len >= MAX_SUBJECTS)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "the student has %d subjects already",
                   MAX_SUBJECTS);
      return FALSE;
    }
  if (subject != NULL && subject->marks->len >= MAX_MARKS)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "the subject has %d marks already", MAX_MARKS);
      return FALSE;
    }
  if (subjects == NULL)
    subjects = add_student (self, student);
  if (subject == NULL)
    subject = add_subject (subjects, name);
  g_byte_array_append (subject->marks, &byte, 1);
  return TRUE;
}

static void
append_average (GString *json, guint sum, guint n)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (json, ",\"average\":");
  /* With a point in every language. */
  g_string_append (json, n > 0 ? g_ascii_formatd (text, sizeof text, "%.4g", (double) sum / n) : "null");
}

/* Returns: the sum of the marks */
static guint
append_subject (GString *json, const Subject *subject)
{
  guint sum = 0;

  g_string_append (json, "{\"subject\":");
  marks_json_append_string (json, subject->name);
  g_string_append (json, ",\"marks\":[");
  for (guint i = 0; i < subject->marks->len; i++)
    {
      g_string_append_printf (json, i > 0 ? ",%u" : "%u", subject->marks->data[i]);
      sum += subject->marks->data[i];
    }
  g_string_append_c (json, ']');
  append_average (json, sum, subject->marks->len);
  g_string_append_c (json, '}');
  return sum;
}

/* Returns: (transfer full): what STUDENT has as JSON, with averages of four digits; of the one subject of
 * that NAME, or of all where it is NULL. Who has no marks is no error. */
GString *
marks_book_format (MarksBook *self, guint student, const char *name)
{
  GPtrArray *subjects = find_student (self, student);
  GString *json = g_string_new (NULL);
  guint sum = 0;
  guint n = 0;

  g_string_append_printf (json, "{\"student\":%u,\"subjects\":[", student);
  for (guint i = 0; subjects != NULL && i < subjects->len; i++)
    {
      const Subject *subject = g_ptr_array_index (subjects, i);

      if (name != NULL && !g_str_equal (subject->name, name))
        continue;
      if (n > 0)
        g_string_append_c (json, ',');
      sum += append_subject (json, subject);
      n += subject->marks->len;
    }
  g_string_append_c (json, ']');
  append_average (json, sum, n);
  g_string_append (json, "}\n");
  return json;
}

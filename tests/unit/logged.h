/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* What is logged: metricsd's own messages come to the test, and end nothing. */

/**
 * LoggedFunc:
 * @fields: (array length=n_fields): an entry
 * @n_fields: how many
 * @user_data: as given
 */
typedef void (*LoggedFunc) (const GLogField *fields, gsize n_fields, gpointer user_data);

void logged_install (void);
void logged_set_func (LoggedFunc func, gpointer user_data);

void logged_expect (const char *pattern);
void logged_assert_expected (void);

const char *logged_get (const GLogField *fields, gsize n_fields, const char *key);

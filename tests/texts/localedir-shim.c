/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <dlfcn.h>
#include <libintl.h>
#include <stdlib.h>

/* Preloaded into a program, it has its translations read from the folder METRICSD_TEST_LOCALES: the program
 * is the one that gets installed, which knows where they will be and can be told nothing else. */

__attribute__ ((visibility ("default"))) char *
bindtextdomain (const char *domain, const char *folder)
{
  char *(*next) (const char *, const char *)
      = (char *(*) (const char *, const char *) ) dlsym (RTLD_NEXT, "bindtextdomain");
  const char *other = getenv ("METRICSD_TEST_LOCALES");

  return next (domain, folder != NULL && other != NULL ? other : folder);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef METRICS_DASHBOARD_H
#define METRICS_DASHBOARD_H

#include "metrics-dashboard-resource.h"

/*
 * The files of the page, as metrics_dashboard_get_resource() has them (not owned): index.html, which is
 * served as /, and all that is below assets/ under its own path. They take nothing for granted but the API
 * beside them, at api/v1/.
 */
#define METRICS_DASHBOARD_PREFIX "/org/metricsd/dashboard/"

#endif

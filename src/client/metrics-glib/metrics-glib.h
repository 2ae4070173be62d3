/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* The client library of metricsd: include this header alone. */

#include <metrics-glib/metrics-batch.h>
#include <metrics-glib/metrics-client.h>
#include <metrics-glib/metrics-enums.h>
#include <metrics-glib/metrics-error.h>
#include <metrics-glib/metrics-key-info.h>
#include <metrics-glib/metrics-sample.h>
#include <metrics-glib/metrics-watch.h>

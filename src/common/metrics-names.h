/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* The port of the line protocol, where none is named. */
#define METRICS_DEFAULT_PORT 8888
/* That of HTTP. */
#define METRICS_DEFAULT_HTTP_PORT 8889

/* The server on the session bus or on the system bus. */
#define METRICS_BUS_NAME "org.metricsd.Metrics1"
#define METRICS_BUS_INTERFACE "org.metricsd.Metrics1"
#define METRICS_BUS_PATH "/org/metricsd/Metrics1"
#define METRICS_BUS_ERROR_PREFIX "org.metricsd.Metrics1.Error."

/* Where the server is, for the client library and the command line, where no address is given. */
#define METRICS_ADDRESS_VARIABLE "METRICSD_ADDRESS"
#define METRICS_DEFAULT_ADDRESS "127.0.0.1:8888"

/* The addresses that stand for it. */
#define METRICS_BUS_ADDRESS_SESSION "bus:session"
#define METRICS_BUS_ADDRESS_SYSTEM "bus:system"

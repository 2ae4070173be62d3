/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* The port of the line protocol, where none is named. */
#define METRICS_DEFAULT_PORT 8888

/* Where the server is, for the client library and the command line, where no address is given. */
#define METRICS_ADDRESS_VARIABLE "METRICSD_ADDRESS"
#define METRICS_DEFAULT_ADDRESS "127.0.0.1:8888"

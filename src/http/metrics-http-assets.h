/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-request.h"

G_BEGIN_DECLS

typedef struct _MetricsHttpAsset MetricsHttpAsset;
typedef struct _MetricsHttpAssets MetricsHttpAssets;

MetricsHttpAsset *metrics_http_asset_new (GBytes *bytes, const char *name);
void metrics_http_asset_free (MetricsHttpAsset *self);
void metrics_http_asset_answer (MetricsHttpAsset *self, MetricsHttpRequest *request);

MetricsHttpAssets *metrics_http_assets_new (GResource *resource, const char *prefix);
void metrics_http_assets_free (MetricsHttpAssets *self);
gboolean metrics_http_assets_have (MetricsHttpAssets *self, const char *path);
void metrics_http_assets_answer (MetricsHttpAssets *self, MetricsHttpRequest *request);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsHttpAsset, metrics_http_asset_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsHttpAssets, metrics_http_assets_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

void metrics_texts_bind (void);

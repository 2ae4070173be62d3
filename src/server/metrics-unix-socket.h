/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>
#include <sys/types.h>

G_BEGIN_DECLS

/**
 * MetricsUnixOwner:
 * @mode: the permissions of the socket's file
 * @uid: its owner, or -1 for who runs the server
 * @gid: its group, or -1 for that of who runs the server
 *
 * Who may connect to a unix socket.
 */
typedef struct
{
  mode_t mode;
  uid_t uid;
  gid_t gid;
} MetricsUnixOwner;

#define METRICS_UNIX_OWNER_DEFAULT ((MetricsUnixOwner){ .mode = 0660, .uid = (uid_t) -1, .gid = (gid_t) -1 })

/* Which file it is, so that no other one that took its place is removed. */
typedef struct
{
  dev_t device;
  ino_t inode;
} MetricsUnixIdentity;

gboolean metrics_unix_owner_parse_mode (MetricsUnixOwner *self, const char *text, GError **error);
gboolean metrics_unix_owner_parse_owner (MetricsUnixOwner *self, const char *text, GError **error);

GSocket *metrics_unix_socket_open (const char *path,
                                   const MetricsUnixOwner *owner,
                                   int backlog,
                                   MetricsUnixIdentity *identity,
                                   GError **error);
void metrics_unix_socket_unlink (const char *path, const MetricsUnixIdentity *identity);

G_END_DECLS

/* The `client_auth` part of a host: mode, roots, lists, depth, and the bodies for clients that are refused. */
#ifndef CONFIG_CLIENT_AUTH_H
#define CONFIG_CLIENT_AUTH_H

#include "config/config.h"
#include "config/values.h"

enum {
    CLIENT_AUTH_DEPTH_MAX = 16,
    CLIENT_AUTH_BODY_SIZE_MAX = 64 * 1024,        /* bytes of a 403's body */
    CLIENT_AUTH_CRL_SIZE_MAX = 256 * 1024 * 1024, /* bytes of a file of CRLs: a million revoked serials take some 50 MiB */
};

/*
 * Sets the host's mode, trust, revocation, advertise_ca_names, policy (but its `forward`) and bodies. `node` may be NULL:
 * mode off. Files that are named are read and checked in mode off too.
 */
void client_auth_load(const struct loader *loader, const struct document_node *node, struct config_host *host);

#endif

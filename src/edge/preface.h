/* The PROXY header with which a connection to an origin begins, where its host has origin_proxy_protocol. */
#ifndef EDGE_PREFACE_H
#define EDGE_PREFACE_H

#include "edge/client.h"

/* Writes the header, which tells of the client as of now, and returns its size. The host has origin_proxy_protocol. */
size_t preface_write(const struct client *client, uint8_t out[static RELAY_PREFACE_MAX]);

#endif

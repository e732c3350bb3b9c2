#include "edge/adopt.h"

#include "edge/verdict.h"

#include <string.h>

bool adopt_name(struct connection *connection, const char *name) {
    struct pieces *pieces = &connection->client.shard->pieces;
    char *before = connection->client.name_copy;
    char *copy = NULL;

    if (name[0] == '\0') {
        connection->client.name = "";
    } else if (strcmp(name, connection->client.host->name) == 0) {
        connection->client.name = connection->client.host->name;
    } else {
        copy = pieces_take(pieces, strlen(name) + 1);
        if (copy == NULL) {
            return false;
        }
        memcpy(copy, name, strlen(name) + 1);
        connection->client.name = copy;
    }
    connection->client.name_copy = copy;
    if (before != NULL) {
        pieces_give(pieces, before, strlen(before) + 1);
    }
    return true;
}

bool adopt_site(struct connection *connection) {
    struct site *before = connection->client.site;
    const struct config_host *host_before = connection->client.host;
    struct site *site = connection->client.shard->site;

    if (before == site) {
        return true;
    }
    if (host_before != NULL) {
        connection->client.host = config_find_host(site->config, connection->client.name);
        if (connection->client.host == NULL || !adopt_name(connection, connection->client.name)) {
            connection->client.host = host_before;
            return false;
        }
        verdict_policy_changed(&connection->client, host_before);
    }
    connection->client.site = site_retain(site);
    site_release(before);
    return true;
}

void adopt_site_everywhere(struct shard *shard) {
    struct connection *connection = shard->first;

    while (connection != NULL) {
        struct connection *next = connection->next;
        bool can = connection->state <= CONNECTION_QUEUED || connection->state == CONNECTION_WAITING;

        if (can && !adopt_site(connection)) {
            connection_end(connection, CONNECTION_POLITELY);
        }
        connection = next;
    }
}

#include "edge/site_switch.h"

#include "edge/verdict.h"

#include <string.h>

bool site_switch_name(struct client *client, const char *name) {
    struct pieces *pieces = &client->shard->pieces;
    char *before = client->name_copy;
    char *copy = NULL;

    if (name[0] == '\0') {
        client->name = "";
    } else if (strcmp(name, client->host->name) == 0) {
        client->name = client->host->name;
    } else {
        copy = pieces_take(pieces, strlen(name) + 1);
        if (copy == NULL) {
            return false;
        }
        memcpy(copy, name, strlen(name) + 1);
        client->name = copy;
    }
    client->name_copy = copy;
    if (before != NULL) {
        pieces_give(pieces, before, strlen(before) + 1);
    }
    return true;
}

bool site_switch(struct client *client) {
    struct site *before = client->site;
    const struct config_host *host_before = client->host;
    struct site *site = client->shard->site;

    if (before == site) {
        return true;
    }
    if (host_before != NULL) {
        client->host = config_find_host(site->config, client->name);
        if (client->host == NULL || client->host->is_tcp != host_before->is_tcp || !site_switch_name(client, client->name)) {
            client->host = host_before;
            return false;
        }
        verdict_policy_changed(client, host_before);
    }
    client->site = site_retain(site);
    site_release(before);
    return true;
}

#include "load/loot.h"

#include "base/check.h"
#include "load/behaviour.h"
#include "load/load.h"

#include <stdio.h>
#include <stdlib.h>

static void keep_and_stay(struct connection *connection) {
    if (connection_keep_ticket(connection)) {
        connection_hold(connection);
    }
}

static const struct behaviour victim_behaviour = {
    .name = "victim",
    .connections_default = 1,
    .holds = true,
    .established = connection_request,
    .answered = keep_and_stay,
};

/* The bytes are to be had only of a session that is about to resume with them. */
static bool read_ticket(struct loot *loot, struct load *victim) {
    struct client client;

    if (client_open(&client, certs_next(&victim->certs), NULL, NULL) < 0) {
        return false;
    }
    if (client_resume(&client, loot->ticket) == 0) {
        loot->size = client_ticket_bytes(&client, loot->data, sizeof loot->data);
    }
    client_close(&client);
    return loot->size > 0;
}

int loot_get(struct loot *loot, const struct options *options, char error[static FILE_ERROR_SIZE]) {
    struct load *victim = calloc(1, sizeof *victim);
    struct options own = *options;
    int result = -1;

    CHECK(victim != NULL);
    own.behaviour = &victim_behaviour;
    own.connections = 1;
    own.duration_ns = 0;
    own.count = 0;
    own.rate = 0;
    own.source_addresses = 0;
    own.expected_status = 200;
    if (load_run(victim, &own) == 0) {
        loot->ticket = victim->connections[0].ticket;
        victim->connections[0].ticket = NULL;
    }
    if (loot->ticket == NULL) {
        snprintf(error, FILE_ERROR_SIZE, "no ticket to be had: %.400s",
                 victim->first_error[0] == '\0' ? victim->fatal : victim->first_error);
    } else if (!read_ticket(loot, victim)) {
        snprintf(error, FILE_ERROR_SIZE, "the ticket is larger than %d bytes", HELLO_TICKET_MAX);
    } else {
        result = 0;
    }
    load_destroy(victim);
    free(victim);
    return result;
}

void loot_free(struct loot *loot) {
    client_ticket_free(loot->ticket);
}

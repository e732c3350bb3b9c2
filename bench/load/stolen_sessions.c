#include "load/stolen_sessions.h"

#include "base/check.h"
#include "load/load.h"

#include <stdio.h>
#include <stdlib.h>

static void keep_and_stay(struct load_connection *connection) {
    if (load_connection_keep_ticket(connection)) {
        load_connection_hold(connection);
    }
}

static const struct behaviour victim_behaviour = {
    .name = "victim",
    .connections_default = 1,
    .holds = true,
    .established = load_connection_request,
    .answered = keep_and_stay,
};

/* Reads the bytes of the ticket, which wolfSSL gives only for a session that is about to resume with it. */
static bool read_ticket(struct stolen_session *stolen, struct load *victim) {
    struct client client;

    if (client_open(&client, certs_next(&victim->shared.certs), false, NULL, NULL) < 0) {
        return false;
    }
    if (client_resume(&client, stolen->ticket) == 0) {
        stolen->size = client_ticket_bytes(&client, stolen->data, sizeof stolen->data);
    }
    client_close(&client);
    return stolen->size > 0;
}

bool stolen_session_is_needed(const struct behaviour *behaviour) {
    return behaviour->tickets == TICKETS_STOLEN || behaviour->tickets == TICKETS_REPLAYED;
}

int stolen_session_get(struct stolen_session *stolen, const struct load_options *options,
                       char error[static PEM_FILE_ERROR_SIZE]) {
    struct load *victim = calloc(1, sizeof *victim);
    struct load_options own = *options;
    int result = -1;

    CHECK(victim != NULL);
    own.behaviour = &victim_behaviour;
    own.connections = 1;
    own.duration_ns = 0;
    own.count = 0;
    own.rate = 0;
    own.source_addresses = 0;
    own.expected_status = 200;
    if (load_run(victim, &own, NULL) == 0) {
        stolen->ticket = victim->connections[0].ticket;
        victim->connections[0].ticket = NULL;
    }
    if (stolen->ticket == NULL) {
        snprintf(error, PEM_FILE_ERROR_SIZE, "no ticket to be had: %.400s",
                 victim->shared.first_error[0] == '\0' ? victim->fatal : victim->shared.first_error);
    } else if (!read_ticket(stolen, victim)) {
        snprintf(error, PEM_FILE_ERROR_SIZE, "the ticket is larger than %d bytes", CLIENT_HELLO_TICKET_MAX);
    } else {
        result = 0;
    }
    load_destroy(victim);
    free(victim);
    return result;
}

void stolen_session_free(struct stolen_session *stolen) {
    client_ticket_free(stolen->ticket);
}

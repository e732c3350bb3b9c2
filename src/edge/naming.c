#include "edge/naming.h"

#include "base/clock.h"
#include "http/authority.h"

#include <string.h>

_Static_assert((int)ACCESS_REQUEST_ID_MAX >= (int)HTTP_REQUEST_ID_MAX, "a note has room for any usable id");

void naming_identify(struct exchange *exchange, struct bytes head) {
    struct journal_note *note = &exchange->note;
    uint64_t random[2];
    struct bytes sent = {0};

    if (!exchange->refused) {
        sent = http_request_id_sent(&exchange->request, head.data);
    }
    if (sent.size > 0) {
        memcpy(note->request_id, sent.data, sent.size);
        note->request_id_size = (uint16_t)sent.size;
        return;
    }
    random_take(&exchange->connection->shard->random, random);
    http_request_id_write(random, note->request_id);
    note->request_id_size = HTTP_REQUEST_ID_DIGITS;
}

struct bytes naming_id(const struct exchange *exchange) {
    return bytes_of(exchange->note.request_id, exchange->note.request_id_size);
}

struct http_stamp naming_stamp(const struct exchange *exchange) {
    struct http_date *date = &exchange->connection->shard->date;

    return (struct http_stamp){
        .date = http_date_at(date, clock_wall_seconds()),
        .request_id = naming_id(exchange),
    };
}

struct bytes naming_for_origin(const struct connection *connection) {
    if (connection->name[0] != '\0') {
        return bytes_of_string(connection->name);
    }
    return connection->host->name[0] == '*' ? bytes_of(NULL, 0) : bytes_of_string(connection->host->name);
}

bool naming_is_ours(const struct exchange *exchange, struct bytes head) {
    const struct connection *connection = exchange->connection;
    const struct config *config = connection->site->config;
    struct bytes authority = http_view(head.data, exchange->request.authority);
    char name[HTTP_NAME_SIZE];

    if (authority.size == 0) {
        return true;
    }
    if (http_authority_is_address(authority)) {
        return connection->host == config->default_host;
    }
    return http_authority_name(authority, name) && config_find_host(config, name) == connection->host;
}

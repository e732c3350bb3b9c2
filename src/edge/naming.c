#include "edge/naming.h"

#include "base/clock.h"
#include "http/authority.h"

#include <string.h>

_Static_assert((int)ACCESS_REQUEST_ID_MAX >= (int)HTTP_REQUEST_ID_MAX, "a note has room for any usable id");

void naming_identify(struct shard *shard, struct journal_note *note, const struct http_message *request, struct bytes head) {
    struct bytes sent = request == NULL ? (struct bytes){0} : http_request_id_sent(request, head.data);

    if (sent.size > 0) {
        memcpy(note->request_id, sent.data, sent.size);
        note->request_id_size = (uint16_t)sent.size;
        return;
    }
    uint64_t random[2];
    random_take(&shard->random, random);
    http_request_id_write(random, note->request_id);
    note->request_id_size = HTTP_REQUEST_ID_DIGITS;
}

struct bytes naming_id(const struct journal_note *note) {
    return bytes_of(note->request_id, note->request_id_size);
}

struct http_stamp naming_stamp(struct shard *shard, const struct journal_note *note) {
    return (struct http_stamp){
        .date = http_date_at(&shard->date, clock_wall_seconds()),
        .request_id = naming_id(note),
    };
}

struct bytes naming_for_origin(const struct client *client, const struct config_host *host) {
    if (client->name[0] != '\0') {
        return bytes_of_string(client->name);
    }
    return host->name[0] == '*' ? bytes_of(NULL, 0) : bytes_of_string(host->name);
}

const struct config_host *naming_find(const struct config *config, struct bytes authority) {
    char name[HTTP_NAME_SIZE];

    if (http_authority_is_address(authority)) {
        return config->default_host;
    }
    return http_authority_name(authority, name) ? config_find_host(config, name) : NULL;
}

bool naming_is_ours(const struct config *config, const struct config_host *host, const struct http_message *request,
                    struct bytes head) {
    struct bytes authority = http_view(head.data, request->authority);

    return authority.size == 0 || naming_find(config, authority) == host;
}

#include "edge/answer_rules.h"

void answer_rules_apply(const struct client *client, const struct config_host *host, const struct identity *identity,
                        struct http_stamp *stamp) {
    stamp->removals = host->answer_rules.removals;
    stamp->constant = host->answer_rules.constant;
    stamp->identity = identity->answer_headers;
    if (identity->marked_answer_headers.size > 0) {
        struct scratch *scratch = &client->shard->scratch;
        struct text lines = text_over(scratch->answer_fields, sizeof scratch->answer_fields);
        const struct forward_connection facts = client_facts(client);

        forward_complete(identity->marked_answer_headers, &facts, &lines); /* a line that does not fit is left out */
        stamp->connection = text_bytes(&lines);
    }
}

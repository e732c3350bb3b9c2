#include "config/choice.h"

#include "base/check.h"

#include <string.h>

enum { RETRY_ATTEMPTS = 2, RETRY_ATTEMPTS_MAX = 10, RETRY_BUDGET = 20 };

static const char *const causes[] = {"refused", "timeout", "502", "503"};

/* A host may have none that is no backup only because of a mistake. */
static bool are_all_backups(const struct config_host *host) {
    for (size_t i = 0; i < host->origin_count; i++) {
        if (!host->origins[i].backup) {
            return false;
        }
    }
    return host->origin_count > 0;
}

static void load_balance(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    static const char *const words[] = {
        [CONFIG_ROUND_ROBIN] = "round_robin", [CONFIG_LEAST_CONNECTIONS] = "least_connections", [CONFIG_HASH] = "hash"};
    size_t index = CONFIG_ROUND_ROBIN;
    value_choice(loader, node, "balance", words, ARRAY_LENGTH(words), &index);
    host->balance = (enum config_balance)index;
}

static void load_causes(const struct loader *loader, const struct document_node *list, struct config_retry *retry) {
    retry->causes = CONFIG_RETRY_REFUSED | CONFIG_RETRY_TIMEOUT;
    if (list == NULL || !value_list(loader, list, "retry.on")) {
        return;
    }
    retry->causes = 0;
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        size_t index;
        if (!value_choice(loader, item, "an item of retry.on", causes, ARRAY_LENGTH(causes), &index)) {
            continue;
        }
        if ((retry->causes >> index & 1) != 0) {
            loader_problem(loader, item, "retry.on has %s twice", causes[index]);
        }
        retry->causes |= 1U << index;
    }
}

static void load_budget(const struct loader *loader, const struct document_node *node, struct config_retry *retry) {
    retry->budget = RETRY_BUDGET;
    if (node == NULL) {
        return;
    }
    const char *text = node->type == DOCUMENT_SCALAR ? node->text : "a list or mapping";
    size_t digits = strspn(text, "0123456789");
    unsigned percent = 0;
    for (size_t i = 0; i < digits && percent <= 100; i++) {
        percent = percent * 10 + (unsigned)(text[i] - '0');
    }
    if (strcmp(text + digits, "%") != 0 || percent < 1 || percent > 100) {
        loader_problem(loader, node, "retry.budget must be a part of the requests from 1%% to 100%%, not %s", text);
        return;
    }
    retry->budget = percent;
}

static void load_retry(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    const struct document_node *on = NULL;
    const struct document_node *budget = NULL;
    const struct value_key keys[] = {
        value_key_optional("on", &on),
        value_key_number("attempts", &host->retry.attempts, RETRY_ATTEMPTS, 1, RETRY_ATTEMPTS_MAX),
        value_key_optional("budget", &budget),
    };
    if (value_mapping(loader, node, "retry", keys, ARRAY_LENGTH(keys))) {
        load_causes(loader, on, &host->retry);
        load_budget(loader, budget, &host->retry);
    }
}

void choice_load(const struct loader *loader, const struct choice_nodes *nodes, const struct document_node *origins,
                 struct config_host *host) {
    load_balance(loader, nodes->balance, host);
    load_retry(loader, nodes->retry, host);
    if (are_all_backups(host)) {
        loader_problem(loader, origins,
                       "each origin of this host is a backup; leave `backup` out of those that serve first");
    }
}

void choice_load_origin(const struct loader *loader, const struct choice_origin_nodes *nodes, struct config_origin *origin) {
    origin->weight = 1;
    if (nodes->weight != NULL && nodes->weight->type == DOCUMENT_SCALAR && strcmp(nodes->weight->text, "0") == 0) {
        loader_problem(loader, nodes->weight,
                       "weight 0 would give the origin no requests; leave the origin out, or set backup: true");
    } else if (nodes->weight != NULL) {
        value_number(loader, nodes->weight, "weight", 1, CONFIG_WEIGHT_MAX, &origin->weight);
    }
    value_boolean(loader, nodes->backup, "backup", &origin->backup);
    if (nodes->in_flight != NULL) {
        value_number(loader, nodes->in_flight, "in_flight", 1, CONFIG_IN_FLIGHT_MAX, &origin->in_flight);
    }
}

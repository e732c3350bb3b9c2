#include "config/resolver.h"

#include "base/check.h"
#include "base/text.h"
#include "config/memory.h"

static void load_server(const struct loader *loader, const struct document_node *item, struct text *servers) {
    const char *text = value_address(loader, item, "127.0.0.1");
    struct config_address address;
    struct error error;
    if (text == NULL) {
        return;
    }
    if (address_parse(text, &address, &error) < 0) {
        loader_problem(loader, item, "server \"%s\": %s", text, error.text);
        return;
    }
    text_append_format(servers, "%s%s", servers->size == 0 ? "" : ",", text);
}

void resolver_load(const struct loader *loader, const struct document_node *node, struct config *config) {
    const struct document_node *list = NULL;
    const struct value_key keys[] = {value_key_required("servers", &list)};
    if (node == NULL || !value_mapping(loader, node, "resolver", keys, ARRAY_LENGTH(keys)) ||
        !value_list(loader, list, "resolver.servers")) {
        return;
    }
    if (list->count > RESOLVER_SERVERS_MAX) {
        loader_problem(loader, list, "resolver.servers has more than 8 servers");
        return;
    }
    char memory[RESOLVER_SERVERS_MAX * ADDRESS_TEXT_SIZE];
    struct text servers = text_over(memory, sizeof memory);
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        load_server(loader, item, &servers);
    }
    text_append_char(&servers, '\0');
    config->dns_servers = memory_copy_string(memory);
}

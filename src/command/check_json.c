#include "command/check_json.h"

#include "base/json.h"
#include "config/words.h"
#include "path/revocation_list.h"

#include <errno.h>
#include <stdlib.h>

static void put_text(struct json *json, const char *key, const char *text) {
    json_string(json, key, bytes_of_string(text));
}

/* Writes the time, or null for INT64_MAX, which means that there is none. */
static void put_time(struct json *json, const char *key, int64_t seconds) {
    char text[WORDS_TIME_SIZE];
    if (seconds == INT64_MAX) {
        json_null(json, key);
    } else {
        put_text(json, key, words_time(seconds, text));
    }
}

static void put_name(struct json *json, const char *key, struct bytes name) {
    char text[WORDS_NAME_SIZE];
    put_text(json, key, words_name(name, text));
}

static void put_roots(struct json *json, const struct trust *trust) {
    json_begin_array(json, "roots");
    for (size_t i = 0; trust != NULL && i < trust_count(trust); i++) {
        json_begin_object(json, NULL);
        put_name(json, "subject", trust_name(trust, i));
        put_time(json, "not_after", trust_not_after(trust, i));
        json_end_object(json);
    }
    json_end_array(json);
}

static void put_lists(struct json *json, const struct revocation *revocation) {
    json_begin_array(json, "crls");
    for (size_t i = 0; revocation != NULL && i < revocation_count(revocation); i++) {
        const struct revocation_list *list = revocation_list_at(revocation, i);
        json_begin_object(json, NULL);
        put_name(json, "issuer", list->issuer);
        put_time(json, "this_update", list->this_update);
        put_time(json, "next_update", list->next_update);
        json_unsigned(json, "revoked", serials_count(list->serials));
        json_end_object(json);
    }
    json_end_array(json);
}

/* Writes all, and the one that ends first by itself, for programs that know of one only. */
static void put_certificates(struct json *json, const struct config_host *host) {
    const struct config_certificate *first = config_first_to_end(host);
    json_begin_object(json, "certificate");
    put_text(json, "file", first->path);
    put_time(json, "not_after", first->credentials->not_after);
    json_end_object(json);
    json_begin_array(json, "certificates");
    for (size_t i = 0; i < host->certificate_count; i++) {
        const struct config_certificate *certificate = &host->certificates[i];
        json_begin_object(json, NULL);
        put_text(json, "file", certificate->path);
        put_text(json, "key", tls_credentials_kind(certificate->credentials));
        put_time(json, "not_after", certificate->credentials->not_after);
        json_end_object(json);
    }
    json_end_array(json);
}

static void put_health(struct json *json, const struct config_health *health) {
    if (health == NULL) {
        json_null(json, "health");
        return;
    }
    json_begin_object(json, "health");
    if (health->path == NULL) {
        json_null(json, "path");
    } else {
        put_text(json, "path", health->path);
    }
    json_unsigned(json, "interval_ms", health->interval_ms);
    json_unsigned(json, "timeout_ms", health->timeout_ms);
    json_unsigned(json, "rise", health->rise);
    json_unsigned(json, "fall", health->fall);
    json_end_object(json);
}

static void put_host(struct json *json, const struct config_host *host) {
    json_begin_object(json, NULL);
    put_text(json, "name", host->name);
    json_bool(json, "default", host->is_default);
    put_text(json, "mode", config_mode_name(host->mode));
    put_text(json, "protocol", host->is_tcp ? "tcp" : "http");
    put_certificates(json, host);
    put_roots(json, host->trust);
    put_lists(json, host->revocation);
    json_begin_array(json, "headers");
    for (size_t i = 0; i < host->forward.count; i++) {
        put_text(json, NULL, host->forward.headers[i].name);
    }
    json_end_array(json);
    json_begin_array(json, "origins");
    for (size_t i = 0; i < host->origin_count; i++) {
        for (size_t j = 0; j < host->origins[i].address_count; j++) {
            put_text(json, NULL, host->origins[i].addresses[j].text);
        }
    }
    json_end_array(json);
    put_health(json, host->health);
    json_bool(json, "required", host->required);
    json_end_object(json);
}

static void put_listener(struct json *json, const struct config_listener *listener) {
    json_begin_object(json, NULL);
    put_text(json, "address", listener->address.text);
    json_begin_array(json, "proxy_protocol");
    for (size_t i = 0; i < listener->proxy_count; i++) {
        char text[PREFIX_TEXT_SIZE];
        prefix_write(&listener->proxies[i], text);
        put_text(json, NULL, text);
    }
    json_end_array(json);
    if (listener->redirect_port > 0) {
        json_unsigned(json, "redirect_port", listener->redirect_port);
    }
    json_end_object(json);
}

static void put_problems(struct json *json, const char *key, const struct config_problems *problems) {
    json_begin_array(json, key);
    for (size_t i = 0; problems != NULL && i < problems->count; i++) {
        const struct config_problem *item = &problems->items[i];
        json_begin_object(json, NULL);
        put_text(json, "file", item->file);
        if (item->line > 0) {
            json_unsigned(json, "line", item->line);
        } else {
            json_null(json, "line");
        }
        put_text(json, "message", item->message);
        json_end_object(json);
    }
    json_end_array(json);
}

int check_json_print(const char *path, const struct config *config, const struct config_problems *problems, FILE *out) {
    struct json json = {0};
    json_begin_object(&json, NULL);
    json_bool(&json, "ok", config != NULL);
    put_text(&json, "file", path);
    json_begin_array(&json, "listeners");
    for (size_t i = 0; config != NULL && i < config->listen_count; i++) {
        put_listener(&json, &config->listen[i]);
    }
    json_end_array(&json);
    json_begin_array(&json, "hosts");
    for (size_t i = 0; config != NULL && i < config->host_count; i++) {
        put_host(&json, &config->hosts[i]);
    }
    json_end_array(&json);
    put_problems(&json, "problems", problems);
    put_problems(&json, "warnings", config == NULL ? NULL : &config->warnings);
    json_end_object(&json);
    int result = json.buffer.failed ? -ENOMEM : 0;
    if (result == 0) {
        fwrite(json.buffer.data, 1, json.buffer.size, out);
        fputc('\n', out);
    }
    free(json.buffer.data);
    return result;
}

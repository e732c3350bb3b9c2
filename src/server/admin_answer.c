#include "server/admin_answer.h"

#include "base/check.h"
#include "base/text.h"
#include "http/authority.h"
#include "http/forward.h"
#include "stats/dashboard.h"
#include "stats/hosts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void admin_answer_text(struct admin_answer *answer, unsigned status, const char *text) {
    *answer =
        (struct admin_answer){.status = status, .content_type = "text/plain; charset=utf-8", .body = bytes_of_string(text)};
}

static void answer_page(struct admin_answer *answer, enum admin_page_kind kind, const char *content_type) {
    *answer = (struct admin_answer){.status = 200, .content_type = content_type, .is_page = true, .page = kind};
}

static void answer_dashboard(struct admin_answer *answer) {
    *answer = (struct admin_answer){.status = 200, .content_type = "text/html; charset=utf-8", .body = dashboard_page()};
    CHECK(snprintf(answer->fields, sizeof answer->fields,
                   "Content-Security-Policy: %s\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n",
                   dashboard_policy()) < (int)sizeof answer->fields);
}

/* Names the hosts that are required and have no origin, as far as there is room for their names. */
static void answer_missed(struct stats_hosts *hosts, size_t first, struct admin_answer *answer) {
    enum { COUNT_ROOM = 64 }; /* for the last line */
    size_t left_out = 0;

    answer->status = 503;
    struct text text = text_over(answer->text, sizeof answer->text - COUNT_ROOM);
    for (size_t i = first; i < stats_hosts_count(hosts); i++) {
        if (stats_hosts_is_missed(hosts, i)) {
            text_append_format(&text, "host %s has no origin that is up\n", stats_hosts_facts(hosts, i)->host);
            left_out += text.overflow;
        }
    }
    if (left_out > 0) {
        text = (struct text){.data = text.data, .size = text.size, .capacity = sizeof answer->text};
        text_append_format(&text, "and so it is with %zu more\n", left_out);
    }
    answer->body = text_bytes(&text);
}

static void answer_ready(const struct admin_view *view, struct admin_answer *answer) {
    admin_answer_text(answer, view->draining ? 503 : 200, view->draining ? "draining\n" : "ready\n");
    struct stats_hosts *hosts = view->draining ? NULL : stats_take_hosts(view->stats);
    for (size_t i = 0; hosts != NULL && i < stats_hosts_count(hosts); i++) {
        if (stats_hosts_is_missed(hosts, i)) {
            answer_missed(hosts, i, answer);
            break;
        }
    }
    stats_hosts_release(hosts);
}

static void answer_wrong_method(struct admin_answer *answer) {
    admin_answer_text(answer, 405, http_status_text(405));
    snprintf(answer->fields, sizeof answer->fields, "Allow: GET, HEAD\r\n");
}

/* Returns whether a host that is served has that very name; a wildcard is not enough, since others may have names below it.
 */
static bool is_served(struct stats *stats, const char *name) {
    struct stats_hosts *hosts = stats_take_hosts(stats);
    bool served = false;

    for (size_t i = 0; hosts != NULL && i < stats_hosts_count(hosts) && !served; i++) {
        served = strcmp(name, stats_hosts_facts(hosts, i)->host) == 0;
    }
    stats_hosts_release(hosts);
    return served;
}

/*
 * Returns whether a request's Host names this server. A page of a stranger's site can have its visitor's browser ask here,
 * under a name of that site which its DNS leads here (DNS rebinding): the browser takes the answer for that site's own and
 * lets the page read it. No address and none of the operator's names can be had for that. A request of HTTP/1.0 without Host
 * comes from no browser.
 */
static bool is_own_name(const struct admin_view *view, struct bytes authority) {
    if (authority.size == 0 || authority.data[0] == '[') {
        return true; /* the parser has seen that an IPv6 address is in the brackets */
    }
    char name[HTTP_NAME_SIZE];
    if (!http_authority_name(authority, name)) {
        return false;
    }
    struct in_addr address;
    bool own = strcmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &address) == 1;
    for (size_t i = 0; i < view->config->admin_name_count && !own; i++) {
        own = strcmp(name, view->config->admin_names[i]) == 0;
    }
    return own || is_served(view->stats, name);
}

static struct bytes path_of(const struct http_message *request, const char *head) {
    struct bytes path = http_view(head, request->path);
    const uint8_t *query = memchr(path.data, '?', path.size);

    if (query != NULL) {
        path.size = (size_t)(query - path.data);
    }
    return path;
}

void admin_answer_choose(const struct admin_view *view, const struct http_message *request, const char *head,
                         struct admin_answer *answer) {
    struct bytes method = http_view(head, request->method);
    struct bytes path = path_of(request, head);

    if (!is_own_name(view, http_view(head, request->authority))) {
        admin_answer_text(answer, 421,
                          "421 Misdirected Request: Host is no IP address, not localhost, no host that is served and not in "
                          "admin.names\n");
    } else if (!bytes_equal(method, bytes_of_string("GET")) && !bytes_equal(method, bytes_of_string("HEAD"))) {
        answer_wrong_method(answer);
    } else if (bytes_equal(path, bytes_of_string("/healthz"))) {
        admin_answer_text(answer, 200, "ok\n");
    } else if (bytes_equal(path, bytes_of_string("/readyz"))) {
        answer_ready(view, answer);
    } else if (bytes_equal(path, bytes_of_string("/metrics"))) {
        answer_page(answer, ADMIN_PAGE_METRICS, "text/plain; version=0.0.4; charset=utf-8");
    } else if (bytes_equal(path, bytes_of_string("/stats.json"))) {
        answer_page(answer, ADMIN_PAGE_STATS, "application/json");
    } else if (bytes_equal(path, bytes_of_string("/"))) {
        answer_dashboard(answer);
    } else {
        admin_answer_text(answer, 404, http_status_text(404));
    }
}

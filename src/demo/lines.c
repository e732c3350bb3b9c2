#include "demo/lines.h"

#include "base/check.h"
#include "http/parser.h"

#include <stdio.h>
#include <stdlib.h>

const struct demo_line demo_lines[] = {
    {
        .title = "enforce, no certificate",
        .shows = "403 with deny.json; the origin never hears of it",
        .first = true,
        .target = DEMO_TO_ENFORCE,
        .expected = "403 json",
        .has = {"client_certificate_required", "no-store"},
        .lacks = {"The origin received"},
    },
    {
        .title = "enforce, no certificate, a browser",
        .shows = "403 with deny.html",
        .target = DEMO_TO_ENFORCE,
        .options = {"-H", "Accept: text/html"},
        .expected = "403 html",
        .has = {"<h1>This door opens for pizza.pem only</h1>"},
        .lacks = {"The origin received"},
    },
    {
        .title = "enforce, pizza.pem",
        .shows = "200, and the origin shows the headers that it got",
        .first = true,
        .target = DEMO_TO_ENFORCE,
        .options = {"--cert", "pizza.pem"},
        .expected = "200 valid, ok",
        .has = {"X-Client-Cert-CN: pizza\n",
                "X-Client-Cert-Serial: ", "X-Client-Cert-Fingerprint: ", "X-Forwarded-Proto: https"},
        .shows_ski = true,
    },
    {
        .title = "enforce, pizza.pem, a body",
        .shows = "a POST; the origin counted its 14 bytes",
        .target = DEMO_TO_ENFORCE,
        .options = {"--cert", "pizza.pem", "-d", "topping=salami"},
        .expected = "200 valid, ok",
        .has = {"POST / HTTP/1.1\n", "(14 bytes of body)"},
        .shows_ski = true,
    },
    {
        .title = "enforce, expired.pem",
        .shows = "403: from the right root, but its time is over",
        .target = DEMO_TO_ENFORCE,
        .options = {"--cert", "expired.pem"},
        .expected = "403 json",
        .has = {"client_certificate_required"},
        .lacks = {"The origin received"},
    },
    {
        .title = "enforce, other-root.pem",
        .shows = "403: from a root that is not in ca",
        .target = DEMO_TO_ENFORCE,
        .options = {"--cert", "other-root.pem"},
        .expected = "403 json",
        .has = {"client_certificate_required"},
        .lacks = {"The origin received"},
    },
    {
        .title = "report, no certificate",
        .shows = "200: status none, reason absent",
        .target = DEMO_TO_REPORT,
        .expected = "200 none, absent",
        .lacks = {"X-Client-Cert-SKI"},
    },
    {
        .title = "report, pizza.pem",
        .shows = "200: status valid, reason ok",
        .target = DEMO_TO_REPORT,
        .options = {"--cert", "pizza.pem"},
        .expected = "200 valid, ok",
        .has = {"X-Client-Cert-CN: pizza\n"},
        .shows_ski = true,
    },
    {
        .title = "report, pizza.pem, as JSON",
        .shows = "the same, for a program",
        .target = DEMO_TO_REPORT,
        .path = "json",
        .options = {"--cert", "pizza.pem"},
        .expected = "200 json",
        .has = {"{\"name\": \"X-Client-Cert-Status\", \"value\": \"valid\"}"},
    },
    {
        .title = "report, expired.pem",
        .shows = "200: status invalid, reason expired",
        .first = true,
        .target = DEMO_TO_REPORT,
        .options = {"--cert", "expired.pem"},
        .expected = "200 invalid, expired",
    },
    {
        .title = "report, other-root.pem",
        .shows = "200: status invalid, reason unknown_issuer",
        .target = DEMO_TO_REPORT,
        .options = {"--cert", "other-root.pem"},
        .expected = "200 invalid, unknown_issuer",
    },
    {
        .title = "report, a forged status",
        .shows = "it is removed, the origin sees none",
        .first = true,
        .target = DEMO_TO_REPORT,
        .options = {"-H", "X-Client-Cert-Status: valid"},
        .expected = "200 none, absent",
        .lacks = {"X-Client-Cert-Status: valid"},
    },
    {
        .title = "report, a forged SKI, misspelt",
        .shows = "so is a look-alike",
        .target = DEMO_TO_REPORT,
        .options = {"-H", "x_client-cert_SKI: 1234"},
        .expected = "200 none, absent",
        .lacks = {"1234", "_SKI"},
    },
    {
        .title = "enforce, but Host says report",
        .shows = "421: TLS was set up for another",
        .target = DEMO_TO_ENFORCE,
        .options = {"-H", "Host: report.localhost"},
        .expected = "421",
        .lacks = {"The origin received"},
    },
    {
        .title = "metrics",
        .shows = "for Prometheus; see sallyport_client_certs_total",
        .target = DEMO_TO_ADMIN,
        .path = "metrics",
        .expected = "200 plain",
        .has = {"sallyport_client_certs_total{"},
    },
};

const size_t demo_line_count = ARRAY_LENGTH(demo_lines);

size_t demo_line_count_first(void) {
    size_t count = 0;
    for (size_t i = 0; i < demo_line_count; i++) {
        count += demo_lines[i].first;
    }
    return count;
}

void demo_line_arguments(const struct demo_line *line, const struct demo_ports *ports, const char *const *extra,
                         char url[static DEMO_LINE_URL_SIZE], const char *arguments[static DEMO_LINE_ARGUMENTS_MAX]) {
    size_t count = 0;
    arguments[count++] = "curl";
    for (size_t i = 0; extra[i] != NULL; i++) {
        CHECK(i < 8);
        arguments[count++] = extra[i];
    }
    arguments[count++] = "-i";
    if (line->target != DEMO_TO_ADMIN) {
        arguments[count++] = "--cacert";
        arguments[count++] = "root.pem";
    }
    for (size_t i = 0; i < DEMO_LINE_OPTIONS_MAX && line->options[i] != NULL; i++) {
        arguments[count++] = line->options[i];
    }
    const char *path = line->path == NULL ? "" : line->path;
    int length =
        line->target == DEMO_TO_ADMIN
            ? snprintf(url, DEMO_LINE_URL_SIZE, "http://127.0.0.1:%u/%s", (unsigned)ports->admin, path)
            : snprintf(url, DEMO_LINE_URL_SIZE, "https://%s:%u/%s",
                       line->target == DEMO_TO_ENFORCE ? DEMO_HOST_ENFORCE : DEMO_HOST_REPORT, (unsigned)ports->https, path);
    CHECK(length > 0 && length < DEMO_LINE_URL_SIZE);
    arguments[count++] = url;
    arguments[count++] = NULL;
    CHECK(count <= DEMO_LINE_ARGUMENTS_MAX);
}

void demo_line_write(const struct demo_line *line, const struct demo_ports *ports, struct text *out) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,";
    static const char *const none[] = {NULL};
    char url[DEMO_LINE_URL_SIZE];
    const char *arguments[DEMO_LINE_ARGUMENTS_MAX];
    demo_line_arguments(line, ports, none, url, arguments);
    size_t column = 0;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        bool quoted = arguments[i][strspn(arguments[i], plain)] != '\0';
        CHECK(strchr(arguments[i], '\'') == NULL); /* the table has none */
        size_t width = strlen(arguments[i]) + (quoted ? 2 : 0);
        size_t backslash = arguments[i + 1] == NULL ? 0 : 2; /* room for " \", in case the next argument needs it */
        if (i > 0 && column + 1 + width + backslash > DEMO_LINE_WIDTH) {
            text_append_string(out, " \\\n      ");
            column = 4; /* of the six, two are those of every row */
        } else if (i > 0) {
            text_append_char(out, ' ');
            column++;
        }
        text_append_format(out, quoted ? "'%s'" : "%s", arguments[i]);
        column += width;
    }
}

static bool contains(struct bytes text, const char *fragment) {
    return memmem(text.data, text.size, fragment, strlen(fragment)) != NULL;
}

/* Returns the value of a header line in the origin's textual answer; empty when there is none. */
static struct bytes find_value(struct bytes body, const char *name) {
    const char *next = (const char *)body.data;
    const char *end = next + body.size;
    size_t name_size = strlen(name);
    while (next < end) {
        const char *stop = memchr(next, '\n', (size_t)(end - next));
        stop = stop == NULL ? end : stop;
        if ((size_t)(stop - next) > name_size + 2 && memcmp(next, name, name_size) == 0 &&
            memcmp(next + name_size, ": ", 2) == 0) {
            return bytes_of(next + name_size + 2, (size_t)(stop - next) - name_size - 2);
        }
        next = stop + (stop < end);
    }
    return bytes_of(NULL, 0);
}

static void sum_up(struct text *got, const struct http_message *message, struct bytes output) {
    struct bytes body = bytes_of(output.data + message->head_size, output.size - message->head_size);
    text_append_format(got, "%u", message->status);
    struct bytes status = find_value(body, "X-Client-Cert-Status");
    struct bytes reason = find_value(body, "X-Client-Cert-Reason");
    const struct http_header *type = http_find_header(message, output.data, "content-type");
    if (status.size > 0) {
        text_append_char(got, ' ');
        text_append_bytes(got, status);
        text_append_string(got, ", ");
        text_append_bytes(got, reason.size > 0 ? reason : bytes_of_string("no reason"));
    } else if ((message->status == 200 || message->status == 403) && type != NULL) {
        struct bytes value = http_view(output.data, type->value);
        const uint8_t *slash = memchr(value.data, '/', value.size);
        const uint8_t *start = slash == NULL ? value.data : slash + 1;
        size_t size = (size_t)(value.data + value.size - start);
        const uint8_t *stop = memchr(start, ';', size);
        text_append_char(got, ' ');
        text_append(got, start, stop == NULL ? size : (size_t)(stop - start));
    }
}

/* Returns a copy of what curl has printed, with the version of HTTP/1.1 where curl has spoken HTTP/2; "" if out of memory.
 */
static struct bytes as_http1(struct bytes output) {
    static const char version2[] = "HTTP/2 ";
    static const char version1[] = "HTTP/1.1 ";
    size_t skipped =
        output.size >= strlen(version2) && memcmp(output.data, version2, strlen(version2)) == 0 ? strlen(version2) : 0;
    size_t added = skipped == 0 ? 0 : strlen(version1);
    size_t size = output.size - skipped + added;
    char *copy = malloc(size + 1);

    if (copy == NULL) {
        return (struct bytes){0};
    }
    memcpy(copy, version1, added);
    memcpy(copy + added, output.data + skipped, output.size - skipped);
    return bytes_of(copy, size);
}

static struct demo_verdict judge(const struct demo_line *line, struct bytes output, const char *ski) {
    struct demo_verdict verdict = {.ok = false};
    struct http_header headers[HTTP_HEADERS_MAX];
    struct http_message message = {.headers_max = HTTP_HEADERS_MAX, .headers = headers};
    struct http_parser parser;
    http_parser_init_response(&parser, &message, 64 * 1024, false);
    if (output.size == 0 || http_parser_head(&parser, output) != HTTP_PARSE_HEAD) {
        snprintf(verdict.got, sizeof verdict.got, "no answer");
        return verdict;
    }
    struct text got = text_over(verdict.got, sizeof verdict.got - 1);
    sum_up(&got, &message, output);
    verdict.got[got.size] = '\0';
    for (size_t i = 0; i < DEMO_LINE_FRAGMENTS_MAX && line->has[i] != NULL; i++) {
        if (!contains(output, line->has[i])) {
            verdict.missing = line->has[i];
        }
    }
    for (size_t i = 0; i < DEMO_LINE_FRAGMENTS_MAX && line->lacks[i] != NULL; i++) {
        if (contains(output, line->lacks[i])) {
            verdict.unwanted = line->lacks[i];
        }
    }
    struct bytes value = find_value(output, "X-Client-Cert-SKI");
    if (line->shows_ski && !bytes_equal(value, bytes_of_string(ski))) {
        verdict.missing = "X-Client-Cert-SKI with the key identifier of pizza.pem";
    }
    verdict.ok = verdict.missing == NULL && verdict.unwanted == NULL && strcmp(verdict.got, line->expected) == 0;
    return verdict;
}

struct demo_verdict demo_line_judge(const struct demo_line *line, struct bytes output, const char *ski) {
    struct bytes copy = as_http1(output);
    struct demo_verdict verdict = judge(line, copy, ski);

    free((void *)(uintptr_t)copy.data);
    return verdict;
}

#include "identity/server_verdict.h"

#include "base/utf8.h"
#include "path/path.h"
#include "x509/general_name.h"
#include "x509/server_name.h"

#include <string.h>

static void say(struct server_verdict *verdict, struct bytes sentence) {
    size_t size = utf8_cut(sentence, sizeof verdict->detail - 1).size;
    memcpy(verdict->detail, sentence.data, size);
    verdict->detail[size] = '\0';
}

static void refuse(struct server_verdict *verdict, enum reason reason, const char *sentence) {
    verdict->reason = reason;
    say(verdict, bytes_of_string(sentence));
}

static void judge_chain(struct path_chain *chain, const struct server_expectation *expected, int64_t now,
                        struct server_verdict *verdict) {
    const struct path_settings settings = {
        .purpose = PATH_OF_SERVER, .trust = expected->trust, .depth_max = PATH_CHAIN_MAX, .now = now};
    struct path_verdict found;
    char buffer[1024];
    struct text text = text_over(buffer, sizeof buffer);

    path_judge(chain, &settings, &found);
    verdict->reason = found.fault.reason;
    verdict->until = found.valid_until;
    path_append_detail(&text, &found, PATH_CHAIN_MAX);
    say(verdict, text_bytes(&text));
}

static void judge_name(const struct certificate *leaf, const struct server_expectation *expected,
                       struct server_verdict *verdict) {
    struct bytes address = bytes_of(expected->address, expected->address_size);
    char buffer[1024];
    struct text text = text_over(buffer, sizeof buffer);

    verdict->is_named =
        expected->name != NULL ? server_name_is_covered(leaf, expected->name) : server_name_has_address(leaf, address);
    if (verdict->is_named) {
        return;
    }
    text_append_string(&text, "the certificate is not for \"");
    if (expected->name != NULL) {
        text_append_string(&text, expected->name);
    } else {
        general_name_append_ip(&text, address);
    }
    text_append_string(&text, "\", but for ");
    size_t before = text.size;
    server_name_append_all(&text, leaf);
    if (text.size == before) {
        text_append_string(&text, "no name: it has no DNS name and no address in subjectAltName");
    }
    say(verdict, text_bytes(&text));
}

void server_judge(const struct server_expectation *expected, const struct bytes *certificates, size_t count, bool too_large,
                  int64_t now, struct server_verdict *verdict) {
    struct path_chain chain;

    *verdict = (struct server_verdict){0};
    if (too_large) {
        refuse(verdict, REASON_TOO_LARGE, "the certificates are more bytes than the limit allows");
    } else if (count == 0) {
        refuse(verdict, REASON_ABSENT, "no certificate was presented");
    } else if (count > PATH_CHAIN_MAX) {
        refuse(verdict, REASON_CHAIN_TOO_LONG, "more certificates were presented than are looked at");
    } else if (!path_read_chain(&chain, certificates, count)) {
        refuse(verdict, REASON_MALFORMED, chain.malformed);
    } else {
        judge_chain(&chain, expected, now, verdict);
        if (verdict->reason == REASON_OK) {
            judge_name(&chain.members[0].certificate, expected, verdict);
        }
    }
}

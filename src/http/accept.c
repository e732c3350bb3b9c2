#include "http/accept.h"

#include "base/ascii.h"
#include "http/syntax.h"

enum { QUALITY_MAX = 1000 }; /* qvalues are handled in thousandths */

/* How well one media type is accepted so far: the most specific range that matches decides (RFC 9110 section 12.5.1). */
struct preference {
    unsigned specificity; /* 0: nothing matched; 1: any type; 2: any subtype; 3: exactly this */
    unsigned quality;
};

/* False when `text` is not a qvalue (RFC 9110 section 12.4.2). */
static bool parse_quality(struct bytes text, unsigned *quality) {
    if (text.size == 0 || text.size > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.size > 1 && text.data[1] != '.')) {
        return false;
    }
    unsigned value = text.data[0] == '1' ? QUALITY_MAX : 0;
    unsigned unit = 100;
    for (size_t i = 2; i < text.size; i++, unit /= 10) {
        if (!ascii_is_digit(text.data[i])) {
            return false;
        }
        value += unit * (text.data[i] - '0');
    }
    *quality = value;
    return value <= QUALITY_MAX;
}

/* Takes the text up to the next `separator` that is not in a quoted string. The separator goes with it. */
static struct bytes take_until(struct bytes *text, uint8_t separator) {
    bool quoted = false;
    size_t size = 0;
    for (; size < text->size && (quoted || text->data[size] != separator); size++) {
        if (text->data[size] == '"') {
            quoted = !quoted;
        } else if (quoted && text->data[size] == '\\' && size + 1 < text->size) {
            size++;
        }
    }
    struct bytes taken = http_trim(bytes_of(text->data, size));
    size_t used = size < text->size ? size + 1 : size;
    text->data += used;
    text->size -= used;
    return taken;
}

/* Parameters other than q do not count: to a client that asks for one kind of JSON, any JSON is better than HTML. */
static bool range_quality(struct bytes parameters, unsigned *quality) {
    *quality = QUALITY_MAX;
    while (parameters.size > 0) {
        struct bytes parameter = take_until(&parameters, ';');
        if (parameter.size >= 2 && ascii_lower(parameter.data[0]) == 'q' && parameter.data[1] == '=') {
            return parse_quality(bytes_of(parameter.data + 2, parameter.size - 2), quality);
        }
    }
    return true;
}

static void prefer(struct preference *preference, unsigned specificity, unsigned quality) {
    if (specificity > preference->specificity || (specificity == preference->specificity && quality > preference->quality)) {
        *preference = (struct preference){specificity, quality};
    }
}

static void weigh_range(struct bytes range, struct preference *html, struct preference *json) {
    struct bytes type = take_until(&range, ';');
    unsigned quality;
    if (!range_quality(range, &quality)) {
        return;
    }
    if (http_text_is(type, "*/*")) {
        prefer(html, 1, quality);
        prefer(json, 1, quality);
    } else if (http_text_is(type, "text/*")) {
        prefer(html, 2, quality);
    } else if (http_text_is(type, "application/*")) {
        prefer(json, 2, quality);
    } else if (http_text_is(type, "text/html")) {
        prefer(html, 3, quality);
    } else if (http_text_is(type, "application/json")) {
        prefer(json, 3, quality);
    }
}

bool http_prefers_html(const struct http_message *message, const void *head) {
    struct preference html = {0};
    struct preference json = {0};
    for (uint32_t i = 0; i < message->header_count; i++) {
        if (!http_text_is(http_view(head, message->headers[i].name), "accept")) {
            continue;
        }
        struct bytes ranges = http_view(head, message->headers[i].value);
        while (ranges.size > 0) {
            weigh_range(take_until(&ranges, ','), &html, &json);
        }
    }
    return html.quality > json.quality;
}

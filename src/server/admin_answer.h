/* The answer to a request at the admin listener: chosen by path, method and Host alone, without any connection. */
#ifndef SERVER_ADMIN_ANSWER_H
#define SERVER_ADMIN_ANSWER_H

#include "config/config.h"
#include "http/message.h"
#include "server/admin_page.h"
#include "stats/stats.h"

/* The state of the process that answers depend on. */
struct admin_view {
    const struct config *config;
    struct stats *stats;
    bool draining;
};

enum { ADMIN_ANSWER_TEXT_SIZE = 1024 };

struct admin_answer {
    unsigned status;
    const char *content_type;
    char fields[512]; /* header lines of its own */
    bool is_page;     /* the body is `page`, which is yet to be rendered; else it is `body` */
    enum admin_page_kind page;
    struct bytes body;                 /* static, or in `text` */
    char text[ADMIN_ANSWER_TEXT_SIZE]; /* of a body that is made for this answer */
};

/* Chooses the answer to a request that was parsed whole; `head` holds its bytes. */
void admin_answer_choose(const struct admin_view *view, const struct http_message *request, const char *head,
                         struct admin_answer *answer);
/* Makes an answer of a static text. */
void admin_answer_text(struct admin_answer *answer, unsigned status, const char *text);

#endif

/* Answers to questions for SRV records. The input is a message as a DNS server might send it. */
#include "base/check.h"
#include "dns/srv.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct srv_reader reader;
    struct srv_record record;
    size_t count = 0;
    int result;

    if (!srv_begin(&reader, data, size, "_http._tcp.app.internal")) {
        return 0;
    }
    CHECK(memchr(reader.owner, '\0', sizeof reader.owner) != NULL);
    while ((result = srv_next(&reader, &record)) > 0) {
        CHECK(memchr(record.target, '\0', sizeof record.target) != NULL);
        CHECK(record.port != 0 || record.target[0] == '\0');
        count++;
    }
    /* A record has 18 bytes at least, when its names are pointers or the root. */
    CHECK(count <= size / 18);
    CHECK(result < 0 || reader.left == 0);
    return 0;
}

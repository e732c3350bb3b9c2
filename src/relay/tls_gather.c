#include "relay/tls_gather.h"

#include "base/check.h"

#include <string.h>

/* Encrypts what was gathered, whoever owns it. False: it could not leave. */
static bool flush(struct tls_gather *gather) {
    void *owner = gather->owner;
    struct bytes gathered = bytes_of(gather->bytes, gather->size);

    gather->owner = NULL;
    gather->size = 0;
    return owner == NULL || gather->encrypt(owner, gathered);
}

static void flush_task(struct ring_task *task) {
    flush(CONTAINER_OF(task, struct tls_gather, flush));
}

void tls_gather_init(struct tls_gather *gather, struct ring *ring, tls_gather_encrypt *encrypt) {
    gather->ring = ring;
    gather->encrypt = encrypt;
    gather->flush = (struct ring_task){.run = flush_task};
    gather->owner = NULL;
    gather->size = 0;
}

void tls_gather_end(struct tls_gather *gather) {
    CHECK(gather->owner == NULL);
    ring_forget(&gather->flush);
}

/* Moves the front of `data` to the gathered bytes, as far as there is room. They leave when they fill a record. */
static bool gather_front(struct tls_gather *gather, void *owner, struct bytes *data) {
    size_t room = sizeof gather->bytes - gather->size;
    size_t size = data->size < room ? data->size : room;

    gather->owner = owner;
    memcpy(gather->bytes + gather->size, data->data, size);
    gather->size += size;
    *data = bytes_of(data->data + size, data->size - size);
    if (gather->size == sizeof gather->bytes) {
        return flush(gather);
    }
    ring_defer(gather->ring, &gather->flush);
    return true;
}

void tls_gather_write(struct tls_gather *gather, void *owner, struct bytes data) {
    bool leaves = true;

    if (gather->owner != owner) {
        flush(gather);
    }
    while (data.size > 0 && leaves) {
        size_t whole = data.size - data.size % TLS_RECORD_SIZE_MAX;

        if (gather->owner == owner || whole == 0) {
            leaves = gather_front(gather, owner, &data);
            continue;
        }
        /* Whole records need not be gathered. */
        leaves = gather->encrypt(owner, bytes_of(data.data, whole));
        data = bytes_of(data.data + whole, data.size - whole);
    }
}

void tls_gather_flush(struct tls_gather *gather, const void *owner) {
    if (gather->owner == owner) {
        flush(gather);
    }
}

void tls_gather_drop(struct tls_gather *gather, const void *owner) {
    if (gather->owner == owner) {
        gather->owner = NULL;
        gather->size = 0;
    }
}

size_t tls_gather_size(const struct tls_gather *gather, const void *owner) {
    return gather->owner == owner ? gather->size : 0;
}

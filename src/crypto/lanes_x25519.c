#include "base/check.h"
#include "crypto/lanes_call.h"

#ifdef __x86_64__

#include <crypto_mb/x25519.h>

enum { SIZE = LANES_X25519_SIZE };

void lanes_x25519_public(struct lanes_x25519_public *const jobs[], size_t count) {
    uint8_t results[LANES_MAX][SIZE];
    uint8_t *to[LANES_MAX];
    const uint8_t *keys[LANES_MAX];
    lanes_call_check(count);
    for (size_t i = 0; i < LANES_MAX; i++) {
        to[i] = results[i];
        keys[i] = jobs[i < count ? i : 0]->private_key;
    }
    CHECK(mbx_x25519_public_key_mb8(to, keys) == MBX_STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        memcpy(jobs[i]->public_key, results[i], SIZE);
        jobs[i]->good = true;
    }
    lanes_call_wipe_stack();
}

void lanes_x25519_shared(struct lanes_x25519_shared *const jobs[], size_t count) {
    uint8_t results[LANES_MAX][SIZE];
    uint8_t *to[LANES_MAX];
    const uint8_t *keys[LANES_MAX];
    const uint8_t *peers[LANES_MAX];
    lanes_call_check(count);
    for (size_t i = 0; i < LANES_MAX; i++) {
        to[i] = results[i];
        keys[i] = jobs[i < count ? i : 0]->private_key;
        peers[i] = jobs[i < count ? i : 0]->peer;
    }
    /* Its only failure is a secret of zeros. */
    unsigned status = mbx_x25519_mb8(to, keys, peers);
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = MBX_GET_STS(status, (int)i) == MBX_STATUS_OK;
        memcpy(jobs[i]->secret, results[i], SIZE);
    }
    explicit_bzero(results, sizeof results);
    lanes_call_wipe_stack();
}

#else /* crypto_mb is for x86-64 */

void lanes_x25519_public(struct lanes_x25519_public *const jobs[], size_t count) {
    lanes_call_check(count);
}

void lanes_x25519_shared(struct lanes_x25519_shared *const jobs[], size_t count) {
    lanes_call_check(count);
}

#endif

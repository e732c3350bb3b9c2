#include "base/hash.h"

#include "base/check.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/random.h>
#include <xxhash.h>

enum {
    SECRET_SIZE = 192, /* XXH3's default secret is as long; the least is XXH3_SECRET_SIZE_MIN, 136 */
};
_Static_assert(SECRET_SIZE >= XXH3_SECRET_SIZE_MIN, "XXH3 reads at least this much of its secret");

static uint8_t secret[SECRET_SIZE];
static bool drawn;

void hash_init(void) {
    size_t have = 0;
    while (have < sizeof secret) {
        ssize_t got = getrandom(secret + have, sizeof secret - have, 0);
        CHECK(got > 0 || (got < 0 && errno == EINTR));
        have += got > 0 ? (size_t)got : 0;
    }
    drawn = true;
}

uint64_t hash_bytes(const void *data, size_t size) {
    CHECK(drawn); /* with a secret of zeros XXH3 hardly mixes at all */
    return XXH3_64bits_withSecret(data, size, secret, sizeof secret);
}

uint64_t hash_fixed(const void *data, size_t size) {
    return XXH3_64bits(data, size);
}

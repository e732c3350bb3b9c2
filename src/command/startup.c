#include "command/startup.h"

#include "base/hash.h"
#include "crypto/batch.h"
#include "tls/context.h"

#include <stddef.h>

const char *startup_begin(void) {
    if (!batch_wish_is_known()) {
        return "SALLYPORT_CRYPTO in the environment: 'single' or 'batch' is expected";
    }
    hash_init();
    return tls_library_init() == 0 ? NULL : "wolfSSL cannot be initialised";
}

void startup_end(void) {
    tls_library_cleanup();
}

#include "command/startup.h"

#include "base/hash.h"
#include "tls/context.h"

#include <stddef.h>

const char *startup_begin(void) {
    hash_init();
    return tls_library_init() == 0 ? NULL : "wolfSSL cannot be initialised";
}

void startup_end(void) {
    tls_library_cleanup();
}

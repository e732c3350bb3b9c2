#include "base/recycler.h"
#include "crypto/batch.h"
#include "crypto/gcm.h"
#include "crypto/offload.h"
#include "tls/context.h"
#include "tls/first_use.h"
#include "tls/wolfssl.h"

#include <errno.h>
#include <stdlib.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/cpuid.h>

/* A handshake takes and gives back some sixty blocks. Allocators that were set before, as tests do, stay. */
static int use_recycler(void) {
    wolfSSL_Malloc_cb set = NULL;
    wolfSSL_Free_cb set_free = NULL;
    wolfSSL_Realloc_cb set_realloc = NULL;
    int result = wolfSSL_GetAllocators(&set, &set_free, &set_realloc);

    return result != 0 || set != NULL ? result : wolfSSL_SetAllocators(recycler_take, recycler_give, realloc);
}

int tls_library_init(void) {
    if (use_recycler() != 0 || wolfSSL_Init() != WOLFSSL_SUCCESS) {
        return -ENOSYS;
    }
    if (first_use_all() < 0 || (batch_is_wanted() && offload_register() != 0)) {
        wolfSSL_Cleanup();
        return -ENOSYS;
    }
    if (!batch_wish_is_single()) {
        gcm_register();
    }
    return 0;
}

void tls_library_cleanup(void) {
    wolfSSL_Cleanup();
}

const char *tls_library_version(void) {
    return LIBWOLFSSL_VERSION_STRING;
}

const char *tls_library_crypto(void) {
#ifdef WOLFSSL_AESNI
    if (IS_INTEL_AESNI(cpuid_get_flags())) {
        return batch_is_wanted() ? "accelerated-batch" : "accelerated";
    }
#endif
    return "portable";
}

#include "crypto/batch.h"
#include "crypto/offload.h"
#include "tls/context.h"
#include "tls/wolfssl.h"

#include <errno.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/cpuid.h>

int tls_library_init(void) {
    if (wolfSSL_Init() != WOLFSSL_SUCCESS) {
        return -ENOSYS;
    }
    if (batch_is_wanted() && offload_register() != 0) {
        wolfSSL_Cleanup();
        return -ENOSYS;
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

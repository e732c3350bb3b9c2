#include "tls/context.h"
#include "tls/wolfssl.h"

#include <errno.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/cpuid.h>

int tls_library_init(void) {
    return wolfSSL_Init() == WOLFSSL_SUCCESS ? 0 : -ENOSYS;
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
        return "accelerated";
    }
#endif
    return "portable";
}

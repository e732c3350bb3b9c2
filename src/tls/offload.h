/*
 * Hands wolfSSL's public-key operations of handshakes to crypto/batch: key exchange and the server's own signatures. The
 * client's signature is verified elsewhere (tls/proof).
 */
#ifndef TLS_OFFLOAD_H
#define TLS_OFFLOAD_H

#include "tls/wolfssl.h"

/* Once for the process, behind wolfSSL_Init. 0, or wolfSSL's error. */
int offload_register(void);
/* Has the context's sessions offer their operations. WOLFSSL_SUCCESS, or wolfSSL's error. */
int offload_use(WOLFSSL_CTX *wolfssl);

#endif

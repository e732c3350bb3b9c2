/*
 * AES-GCM (NIST SP 800-38D) of long messages, such as full TLS records: by VAES and VPCLMULQDQ, whose instructions encipher
 * or multiply two blocks at a time in registers of 256 bits. The loops are BoringSSL's. wolfCrypt knows no such
 * instructions; short messages it does faster.
 *
 * Nothing is kept from one message to the next: the powers of the hash key are made anew for each message, which takes 20
 * ns, and are wiped with all other copies of secrets before a function returns. Nothing is allocated. Time and addresses
 * depend on sizes alone.
 */
#ifndef CRYPTO_GCM_H
#define CRYPTO_GCM_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GCM_NONCE_SIZE = 12,
    GCM_TAG_SIZE = 16,
    /* From here on it is faster than wolfCrypt, by 1.2 times at first, by 1.8 for 16 KiB (AMD EPYC). */
    GCM_WORTH_SIZE = 1024,
};

/* wolfCrypt's key, made ready by wc_AesGcmSetKey. It is only read, so that threads may share it. */
struct Aes;

/* Tells whether this processor and its kernel can do what follows. Costs a few instructions that are slow (CPUID). */
bool gcm_supported(void);

/*
 * Has wolfCrypt hand the functions below all messages of GCM_WORTH_SIZE bytes and more whose nonce and tag have the sizes
 * above, in the whole process, for good. Not while another thread uses AES-GCM. Does nothing where gcm_supported is false.
 */
void gcm_register(void);

/*
 * Encrypts `size` bytes, any number below 2^32. `out` is `in`, or does not overlap it. `additional_size` bytes are
 * authenticated too.
 */
void gcm_encrypt(const struct Aes *aes, uint8_t *out, const uint8_t *in, uint32_t size, const uint8_t *nonce, uint8_t *tag,
                 const uint8_t *additional, uint32_t additional_size);

/*
 * The same in the other direction. Returns 0, or wolfCrypt's AES_GCM_AUTH_E if the tag is another: then `out` is zeros. The
 * tag is compared in constant time.
 */
int gcm_decrypt(const struct Aes *aes, uint8_t *out, const uint8_t *in, uint32_t size, const uint8_t *nonce,
                const uint8_t *tag, const uint8_t *additional, uint32_t additional_size);

#endif

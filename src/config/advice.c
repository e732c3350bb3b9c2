#include "config/advice.h"

#include "base/check.h"
#include "base/text.h"
#include "config/memory.h"
#include "x509/container.h"

#include <stdlib.h>

struct advice {
    unsigned found;   /* enum container: the file has all of these bits */
    const char *text; /* each %s, of at most two, is the path */
};

static const struct advice for_chain[] = {
    {CONTAINER_PKCS12, "is PKCS #12, not PEM; take the certificates out of it: openssl pkcs12 -in %s -nokeys -out %s.pem"},
    {CONTAINER_KEYSTORE, "is a Java keystore, not PEM; make PKCS #12 of it and then PEM of that: keytool -importkeystore "
                         "-srckeystore %s -destkeystore %s.p12 -deststoretype pkcs12"},
    {CONTAINER_CERTIFICATE | CONTAINER_BINARY, "is DER, not PEM; convert it: openssl x509 -inform DER -in %s -out %s.pem"},
    {CONTAINER_PKCS7 | CONTAINER_BINARY,
     "is PKCS #7 in DER, not PEM; convert it: openssl pkcs7 -inform DER -in %s -print_certs -out %s.pem"},
    {CONTAINER_PKCS7, "is PKCS #7; take the certificates out of it: openssl pkcs7 -in %s -print_certs -out %s.pem"},
    {CONTAINER_TRUSTED, "has OpenSSL's own TRUSTED CERTIFICATE; convert it: openssl x509 -in %s -out %s.pem"},
    {CONTAINER_REQUEST, "is a certificate request; name the certificate that the CA has made of it"},
    {CONTAINER_CRL, "is a revocation list, not a certificate"},
    {CONTAINER_KEY, "is a private key, not a certificate"},
    {CONTAINER_ENCRYPTED_KEY, "is a private key, not a certificate"},
    {CONTAINER_OPENSSH_KEY, "is a private key, not a certificate"},
    {CONTAINER_PUBLIC_KEY, "is a public key, not a certificate"},
};

static const struct advice for_key[] = {
    {CONTAINER_PKCS12, "is PKCS #12, not PEM; take the key out of it: openssl pkcs12 -in %s -nocerts -nodes -out %s.key"},
    {CONTAINER_KEYSTORE, "is a Java keystore, not PEM; make PKCS #12 of it and then PEM of that: keytool -importkeystore "
                         "-srckeystore %s -destkeystore %s.p12 -deststoretype pkcs12"},
    {CONTAINER_ENCRYPTED_KEY | CONTAINER_BINARY,
     "is an encrypted key in DER; convert it to PEM without a passphrase: openssl pkcs8 -inform DER -in %s -out %s.pem"},
    {CONTAINER_ENCRYPTED_KEY,
     "is encrypted, and nobody is there to enter its passphrase; write it without one: openssl pkey -in %s -out %s.plain"},
    {CONTAINER_KEY | CONTAINER_BINARY, "is DER, not PEM; convert it: openssl pkey -inform DER -in %s -out %s.pem"},
    {CONTAINER_OPENSSH_KEY,
     "is in OpenSSH's own format; convert a copy of it: cp %s %s.pem, and then ssh-keygen -p -m PKCS8 "
     "-N '' -f on that"},
    {CONTAINER_CERTIFICATE, "is a certificate, not a private key"},
    {CONTAINER_REQUEST, "is a certificate request, not a private key"},
    {CONTAINER_PUBLIC_KEY, "is a public key, not a private key"},
    {CONTAINER_CRL, "is a revocation list, not a private key"},
};

static const struct advice for_roots[] = {
    {CONTAINER_PKCS12,
     "is PKCS #12, not PEM; take the certificates out of it: openssl pkcs12 -in %s -nokeys -cacerts -out %s.pem"},
    {CONTAINER_KEYSTORE, "is a Java keystore, not PEM; write each root as PEM: keytool -exportcert -rfc -keystore %s -alias "
                         "ROOT -file %s.pem"},
    {CONTAINER_PKCS7 | CONTAINER_BINARY,
     "is PKCS #7 in DER, not PEM; convert it: openssl pkcs7 -inform DER -in %s -print_certs -out %s.pem"},
    {CONTAINER_PKCS7, "is PKCS #7; take the certificates out of it: openssl pkcs7 -in %s -print_certs -out %s.pem"},
    {CONTAINER_TRUSTED, "has OpenSSL's own TRUSTED CERTIFICATE; convert it: openssl x509 -in %s -out %s.pem"},
    {CONTAINER_REQUEST, "is a certificate request; name the root that the CA has made of it"},
    {CONTAINER_CRL, "is a revocation list: it belongs in client_auth.crl"},
    {CONTAINER_KEY, "is a private key, not a certificate; keep the key of a root away from this machine"},
    {CONTAINER_ENCRYPTED_KEY, "is a private key, not a certificate; keep the key of a root away from this machine"},
    {CONTAINER_PUBLIC_KEY, "is a public key, not a certificate"},
};

static const struct advice for_lists[] = {
    {CONTAINER_CERTIFICATE, "is a certificate, not a revocation list: roots belong in client_auth.ca"},
    {CONTAINER_PKCS7 | CONTAINER_BINARY,
     "is PKCS #7 in DER; take the lists out of it: openssl pkcs7 -inform DER -in %s -print_certs -out %s.pem"},
    {CONTAINER_PKCS7, "is PKCS #7; take the lists out of it: openssl pkcs7 -in %s -print_certs -out %s.pem"},
    {CONTAINER_PKCS12, "is PKCS #12, which holds no revocation lists"},
};

static const struct {
    const struct advice *items;
    size_t count;
    unsigned good; /* enum container: a file with any of these bits is of the right kind, whatever else is wrong with it */
    bool takes_der;
} tables[] = {
    [ADVICE_CHAIN] = {for_chain, ARRAY_LENGTH(for_chain), CONTAINER_CERTIFICATE, false},
    [ADVICE_KEY] = {for_key, ARRAY_LENGTH(for_key), CONTAINER_KEY, false},
    [ADVICE_ROOTS] = {for_roots, ARRAY_LENGTH(for_roots), CONTAINER_CERTIFICATE, true},
    [ADVICE_LISTS] = {for_lists, ARRAY_LENGTH(for_lists), CONTAINER_CRL, true},
};

char *advice_quote(const char *path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=,@%:";
    if (path[strspn(path, plain)] == '\0' && path[0] != '\0') {
        return memory_copy_string(path);
    }
    char *quoted = memory_allocate(1, 4 * strlen(path) + 3);
    char *end = quoted;
    *end++ = '\'';
    for (; *path != '\0'; path++) {
        if (*path == '\'') {
            memcpy(end, "'\\'", 3);
            end += 3;
        }
        *end++ = *path;
    }
    *end = '\'';
    return quoted;
}

/* Returns the pattern with each %s replaced by `path`. free(). */
static char *fill_in(const char *pattern, const char *path) {
    size_t capacity = strlen(pattern) + 2 * strlen(path); /* a pattern has at most two */
    char *filled = memory_allocate(1, capacity + 1);
    struct text text = text_over(filled, capacity);
    for (const char *place; (place = strstr(pattern, "%s")) != NULL; pattern = place + 2) {
        text_append(&text, pattern, (size_t)(place - pattern));
        text_append_string(&text, path);
    }
    text_append_string(&text, pattern);
    CHECK(!text.overflow);
    return filled;
}

char *advice_for(struct bytes file, enum advice_wanted wanted, const char *path) {
    unsigned found = container_read(file);
    bool is_readable = tables[wanted].takes_der || (found & CONTAINER_BINARY) == 0;
    if (is_readable && (found & tables[wanted].good) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < tables[wanted].count; i++) {
        const struct advice *advice = &tables[wanted].items[i];
        if ((found & advice->found) == advice->found) {
            char *quoted = advice_quote(path);
            char *text = fill_in(advice->text, quoted);
            free(quoted);
            return text;
        }
    }
    return NULL;
}

bool advice_report(const struct loader *loader, const struct document_node *node, const char *key, const char *path,
                   struct bytes file, enum advice_wanted wanted) {
    char *advice = advice_for(file, wanted, path);
    if (advice != NULL) {
        loader_problem(loader, node, "%s: %s %s", key, path, advice);
    }
    free(advice);
    return advice != NULL;
}

#include "tls/alert.h"

#include "tls/wolfssl.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

int tls_alert_for(int error) {
    switch (error) {
    case FATAL_ERROR: /* an alert of the peer's */
    case SOCKET_ERROR_E:
    case ZERO_RETURN:
        return TLS_NO_ALERT;
    case OUT_OF_ORDER_E:
    case DUPLICATE_MSG_E:
    case SANITY_MSG_E:
    case SIDE_ERROR:
    case NO_CHANGE_CIPHER_E:
    case NO_PEER_VERIFY:
    case UNKNOWN_HANDSHAKE_TYPE:
    case UNKNOWN_RECORD_TYPE:
    case ALERT_COUNT_E:
        return unexpected_message;
    case DECRYPT_ERROR:
    case VERIFY_MAC_ERROR:
    case SANITY_CIPHER_E:
    case AES_GCM_AUTH_E:
    case MAC_CMP_FAILED_E:
        return bad_record_mac;
    case BUFFER_ERROR:
    case BUFFER_E:
    case DECODE_E:
    case LENGTH_ERROR:
    case INCOMPLETE_DATA:
    case PARSE_ERROR:
    case HANDSHAKE_SIZE_ERROR:
        return decode_error;
    case VERIFY_FINISHED_ERROR:
    case VERIFY_CERT_ERROR:
    case VERIFY_SIGN_ERROR:
    case SIG_VERIFY_E:
    case BAD_BINDER:
        return decrypt_error;
    case INVALID_PARAMETER:
    case INVALID_CERT_CTX_E:
    case ECC_PEERKEY_ERROR:
    case ECC_SHARED_ERROR:
    case ECC_OUT_OF_RANGE_E:
    case BAD_KEY_SHARE_DATA:
    case KEY_SHARE_ERROR:
    case PEER_KEY_ERROR:
    case PUBLIC_KEY_E: /* an encapsulation key of ML-KEM with a coefficient of q or more */
    case PSK_KEY_ERROR:
    case EXT_NOT_ALLOWED:
    case DUPLICATE_TLS_EXT_E:
    case COMPRESSION_ERROR:
        return illegal_parameter;
    case VERSION_ERROR:
        return protocol_version;
    case MATCH_SUITE_ERROR:
    case UNSUPPORTED_SUITE:
    case MISSING_HANDSHAKE_DATA:
    case EXT_MASTER_SECRET_NEEDED_E:
        return handshake_failure;
    case EXT_MISSING:
        return missing_extension;
    case UNKNOWN_SNI_HOST_NAME_E:
        return unrecognized_name;
    case UNKNOWN_ALPN_PROTOCOL_NAME_E:
        return no_application_protocol;
    case ASN_PARSE_E:
    case MAX_CHAIN_ERROR:
        return bad_certificate;
    default:
        return internal_error;
    }
}

const char *tls_alert_name(int description) {
    static const struct {
        int description;
        const char *name;
    } names[] = {
        {0, "close_notify"},
        {10, "unexpected_message"},
        {20, "bad_record_mac"},
        {22, "record_overflow"},
        {40, "handshake_failure"},
        {42, "bad_certificate"},
        {43, "unsupported_certificate"},
        {44, "certificate_revoked"},
        {45, "certificate_expired"},
        {46, "certificate_unknown"},
        {47, "illegal_parameter"},
        {48, "unknown_ca"},
        {49, "access_denied"},
        {50, "decode_error"},
        {51, "decrypt_error"},
        {70, "protocol_version"},
        {71, "insufficient_security"},
        {80, "internal_error"},
        {86, "inappropriate_fallback"},
        {90, "user_canceled"},
        {100, "no_renegotiation"},
        {109, "missing_extension"},
        {110, "unsupported_extension"},
        {112, "unrecognized_name"},
        {113, "bad_certificate_status_response"},
        {115, "unknown_psk_identity"},
        {116, "certificate_required"},
        {120, "no_application_protocol"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].description == description) {
            return names[i].name;
        }
    }
    return "unknown";
}

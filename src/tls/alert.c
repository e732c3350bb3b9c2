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
        return TLS_ALERT_UNEXPECTED_MESSAGE;
    case DECRYPT_ERROR:
    case VERIFY_MAC_ERROR:
    case SANITY_CIPHER_E:
    case AES_GCM_AUTH_E:
    case MAC_CMP_FAILED_E:
        return TLS_ALERT_BAD_RECORD_MAC;
    case BUFFER_ERROR:
    case BUFFER_E:
    case DECODE_E:
    case LENGTH_ERROR:
    case INCOMPLETE_DATA:
    case PARSE_ERROR:
    case HANDSHAKE_SIZE_ERROR:
        return TLS_ALERT_DECODE_ERROR;
    case VERIFY_FINISHED_ERROR:
    case VERIFY_CERT_ERROR:
    case VERIFY_SIGN_ERROR:
    case SIG_VERIFY_E:
    case BAD_BINDER:
        return TLS_ALERT_DECRYPT_ERROR;
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
        return TLS_ALERT_ILLEGAL_PARAMETER;
    case VERSION_ERROR:
        return TLS_ALERT_PROTOCOL_VERSION;
    case MATCH_SUITE_ERROR:
    case UNSUPPORTED_SUITE:
    case MISSING_HANDSHAKE_DATA:
    case EXT_MASTER_SECRET_NEEDED_E:
        return TLS_ALERT_HANDSHAKE_FAILURE;
    case EXT_MISSING:
        return TLS_ALERT_MISSING_EXTENSION;
    case UNKNOWN_SNI_HOST_NAME_E:
        return TLS_ALERT_UNRECOGNIZED_NAME;
    case UNKNOWN_ALPN_PROTOCOL_NAME_E:
        return TLS_ALERT_NO_APPLICATION_PROTOCOL;
    case ASN_PARSE_E:
    case MAX_CHAIN_ERROR:
        return TLS_ALERT_BAD_CERTIFICATE;
    default:
        return TLS_ALERT_INTERNAL_ERROR;
    }
}

/* TLS's alerts by number and name (RFC 8446 appendix B.2; RFC 5246 section 7.2 and RFC 7507 for those of TLS 1.2 alone). */
#ifndef BASE_TLS_ALERT_H
#define BASE_TLS_ALERT_H

/* ROW(NAME, number, text) is one alert: TLS_ALERT_NAME, the number that goes over the wire, and the name in the RFC. */
#define TLS_ALERTS(ROW)                                                                                                     \
    ROW(CLOSE_NOTIFY, 0, "close_notify")                                                                                    \
    ROW(UNEXPECTED_MESSAGE, 10, "unexpected_message")                                                                       \
    ROW(BAD_RECORD_MAC, 20, "bad_record_mac")                                                                               \
    ROW(RECORD_OVERFLOW, 22, "record_overflow")                                                                             \
    ROW(HANDSHAKE_FAILURE, 40, "handshake_failure")                                                                         \
    ROW(BAD_CERTIFICATE, 42, "bad_certificate")                                                                             \
    ROW(UNSUPPORTED_CERTIFICATE, 43, "unsupported_certificate")                                                             \
    ROW(CERTIFICATE_REVOKED, 44, "certificate_revoked")                                                                     \
    ROW(CERTIFICATE_EXPIRED, 45, "certificate_expired")                                                                     \
    ROW(CERTIFICATE_UNKNOWN, 46, "certificate_unknown")                                                                     \
    ROW(ILLEGAL_PARAMETER, 47, "illegal_parameter")                                                                         \
    ROW(UNKNOWN_CA, 48, "unknown_ca")                                                                                       \
    ROW(ACCESS_DENIED, 49, "access_denied")                                                                                 \
    ROW(DECODE_ERROR, 50, "decode_error")                                                                                   \
    ROW(DECRYPT_ERROR, 51, "decrypt_error")                                                                                 \
    ROW(PROTOCOL_VERSION, 70, "protocol_version")                                                                           \
    ROW(INSUFFICIENT_SECURITY, 71, "insufficient_security")                                                                 \
    ROW(INTERNAL_ERROR, 80, "internal_error")                                                                               \
    ROW(INAPPROPRIATE_FALLBACK, 86, "inappropriate_fallback")                                                               \
    ROW(USER_CANCELED, 90, "user_canceled")                                                                                 \
    ROW(NO_RENEGOTIATION, 100, "no_renegotiation")                                                                          \
    ROW(MISSING_EXTENSION, 109, "missing_extension")                                                                        \
    ROW(UNSUPPORTED_EXTENSION, 110, "unsupported_extension")                                                                \
    ROW(UNRECOGNIZED_NAME, 112, "unrecognized_name")                                                                        \
    ROW(BAD_CERTIFICATE_STATUS_RESPONSE, 113, "bad_certificate_status_response")                                            \
    ROW(UNKNOWN_PSK_IDENTITY, 115, "unknown_psk_identity")                                                                  \
    ROW(CERTIFICATE_REQUIRED, 116, "certificate_required")                                                                  \
    ROW(NO_APPLICATION_PROTOCOL, 120, "no_application_protocol")

#define TLS_ALERT_ENUMERATOR(NAME, number, ...) TLS_ALERT_##NAME = number,
enum tls_alert { TLS_ALERTS(TLS_ALERT_ENUMERATOR) };

/* Returns the name of an alert's number, or "unknown": a static text. */
const char *tls_alert_name(int number);

#endif

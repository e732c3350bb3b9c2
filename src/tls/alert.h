/* The alert that ends a session that has failed (RFC 8446 section 6.2, RFC 5246 section 7.2.2). */
#ifndef TLS_ALERT_H
#define TLS_ALERT_H

enum { TLS_NO_ALERT = -1 };

/*
 * Returns the description of the alert that fits one of wolfSSL's errors, 0 to 255; internal_error for one that is not
 * known. TLS_NO_ALERT: no alert is sent, because the peer has ended the session itself or takes no output.
 */
int tls_alert_for(int error);
/* Returns the name that RFC 8446 section 6 gives to an alert, or "unknown": a static text. */
const char *tls_alert_name(int description);

#endif

/* The alert that ends a session that has failed (RFC 8446 section 6.2, RFC 5246 section 7.2.2). */
#ifndef TLS_ALERT_H
#define TLS_ALERT_H

#include "base/tls_alert.h"

enum { TLS_NO_ALERT = -1 };

/*
 * Returns the alert, an enum tls_alert, that fits one of wolfSSL's errors; TLS_ALERT_INTERNAL_ERROR for one that is not
 * known. TLS_NO_ALERT: no alert is sent, because the peer has ended the session itself or takes no output.
 */
int tls_alert_for(int error);

#endif

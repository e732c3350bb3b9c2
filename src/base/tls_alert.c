#include "base/tls_alert.h"

#define TLS_ALERT_CASE(NAME, number, text)                                                                                  \
    case number:                                                                                                            \
        return text;

const char *tls_alert_name(int number) {
    switch (number) {
        TLS_ALERTS(TLS_ALERT_CASE)
    default:
        return "unknown";
    }
}

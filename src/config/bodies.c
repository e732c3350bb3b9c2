#include "config/bodies.h"

const char *const bodies_json = "{\"error\":\"client_certificate_required\","
                                "\"message\":\"This site needs a valid client certificate.\"}\n";

const char *const bodies_html =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Client certificate required</title>\n"
    "<style>\n"
    ":root { color-scheme: light dark }\n"
    "body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto 0; padding: 0 1.5rem }\n"
    "h1 { font-size: 1.5rem; line-height: 1.25; border-left: .3rem solid #c0392b; padding-left: .9rem }\n"
    "p { opacity: .85 }\n"
    "</style>\n"
    "</head>\n"
    "<body>\n"
    "<h1>This site needs a client certificate</h1>\n"
    "<p>Your browser or device presented no certificate that this site accepts.</p>\n"
    "<p>Install or renew the certificate that you were given for this site, close the browser, and try again.</p>\n"
    "</body>\n"
    "</html>\n";

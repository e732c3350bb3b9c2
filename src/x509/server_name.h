/* Whether a server's certificate is for the name by which clients ask (RFC 9525). */
#ifndef X509_SERVER_NAME_H
#define X509_SERVER_NAME_H

#include "base/text.h"
#include "x509/certificate.h"

/*
 * Whether clients take the certificate for `name`, a DNS name, or for each name of one label more where `name` is
 * "*.example.com". Only DNS names of its subjectAltName count; in them "*" stands for the whole first label.
 */
bool server_name_is_covered(const struct certificate *certificate, const char *name);

/* Whether its subjectAltName has an IP address. */
bool server_name_has_ip(const struct certificate *certificate);

/* Appends the DNS names and IP addresses that it is for, with commas between them, each in quotes; nothing when it has none.
 */
void server_name_append_all(struct text *out, const struct certificate *certificate);

#endif

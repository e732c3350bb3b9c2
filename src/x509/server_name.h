/* The names that a server's certificate is for, by the rules of clients (RFC 9525). */
#ifndef X509_SERVER_NAME_H
#define X509_SERVER_NAME_H

#include "base/text.h"
#include "x509/certificate.h"

/*
 * Tells whether clients take the certificate for `name`, a DNS name, or for each name of one label more where `name` is
 * "*.example.com". Only DNS names of the subjectAltName count; in them "*" stands for the whole first label.
 */
bool server_name_is_covered(const struct certificate *certificate, const char *name);

/* Tells whether the subjectAltName has an IP address. */
bool server_name_has_ip(const struct certificate *certificate);
/* Tells whether it has this one, of 4 or 16 octets. */
bool server_name_has_address(const struct certificate *certificate, struct bytes address);

/* Appends the DNS names and IP addresses of the subjectAltName, each in quotes, with commas between them. */
void server_name_append_all(struct text *out, const struct certificate *certificate);

#endif

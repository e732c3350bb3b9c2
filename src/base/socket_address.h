/* Numeric addresses of TCP sockets, as the configuration and command lines write them. */
#ifndef BASE_SOCKET_ADDRESS_H
#define BASE_SOCKET_ADDRESS_H

#include <sys/socket.h>

/*
 * Reads "1.2.3.4:443" or "[2001:db8::1]:443"; an IPv6 address may have a zone ("[fe80::1%eth0]:443", RFC 4007 section 11).
 * Ports are 0 to 65535. No names, and of IPv4 no form but that of four numbers. 0, or -EINVAL.
 */
int socket_address_parse(const char *text, struct sockaddr_storage *address, socklen_t *size);

#endif

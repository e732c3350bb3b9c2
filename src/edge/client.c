#include "edge/client.h"

#include "base/clock.h"
#include "base/hash.h"

#include <arpa/inet.h>

void client_write_any_address(const struct sockaddr *any, char address[static CLIENT_ADDRESS_SIZE]) {
    const void *binary = any->sa_family == AF_INET6
                             ? (const void *)&((const struct sockaddr_in6 *)(const void *)any)->sin6_addr
                             : &((const struct sockaddr_in *)(const void *)any)->sin_addr;

    inet_ntop(any->sa_family, binary, address, CLIENT_ADDRESS_SIZE);
}

void client_write_address(const struct client *client, char address[static CLIENT_ADDRESS_SIZE]) {
    client_write_any_address(&client->peer.any, address);
}

struct access_client client_describe(const struct client *client, const struct config_host *host,
                                     char address[static CLIENT_ADDRESS_SIZE]) {
    bool ipv6 = client->peer.any.sa_family == AF_INET6;

    client_write_address(client, address);
    return (struct access_client){
        .time_ms = clock_wall_ms(),
        .address = bytes_of_string(address),
        .port = ntohs(ipv6 ? client->peer.in6.sin6_port : client->peer.in.sin_port),
        .host = host == NULL ? bytes_of(NULL, 0) : bytes_of_string(host->name),
    };
}

/* Returns the name of the group by which the handshake has exchanged keys; NULL: none were exchanged. */
static const char *group_name(const struct client *client) {
    enum key_group group = tls_session_key_group(client->tls);

    return group == KEY_GROUP_NONE ? NULL : key_group_name(group);
}

struct forward_connection client_facts(const struct client *client) {
    return (struct forward_connection){
        .tls_version = tls_session_version(client->tls),
        .tls_cipher = tls_session_cipher(client->tls),
        .key_exchange_group = group_name(client),
        .sni = client->name[0] == '\0' ? NULL : client->name,
    };
}

struct access_session client_describe_session(const struct client *client, const struct identity *identity) {
    bool has_certificate = identity->status != STATUS_NONE;

    return (struct access_session){
        .handshake_ns = client->handshake_ns,
        .tls_version = tls_session_version(client->tls),
        .tls_cipher = tls_session_cipher(client->tls),
        .key_exchange_group = group_name(client),
        .resumed = client->verdict.by_ticket,
        .status = status_name(identity->status),
        .reason = reason_name(identity->reason),
        .ski = identity->ski,
        .serial = identity->serial,
        .issuer = identity->issuer,
        .fingerprint = bytes_of(identity->fingerprint, has_certificate ? sizeof identity->fingerprint : 0),
    };
}

uint64_t client_hash(const struct client *client, const struct identity *identity) {
    uint64_t hash;

    if (identity->status != STATUS_VALID) {
        return hash_fixed(client->address, strlen(client->address));
    }
    memcpy(&hash, identity->spki, sizeof hash);
    return hash;
}

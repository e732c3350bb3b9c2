/*
 * The tunnels of a client of the simulation: an exchange of HTTP/1 whose origin has switched to another protocol, or the one
 * exchange with an origin of the tcp host.
 */
#ifndef TESTS_SIMULATOR_CLIENT_TUNNEL_H
#define TESTS_SIMULATOR_CLIENT_TUNNEL_H

#include "client.h"

/* A 101 has come: its head is at the front of client->text. */
void client_tunnel_begin(struct simulated_client *client, size_t head_size);
/* Writes what begins the exchange `number` at the tcp host. */
void client_tunnel_ask(struct simulated_client *client, struct talk_buffer *text, uint32_t number);
/* Checks the bytes that have come. */
void client_tunnel_take(struct simulated_client *client);
/* The shard has said that nothing more comes. */
void client_tunnel_end(const struct simulated_client *client);
/* Says a piece of the client's bytes. False: all of them have been said. */
bool client_tunnel_speak(struct simulated_client *client);

#endif

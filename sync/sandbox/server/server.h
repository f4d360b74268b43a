/* The HTTP side: libmicrohttpd on 127.0.0.1, one thread, one loop. No other file includes microhttpd.h.
 *
 * The thread owns the world from sim_server_start() to the end of sim_server_stop(). Answers that are due later
 * (latency, slow, hang) wait as suspended connections, so that many can wait at once. */
#ifndef SYNC_SANDBOX_SERVER_SERVER_H
#define SYNC_SANDBOX_SERVER_SERVER_H

#include "sync/base/err.h"
#include "sync/sandbox/world/world.h"

#include <stdint.h>

struct sim_server;
/* Listens (XS_IO if the port is unavailable) and starts the thread. The world is borrowed. */
int sim_server_start(struct sim_world *w, uint16_t port, struct sim_server **out, struct err *e);
uint16_t sim_server_port(const struct sim_server *s);
/* Ends the thread, closes what is open, frees. NULL is fine. */
void sim_server_stop(struct sim_server *s);

#endif

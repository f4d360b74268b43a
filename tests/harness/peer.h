/* A raw HTTP peer on loopback that plays scripted bytes, and dies where the test says: what a web server would never
 * do on purpose. One thread; requests are numbered over all connections and each gets the step of its number. */
#ifndef TESTS_HARNESS_PEER_H
#define TESTS_HARNESS_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum peer_act {
    PEER_ANSWER,       /* the bytes; the connection stays open */
    PEER_ANSWER_CLOSE, /* the bytes, then the end */
    PEER_ANSWER_RESET, /* the bytes, then a reset */
    PEER_CLOSE,        /* whole request read, then the end without an answer */
    PEER_RESET,        /* the same, with a reset */
    PEER_CLOSE_EARLY,  /* end after the head of the request, its body unread */
    PEER_SILENT,       /* reads, says nothing */
};
struct peer_step {
    enum peer_act act;
    const char *bytes;
    size_t bytes_n;  /* 0: up to the NUL */
    size_t repeat_n; /* this many bytes of 'x' after them */
    int delay_ms;    /* before the bytes */
    int split_at;    /* bytes to send first, delay_ms later the rest; 0: at once */
};

enum { PEER_REQUESTS_MAX = 64, PEER_CONNECTIONS_MAX = 32 };
struct peer {
    int port;
    char url[64];
    const struct peer_step *steps;
    size_t steps_n;

    /* Read these after peer_stop() only. */
    char *requests[PEER_REQUESTS_MAX]; /* head and body as received */
    size_t requests_n;                 /* heads seen */
    size_t connections_n;

    atomic_size_t ended_n; /* connections that a step has ended, at any time */
    int listener, wake[2];
    pthread_t thread;
};

/* Steps are borrowed; after the last one every request gets an empty 200. */
void peer_start(struct peer *p, const struct peer_step *steps, size_t steps_n);
void peer_stop(struct peer *p);
void peer_free(struct peer *p);

#endif

#include "config.h"

/* libcurl where nobody answers, where answers do not come, where many are under way, and under a whole client. */
#include "sync/api/api.h"
#include "tests/unit/transport_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

START_TEST(no_server_listens)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0); /* bound and not listening: refused */
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    open_transport(url);
    struct result *r = post(0);
    ck_assert_int_eq(r->end, TRANSPORT_NOT_SENT);
    ck_assert_uint_eq(r->left_n, 0);
    ck_assert_str_ne(r->detail, "");
    transport->free(transport);
    close(fd);
}
END_TEST

START_TEST(no_such_host)
{
    open_transport("https://no-such-host.invalid");
    ck_assert_int_eq(post(0)->end, TRANSPORT_NOT_SENT);
    transport->free(transport);
}
END_TEST

/* A server that speaks no TLS never gets a byte of the request. */
START_TEST(no_tls)
{
    static const struct peer_step steps[] = {{.act = PEER_SILENT}};
    peer_start(&peer, steps, 1);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d", peer.port);
    open_transport(url);
    struct transport_request q = request("POST", "{}", 0);
    q.timeout_ms = 300;
    struct result *r = go(&q);
    close_all();
    ck_assert_int_eq(r->end, TRANSPORT_NOT_SENT);
    ck_assert_uint_eq(peer.requests_n, 0);
    peer_free(&peer);
}
END_TEST

START_TEST(too_slow)
{
    static const struct peer_step steps[] = {{.act = PEER_SILENT}, {.act = PEER_SILENT}, {.act = PEER_SILENT}};
    open_peer(steps, 3);
    struct transport_request q = request("POST", "{}", 0);
    q.timeout_ms = 200;
    struct result *r = go(&q);
    /* A machine that is too busy to send within that time is given more of it. */
    for (unsigned i = 1; i < 3 && r->end == TRANSPORT_NOT_SENT; i++) {
        q.timeout_ms *= 8;
        q.ctx = &results[i];
        r = go(&q);
    }
    close_all();
    ck_assert_int_eq(r->end, TRANSPORT_LOST);
    ck_assert_int_ge(r->latency_us, 190000);
    peer_free(&peer);
}
END_TEST

static void on_alarm(int signo)
{
    (void)signo;
}

START_TEST(a_signal_ends_the_wait)
{
    static const struct peer_step steps[] = {{.act = PEER_SILENT}};
    open_peer(steps, 1);
    struct transport_request q = request("POST", "{}", 0);
    ck_assert_int_eq(transport->start(transport, &q, on_done, NULL, &e), 0);
    for (int i = 0; i < 3000 && results[0].left_n == 0; i++)
        ck_assert_int_eq(transport->poll(transport, 10, &e), 0);
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    /* Again and again: the first may come before the wait has begun. */
    struct itimerval soon = {.it_value = {0, 100000}, .it_interval = {0, 100000}}, never = {0};
    struct timeval before, after;
    gettimeofday(&before, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    /* Whatever thread takes the signal, this one's wait must not last. */
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(transport->poll(transport, 50000, &e), 0);
        gettimeofday(&after, NULL);
        if ((after.tv_sec - before.tv_sec) * 1000000 + after.tv_usec - before.tv_usec >= 90000)
            break;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    ck_assert_int_lt((after.tv_sec - before.tv_sec) * 1000000 + after.tv_usec - before.tv_usec, 40000000);
    ck_assert_uint_eq(results[0].n, 0);
    close_all(); /* with an exchange under way: dropped, never called back */
    ck_assert_uint_eq(results[0].n, 0);
    peer_free(&peer);
}
END_TEST

START_TEST(several_at_once)
{
    struct peer_step steps[8];
    for (size_t i = 0; i < 8; i++)
        steps[i] = (struct peer_step){.bytes = OK_BYTES};
    open_peer(steps, 8);
    struct transport_request q[8];
    for (size_t i = 0; i < 8; i++) {
        q[i] = request("POST", "{\"leads\":[]}", i);
        ck_assert_int_eq(transport->start(transport, &q[i], on_done, NULL, &e), 0);
    }
    unsigned done = 0;
    for (int i = 0; done < 8 && i < 1000; i++) {
        ck_assert_int_eq(transport->poll(transport, 100, &e), 0);
        done = 0;
        for (size_t k = 0; k < 8; k++)
            done += results[k].n;
    }
    close_all();
    for (size_t k = 0; k < 8; k++) {
        ck_assert_uint_eq(results[k].n, 1);
        ck_assert_int_eq(results[k].end, TRANSPORT_ANSWERED);
    }
    ck_assert_uint_eq(peer.requests_n, 8);
    peer_free(&peer);
}
END_TEST

/* ---- the whole client on top of it ---- */

static enum api_class added_class;
static unsigned added_n;

static void on_added(void *ctx, const struct api_reply *reply)
{
    (void)ctx;
    added_class = reply->class;
    added_n++;
}

START_TEST(the_client_knows_what_it_does_not_know)
{
    static const struct peer_step steps[] = {
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"created_leads\":[]}"},
        {.act = PEER_CLOSE},
    };
    peer_start(&peer, steps, 2);
    struct api_config config = {.base_url = peer.url, .key = "sesame", .user_agent = "leadsync/test"};
    struct api *a;
    struct err err = ERR_INIT;
    ck_assert_msg(api_new(&config, NULL, clock_system(), &a, &err) == 0, "%s", err_text(&err));
    static const enum api_class wanted[] = {API_OK, API_UNKNOWN};
    for (size_t i = 0; i < 2; i++) {
        struct buf body = BUF_INIT(100);
        ck_assert_int_eq(buf_adds(&body, "{\"leads\":[{\"email\":\"a@b.example\"}]}"), 0);
        ck_assert_int_eq(api_leads_add(a, &body, 1, on_added, NULL, &err), 0);
        for (int k = 0; api_queued(a) > 0 && k < 1000; k++)
            ck_assert_int_eq(api_step(a, 100, &err), 0);
        ck_assert_uint_eq(added_n, i + 1);
        ck_assert_int_eq(added_class, wanted[i]);
    }
    api_free(a);
    peer_stop(&peer);
    ck_assert_uint_eq(peer.requests_n, 2);
    peer_free(&peer);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("transport_ends");
    TCase *t = tcase_create("transport_ends");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, no_server_listens);
    tcase_add_test(t, no_such_host);
    tcase_add_test(t, no_tls);
    tcase_add_test(t, too_slow);
    tcase_add_test(t, a_signal_ends_the_wait);
    tcase_add_test(t, several_at_once);
    tcase_add_test(t, the_client_knows_what_it_does_not_know);
    suite_add_tcase(s, t);
    return unit_run(s);
}

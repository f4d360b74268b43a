/* What one writes without leadsync: read the CSV, post 1000 leads a call, wait, post the next. The yardstick of P14.
 *
 * usage: naive URL FILE.csv THREADS
 *
 * Reads the whole file, as such scripts do, builds JSON with json-c and posts with libcurl, each thread its own share of
 * the batches over its own connection. No state, no pacing, no retry: an error ends it. */
#include "config.h"

#include "tests/bench/person.h"

#include <csv.h>
#include <curl/curl.h>
#include <json.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 32, BATCH = 1000 };

struct people {
    char *names[COLUMNS_MAX];
    size_t names_n, column, n, room;
    bool header_done;
    json_object **rows, *row;
};

struct share {
    const struct people *people;
    const char *url;
    size_t first, step; /* batches */
    bool failed;
};

static void out_of_memory(void)
{
    fputs("naive: out of memory\n", stderr);
    exit(1);
}

static void on_cell(void *text, size_t n, void *context)
{
    struct people *p = context;
    if (p->column >= COLUMNS_MAX)
        return;
    if (!p->header_done) {
        p->names[p->names_n++] = strndup(text, n);
    } else {
        if (p->row == NULL)
            p->row = json_object_new_object();
        json_object_object_add(p->row, p->names[p->column], json_object_new_string_len(text, (int)n));
    }
    p->column++;
}

static void on_row(int c, void *context)
{
    struct people *p = context;
    (void)c;
    p->column = 0;
    if (!p->header_done) {
        p->header_done = true;
        return;
    }
    if (p->n == p->room) {
        p->room = p->room * 2 + 1024;
        p->rows = realloc(p->rows, p->room * sizeof(json_object *));
        if (p->rows == NULL)
            out_of_memory();
    }
    p->rows[p->n++] = p->row;
    p->row = NULL;
}

static int read_people(const char *path, struct people *p)
{
    static char piece[1 << 16];
    struct csv_parser parser;
    size_t n;
    FILE *in = fopen(path, "r");
    if (in == NULL || csv_init(&parser, 0) != 0)
        return -1;
    while ((n = fread(piece, 1, sizeof piece, in)) > 0)
        csv_parse(&parser, piece, n, on_cell, on_row, p);
    csv_fini(&parser, on_cell, on_row, p);
    csv_free(&parser);
    return fclose(in);
}

static size_t drop(char *data, size_t size, size_t n, void *context)
{
    (void)data;
    (void)context;
    return size * n;
}

static json_object *make_body(const struct people *p, size_t batch)
{
    json_object *body = json_object_new_object(), *leads = json_object_new_array();
    for (size_t i = batch * BATCH; i < p->n && i < (batch + 1) * BATCH; i++)
        json_object_array_add(leads, json_object_get(p->rows[i]));
    json_object_object_add(body, "campaign_id", json_object_new_string(PERSON_CAMPAIGN));
    json_object_object_add(body, "leads", leads);
    return body;
}

static void *post_share(void *argument)
{
    struct share *s = argument;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    char address[512];
    snprintf(address, sizeof address, "%s/api/v2/leads/add", s->url);
    curl_easy_setopt(curl, CURLOPT_URL, address);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    for (size_t batch = s->first; !s->failed && batch * BATCH < s->people->n; batch += s->step) {
        json_object *body = make_body(s->people, batch);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN));
        CURLcode code = curl_easy_perform(curl);
        s->failed = code != CURLE_OK;
        if (s->failed)
            fprintf(stderr, "naive: %s\n", curl_easy_strerror(code));
        json_object_put(body);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return NULL;
}

int main(int argc, char **argv)
{
    enum { THREADS_MAX = 64 };
    static struct people people;
    static struct share shares[THREADS_MAX];
    static pthread_t threads[THREADS_MAX];
    size_t n = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    bool failed = false;
    if (n < 1 || n > THREADS_MAX) {
        fputs("usage: naive URL FILE.csv THREADS\n", stderr);
        return 64;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (read_people(argv[2], &people) != 0) {
        perror("naive");
        return 66;
    }
    for (size_t i = 0; i < n; i++) {
        shares[i] = (struct share){.people = &people, .url = argv[1], .first = i, .step = n};
        if (pthread_create(&threads[i], NULL, post_share, &shares[i]) != 0)
            out_of_memory();
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        failed |= shares[i].failed;
    }
    return failed ? 1 : 0;
}

/* Does a little of everything that base and model do with memory and files, so that tests can make each call fail.
 *
 * usage: victim FOLDER. Exits 0 when all went well, 1 when an error came back as one, and must not end otherwise. */
#include "config.h"

#include "sync/base/arena.h"
#include "sync/base/file.h"
#include "sync/base/jsonw.h"
#include "sync/base/log.h"
#include "sync/base/opt.h"
#include "sync/base/text.h"
#include "sync/model/entry.h"
#include "sync/model/lead.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX = 1 << 20 };

static int use_text(struct err *e)
{
    struct buf b = BUF_INIT(MAX);
    struct jsonw w;
    int result = 0;
    jsonw_init(&w, &b);
    jsonw_array(&w);
    for (int i = 0; i < 50; i++)
        jsonw_str(&w, STR("ada \"the first\" \xc3\xa9"));
    jsonw_array_end(&w);
    if (jsonw_end(&w) != 0 || text_fold(STR("STRASSE \xc3\x89"), &b) != 0 || text_show(STR("a\x1b"), 0, &b) != 0 ||
        text_header_key(STR("E-Mail \xc3\x89"), &b) != 0 || text_csv_cell(STR("a,b"), true, &b) != 0 ||
        buf_addf(&b, "%0500d", 1) != 0 || buf_cstr(&b) == NULL)
        result = err_oom(e);
    buf_free(&b);
    return result;
}

static int use_leads(struct err *e)
{
    const struct str name = STR("seats");
    const struct lead_shape shape = {.id = 1, .custom_n = 1, .custom_names = &name};
    struct value custom = {VALUE_NUMBER, "4", 1};
    struct lead lead = {.shape = &shape, .custom = &custom}, back;
    struct entry entry = {.row = 1};
    struct buf b = BUF_INIT(MAX);
    struct arena arena;
    int result = 0;
    arena_init(&arena, MAX);
    lead.core[LEAD_EMAIL] = (struct value){VALUE_STRING, "ada@example.com", 15};
    if (lead_pack(&lead, &b) != 0 || lead_unpack(buf_str(&b), &shape, &arena, &back) != 0 ||
        arena_dup(&arena, b.p, b.n) == NULL || entry_pack_intent(&entry, &b) != 0 || entry_pack_outcome(&entry, &b) != 0)
        result = err_oom(e);
    arena_free(&arena);
    buf_free(&b);
    return result;
}

static int use_options(struct err *e)
{
    struct opt_list list = {0};
    const char *output = NULL;
    const struct opt table[] = {
        {"guard", 'g', OPT_LIST, &list, "X", "a limit", 0, 0, NULL, OPT_INHERIT, false},
        {"output", 'o', OPT_TEXT, &output, "FILE", "a file", 0, 0, NULL, OPT_INHERIT, false},
        {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0, NULL, OPT_INHERIT, false},
    };
    const struct opt *const tables[] = {table, NULL};
    char words[][12] = {"victim", "-gone", "a.csv", "--guard=two", "--outptu"};
    char *argv[] = {words[0], words[1], words[2], words[3], words[4], NULL};
    struct err wrong = ERR_INIT;
    const char **operands = NULL;
    size_t n;
    int result = opt_parse(4, argv, tables, &operands, &n, e);
    free(operands);
    operands = NULL;
    if (opt_parse(5, argv, tables, &operands, &n, &wrong) == 0)
        result = err_set(e, XS_INTERNAL, "a wrong option was taken");
    err_context(&wrong, "victim");
    log_error("%s", err_text(&wrong));
    err_clear(&wrong);
    free(operands);
    opt_list_free(&list);
    return result;
}

static int use_files(const char *folder, struct err *e)
{
    struct output o = {0};
    struct buf b = BUF_INIT(MAX);
    char *deep = path_join(folder, "a/b"), *path = path_join(folder, "a/b/out");
    int result = -1, fd = -1;
    if (deep == NULL || path == NULL) {
        err_oom(e);
        goto out;
    }
    if (folder_make(deep, e) != 0 || output_open(&o, path, 0600, e) != 0)
        goto out;
    fputs("whole\n", o.f);
    if (output_commit(&o, e) != 0 || file_read(path, &b, XS_STATE, XS_STATE, e) != 0)
        goto out;
    fd = file_unlinked_tmp(e);
    result = fd >= 0 ? 0 : -1;
out:
    if (fd >= 0)
        close(fd);
    output_abandon(&o);
    buf_free(&b);
    free(deep);
    free(path);
    return result;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct log_config config = {.level = LOG_NOTICE, .json = true, .secret = "k3y"};
    if (argc != 2)
        return 64;
    log_configure(&config);
    log_notice("begins with k3y");
    int result = use_text(&e);
    result |= use_leads(&e);
    result |= use_options(&e);
    result |= use_files(argv[1], &e);
    /* Whatever failed must have said so, and nothing may say so that did not fail. */
    bool told = (result != 0) == (e.status != XS_DONE);
    if (!told)
        abort();
    err_clear(&e);
    return result == 0 ? 0 : 1;
}

/* The list of forgotten people: who is on it and for whom, and a file that is whole, or refused. */
#include "config.h"

#include "sync/base/file.h"
#include "sync/state/forget_list.h"
#include "tests/unit/harness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder, *path;
static struct err e;

static const struct forget_scope one = {"loopback", "w-1"}, two = {"loopback", "w-2"}, unknown = {"loopback", NULL},
                                 abroad = {"api.example", "w-1"};
static const int64_t monday_ms = INT64_C(1790000000000);
static const struct forget_act monday = {INT64_C(1790000000000), "ops@crm 1"}, tuesday = {INT64_C(1790086400000), NULL};

static void setup(void)
{
    folder = unit_tmpdir();
    path = path_join(folder, "forgotten.list");
    ck_assert_ptr_nonnull(path);
    e = (struct err)ERR_INIT;
}

static void teardown(void)
{
    err_clear(&e);
    free(path);
    free(folder);
}

static bool add(const struct forget_scope *scope, const char *address)
{
    bool added;
    ck_assert_msg(forget_list_add(folder, scope, str_from(address), &monday, &added, &e) == 0, "%s", err_text(&e));
    return added;
}

static size_t take_out(const struct forget_scope *scope, const char *address)
{
    size_t n;
    ck_assert_msg(forget_list_remove(folder, scope, str_from(address), &tuesday, &n, &e) == 0, "%s", err_text(&e));
    return n;
}

static bool has(const struct forget_scope *scope, const char *address)
{
    struct forget_list l;
    ck_assert_msg(forget_list_load(folder, &l, &e) == 0, "%s", err_text(&e));
    const struct forget_person *p = forget_list_find(&l, scope, str_from(address));
    bool found = p != NULL;
    if (found)
        ck_assert_int_eq(p->forgotten.at_ms, monday_ms);
    forget_list_free(&l);
    return found;
}

/* Loading must fail with XS_STATE and say this. */
static void refused(const char *part)
{
    struct forget_list l;
    ck_assert_int_eq(forget_list_load(folder, &l, &e), -1);
    ck_assert_msg(e.status == XS_STATE && strstr(err_text(&e), part) != NULL, "%d: %s", e.status, err_text(&e));
    err_clear(&e);
}

static struct buf contents(void)
{
    struct buf text = BUF_INIT(1 << 20);
    ck_assert_int_eq(file_read(path, &text, XS_STATE, XS_STATE, &e), 0);
    return text;
}

static void put(const char *p, size_t n)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(no_file_is_an_empty_list)
{
    struct forget_list l;
    ck_assert(!has(&one, "ann@example.com"));
    ck_assert_uint_eq(take_out(&one, "ann@example.com"), 0);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(forget_list_load("/nowhere/at/all", &l, &e), 0);
    ck_assert_uint_eq(l.n, 0);
    forget_list_free(&l);
}
END_TEST

START_TEST(a_line_concerns_its_workspace)
{
    ck_assert(add(&one, "ann@example.com"));
    ck_assert(!add(&one, "ann@example.com"));
    ck_assert(has(&one, "ann@example.com"));
    ck_assert(!has(&one, "bob@example.com"));
    ck_assert(!has(&two, "ann@example.com"));
    ck_assert(!has(&abroad, "ann@example.com"));
    /* Who does not know its workspace heeds all of the host's. */
    ck_assert(has(&unknown, "ann@example.com"));
    ck_assert(add(&two, "ann@example.com"));
    ck_assert_uint_eq(take_out(&one, "ann@example.com"), 1);
    ck_assert(!has(&one, "ann@example.com"));
    ck_assert(has(&two, "ann@example.com"));
    ck_assert_uint_eq(take_out(&unknown, "ann@example.com"), 1);
    ck_assert(!has(&unknown, "ann@example.com"));
}
END_TEST

START_TEST(a_line_of_no_known_workspace_concerns_all)
{
    ck_assert(add(&two, "ann@example.com"));
    ck_assert(add(&unknown, "ann@example.com")); /* that of one workspace is too narrow */
    ck_assert(!add(&one, "ann@example.com"));
    ck_assert(has(&one, "ann@example.com"));
    ck_assert(!has(&abroad, "ann@example.com"));
    ck_assert_uint_eq(take_out(&one, "ann@example.com"), 1);
    ck_assert(!has(&one, "ann@example.com"));
    ck_assert(has(&two, "ann@example.com"));
}
END_TEST

/* Forgotten, undone and forgotten again: a line each, and only the last one counts. */
START_TEST(who_forgot_and_who_undid_is_kept)
{
    struct forget_list l;
    add(&one, "ann@example.com");
    ck_assert_uint_eq(take_out(&one, "ann@example.com"), 1);
    ck_assert_uint_eq(take_out(&one, "ann@example.com"), 0);
    ck_assert(!has(&one, "ann@example.com"));
    ck_assert(add(&one, "ann@example.com"));
    ck_assert(has(&one, "ann@example.com"));
    ck_assert_int_eq(forget_list_load(folder, &l, &e), 0);
    ck_assert_uint_eq(l.n, 2);
    const struct forget_person *old = &l.people[l.people[0].undone.at_ms == 0];
    ck_assert_str_eq(old->forgotten.by, "ops@crm_1");
    ck_assert_int_eq(old->undone.at_ms, tuesday.at_ms);
    ck_assert_ptr_null(old->undone.by);
    forget_list_free(&l);
}
END_TEST

/* A list as the first format has it: nobody knows who forgot the person. */
START_TEST(an_older_list_is_read)
{
    static const char head[] = "leadsync forgotten people, format 1\nsecret ";
    struct buf text = BUF_INIT(4096);
    char digest[SHA256_HEX_N];
    buf_adds(&text, head);
    for (size_t i = 0; i < HASH_SECRET_N; i++)
        buf_adds(&text, "5a");
    buf_adds(&text, "\nperson 000102030405060708090a0b0c0d0e0f 2026-06-30T21:15:32.000Z api.instantly.ai *\n");
    ck_assert_int_eq(sha256_hex(text.p, text.n, digest), 0);
    buf_addf(&text, "end 1 %s\n", digest);
    put(text.p, text.n);
    add(&one, "ann@example.com");
    struct forget_list l;
    ck_assert_int_eq(forget_list_load(folder, &l, &e), 0);
    ck_assert_uint_eq(l.n, 2);
    ck_assert((l.people[0].forgotten.by == NULL) != (l.people[1].forgotten.by == NULL));
    forget_list_free(&l);
    buf_free(&text);
}
END_TEST

START_TEST(the_file_is_private_and_has_no_address)
{
    struct stat st;
    mode_t before = umask(0);
    add(&one, "ann@example.com");
    umask(before);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    struct buf text = contents();
    ck_assert_ptr_null(memmem(text.p, text.n, "ann@", 4));
    buf_free(&text);
}
END_TEST

START_TEST(many_people_are_found)
{
    char address[64];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(address, sizeof address, "person%u@example.com", i);
        ck_assert(add(i % 2 == 0 ? &one : &two, address));
    }
    for (unsigned i = 0; i < 200; i++) {
        snprintf(address, sizeof address, "person%u@example.com", i);
        ck_assert_int_eq(has(&one, address), i % 2 == 0);
    }
    ck_assert(!has(&unknown, "person200@example.com"));
}
END_TEST

/* Wherever it is cut, and whichever byte is another one: it is never taken for a shorter list. */
START_TEST(a_damaged_file_is_refused)
{
    add(&one, "ann@example.com");
    add(&two, "bob@example.com");
    struct buf whole = contents();
    for (size_t n = 0; n < whole.n; n++) {
        put(whole.p, n);
        refused("forgotten.list");
    }
    for (size_t i = 0; i < whole.n; i++) {
        whole.p[i] ^= 1;
        put(whole.p, whole.n);
        refused("forgotten.list");
        whole.p[i] ^= 1;
    }
    put("a,b\n", 4);
    refused("damaged");
    put("leadsync forgotten people, format 3\n", 36);
    refused("newer leadsync");
    put(whole.p, whole.n);
    ck_assert(has(&one, "ann@example.com"));
    buf_free(&whole);
}
END_TEST

START_TEST(a_damaged_file_is_not_replaced)
{
    bool added;
    size_t n;
    add(&one, "ann@example.com");
    put("broken\n", 7);
    ck_assert_int_eq(forget_list_add(folder, &one, STR("bob@example.com"), &monday, &added, &e), -1);
    ck_assert_int_eq(e.status, XS_STATE);
    err_clear(&e);
    ck_assert_int_eq(forget_list_remove(folder, &one, STR("ann@example.com"), &tuesday, &n, &e), -1);
    ck_assert_int_eq(e.status, XS_STATE);
    struct buf text = contents();
    ck_assert(str_eq(buf_str(&text), STR("broken\n")));
    buf_free(&text);
}
END_TEST

START_TEST(others_may_not_change_it)
{
    add(&one, "ann@example.com");
    ck_assert_int_eq(chmod(path, 0660), 0);
    refused("chmod 600");
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert(has(&one, "ann@example.com"));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    refused("forgotten.list");
}
END_TEST

START_TEST(a_name_with_blanks_is_refused)
{
    bool added;
    const struct forget_scope odd = {"loopback", "w 1"}, cut = {"loop\nback", NULL};
    ck_assert_int_eq(forget_list_add(folder, &odd, STR("ann@example.com"), &monday, &added, &e), -1);
    err_clear(&e);
    ck_assert_int_eq(forget_list_add(folder, &cut, STR("ann@example.com"), &monday, &added, &e), -1);
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(a_change_is_noticed)
{
    struct forget_list l;
    ck_assert_int_eq(forget_list_load(folder, &l, &e), 0);
    ck_assert(!forget_list_changed(&l));
    add(&one, "ann@example.com");
    ck_assert(forget_list_changed(&l));
    forget_list_free(&l);
    ck_assert_int_eq(forget_list_load(folder, &l, &e), 0);
    ck_assert(!forget_list_changed(&l));
    add(&two, "ann@example.com");
    ck_assert(forget_list_changed(&l));
    forget_list_free(&l);
}
END_TEST

/* Writers that come at once lose nobody. */
START_TEST(writers_take_turns)
{
    enum { WRITERS = 4, EACH = 25 };
    char address[64];
    for (unsigned w = 0; w < WRITERS; w++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid > 0)
            continue;
        for (unsigned i = 0; i < EACH; i++) {
            bool added;
            snprintf(address, sizeof address, "p%u-%u@example.com", w, i);
            if (forget_list_add(folder, &one, str_from(address), &monday, &added, &e) != 0 || !added)
                _exit(1);
        }
        _exit(0);
    }
    for (unsigned w = 0; w < WRITERS; w++) {
        int status;
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    for (unsigned w = 0; w < WRITERS; w++)
        for (unsigned i = 0; i < EACH; i++) {
            snprintf(address, sizeof address, "p%u-%u@example.com", w, i);
            ck_assert_msg(has(&one, address), "%s", address);
        }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("forget_list");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, no_file_is_an_empty_list);
    tcase_add_test(c, a_line_concerns_its_workspace);
    tcase_add_test(c, a_line_of_no_known_workspace_concerns_all);
    tcase_add_test(c, who_forgot_and_who_undid_is_kept);
    tcase_add_test(c, an_older_list_is_read);
    tcase_add_test(c, the_file_is_private_and_has_no_address);
    tcase_add_test(c, many_people_are_found);
    tcase_add_test(c, a_damaged_file_is_refused);
    tcase_add_test(c, a_damaged_file_is_not_replaced);
    tcase_add_test(c, others_may_not_change_it);
    tcase_add_test(c, a_name_with_blanks_is_refused);
    tcase_add_test(c, a_change_is_noticed);
    tcase_add_test(c, writers_take_turns);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}

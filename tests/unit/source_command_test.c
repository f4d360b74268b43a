/* Programs as sources: their rows, their exit status, what they see of us, and that they do not outlive us. */
#include "config.h"

#include "sync/base/stop.h"
#include "tests/unit/harness.h"
#include "tests/unit/rowtext.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check_command(const char *script, bool ndjson, const char *const *env, const char *want)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct source_spec spec = {.kind = SOURCE_COMMAND, .as.command = {.argv = argv, .ndjson = ndjson, .env = env}};

    rowtext_check(&spec, NULL, clock_system(), want);
}

static void check_csv(const char *script, const char *want)
{
    check_command(script, false, NULL, want);
}

static void check_json(const char *script, const char *want)
{
    check_command(script, true, NULL, want);
}

START_TEST(csv_is_read)
{
    check_csv("printf 'a;b\\n1;\"2\\n3\"\\n4;5\\n'", "a,b\n1:2 [1][2\n3]\n2:4 [4][5]\n");
    check_csv("printf 'a,b\\n1,\\351\\n2,x\\n'", "a,b\n1:2 not_utf8 [1][\351]\n2:3 [2][x]\n");
    check_csv("printf 'a,b\\n1,\"2\\n'", "a,b\nerror 65 command sh:2: a quote in cell 2");
    check_csv(":", "error 65 is empty");
}
END_TEST

START_TEST(the_exit_status_counts)
{
    check_csv("printf 'a,b\\n1,2\\n'; exit 3", "a,b\n1:2 [1][2]\nerror 65 failed with exit status 3");
    check_csv("exit 3", "error 65 failed with exit status 3");
    check_csv("printf 'a,b\\n1,\"2'; exit 3", "a,b\nerror 65 failed with exit status 3");
    check_csv("printf 'a,b\\n1,2\\n'; kill -9 $$", "a,b\n1:2 [1][2]\nerror 65 was killed by signal 9");
    check_csv("printf 'a,b\\n1,2\\n'; exec >&-; sleep 0.1; exit 4", "a,b\n1:2 [1][2]\nerror 65 failed with exit status 4");
    check_json("echo '{\"a\":1}'; exit 5", "a\n1:1 [1]\nerror 65 failed with exit status 5");
    check_json("printf '{\"a\":'; exit 5", "error 65 failed with exit status 5");
}
END_TEST

START_TEST(programs_that_cannot_be_started)
{
    const char *argv[] = {"/nowhere/export.sh", NULL};
    struct source_spec spec = {.kind = SOURCE_COMMAND, .as.command = {.argv = argv}};

    rowtext_check(&spec, NULL, clock_system(), "error 66 command /nowhere/export.sh: cannot be started");
    argv[0] = "/etc/passwd";
    rowtext_check(&spec, NULL, clock_system(), "error 66 cannot be started");
    argv[0] = NULL;
    rowtext_check(&spec, NULL, clock_system(), "error 78 argv: is empty");
    argv[0] = "true";
    spec.as.command.foreign = "m.yaml";
    rowtext_check(&spec, NULL, clock_system(), "error 78 m.yaml: leadsync does not run its command");
}
END_TEST

START_TEST(no_shell_looks_at_arguments)
{
    const char *argv[] = {"printf", "a,b\n%s,%s\n", "$HOME", "`id`", NULL};
    struct source_spec spec = {.kind = SOURCE_COMMAND, .as.command = {.argv = argv}};

    rowtext_check(&spec, NULL, clock_system(), "a,b\n1:2 [$HOME][`id`]\n");
}
END_TEST

START_TEST(the_environment_is_clean)
{
    const char *env[] = {"REGION=eu", "LANG=xx", NULL};

    setenv("INSTANTLY_API_KEY", "secret", 1);
    setenv("LEADSYNC_STATE", "x", 1);
    setenv("PGSERVICE", "crm", 1);
    setenv("HOME", "/home/of/mine", 1);
    setenv("LANG", "de_DE.UTF-8", 1);
    check_command("echo names,lang,home,service; "
                  "echo $(env | sed 's/=.*//' | grep -vx 'PWD\\|_\\|SHLVL\\|OLDPWD' | sort | xargs),$LANG,$HOME,$PGSERVICE",
                  false, env, "names,lang,home,service\n1:2 [HOME LANG PATH PGSERVICE REGION][xx][/home/of/mine][crm]\n");
}
END_TEST

START_TEST(descriptors_are_closed_and_stdin_is_empty)
{
    int fd = open("/etc/passwd", O_RDONLY); /* not close-on-exec */

    ck_assert_int_eq(dup2(fd, 42), 42);
    check_csv("echo a,b; echo $([ -e /proc/$$/fd/42 ] && echo open || echo closed),$(cat)", "a,b\n1:2 [closed][]\n");
    close(fd);
    close(42);
}
END_TEST

START_TEST(sigpipe_is_as_usual_for_it)
{
    signal(SIGPIPE, SIG_IGN);
    check_csv("echo a,b; echo $(sh -c 'kill -PIPE $$; echo survived'),2", "a,b\n1:2 [][2]\n");
}
END_TEST

static bool is_running(pid_t pid)
{
    char state = 'Z', file[64];

    snprintf(file, sizeof file, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(file, "r");
    if (f == NULL)
        return false;
    if (fscanf(f, "%*d %*s %c", &state) != 1)
        state = 'Z';
    fclose(f);
    return state != 'Z';
}

/* Opens a source that prints its pid and its child's, and goes on for ever. */
static struct source *open_endless(const char *script, pid_t pids[2])
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct source_spec spec = {.kind = SOURCE_COMMAND, .as.command = {.argv = argv}};
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;

    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    for (size_t i = 0; i < 2; i++)
        pids[i] = (pid_t)strtol(row.cells[i].p, NULL, 10);
    ck_assert_int_ne(getpgid(pids[0]), getpgrp());
    return s;
}

START_TEST(closing_ends_the_whole_group)
{
    pid_t pids[2];
    struct source *s = open_endless("echo a,b; sleep 100 & echo $$,$!; for i in $(seq 20000); do echo x,y; done; wait",
                                    pids);

    source_close(s);
    ck_assert(!is_running(pids[0]));
    for (int i = 0; i < 3000 && is_running(pids[1]); i++) /* init's business by now, and no longer ours to wait for */
        usleep(10000);
    ck_assert(!is_running(pids[1]));
}
END_TEST

START_TEST(who_ignores_sigterm_is_killed)
{
    pid_t pids[2];
    struct source *s =
        open_endless("trap '' TERM PIPE; echo a,b; echo $$,$$; while :; do echo x,y 2>/dev/null || sleep 0.1; done", pids);

    source_close(s);
    ck_assert(!is_running(pids[0]));
}
END_TEST

START_TEST(a_signal_ends_the_wait_for_a_silent_program)
{
    stop_set(SIGTERM);
    check_csv("sleep 100", "error 143 interrupted");
    check_csv("exec >&-; sleep 100", "error 143 interrupted");
    stop_set(0);
}
END_TEST

static void check_late(const char *script, const char *want)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct source_spec spec = {.kind = SOURCE_COMMAND, .as.command = {.argv = argv}};

    rowtext_check_late(&spec, clock_system(), want);
}

START_TEST(no_wait_passes_the_deadline)
{
    check_late("sleep 100", "error 1 the time budget ended while waiting for more");
    check_late("printf 'a,b\\n1,2\\n'; sleep 100", "error 1 the time budget ended while waiting for more");
    check_late("printf 'a,b\\n1,2\\n'; exec >&-; sleep 100",
               "a,b\n1:2 [1][2]\nerror 1 the time budget ended while waiting for its end");
}
END_TEST

START_TEST(json_objects_are_rows)
{
    check_json(
        "printf '%s\\n' '{\"a\":\"x\",\"b\":1.50,\"c\":null}' '' '{\"b\":true,\"a\":\"é\\u00e9\\n\",\"c\":\"\"}' '{\"a\":false}'",
        "a,b,c\n1:1 [x][1.50](null)\n2:3 [éé\n][true][]\n3:4 [false](null)(null)\n");
    check_json("printf '\\357\\273\\277{\"a\":1}'", "a\n1:1 [1]\n");
    check_json("printf '%s\\r\\n' '{\"a\":1}' '{\"a\":1e400}'", "a\n1:1 [1]\n2:2 [1e400]\n");
}
END_TEST

START_TEST(json_rows_with_a_defect)
{
    check_json("printf '%s\\n' '{\"a\":1}' '{\"a\":2,\"z\":3}' '{\"a\":[1]}' '{\"a\":{}}' '{\"a\":4}'",
               "a\n1:1 [1]\n2:2 ragged_row [2]\n3:3 type_invalid [[1]]\n4:4 type_invalid [{}]\n5:5 [4]\n");
    check_json(
        "printf '%s\\n' '{\"a\":18446744073709551615}' '{\"a\":123456789012345678901234}' '{\"a\":-123456789012345678901}'",
        "a\n1:1 [18446744073709551615]\n2:2 type_invalid [123456789012345678901234]\n3:3 type_invalid [-123456789012345678901]\n");
    check_json("printf '{\"a\":1}\\n{\"a\":\"\\351\"}\\n{\"a\":2}\\n'", "a\n1:1 [1]\n2:2 not_utf8 [\351]\n3:3 [2]\n");
    check_json(
        "printf '%s\\n' '{\"a\":1}' '{\"a\":\"\\ud83d\"}' '{\"a\":\"\\ud83d\\ude00\"}' '{\"a\":\"\\u0000\"}' '{\"a\":\"\\\\ud83d\"}'",
        "a\n1:1 [1]\n2:2 not_utf8 [\357\277\275]\n3:3 [😀]\n4:4 not_utf8 []\n5:5 [\\ud83d]\n");
}
END_TEST

/* Only the cell is spoilt, and it has the text of its line. */
START_TEST(json_cells_with_a_flaw_leave_the_others_alone)
{
    check_json("printf '%s\\n' '{\"a\":\"x\",\"tags\":[1.50,{\"a\":\"}\"}],\"b\":1}'",
               "a,tags,b\n1:1 type_invalid [x][[1.50,{\"a\":\"}\"}]][1]\n");
    check_json("printf '{\"a\":\"\\351\",\"b\":\"\\\\u0000\",\"c\":\"\\303\\251\"}'", "a,b,c\n1:1 not_utf8 [\351][][é]\n");
    check_json("printf '{\"\\351\":1}'", "error 65 :1: a key of the first object is not UTF-8");
    check_json("echo '{\"\\ud83d\":1}'", "error 65 :1: a key of the first object is not UTF-8");
}
END_TEST

START_TEST(json_that_is_none)
{
    static const char *const lenient[] = {"NaN", "-Infinity", "Infinity", "[1, NaN]", "1.", "00", "'x'", "[00]"};
    struct buf command = BUF_INIT(1000);

    for (size_t i = 0; i < sizeof lenient / sizeof lenient[0]; i++) {
        buf_reset(&command);
        buf_addf(&command, "cat <<'END'\n{\"a\":\"NaN '1.' 00\",\"b\":-0.5e05}\n{\"a\":1,\"b\": %s}\nEND", lenient[i]);
        check_json(buf_cstr(&command), "a,b\n1:1 [NaN '1.' 00][-0.5e05]\nerror 65 :2: ");
    }
    buf_free(&command);
    check_json("printf '%s\\n' '{\"a\":1}' '{\"a\":}'", "a\n1:1 [1]\nerror 65 command sh:2: ");
    check_json("printf '%s\\n' '{\"a\":1}' '' '[1]'", "a\n1:1 [1]\nerror 65 :3: this is not one object");
    check_json("printf '%s\\n' '{\"a\":1} {\"a\":2}'", "error 65 :1: unexpected character");
    check_json("printf '%s\\n' '{\"a\":1'", "error 65 :1: the object is not closed");
    check_json("echo '{}'", "error 65 :1: the first object has no keys");
    check_json("echo '{\"\":1}'", "error 78 column 1 of 1 has no name");
    check_json("printf '{\"a\":1}\\n\\0\\n'", "a\n1:1 [1]\nerror 65 :2: a NUL byte");
    check_json(":", "error 65 is empty");
}
END_TEST

START_TEST(long_json_lines)
{
    struct buf got = BUF_INIT(1 << 24);
    const char *argv[] = {"sh", "-c",
                          "echo '{\"a\":1}'; printf '{\"a\":\"'; head -c 5000000 /dev/zero | tr '\\0' x; echo '\"}'; "
                          "printf '{\"a\":\"'; head -c 200000 /dev/zero | tr '\\0' y; echo '\"}'",
                          NULL};
    struct source_spec spec = {.kind = SOURCE_COMMAND, .as.command = {.argv = argv, .ndjson = true}};

    rowtext_read(&spec, NULL, clock_system(), &got);
    ck_assert_msg(strncmp(buf_cstr(&got), "a\n1:1 [1]\n2:2 field_too_long \n3:3 [yyy", 38) == 0, "%.80s", got.p);
    ck_assert_uint_gt(got.n, 200000);
    buf_free(&got);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("command");
    TCase *t = tcase_create("command");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, csv_is_read);
    tcase_add_test(t, the_exit_status_counts);
    tcase_add_test(t, programs_that_cannot_be_started);
    tcase_add_test(t, no_shell_looks_at_arguments);
    tcase_add_test(t, the_environment_is_clean);
    tcase_add_test(t, descriptors_are_closed_and_stdin_is_empty);
    tcase_add_test(t, sigpipe_is_as_usual_for_it);
    tcase_add_test(t, closing_ends_the_whole_group);
    tcase_add_test(t, who_ignores_sigterm_is_killed);
    tcase_add_test(t, a_signal_ends_the_wait_for_a_silent_program);
    tcase_add_test(t, no_wait_passes_the_deadline);
    tcase_add_test(t, json_objects_are_rows);
    tcase_add_test(t, json_rows_with_a_defect);
    tcase_add_test(t, json_cells_with_a_flaw_leave_the_others_alone);
    tcase_add_test(t, json_that_is_none);
    tcase_add_test(t, long_json_lines);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return unit_run(make_suite());
}

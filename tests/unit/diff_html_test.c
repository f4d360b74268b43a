/* The diff as a page: its content against golden files, without style and script, and hostile values. */
#include "config.h"

#include "tests/unit/diff_kit.h"
#include "tests/unit/golden.h"

#include <stdlib.h>
#include <string.h>

/* What a designer changes is no part of the golden file: style, script, and their hashes. */
static void drop(struct buf *page, struct str text)
{
    static const struct {
        const char *from, *to;
    } parts[] = {{"content=\"default-src", "\""}, {"<style>", "</style>"}, {"<script>", "</script>"}};
    while (text.n > 0) {
        const char *first = NULL, *end = NULL;
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            const char *at = str_find(text, str_from(parts[i].from));
            if (at == NULL || (first != NULL && first < at))
                continue;
            first = at + strlen(parts[i].from);
            end = str_find((struct str){first, (size_t)(text.p + text.n - first)}, str_from(parts[i].to));
        }
        size_t n = first != NULL && end != NULL ? (size_t)(first - text.p) : text.n;
        ck_assert_int_eq(buf_add(page, text.p, n), 0);
        if (n == text.n)
            return;
        text = (struct str){end, (size_t)(text.p + text.n - end)};
    }
}

static void page_is(const char *name, struct str got)
{
    struct buf page = BUF_INIT(1 << 20);
    drop(&page, got);
    golden_is(name, buf_str(&page));
    buf_free(&page);
}

START_TEST(page_of_everything)
{
    page_is("diff/all.html", tell_all((struct diff_options){.format = DIFF_HTML}));
}
END_TEST

START_TEST(page_of_nothing)
{
    start((struct diff_options){.format = DIFF_HTML});
    page_is("diff/none.html", finish(&(struct diff_summary){.seconds_at_limit = -1}));
}
END_TEST

/* The same input gives the same bytes. */
START_TEST(page_is_the_same_again)
{
    struct str got = tell_all((struct diff_options){.format = DIFF_HTML});
    char *first = str_dup(got);
    ck_assert_ptr_nonnull(first);
    diff_kit_teardown();
    diff_kit_setup();
    tell_all((struct diff_options){.format = DIFF_HTML});
    ck_assert_str_eq(first, said);
    free(first);
}
END_TEST

/* A value that is markup stands in the page as text, in the list for the script and in the plain one. */
START_TEST(page_with_markup_in_values)
{
    static const char evil[] = "</script><script>document.title='x'</script><!--";
    start((struct diff_options){.format = DIFF_HTML, .match = NULL});
    create(evil, 1);
    left_out(evil, 2, OUTCOME_REJECTED, REASON_EMAIL_INVALID, evil, str_from(evil));
    finish(&(struct diff_summary){.read = 2, .create = 1, .rejected = 1});
    ck_assert_uint_eq(times("<script>document"), 0);
    ck_assert_uint_eq(times("<!--"), 0);
    ck_assert_uint_eq(times("</script>"), 3); /* of the two lists, and of the page's own script */
    ck_assert_uint_ge(times("\\u003c/script>"), 1);
    ck_assert_uint_ge(times("&lt;/script&gt;"), 1);
}
END_TEST

START_TEST(page_that_is_narrowed_says_so)
{
    start((struct diff_options){.format = DIFF_HTML, .summary = true});
    create("ann@example.com", 1);
    finish(&(struct diff_summary){.read = 1, .create = 1});
    ck_assert_uint_eq(times("This page shows a part"), 1);
    ck_assert_uint_eq(times("ann@example.com"), 0);
    ck_assert_uint_eq(times("create&nbsp;1 lead"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diff_html");
    TCase *tc = tcase_create("diff_html");
    tcase_add_checked_fixture(tc, diff_kit_setup, diff_kit_teardown);
    tcase_add_test(tc, page_of_everything);
    tcase_add_test(tc, page_of_nothing);
    tcase_add_test(tc, page_is_the_same_again);
    tcase_add_test(tc, page_with_markup_in_values);
    tcase_add_test(tc, page_that_is_narrowed_says_so);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}

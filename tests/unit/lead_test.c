#include "config.h"

#include "sync/model/lead.h"
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <string.h>

enum { MAX = 1 << 20 };

static const struct str names[] = {{"seats", 5}, {"origin", 6}, {"vip", 3}};
static const struct lead_shape shape = {.id = 300, .custom_n = 3, .custom_names = names};

static struct value string(const char *text)
{
    return (struct value){VALUE_STRING, text, strlen(text)};
}

/* Some of every kind. `custom` is the caller's. */
static struct lead sample(struct value custom[3])
{
    struct lead lead = {.shape = &shape, .custom = custom};
    lead.core[LEAD_EMAIL] = string("ada@example.com");
    lead.core[LEAD_FIRST_NAME] = string("");
    lead.core[LEAD_PHONE] = (struct value){VALUE_NULL, NULL, 0};
    lead.core[LEAD_LT_INTEREST_STATUS] = (struct value){VALUE_NUMBER, "4", 1};
    custom[0] = (struct value){VALUE_NUMBER, "-1.5e3", 6};
    custom[1] = (struct value){VALUE_ABSENT, NULL, 0};
    custom[2] = (struct value){VALUE_BOOL, "true", 4};
    return lead;
}

/* As lead_pack() has it: absent and null are equal whatever their bytes. */
static bool value_same(const struct value *a, const struct value *b)
{
    return a->kind == b->kind && (a->kind <= VALUE_NULL || value_eq(a, b));
}

static bool lead_eq(const struct lead *a, const struct lead *b)
{
    if (a->shape->id != b->shape->id || a->shape->custom_n != b->shape->custom_n)
        return false;
    for (size_t i = 0; i < LEAD_FIELD_N; i++)
        if (!value_same(&a->core[i], &b->core[i]))
            return false;
    for (size_t i = 0; i < a->shape->custom_n; i++)
        if (!value_same(&a->custom[i], &b->custom[i]))
            return false;
    return true;
}

START_TEST(there_and_back)
{
    struct value custom[3];
    struct lead lead = sample(custom), back;
    struct buf b = BUF_INIT(MAX);
    struct arena arena;
    uint32_t id = 0;
    arena_init(&arena, MAX);
    ck_assert_int_eq(buf_adds(&b, "before"), 0);
    ck_assert_int_eq(lead_pack(&lead, &b), 0);
    struct str packed = {b.p + 6, b.n - 6};
    ck_assert_int_eq(lead_packed_shape(packed, &id), 0);
    ck_assert_uint_eq(id, 300);
    ck_assert_int_eq(lead_unpack(packed, &shape, &arena, &back), 0);
    ck_assert(lead_eq(&lead, &back));
    ck_assert_ptr_eq(back.shape, &shape);
    ck_assert_int_eq(back.core[LEAD_FIRST_NAME].kind, VALUE_STRING);
    ck_assert_int_eq(back.core[LEAD_LAST_NAME].kind, VALUE_ABSENT);
    ck_assert_int_eq(back.core[LEAD_PHONE].kind, VALUE_NULL);
    ck_assert_mem_eq(back.custom[0].p, "-1.5e3", 6);
    ck_assert(lead_has_email(&back));
    /* Compact: what is absent takes no byte, what is there two at most beside its own. */
    ck_assert_uint_le(packed.n, 1 + 2 + 2 + (15 + 1) + 1 + 1 + (1 + 1) + (6 + 1) + 1 + (4 + 1));
    arena_free(&arena);
    buf_free(&b);
}
END_TEST

START_TEST(any_difference_shows)
{
    struct value custom[3], other_custom[3];
    struct lead lead = sample(custom), other = sample(other_custom);
    struct buf a = BUF_INIT(MAX), b = BUF_INIT(MAX);
    const struct value changes[] = {string("x"), {VALUE_NULL, NULL, 0}, {VALUE_BOOL, "x", 1}, {VALUE_ABSENT, NULL, 0}};
    ck_assert(lead_eq(&lead, &other));
    ck_assert_int_eq(lead_pack(&lead, &a), 0);
    for (size_t field = 0; field < LEAD_FIELD_N + 3; field++) {
        struct value *at = field < LEAD_FIELD_N ? &other.core[field] : &other.custom[field - LEAD_FIELD_N];
        struct value kept = *at;
        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
            *at = changes[i];
            bool same = kept.kind == changes[i].kind && kept.kind <= VALUE_NULL;
            ck_assert_int_eq(lead_eq(&lead, &other), same);
            buf_reset(&b);
            ck_assert_int_eq(lead_pack(&other, &b), 0);
            ck_assert_int_eq(str_eq(buf_str(&a), buf_str(&b)), same);
        }
        *at = kept;
    }
    /* Bytes that move from one field to its neighbour. */
    other.core[LEAD_FIRST_NAME] = string("ab");
    other.core[LEAD_LAST_NAME] = string("c");
    lead.core[LEAD_FIRST_NAME] = string("a");
    lead.core[LEAD_LAST_NAME] = string("bc");
    buf_reset(&a);
    buf_reset(&b);
    ck_assert_int_eq(lead_pack(&lead, &a), 0);
    ck_assert_int_eq(lead_pack(&other, &b), 0);
    ck_assert(!str_eq(buf_str(&a), buf_str(&b)));
    buf_free(&a);
    buf_free(&b);
}
END_TEST

START_TEST(leftovers_of_absent_values_do_not_count)
{
    struct value custom[3], other_custom[3];
    struct lead lead = sample(custom), other = sample(other_custom);
    struct buf a = BUF_INIT(MAX), b = BUF_INIT(MAX);
    other.core[LEAD_PHONE].p = "rubbish";
    other.core[LEAD_PHONE].n = 7;
    other.custom[1].p = "rubbish";
    other.custom[1].n = 7;
    ck_assert(lead_eq(&lead, &other));
    ck_assert_int_eq(lead_pack(&lead, &a), 0);
    ck_assert_int_eq(lead_pack(&other, &b), 0);
    ck_assert(str_eq(buf_str(&a), buf_str(&b)));
    buf_free(&a);
    buf_free(&b);
}
END_TEST

START_TEST(shapes_must_match)
{
    struct value custom[3];
    struct lead lead = sample(custom), back;
    const struct lead_shape foreign = {.id = 301, .custom_n = 3, .custom_names = names};
    const struct lead_shape wider = {.id = 300, .custom_n = 4, .custom_names = names};
    const struct lead_shape narrower = {.id = 300, .custom_n = 2, .custom_names = names};
    const struct lead_shape huge = {.id = 300, .custom_n = SIZE_MAX / 64, .custom_names = names};
    struct buf b = BUF_INIT(MAX);
    struct arena arena;
    arena_init(&arena, MAX);
    ck_assert_int_eq(lead_pack(&lead, &b), 0);
    ck_assert_int_eq(lead_unpack(buf_str(&b), &foreign, &arena, &back), -1);
    ck_assert_int_eq(lead_unpack(buf_str(&b), &wider, &arena, &back), -1);
    ck_assert_int_eq(lead_unpack(buf_str(&b), &narrower, &arena, &back), -1);
    ck_assert_int_eq(lead_unpack(buf_str(&b), &huge, &arena, &back), -1);
    struct lead other = lead;
    other.shape = &foreign;
    ck_assert(!lead_eq(&lead, &other));
    arena_free(&arena);
    arena_init(&arena, 1); /* no room for the custom values */
    ck_assert_int_eq(lead_unpack(buf_str(&b), &shape, &arena, &back), -1);
    arena_free(&arena);
    buf_free(&b);
}
END_TEST

/* Every cut fails; every changed byte gives a lead or a failure, never a read past the end (ASan looks on: the record
 * is copied to a block of exactly its size). */
START_TEST(malformed_records_do_no_harm)
{
    struct value custom[3];
    struct lead lead = sample(custom), back;
    struct buf b = BUF_INIT(MAX);
    struct arena arena;
    uint32_t id;
    arena_init(&arena, MAX);
    ck_assert_int_eq(lead_pack(&lead, &b), 0);
    ck_assert_int_eq(lead_unpack(STR_NONE, &shape, &arena, &back), -1);
    ck_assert_int_eq(lead_packed_shape(STR_NONE, &id), -1);
    for (size_t cut = 1; cut < b.n; cut++) {
        char *copy = str_dup((struct str){b.p, cut});
        ck_assert_int_eq(lead_unpack((struct str){copy, cut}, &shape, &arena, &back), -1);
        free(copy);
    }
    for (size_t at = 0; at < b.n; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char *copy = malloc(b.n);
            memcpy(copy, b.p, b.n);
            copy[at] = (char)byte;
            struct str record = {copy, b.n};
            if (lead_unpack(record, &shape, &arena, &back) == 0) {
                /* What it takes it would have made itself. */
                struct buf again = BUF_INIT(MAX);
                ck_assert_int_eq(lead_pack(&back, &again), 0);
                buf_free(&again);
            }
            lead_packed_shape(record, &id);
            arena_reset(&arena);
            free(copy);
        }
    }
    ck_assert_int_eq(buf_addc(&b, '\0'), 0);
    ck_assert_int_eq(lead_unpack(buf_str(&b), &shape, &arena, &back), -1);
    arena_free(&arena);
    buf_free(&b);
}
END_TEST

START_TEST(packing_needs_room)
{
    struct value custom[3];
    struct lead lead = sample(custom);
    struct buf b = BUF_INIT(20);
    ck_assert_int_eq(buf_adds(&b, "x"), 0);
    ck_assert_int_eq(lead_pack(&lead, &b), -1);
    ck_assert_uint_eq(b.n, 1);
    buf_free(&b);
}
END_TEST

START_TEST(an_empty_lead)
{
    const struct lead_shape none = {.id = 0, .custom_n = 0, .custom_names = NULL};
    struct lead lead = {.shape = &none}, back;
    struct buf b = BUF_INIT(MAX);
    struct arena arena;
    arena_init(&arena, MAX);
    ck_assert_int_eq(lead_pack(&lead, &b), 0);
    ck_assert_uint_eq(b.n, 3);
    ck_assert_int_eq(lead_unpack(buf_str(&b), &none, &arena, &back), 0);
    ck_assert(!lead_has_email(&back));
    lead.core[LEAD_EMAIL] = string("");
    ck_assert(!lead_has_email(&lead));
    lead.core[LEAD_EMAIL] = (struct value){VALUE_NULL, NULL, 0};
    ck_assert(!lead_has_email(&lead));
    arena_free(&arena);
    buf_free(&b);
}
END_TEST

START_TEST(fields_by_name)
{
    for (int i = 0; i < LEAD_FIELD_N; i++)
        ck_assert_int_eq(lead_field_find(str_from(lead_field_table[i].api)), i);
    ck_assert_int_eq(lead_field_find(STR("emial")), -1);
    ck_assert_int_eq(lead_field_find(STR("")), -1);
    ck_assert(!lead_field_table[LEAD_EMAIL].patchable);
    ck_assert_str_eq(lead_field_table[LEAD_FIRST_NAME].payload, "firstName");
    ck_assert_int_eq(lead_field_table[LEAD_LT_INTEREST_STATUS].kind, LEAD_KIND_NUMBER);
}
END_TEST

START_TEST(values)
{
    const struct value a = string("x"), b = string("x"), c = string("y"), d = {VALUE_NUMBER, "x", 1};
    const struct value none = {VALUE_ABSENT, NULL, 0};
    ck_assert(value_eq(&a, &b));
    ck_assert(!value_eq(&a, &c));
    ck_assert(!value_eq(&a, &d));
    ck_assert(!value_eq(&a, &none));
    ck_assert(value_eq(&none, &none));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lead");
    TCase *tc = tcase_create("lead");
    tcase_add_test(tc, there_and_back);
    tcase_add_test(tc, any_difference_shows);
    tcase_add_test(tc, leftovers_of_absent_values_do_not_count);
    tcase_add_test(tc, shapes_must_match);
    tcase_add_test(tc, malformed_records_do_no_harm);
    tcase_add_test(tc, packing_needs_room);
    tcase_add_test(tc, an_empty_lead);
    tcase_add_test(tc, fields_by_name);
    tcase_add_test(tc, values);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}

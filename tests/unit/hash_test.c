#include "config.h"

#include "sync/base/hash.h"
#include "tests/unit/harness.h"

#include <string.h>

static void fill(unsigned char secret[HASH_SECRET_N], unsigned seed)
{
    for (unsigned i = 0; i < HASH_SECRET_N; i++)
        secret[i] = (unsigned char)(i * 37 + seed);
}

START_TEST(keyed_hashes_depend_on_the_secret)
{
    unsigned char one[HASH_SECRET_N], other[HASH_SECRET_N];
    fill(one, 1);
    fill(other, 2);
    for (size_t n = 0; n <= 300; n += 3) { /* XXH3 takes another way for each range of lengths */
        char data[300];
        memset(data, 'x', sizeof data);
        struct hash128 a = hash_keyed128(one, data, n), b = hash_keyed128(other, data, n);
        struct hash128 again = hash_keyed128(one, data, n);
        ck_assert(hash128_eq(&a, &again));
        ck_assert(!hash128_eq(&a, &b));
        ck_assert_uint_ne(hash_keyed64(one, data, n), hash_keyed64(other, data, n));
    }
}
END_TEST

START_TEST(keyed_hashes_stay_what_they_are)
{
    /* Stored in states: other values after an upgrade of the library would forget every lead. */
    static const unsigned char expected[16] = {0x31, 0xac, 0x2f, 0xb2, 0x1e, 0xa7, 0x5d, 0xe7,
                                               0x3d, 0xee, 0x24, 0x47, 0x95, 0x2b, 0x59, 0x57};
    unsigned char secret[HASH_SECRET_N];
    fill(secret, 7);
    struct hash128 h = hash_keyed128(secret, "ada@example.com", 15);
    ck_assert_mem_eq(h.b, expected, sizeof expected);
    ck_assert_uint_eq(hash_keyed64(secret, "ada@example.com", 15), 0x5632418509d427f2u);
}
END_TEST

START_TEST(sha256_of_known_texts)
{
    char out[SHA256_HEX_N];
    ck_assert_int_eq(sha256_hex("", 0, out), 0);
    ck_assert_str_eq(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ck_assert_int_eq(sha256_hex("abc", 3, out), 0);
    ck_assert_str_eq(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

/* As `openssl dgst -sha256 -binary | base64` has it. */
START_TEST(sha256_in_base64)
{
    char out[SHA256_BASE64_N];
    ck_assert_int_eq(sha256_base64("abc", 3, out), 0);
    ck_assert_str_eq(out, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}
END_TEST

START_TEST(sha256_in_parts)
{
    char out[SHA256_HEX_N];
    struct sha256 *s = sha256_begin();
    sha256_add(&s, "a", 1);
    sha256_add(&s, "", 0);
    sha256_add(&s, "bc", 2);
    sha256_end(&s, out);
    ck_assert_str_eq(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_ptr_null(s);
    sha256_add(&s, "a", 1);
    sha256_end(&s, out);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(random_bytes_differ)
{
    unsigned char a[1000] = {0}, b[1000] = {0};
    ck_assert_int_eq(random_bytes(a, sizeof a), 0);
    ck_assert_int_eq(random_bytes(b, sizeof b), 0);
    ck_assert_mem_ne(a, b, sizeof a);
    ck_assert_int_eq(random_bytes(a, 0), 0);
}
END_TEST

START_TEST(uuids)
{
    static const char text[] = "0191d2c3-5e6f-7a8b-9c0d-e1f2a3b4c5d6";
    /* clang-format off */
    static const char *const bad[] = {
        "", "0191d2c3-5e6f-7a8b-9c0d-e1f2a3b4c5d", "0191d2c3-5e6f-7a8b-9c0d-e1f2a3b4c5d67",
        "0191d2c35e6f-7a8b-9c0d-e1f2a3b4c5d6-", "0191d2c3-5e6f-7a8b-9c0d-e1f2a3b4c5dg",
        "{191d2c3-5e6f-7a8b-9c0d-e1f2a3b4c5d}", "0191d2c3 5e6f 7a8b 9c0d e1f2a3b4c5d6",
    };
    /* clang-format on */
    struct uuid u, upper;
    char out[UUID_TEXT_N];
    ck_assert_int_eq(uuid_parse(str_from(text), &u), 0);
    ck_assert_str_eq(uuid_format(&u, out), text);
    ck_assert_int_eq(uuid_parse(STR("0191D2C3-5E6F-7A8B-9C0D-E1F2A3B4C5D6"), &upper), 0);
    ck_assert(uuid_eq(&u, &upper));
    ck_assert(!uuid_is_nil(&u));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(uuid_parse(str_from(bad[i]), &upper) == -1, "%s", bad[i]);
    ck_assert(uuid_eq(&u, &upper)); /* untouched by failures */
    ck_assert_int_eq(uuid_parse(STR("00000000-0000-0000-0000-000000000000"), &u), 0);
    ck_assert(uuid_is_nil(&u));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hash");
    TCase *tc = tcase_create("hash");
    tcase_add_test(tc, keyed_hashes_depend_on_the_secret);
    tcase_add_test(tc, keyed_hashes_stay_what_they_are);
    tcase_add_test(tc, sha256_of_known_texts);
    tcase_add_test(tc, sha256_in_base64);
    tcase_add_test(tc, sha256_in_parts);
    tcase_add_test(tc, random_bytes_differ);
    tcase_add_test(tc, uuids);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}

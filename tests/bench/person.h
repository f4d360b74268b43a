/* People of the benches: one number a person, from which the generator makes a row and the mock a lead id.
 *
 * Neither of the two has to remember anything then: a read-back of five million leads costs the mock no memory. */
#ifndef TESTS_BENCH_PERSON_H
#define TESTS_BENCH_PERSON_H

#include <inttypes.h>
#include <stdint.h>

#define PERSON_EMAIL "p%09" PRIu64 "@example.com"
#define PERSON_ID "0a11ca3e-be7c-7000-8000-%012" PRIx64
#define PERSON_CAMPAIGN "0a11ca3e-0000-4000-8000-00000000de30" /* where they all are */
enum { PERSON_ID_N = 36, PERSON_EMAIL_N = 22, PERSON_DIGITS = 9 };

/* A spread number: the same for the same x, unlike its neighbours'. */
static inline uint64_t person_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

#endif

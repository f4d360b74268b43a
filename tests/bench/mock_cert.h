/* A certificate for localhost, made again at every start: the tree holds no key, and no certificate can expire. */
#ifndef TESTS_BENCH_MOCK_CERT_H
#define TESTS_BENCH_MOCK_CERT_H

#include <openssl/ssl.h>

/* Gives the context a fresh key and a self-signed certificate, valid for a day, for localhost and 127.0.0.1, and writes
 * the certificate (not the key) as PEM to `path` for those who shall trust it. 0/-1; OpenSSL's error queue says why. */
int mock_cert_make(SSL_CTX *context, const char *path);

#endif

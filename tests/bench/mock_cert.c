#include "config.h"

#include "tests/bench/mock_cert.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

static bool extend(X509 *x, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension != NULL && X509_add_ext(x, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool fill(X509 *x, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(x);
    return X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x), -60) != NULL && X509_gmtime_adj(X509_getm_notAfter(x), 86400) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0) == 1 &&
           X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1 &&
           extend(x, NID_basic_constraints, "critical,CA:TRUE") &&
           extend(x, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1") && X509_sign(x, key, EVP_sha256()) > 0;
}

static bool save(X509 *x, const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL)
        return false;
    bool ok = PEM_write_X509(out, x) == 1;
    return fclose(out) == 0 && ok;
}

int mock_cert_make(SSL_CTX *context, const char *path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    bool ok = key != NULL && x != NULL && fill(x, key) && SSL_CTX_use_certificate(context, x) == 1 &&
              SSL_CTX_use_PrivateKey(context, key) == 1 && save(x, path);
    X509_free(x);
    EVP_PKEY_free(key);
    return ok ? 0 : -1;
}

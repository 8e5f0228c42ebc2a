/* SPDX-License-Identifier: MIT */
#include "hostkey/private.h"

#include <openssl/err.h>

int err_crypto(struct err *e, const char *what)
{
    char reason[200] = "no reason given";
    unsigned long code = ERR_peek_last_error();

    if (code)
        ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return err_set(e, ERR_CRYPTO, "libcrypto could not %s: %s", what, reason);
}

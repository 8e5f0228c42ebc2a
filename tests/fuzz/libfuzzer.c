/* SPDX-License-Identifier: MIT */
/* libFuzzer's two entry points; FUZZ_TARGET names what is fuzzed. */
#include "fuzz.h"

#include "hostkey/hostkey.h"

#include <err.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("FUZZ_TARGET");

    (void)argc;
    (void)argv;
    hostkey_prepare();
    target = name ? fuzz_target_named(name) : NULL;
    if (!target)
        errx(1, "FUZZ_TARGET names none of the targets");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_once(target, bytes, len);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* What a boot has shown, held against what is on the disk. */
#include "prove/private.h"

#include "base/text.h"

void proof_free(struct proof *proof)
{
    for (size_t i = 0; i < proof->served_count; i++)
        pubkey_free(&proof->served[i]);
    free(proof->served);
    for (size_t i = 0; i < sizeof proof->notes / sizeof proof->notes[0]; i++)
        free(proof->notes[i]);
    free(proof->banner);
    free(proof->problem);
    text_list_free(&proof->console);
    *proof = (struct proof){ 0 };
}

const char *prove_boot_name(enum prove_boot boot)
{
    static const char *const names[] = {
        [PROVE_BIOS] = "bios", [PROVE_UEFI] = "uefi", [PROVE_KERNEL] = "kernel"
    };

    return names[boot];
}

bool proof_serves(const struct proof *proof, const struct pubkey *pub)
{
    for (size_t i = 0; i < proof->served_count; i++)
        if (blob_equal(&proof->served[i].blob, &pub->blob))
            return true;
    return false;
}

bool proof_up(const struct proof *proof)
{
    return proof->served_count > 0;
}

bool proof_misses(const struct proof *proof, const struct host_key *key)
{
    return key->used && key->exists &&
           !(key->judgement.key && proof_serves(proof, &key->judgement.pub));
}

bool proof_complete(const struct proof *proof, const struct inspection *facts)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (proof_misses(proof, &facts->keys[i]))
            return false;
    return proof_up(proof);
}

bool proof_is_new(const struct inspection *facts, const struct pubkey *pub)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (facts->keys[i].judgement.key &&
            blob_equal(&facts->keys[i].judgement.pub.blob, &pub->blob))
            return false;
    return true;
}

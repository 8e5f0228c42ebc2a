/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/alloc.h"
#include "cli/cli.h"

#include <stdio.h>

/* The program's own table is in src/main.c, which is not linked here. */
const struct command *const commands[] = { NULL };

int main(void)
{
    Suite *(*const suites[])(void) = {
        suite_base,           suite_hostkey_judge,    suite_hostkey_public,
        suite_door_walk,      suite_door_mounted,     suite_inspect_config,
        suite_inspect_os,     suite_inspect_logs,     suite_inspect_packages,
        suite_inspect_system, suite_findings,         suite_findings_symptoms,
        suite_config_judge,   suite_inspect_mutated,  suite_plan,
        suite_apply_manifest, suite_hostkey_rsa1,     suite_base_spawn,
        suite_prove,          suite_recover,          suite_device,
        suite_inspect_fstab,  suite_inspect_evidence, suite_door_direct,
        suite_base_channel,
    };
    SRunner *runner = srunner_create(NULL);
    int ran, failed;

    for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
        srunner_add_suite(runner, suites[i]());
    unit_start();
    srunner_run_all(runner, CK_NORMAL);
    unit_end();
    ran = srunner_ntests_run(runner);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    printf("unit: %d passed, %d failed\n", ran - failed, failed);
    return failed || ran == 0;
}

/* SPDX-License-Identifier: MIT */
#ifndef CLI_CMD_REPAIR_H
#define CLI_CMD_REPAIR_H

#include "cli/systems.h"

/* The whole repair of one system, with its questions and reports. Returns the exit code. */
int repair_system(struct system *system, const struct options *options);

#endif

/* SPDX-License-Identifier: MIT */
/* What a distribution does its own way, as far as sshd is concerned: one row each. */
#ifndef INSPECT_PROFILE_H
#define INSPECT_PROFILE_H

#include <stdbool.h>
#include <sys/types.h>

struct os;

struct profile {
    const char *name;
    const char *ids;       /* os-release ID, or a word of ID_LIKE, space separated */
    int first, last;       /* major versions it holds for; 0: no bound */
    int openssh;           /* the release it ships, where the program does not tell; 0: varies */
    const char *key_types; /* file names of the keys it makes, space separated */
    mode_t key_mode;       /* of private host keys */
    const char *key_group; /* their group */
    mode_t config_mode;    /* of sshd_config */
    mode_t moduli_mode;
    const char *vendor_config; /* read where /etc/ssh/sshd_config is missing; NULL: none */
    const char *privsep_dir;   /* NULL: on a tmpfs, made anew at every boot */
    mode_t privsep_mode;
    const char *package_config; /* the package's own copy of sshd_config on the disk; NULL: none */
    const char *minimal_config; /* where there is no copy: no weaker than the default */
    const char *pam;            /* the content of /etc/pam.d/sshd, where there is no copy */
    const char *privsep_user;   /* a line of passwd(5); "%u" stands for a free system uid */
    const char *privsep_group;  /* a line of group(5); NULL: none of its own */
    const char *unit;           /* of systemd, without ".service": "ssh" */
    const char *init_script;    /* in /etc/init.d */
    const char *logs;           /* text logs that sshd writes to, space separated */
    const char *reinstall;      /* the command that puts the package's files back */
    const char *set_modes;      /* the command that puts all modes and owners back; NULL: none */
    bool user_groups;           /* StrictModes lets a group write that has its owner alone */
};

/* The row for a system; never NULL. */
const struct profile *profile_of(const struct os *os);

#endif

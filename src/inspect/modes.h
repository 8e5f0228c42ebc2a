/* SPDX-License-Identifier: MIT */
/*
 * The table of expected modes. Two thresholds in each row: what sshd, or safety,
 * refuses; and the mode the file gets when it is mended, which is also what it is
 * compared with under --strict.
 */
#ifndef INSPECT_MODES_H
#define INSPECT_MODES_H

#include <stdbool.h>
#include <sys/types.h>

enum mode_source {
    MODE_FIXED,    /* the row's own */
    MODE_NARROWED, /* what is there, less what is refused: nobody's business otherwise */
    MODE_KEY,      /* the profile's, for private host keys */
    MODE_CONFIG,   /* the profile's, for sshd_config */
    MODE_MODULI,   /* the profile's */
    MODE_PRIVSEP,  /* the profile's */
    MODE_SECRET,   /* the row's own; the group is shadow where there is one */
};

struct mode_rule {
    const char *what;    /* for people: "private host key" */
    const char *pattern; /* glob of paths; NULL: found in another way (keys, includes, homes) */
    mode_t type;         /* S_IFREG or S_IFDIR: anything else there is passed over */
    mode_t refused;      /* bits that must not be there */
    mode_t needed;       /* bits that must be there */
    enum mode_source source;
    mode_t mode;           /* MODE_FIXED; MODE_NARROWED: the least where a needed bit is missing */
    bool own_default;      /* the distribution has a mode of its own: --strict compares */
    const char *open_id;   /* finding where a refused bit is set */
    const char *owner_id;  /* finding where the owner is wrong */
    const char *closed_id; /* finding where a needed bit is missing; NULL: none */
    bool unlabelled;       /* its SELinux label is not judged: policies alias such paths */
    const char *why;       /* what sshd does then, and where its source says so */
};

extern const struct mode_rule mode_host_key, mode_host_key_pub, mode_config_file,
    mode_config_dropin, mode_privsep, mode_home, mode_ssh_dir, mode_keys_dir, mode_keys_file,
    mode_authorized_keys, mode_program, mode_library, mode_shell, mode_system_directory,
    mode_command, mode_command_directory, mode_chroot;

/* The rows found by their pattern, NULL-terminated. */
extern const struct mode_rule *const mode_rules_by_pattern[];

#endif

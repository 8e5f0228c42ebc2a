/* SPDX-License-Identifier: MIT */
#include "inspect/modes.h"

#include <stddef.h>
#include <sys/stat.h>

const struct mode_rule mode_host_key = {
    .what = "private host key",
    .type = S_IFREG,
    .refused = 0077,
    .source = MODE_KEY,
    .own_default = true,
    .open_id = "hostkey-open",
    .owner_id = "hostkey-owner",
    .why = "sshd ignores a key of its own that others may read (authfile.c, sshkey_perm_ok)",
};

const struct mode_rule mode_host_key_pub = {
    .what = "public host key",
    .type = S_IFREG,
    .refused = 0022,
    .source = MODE_FIXED,
    .mode = 0644,
    .own_default = true,
    .open_id = "hostkey-pub-open",
    .owner_id = "hostkey-pub-owner",
    .why = "whoever can write it can make sshd announce a key that is not its own",
};

const struct mode_rule mode_config_file = {
    .what = "configuration of sshd",
    .type = S_IFREG,
    .refused = 0022,
    .source = MODE_CONFIG,
    .own_default = true,
    .open_id = "config-open",
    .owner_id = "config-owner",
    .why = "whoever can write it can run programs as root at the next login",
};

/* What is included has modes of its own: 0600 of cloud-init, 0644 of crypto-policies. */
const struct mode_rule mode_config_dropin = {
    .what = "configuration of sshd",
    .type = S_IFREG,
    .refused = 0022,
    .source = MODE_NARROWED,
    .open_id = "config-open",
    .owner_id = "config-owner",
    .why = "whoever can write it can run programs as root at the next login",
};

const struct mode_rule mode_privsep = {
    .what = "privilege separation directory",
    .type = S_IFDIR,
    .refused = 0022,
    .source = MODE_PRIVSEP,
    .own_default = true,
    .open_id = "privsep-open",
    .owner_id = "privsep-owner",
    .why = "sshd does not start: it must be owned by root and not group or world-writable "
           "(sshd.c, main)",
};

/* A file or directory that sshd looks at as the user, under StrictModes (misc.c, safe_path). */
#define STRICT_MODES(name, is, bits, from)                                                         \
    .what = (name), .type = (is), .refused = 0022, .needed = (bits), .source = (from),             \
    .open_id = "login-open", .owner_id = "login-owner", .closed_id = "login-closed",               \
    .why = "StrictModes refuses the user's keys (misc.c, safe_path)"

const struct mode_rule mode_home = {
    STRICT_MODES("home directory", S_IFDIR, 0100, MODE_NARROWED),
};

const struct mode_rule mode_ssh_dir = {
    STRICT_MODES("directory of authorized keys", S_IFDIR, 0100, MODE_FIXED),
    .mode = 0700,
};

const struct mode_rule mode_authorized_keys = {
    STRICT_MODES("authorized keys", S_IFREG, 0400, MODE_FIXED),
    .mode = 0600,
};

/* The administrator's own place outside the homes: as narrow as sshd asks, and no narrower. */
const struct mode_rule mode_keys_dir = {
    STRICT_MODES("directory of authorized keys", S_IFDIR, 0100, MODE_NARROWED),
};

const struct mode_rule mode_keys_file = {
    STRICT_MODES("authorized keys", S_IFREG, 0400, MODE_NARROWED),
};

#define SYSTEM_DIRECTORY(path)                                                                     \
    {                                                                                              \
        .what = "system directory", .pattern = (path), .type = S_IFDIR, .refused = 0022,           \
        .needed = 0111, .source = MODE_NARROWED, .mode = 0755, .open_id = "fs-open",               \
        .owner_id = "fs-owner", .closed_id = "fs-closed",                                          \
        .why = "others could replace what sshd trusts, or users cannot reach their own files",     \
    }

static const struct mode_rule system_root = SYSTEM_DIRECTORY("/"),
                              system_etc = SYSTEM_DIRECTORY("/etc"),
                              system_home = SYSTEM_DIRECTORY("/home");

/* Nobody but root has to pass it, but a directory that lists and cannot be passed is an accident.
 */
static const struct mode_rule etc_ssh = {
    .what = "directory of sshd",
    .pattern = "/etc/ssh",
    .type = S_IFDIR,
    .refused = 0022,
    .source = MODE_NARROWED,
    .mode = 0755,
    .open_id = "fs-open",
    .owner_id = "fs-owner",
    .closed_id = "config-closed",
    .why = "others could replace what sshd trusts",
};

static const struct mode_rule moduli = {
    .what = "moduli",
    .pattern = "/etc/ssh/moduli",
    .type = S_IFREG,
    .refused = 0022,
    .source = MODE_MODULI,
    .own_default = true,
    .open_id = "moduli-open",
    .owner_id = "moduli-owner",
    .why = "whoever can write it can weaken the key exchange",
};

static const struct mode_rule client_config = {
    .what = "configuration of the ssh client",
    .pattern = "/etc/ssh/ssh_config",
    .type = S_IFREG,
    .refused = 0022,
    .source = MODE_FIXED,
    .mode = 0644,
    .own_default = true,
    .open_id = "config-open",
    .owner_id = "config-owner",
    .why = "whoever can write it can run programs as every user of ssh",
};

static const struct mode_rule client_dropin = {
    .what = "configuration of the ssh client",
    .pattern = "/etc/ssh/ssh_config.d/*.conf",
    .type = S_IFREG,
    .refused = 0022,
    .source = MODE_FIXED,
    .mode = 0644,
    .own_default = true,
    .open_id = "config-open",
    .owner_id = "config-owner",
    .why = "ssh dies with \"Bad owner or permissions\" (readconf.c, read_config_file_depth)",
};

static const struct mode_rule client_dropin_dir = {
    .what = "directory of configuration files",
    .pattern = "/etc/ssh/ssh_config.d",
    .type = S_IFDIR,
    .refused = 0022,
    .source = MODE_NARROWED,
    .mode = 0755,
    .open_id = "config-open",
    .owner_id = "config-owner",
    .closed_id = "config-closed",
    .why = "whoever can write it can run programs as every user of ssh",
};

static const struct mode_rule server_dropin_dir = {
    .what = "directory of configuration files",
    .pattern = "/etc/ssh/sshd_config.d",
    .type = S_IFDIR,
    .refused = 0022,
    .source = MODE_NARROWED,
    .open_id = "config-open",
    .owner_id = "config-owner",
    .closed_id = "config-closed",
    .why = "whoever can write it can run programs as root at the next login",
};

const struct mode_rule *const mode_rules_by_pattern[] = {
    &system_root,   &system_etc,        &etc_ssh,       &system_home,       &moduli,
    &client_config, &client_dropin_dir, &client_dropin, &server_dropin_dir, NULL,
};

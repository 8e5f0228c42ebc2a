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

/* Any x bit will do for root, but 0755 is what every package ships. */
const struct mode_rule mode_program = {
    .what = "program of sshd",
    .type = S_IFREG,
    .refused = 0022,
    .needed = 0100,
    .source = MODE_NARROWED,
    .mode = 0755,
    .open_id = "sshd-open",
    .owner_id = "sshd-owner",
    .closed_id = "sshd-not-executable",
    .unlabelled = true,
    .why = "the kernel does not run it, or others could replace it",
};

const struct mode_rule mode_library = {
    .what = "library",
    .type = S_IFREG,
    .refused = 0022,
    .needed = 0444,
    .source = MODE_NARROWED,
    .mode = 0644,
    .open_id = "sshd-open",
    .owner_id = "sshd-owner",
    .closed_id = "login-program-closed",
    .unlabelled = true,
    .why = "users cannot run their shell with a library that they cannot read",
};

const struct mode_rule mode_shell = {
    .what = "login shell",
    .type = S_IFREG,
    .refused = 0022,
    .needed = 0111,
    .source = MODE_NARROWED,
    .mode = 0755,
    .open_id = "sshd-open",
    .owner_id = "sshd-owner",
    .closed_id = "login-program-closed",
    .unlabelled = true,
    .why = "sshd refuses the user: \"shell is not executable\" (auth.c, allowed_user)",
};

/* Of AuthorizedKeysCommand, and AuthorizedPrincipalsCommand: it and every directory above it
 * (misc.c, subprocess and safe_path). */
const struct mode_rule mode_command = {
    .what = "AuthorizedKeysCommand",
    .type = S_IFREG,
    .refused = 0022,
    .needed = 0111,
    .source = MODE_NARROWED,
    .mode = 0755,
    .open_id = "login-command-open",
    .owner_id = "login-command-owner",
    .closed_id = "login-program-closed",
    .unlabelled = true,
    .why = "sshd does not run it: \"Unsafe AuthorizedKeysCommand\" (misc.c, subprocess)",
};

const struct mode_rule mode_command_directory = {
    .what = "directory of AuthorizedKeysCommand",
    .type = S_IFDIR,
    .refused = 0022,
    .source = MODE_NARROWED,
    .open_id = "login-command-open",
    .owner_id = "login-command-owner",
    .unlabelled = true,
    .why = "sshd does not run it: \"Unsafe AuthorizedKeysCommand\" (misc.c, safe_path)",
};

const struct mode_rule mode_chroot = {
    .what = "ChrootDirectory",
    .type = S_IFDIR,
    .refused = 0022,
    .source = MODE_NARROWED,
    .open_id = "login-chroot-open",
    .owner_id = "login-chroot-owner",
    .unlabelled = true,
    .why = "sshd ends the session: \"bad ownership or modes for chroot directory\" (session.c, "
           "safely_chroot)",
};

/* Read by everybody: without them no session is whole. */
#define SYSTEM_FILE(path)                                                                          \
    {                                                                                              \
        .what = "system file", .pattern = (path), .type = S_IFREG, .refused = 0022,                \
        .needed = 0444, .source = MODE_NARROWED, .mode = 0644, .open_id = "login-file-open",       \
        .owner_id = "login-file-owner", .closed_id = "login-file-closed",                          \
        .why = "whoever can write it can become anybody; who cannot read it has no session"        \
    }

static const struct mode_rule file_passwd = SYSTEM_FILE("/etc/passwd"),
                              file_group = SYSTEM_FILE("/etc/group"),
                              file_nsswitch = SYSTEM_FILE("/etc/nsswitch.conf"),
                              file_ld_cache = SYSTEM_FILE("/etc/ld.so.cache"),
                              file_profile = SYSTEM_FILE("/etc/profile"),
                              file_bashrc = SYSTEM_FILE("/etc/bash.bashrc"),
                              file_bashrc_el = SYSTEM_FILE("/etc/bashrc"),
                              file_hosts = SYSTEM_FILE("/etc/hosts"),
                              file_environment = SYSTEM_FILE("/etc/environment"),
                              file_login_defs = SYSTEM_FILE("/etc/login.defs"),
                              file_resolv = SYSTEM_FILE("/etc/resolv.conf");

/* Read by root alone, but whoever can write it decides who gets in. */
#define ROOT_FILE(path)                                                                            \
    {                                                                                              \
        .what = "system file", .pattern = (path), .type = S_IFREG, .refused = 0022,                \
        .source = MODE_NARROWED, .open_id = "login-file-open", .owner_id = "login-file-owner",     \
        .why = "whoever can write it decides who gets in"                                          \
    }

static const struct mode_rule file_pam = ROOT_FILE("/etc/pam.d/*"),
                              file_security = ROOT_FILE("/etc/security/*.conf"),
                              file_sudoers = ROOT_FILE("/etc/sudoers"),
                              file_ld_preload = ROOT_FILE("/etc/ld.so.preload");

/* Passwords: nobody but root, and Debian's group shadow. */
#define SECRET_FILE(path)                                                                          \
    {                                                                                              \
        .what = "password file", .pattern = (path), .type = S_IFREG, .refused = 0037,              \
        .source = MODE_SECRET, .mode = 0640, .open_id = "login-file-open",                         \
        .owner_id = "login-file-owner", .why = "others read, or write, the hashes of passwords"    \
    }

static const struct mode_rule file_shadow = SECRET_FILE("/etc/shadow"),
                              file_gshadow = SECRET_FILE("/etc/gshadow");

const struct mode_rule mode_system_directory = {
    .what = "system directory",
    .type = S_IFDIR,
    .refused = 0022,
    .needed = 0111,
    .source = MODE_NARROWED,
    .mode = 0755,
    .open_id = "fs-open",
    .owner_id = "fs-owner",
    .closed_id = "fs-closed",
    .unlabelled = true,
    .why = "others could replace what sshd trusts, or users cannot reach their own files",
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
                              system_home = SYSTEM_DIRECTORY("/home"),
                              system_pam = SYSTEM_DIRECTORY("/etc/pam.d"),
                              system_profile = SYSTEM_DIRECTORY("/etc/profile.d");

/* The same where policies alias one to the other (/bin and /usr/bin). */
#define PLAIN_DIRECTORY(path)                                                                      \
    {                                                                                              \
        .what = "system directory", .pattern = (path), .type = S_IFDIR, .refused = 0022,           \
        .needed = 0111, .source = MODE_NARROWED, .mode = 0755, .open_id = "fs-open",               \
        .owner_id = "fs-owner", .closed_id = "fs-closed", .unlabelled = true,                      \
        .why = "others could replace what sshd trusts, or users cannot reach their own files",     \
    }

static const struct mode_rule system_usr = PLAIN_DIRECTORY("/usr"),
                              system_bin = PLAIN_DIRECTORY("/bin"),
                              system_usr_bin = PLAIN_DIRECTORY("/usr/bin"),
                              system_lib = PLAIN_DIRECTORY("/lib"),
                              system_usr_lib = PLAIN_DIRECTORY("/usr/lib");

/* What pam_unix runs to look at shadow(5); since PAM 1.7 for root, too. */
static const struct mode_rule pam_helper = {
    .what = "helper of PAM",
    .pattern = "/usr/sbin/unix_chkpwd",
    .type = S_IFREG,
    .refused = 0022,
    .needed = 0111,
    .source = MODE_NARROWED,
    .mode = 0755,
    .open_id = "sshd-open",
    .owner_id = "sshd-owner",
    .closed_id = "login-program-closed",
    .unlabelled = true,
    .why = "PAM cannot tell whether an account has expired, and refuses it",
};

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
    &system_root,   &system_etc,        &etc_ssh,       &system_home,      &system_usr,
    &system_bin,    &system_usr_bin,    &system_lib,    &system_usr_lib,   &pam_helper,
    &system_pam,    &system_profile,    &moduli,        &client_config,    &client_dropin_dir,
    &client_dropin, &server_dropin_dir, &file_passwd,   &file_group,       &file_shadow,
    &file_gshadow,  &file_nsswitch,     &file_ld_cache, &file_ld_preload,  &file_profile,
    &file_bashrc,   &file_bashrc_el,    &file_hosts,    &file_environment, &file_login_defs,
    &file_resolv,   &file_pam,          &file_security, &file_sudoers,     NULL,
};

/* SPDX-License-Identifier: MIT */
/*
 * What clients and sshd say, and what is behind it. Wordings: openssh-portable, the tags
 * V_5_3_P1 to V_10_5_P1, systemd, ld.so, PAM. The first row that fits a line counts, so
 * what is particular stands above what is general.
 */
#include "findings/findings.h"

#include "base/alloc.h"
#include "base/text.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

const struct symptom symptoms[] = {
    /* ---- sshd does not start ---- */
    { "no hostkeys available", "", "hostkey-none hostkey-missing hostkey-empty hostkey-corrupt",
      "sshd ended: none of its host keys could be loaded." },
    { "unprotected private key file|permissions 0[0-7]{3} for .*host.*key.* are too open|"
      "bad permissions: ignore key",
      "", "hostkey-open hostkey-acl", "sshd passes over a host key that others may read." },
    { "could not load host key|unable to load host key.*no such file|could not load host cert", "",
      "hostkey-missing hostkey-open hostkey-corrupt hostkey-empty",
      "sshd could not load one of its host keys: missing, damaged, or open to others." },
    { "buffer_get_bignum: buffer error|cipher_(en)?crypt: bad plaintext length", "before 6.7",
      "hostkey-stops-sshd", "sshd ends as it reads a key of protocol 1 that breaks off." },
    { "unable to load host key.*bad permissions", "8.0 and later", "hostkey-open hostkey-acl",
      "sshd passes over a host key that others may read." },
    { "unable to load host key.*(invalid format|error in libcrypto)", "8.0 and later",
      "hostkey-corrupt hostkey-wrapped hostkey-empty hostkey-format",
      "The file of a host key is there, but sshd cannot read it as a key." },
    { "unable to load host key.*incorrect passphrase", "8.0 and later",
      "hostkey-encrypted hostkey-corrupt",
      "A host key is protected by a passphrase, or its first bytes are damaged." },
    { "unable to load host key.*unknown or unsupported key type", "8.0 and later",
      "hostkey-retired hostkey-unknown-type", "This sshd does not know the type of a host key." },
    { "invalid key length", "9.1 and later", "hostkey-short",
      "An RSA host key is shorter than this sshd accepts." },
    { "unable to load host key", "8.0 and later", "hostkey-missing hostkey-corrupt hostkey-open",
      "sshd could not load one of its host keys." },
    { "public key for .* does not match private key", "8.4 and later", "hostkey-pub-mismatch",
      "A .pub belongs to another key than the private file beside it." },
    { "certificate file is not a certificate|no matching private key for certificate|"
      "could not load host certificate",
      "", "hostkey-cert-mismatch", "A host certificate cannot be used." },
    { "bad configuration option", "", "config-unknown-option config-encoding",
      "sshd_config has an option that this sshd does not know: it does not start." },
    { "terminating, [0-9]+ bad configuration option", "",
      "config-unknown-option config-encoding config-bad-value",
      "sshd_config has lines that this sshd refuses: it does not start." },
    { "is not allowed within a match block", "", "config-misplaced",
      "A line that must stand above the first Match stands below it: sshd does not start." },
    { "bad match condition|unsupported match attribute|missing match criteria", "",
      "config-bad-match", "sshd does not understand a Match line, and does not start." },
    { "bad ssh2 cipher spec|bad ssh2 mac spec|bad ssh2 kexalgorithms|unsupported kex algorithm|"
      "bad key types",
      "", "config-bad-algorithm",
      "sshd_config names an algorithm that this sshd does not know: it does not start." },
    { "subsystem .* already defined", "9.4 and before", "config-duplicate",
      "sshd_config defines a subsystem twice: this sshd does not start." },
    { "badly formatted port number|bad yes/no argument|unsupported option \"|garbage at end of "
      "line|"
      "extra arguments at end of line|missing argument|no argument after keyword|invalid quotes|"
      "bad addr or host|bad listenaddress|invalid time value|integer value",
      "", "config-bad-value", "sshd_config has a value that sshd refuses: it does not start." },
    { "sshd_config(\\.d[^:]*)?: no such file", "", "config-missing config-include",
      "sshd_config, or what it includes, is missing: sshd does not start." },
    { "too many recursive configuration includes", "8.2 and later", "config-include",
      "Files of the configuration include each other: sshd does not start." },
    { "authorizedkeyscommand set without|authenticationmethods cannot be satisfied",
      "6.2 and later", "config-bad-value",
      "Two settings of sshd_config exclude each other: sshd does not start." },
    { "missing privilege separation directory|must be owned by root and not group or "
      "world-writable",
      "", "privsep-missing privsep-open privsep-owner",
      "The privilege separation directory is missing or open: sshd does not start, or lets every "
      "connection down." },
    { "privilege separation user .* does not exist", "", "privsep-user-missing",
      "The user that sshd runs as before a login is missing from passwd." },
    { "sshd-(session|auth).*does not exist or is not executable|"
      "does not exist or is not executable.*sshd",
      "9.8 and later", "sshd-helper-missing sshd-not-executable",
      "A program that sshd runs for every connection is missing or cannot be executed." },
    { "error while loading shared libraries|openssl version mismatch|symbol lookup error", "",
      "sshd-library-missing sshd-library-cache",
      "A shared library is missing, damaged, or of another release." },
    { "status=203/exec|failed at step exec|failed to execute.*sshd", "",
      "sshd-not-executable sshd-missing service-program", "systemd could not execute sshd." },
    { "failed to load environment files", "", "service-environment",
      "A file that the unit of sshd must have is missing." },
    { "unit (ssh|sshd)\\.service is masked|(ssh|sshd)\\.service.*masked", "", "service-masked",
      "The unit of sshd is masked: nothing starts it." },
    { "condition check resulted in.*(ssh|openbsd secure shell)|"
      "(ssh|sshd)\\.service.*(condition failed|unmet condition)",
      "", "service-blocked", "A condition of the unit keeps sshd from being started." },
    { "unit (ssh|sshd)\\.service (could not be found|not found)", "", "service-missing",
      "There is no unit of sshd." },
    { "(ssh|sshd)\\.service.*(status=255|main process exited|failed with result)", "",
      "config-unknown-option config-bad-value hostkey-none privsep-missing",
      "sshd ended at once; the lines before this one say why." },
    { "bind to port .* failed|cannot bind any address", "", "config-policy",
      "The port, or the address, is not to be had: another program has it, or the machine does "
      "not have the address." },
    { "couldn't open /dev/null", "", "fs-tree-modes", "/dev is not as it should be." },

    /* ---- it starts, and lets connections down ---- */
    { "(no |un)supported key exchange algorithms", "builds with GSSAPI",
      "hostkey-none hostkey-open hostkey-corrupt hostkey-missing config-no-common-key",
      "sshd had no host key to offer on this connection: all of them are missing, damaged or open, "
      "or HostKeyAlgorithms leaves none." },
    { "no matching host key type|no hostkey alg", "",
      "config-no-common-key hostkey-missing hostkey-retired",
      "Client and server have no type of host key in common; with an empty offer, sshd has none "
      "at all." },
    { "no matching (key exchange method|cipher|mac) found|unable to negotiate", "",
      "config-bad-algorithm config-policy", "Client and server have no algorithm in common." },
    { "incorrect signature|key_verify failed|signature incorrect|error in libcrypto", "",
      "hostkey-corrupt",
      "A host key loads, but what it signs is wrong: its private part is damaged." },
    { "no suitable primes|wantdh.*moduli|could not open .*moduli", "",
      "moduli-damaged moduli-missing", "/etc/ssh/moduli is missing or holds nothing of use." },
    { "refused connect from|twist .* to|libwrap refused", "", "login-hosts-deny login-hosts-some",
      "hosts.deny refuses this client." },
    { "(remote host|host) identification has changed|host key for .* has changed and you have "
      "requested strict checking|offending .* key in",
      "", "hostkey-missing hostkey-changed hostkey-none boot-keys-deleted",
      "The server has another key than the client remembers: it was made anew, or the type the "
      "client knows is lost." },
    { "host key verification failed", "", "hostkey-missing hostkey-changed boot-keys-deleted",
      "The client does not accept the server's key: it is another one than it remembers, or of a "
      "type it does not know yet." },
    { "ssh_exchange_identification: (read: )?(connection (reset|closed))|"
      "kex_exchange_identification: (read: )?(connection (reset|closed))|"
      "(ssh|kex)_exchange_identification",
      "", "hostkey-none login-hosts-deny privsep-missing sshd-library-missing sshd-helper-missing",
      "The connection ended before sshd had said who it is: no usable host key, hosts.deny, the "
      "privilege separation directory, a missing library or helper." },
    { "read from socket failed: connection reset", "6.7 and before",
      "hostkey-none hostkey-open config-no-common-key privsep-missing",
      "The connection ended during the key exchange: sshd had no host key to offer, as a rule." },
    { "connection reset by", "6.9 and later",
      "hostkey-none hostkey-open config-no-common-key sshd-helper-missing",
      "The connection ended during the key exchange: sshd had no host key to offer, as a rule." },
    { "connection refused", "",
      "config-unknown-option config-bad-value hostkey-none service-disabled service-masked "
      "privsep-missing",
      "Nothing listens: sshd did not start, or nothing starts it." },

    /* ---- it serves, and refuses the user ---- */
    { "bad ownership or modes for chroot", "", "login-chroot-open login-chroot-owner",
      "A ChrootDirectory, or a directory above it, is not root's alone." },
    { "authentication refused: bad ownership or modes", "",
      "login-open login-owner fs-open fs-owner",
      "The home, .ssh or authorized_keys can be written by others, or belongs to somebody else." },
    { "unsafe authorizedkeyscommand", "6.2 and later", "login-command-open login-command-owner",
      "AuthorizedKeysCommand, or a directory above it, is not root's alone." },
    { "could not open .*authorized.keys.*permission denied|could not open user .* authorized keys",
      "", "login-closed fs-closed", "The user cannot reach the own authorized keys." },
    { "error checking authentication key|revoked keys file", "", "login-keys-revoked",
      "The list of revoked keys cannot be read: every key is refused." },
    { "shell .* (does not exist|is not executable)", "", "login-shell login-program-closed",
      "The user's login shell is missing or cannot be executed." },
    { "/etc/nologin exists|system is booting up|pam_nologin|system is going down", "",
      "login-nologin", "A nologin file keeps everybody but root out." },
    { "not listed in allowusers|listed in denyusers|not allowed because (a group|none of)|"
      "root login (refused|not permitted)|not allowed because",
      "", "config-policy", "sshd_config keeps this user out, by its own words." },
    { "pam unable to dlopen|pam adding faulty module|pam_unix.so.*cannot open", "",
      "login-pam-module login-pam-include", "A module that PAM needs for sshd is missing." },
    { "pam.*(unknown|failed to (load|open)).*(config|service)|_pam_load_conf_file|"
      "pam_start.*failed|fatal: access denied .*by pam account",
      "", "login-pam-missing login-pam-include", "PAM's stack for sshd is missing or incomplete." },
    { "avc: +denied.*sshd", "", "selinux-label",
      "SELinux keeps sshd from something: a wrong label, as a rule." },
    { "permission denied \\((publickey|gssapi|password|keyboard)", "",
      "login-open login-owner login-closed login-keys-damaged login-keys-none config-policy",
      "sshd refused the user: the way to the authorized keys, their content, or the policy of "
      "sshd_config." },
    { "too many authentication failures", "", "config-policy",
      "The client offered more keys than MaxAuthTries allows." },
    { "connection closed by", "", "hostkey-none login-hosts-deny config-policy",
      "The other side ended the connection; often a client that gave up, else as with a reset." },
    { "no space left on device", "", "fs-full", "The disk is full." },
    { "read-only file system", "", "fs-read-only", "The file system cannot be written." },
    { 0 },
};

enum { SYMPTOMS = sizeof symptoms / sizeof *symptoms - 1, EVIDENCE_MAX = 3 };

/* Compiled once; the program ends before they would have to be freed. */
static bool fits(size_t index, const char *line)
{
    static regex_t compiled[SYMPTOMS];
    static bool done[SYMPTOMS];

    if (!done[index] && regcomp(&compiled[index], symptoms[index].pattern,
                                REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
        abort(); /* a mistake of ours, and a test looks for it */
    done[index] = true;
    return regexec(&compiled[index], line, 0, NULL, 0) == 0;
}

const struct symptom *symptom_of(const char *line)
{
    for (size_t i = 0; i < SYMPTOMS; i++)
        if (fits(i, line))
            return &symptoms[i];
    return NULL;
}

/* The first two of a symptom's findings are likely enough to be evidence. */
static bool is_about(const struct symptom *symptom, const struct finding *finding)
{
    const char *second = strchr(symptom->findings, ' ');
    size_t len = second ? 1 + strcspn(second + 1, " ") + (size_t)(second - symptom->findings)
                        : strlen(symptom->findings);
    auto_free char *first_two = xstrndup(symptom->findings, len);

    return text_has_word(first_two, finding->check->id);
}

/* A line that names a file is about a finding of that file. */
static bool same_file(const struct finding *finding, const char *line)
{
    return !finding->path || !strstr(line, "/etc/ssh/") || strstr(line, finding->path);
}

void findings_support(struct findings *findings, const struct logs *logs)
{
    for (size_t i = logs->count; i-- > 0;) {
        const struct symptom *symptom = symptom_of(logs->lines[i].text);

        for (size_t n = 0; symptom && n < findings->count; n++) {
            struct finding *finding = &findings->items[n];
            size_t count = 0;
            char *line;

            while (finding->evidence && finding->evidence[count])
                count++;
            if (count >= EVIDENCE_MAX || !is_about(symptom, finding) ||
                !same_file(finding, logs->lines[i].text))
                continue;
            line = xasprintf("%s: %s", logs->lines[i].source, logs->lines[i].text);
            array_push(finding->evidence, count, line);
            array_push(finding->evidence, count, NULL);
        }
    }
}

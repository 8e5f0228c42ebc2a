/* SPDX-License-Identifier: MIT */
/* Lines as clients and servers have written them, and what each is about. */
#include "findings/findings.h"

#include "base/alloc.h"
#include "base/text.h"
#include "unit.h"

#include <string.h>

static const struct {
    const char *line;
    const char *finding; /* the likeliest; NULL: the line means nothing */
} lines[] = {
    { "sshd: no hostkeys available -- exiting.", "hostkey-none" },
    { "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @", "hostkey-open" },
    { "Permissions 0777 for '/etc/ssh/ssh_host_rsa_key' are too open.", "hostkey-open" },
    { "error: Could not load host key: /etc/ssh/ssh_host_dsa_key", "hostkey-missing" },
    { "sshd[311]: fatal: buffer_get_bignum: buffer error", "hostkey-stops-sshd" },
    { "fatal: cipher_encrypt: bad plaintext length 531", "hostkey-stops-sshd" },
    { "error: Unable to load host key \"/etc/ssh/ssh_host_rsa_key\": bad permissions",
      "hostkey-open" },
    { "error: Unable to load host key \"/etc/ssh/ssh_host_rsa_key\": error in libcrypto",
      "hostkey-corrupt" },
    { "Unable to load host key \"/etc/ssh/k\": incorrect passphrase supplied to decrypt private "
      "key",
      "hostkey-encrypted" },
    { "Unable to load host key: /etc/ssh/ssh_host_ed25519_key", "hostkey-missing" },
    { "main: Host key /etc/ssh/ssh_host_rsa_key: Invalid key length", "hostkey-short" },
    { "No matching private key for certificate: /etc/ssh/k-cert.pub", "hostkey-cert-mismatch" },
    { "Public key for /etc/ssh/k does not match private key", "hostkey-pub-mismatch" },
    { "/etc/ssh/sshd_config: line 3: Bad configuration option: Protocl", "config-unknown-option" },
    { "/etc/ssh/sshd_config: terminating, 1 bad configuration options", "config-unknown-option" },
    { "/etc/ssh/sshd_config line 9: Directive 'Port' is not allowed within a Match block",
      "config-misplaced" },
    { "/etc/ssh/sshd_config line 2: Bad SSH2 cipher spec 'arcfour'.", "config-bad-algorithm" },
    { "/etc/ssh/sshd_config line 2: Badly formatted port number.", "config-bad-value" },
    { "/etc/ssh/sshd_config: No such file or directory", "config-missing" },
    { "Subsystem 'sftp' already defined.", "config-duplicate" },
    { "Missing privilege separation directory: /run/sshd", "privsep-missing" },
    { "Privilege separation user sshd does not exist", "privsep-user-missing" },
    { "/usr/lib/openssh/sshd-session does not exist or is not executable", "sshd-helper-missing" },
    { "/usr/sbin/sshd: error while loading shared libraries: liblz4.so.1: cannot open shared "
      "object",
      "sshd-library-missing" },
    { "sshd.service: Failed to load environment files: No such file or directory",
      "service-environment" },
    { "Failed to start ssh.service: Unit ssh.service is masked.", "service-masked" },
    { "ssh.service: Main process exited, code=exited, status=203/EXEC", "sshd-not-executable" },
    { "ssh.service: Main process exited, code=exited, status=255/EXCEPTION",
      "config-unknown-option" },
    { "fatal: No supported key exchange algorithms [preauth]", "hostkey-none" },
    { "fatal: Unsupported key exchange algorithms [preauth]", "hostkey-none" },
    { "Unable to negotiate with 192.0.2.1 port 22: no matching host key type found. Their offer: ",
      "config-no-common-key" },
    { "ssh_dispatch_run_fatal: Connection to 192.0.2.1 port 22: incorrect signature",
      "hostkey-corrupt" },
    { "refused connect from 192.0.2.7 (192.0.2.7)", "login-hosts-deny" },
    { "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", "hostkey-missing" },
    { "DSA host key for h has changed and you have requested strict checking.", "hostkey-missing" },
    { "Host key verification failed.", "hostkey-missing" },
    { "ssh_exchange_identification: read: Connection reset by peer", "hostkey-none" },
    { "kex_exchange_identification: Connection closed by remote host", "hostkey-none" },
    { "Read from socket failed: Connection reset by peer", "hostkey-none" },
    { "Connection reset by 192.0.2.1 port 22", "hostkey-none" },
    { "ssh: connect to host h port 22: Connection refused", "config-unknown-option" },
    { "Authentication refused: bad ownership or modes for directory /home/alice", "login-open" },
    { "User alice not allowed because shell /bin/zsh does not exist", "login-shell" },
    { "\"System is booting up. Unprivileged users are not permitted to log in yet.\"",
      "login-nologin" },
    { "User bob from 192.0.2.1 not allowed because not listed in AllowUsers", "config-policy" },
    { "PAM unable to dlopen(pam_unix.so): /lib/security/pam_unix.so: cannot open shared object",
      "login-pam-module" },
    { "alice@h: Permission denied (publickey).", "login-open" },
    { "Connection closed by 192.0.2.1 port 22", "hostkey-none" },
    { "type=AVC msg=audit(1): avc:  denied  { read } for comm=\"sshd\"", "selinux-label" },
    { "Accepted publickey for root from 192.0.2.1", NULL },
    { "", NULL },
    { "\x01\xff\xfe", NULL },
};

START_TEST(line)
{
    const struct symptom *symptom = symptom_of(lines[_i].line);

    if (!lines[_i].finding) {
        ck_assert_msg(!symptom, "%s", lines[_i].line);
        return;
    }
    ck_assert_msg(symptom, "%s", lines[_i].line);
    ck_assert_msg(text_starts(symptom->findings, lines[_i].finding), "%s: %s", lines[_i].line,
                  symptom->findings);
}
END_TEST

/* Every row names findings there are, and says what it means. */
START_TEST(rows)
{
    for (const struct symptom *symptom = symptoms; symptom->pattern; symptom++) {
        auto_free char *copy = xstrdup(symptom->findings);
        char *rest = copy, *id;

        ck_assert(text_ends(symptom->meaning, "."));
        while ((id = strsep(&rest, " ")))
            ck_assert_msg(check_named(id), "%s", id);
    }
}
END_TEST

/* Evidence: the newest three lines, about the right file. */
START_TEST(support)
{
    struct log_line said[] = {
        { .source = (char *)"/var/log/auth.log",
          .text = (char *)"1 Could not load host key: /etc/ssh/ssh_host_rsa_key" },
        { .source = (char *)"/var/log/auth.log",
          .text = (char *)"2 Could not load host key: /etc/ssh/ssh_host_dsa_key" },
        { .source = (char *)"/var/log/auth.log",
          .text = (char *)"3 Could not load host key: /etc/ssh/ssh_host_rsa_key" },
        { .source = (char *)"/var/log/auth.log", .text = (char *)"4 Accepted publickey" },
    };
    const struct logs logs = { .lines = said, .count = ARRAY_SIZE(said) };
    struct finding one = { .check = check_named("hostkey-missing"),
                           .path = (char *)"/etc/ssh/ssh_host_rsa_key" };
    struct findings findings = { .items = &one, .count = 1 };

    findings_support(&findings, &logs);
    ck_assert_ptr_nonnull(one.evidence);
    ck_assert_ptr_nonnull(strstr(one.evidence[0], ": 3 "));
    ck_assert_ptr_nonnull(strstr(one.evidence[1], ": 1 "));
    ck_assert_ptr_null(one.evidence[2]);
    text_list_free(&one.evidence);
}
END_TEST

Suite *suite_findings_symptoms(void)
{
    Suite *suite = suite_create("findings: symptoms");
    TCase *tcase = tcase_create("symptoms");

    ADD_TABLE(tcase, line, lines);
    ADD(tcase, rows);
    ADD(tcase, support);
    suite_add_tcase(suite, tcase);
    return suite;
}

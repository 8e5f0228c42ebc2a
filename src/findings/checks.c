/* SPDX-License-Identifier: MIT */
/*
 * All that this program can find, one row each. Facts: openssh-portable, the tags
 * V_5_3_P1 to V_10_5_P1, and the distributions' packages.
 */
#include "findings/look.h"

const struct check checks[] = {
    { "hostkey-none", SEVERITY_FATAL, POLICY_ASK, REMEDY_NONE, "sshd has no host key it can use",
      "sshd ends at once with \"no hostkeys available -- exiting\", or, where it is built with "
      "GSSAPI, lets every client down with \"No supported key exchange algorithms\". Nobody can "
      "log in. Mending the keys themselves mends this.",
      .look = look_no_key },
    { "hostkey-not-a-file", SEVERITY_WARNING, POLICY_NEVER, REMEDY_NONE,
      "a host key is not a regular file",
      "A directory, a FIFO, a device, a link that leads nowhere or a huge file stands where the "
      "private key should be. What it is good for cannot be told from here, so nothing at all is "
      "changed: move it away, or point the link at the key, and run again.",
      .blocks = true, .look = look_not_a_file },
    { "hostkey-elsewhere", SEVERITY_WARNING, POLICY_NEVER, REMEDY_NONE,
      "a host key is not on this file system",
      "sshd looks for it in a directory that this disk does not have, or that is on another file "
      "system. It cannot be judged from here; name that file system's disk, or mount it there.",
      .look = look_elsewhere },
    { "hostkey-missing", SEVERITY_WARNING, POLICY_ASK, REMEDY_REPLACE, "a host key is missing",
      "sshd starts without it as long as another key is left, but clients that know only this "
      "one see \"Host key verification failed\". A proven copy that matches the surviving .pub is "
      "put back and nobody notices; else a new key is made, and clients have to accept it once.",
      .look = look_missing },
    { "hostkey-empty", SEVERITY_WARNING, POLICY_ASK, REMEDY_REPLACE, "a host key is empty",
      "Zero bytes, or nothing but NUL: what a power cut leaves of a file that was never synced. "
      "Debian and Ubuntu never make it anew. A proven copy is put back, else a new key is made.",
      .look = look_empty },
    { "hostkey-corrupt", SEVERITY_WARNING, POLICY_ASK, REMEDY_REPLACE, "a host key is corrupt",
      "sshd cannot load it, or loads it and cannot sign with it: \"sshd -t\" passes on a private "
      "number with a flipped bit, and every client that asks for this key is let down. Nothing on "
      "the machine would ever make it anew. A proven copy is put back, else a new key is made.",
      .look = look_corrupt },
    { "hostkey-stops-sshd", SEVERITY_FATAL, POLICY_ASK, REMEDY_NONE,
      "a damaged key of protocol 1 stops sshd",
      "sshd before 6.7 takes a key of protocol 1 that breaks off for an error of its own, and ends "
      "with \"buffer_get_bignum: buffer error\" or \"bad plaintext length\"; where HostKey names "
      "the "
      "file, whatever Protocol says. Mending the key itself mends this.",
      .look = look_stops_sshd },
    { "hostkey-wrapped", SEVERITY_WARNING, POLICY_AUTO, REMEDY_REWRAP,
      "a host key is sound but badly wrapped",
      "Its lines end with CR LF, its last newline is missing, something stands in front of its "
      "first line, or it has changed places with its .pub. sshd refuses it; the key itself is "
      "whole, and is written again as sshd wants it. Clients notice nothing.",
      .look = look_wrapped },
    { "hostkey-format", SEVERITY_WARNING, POLICY_AUTO, REMEDY_REWRAP,
      "a host key is in a format this sshd cannot read",
      "ssh-keygen writes openssh-key-v1 since 7.8, and sshd before 6.5 cannot read it; nor can "
      "sshd before 9.6 read Ed25519 as PKCS#8. The same key is written in a format that this sshd "
      "reads. Clients notice nothing.",
      .look = look_format },
    { "hostkey-encrypted", SEVERITY_WARNING, POLICY_ASK, REMEDY_REPLACE,
      "a host key is protected by a passphrase",
      "Nobody can type it for sshd, so the key is never loaded. A proven copy without passphrase "
      "is put back, else a new key is made. Who knows the passphrase keeps the identity by "
      "removing it: ssh-keygen -p -f KEY.",
      .look = look_encrypted },
    { "hostkey-short", SEVERITY_WARNING, POLICY_ASK, REMEDY_REPLACE,
      "an RSA host key is shorter than this sshd accepts",
      "sshd skips it with \"Invalid key length\" (1024 bits since 7.6, or RequiredRSASize since "
      "9.1). A new key is made, and clients have to accept it once.",
      .look = look_short },
    { "hostkey-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "a private host key can be read by others",
      "Where root owns it, sshd ignores it: \"UNPROTECTED PRIVATE KEY FILE!\". Where somebody "
      "else owns it, sshd loads it, and whoever read it can pose as this host. Mode and owner are "
      "set, the mode first. Whether the key has been copied cannot be told: think about a new one.",
      .look = look_open },
    { "hostkey-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "a private host key does not belong to root",
      "Its owner can read and replace it, and with it pose as this host. Mode and owner are set, "
      "the mode first: given to root as it is, a key that others may read would be refused.",
      .look = look_owner },
    { "hostkey-acl", SEVERITY_WARNING, POLICY_AUTO, REMEDY_ACL,
      "a private host key has an access control list",
      "It lets others read the key, and shows up as group permissions, for which sshd refuses the "
      "key. It is removed.",
      .look = look_acl },
    { "hostkey-pub-missing", SEVERITY_WARNING, POLICY_AUTO, REMEDY_PUB,
      "the .pub of a host key is missing or damaged",
      "sshd serves without it, but sshd 8.0 to 8.2 complain about a damaged one at every start, "
      "and cloud-init and monitoring read it. It is derived from the private key.",
      .look = look_pub_missing },
    { "hostkey-pub-mismatch", SEVERITY_WARNING, POLICY_AUTO, REMEDY_PUB,
      "the .pub of a host key belongs to another key",
      "sshd before 8.4 announces the wrong key to clients that update their known_hosts; later "
      "ones complain at every start. It is derived from the private key anew.",
      .look = look_pub_mismatch },
    { "hostkey-pub-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "the .pub of a host key can be written by others",
      "Whoever writes it can make sshd before 8.4 announce a key that is not its own. The mode is "
      "set to 0644.",
      .look = look_open },
    { "hostkey-pub-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "the .pub of a host key does not belong to root",
      "Its owner can make sshd before 8.4 announce a key that is not its own. Mode and owner are "
      "set.",
      .look = look_owner },
    { "hostkey-weak", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE, "an RSA host key is short",
      "Fewer than 2048 bits: this sshd serves it, some clients refuse it. It is left alone, since "
      "replacing it changes the host's identity; --keys=all makes new ones.",
      .look = look_weak },
    { "hostkey-retired", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "a host key is of a type this sshd does not load",
      "DSA is gone from sshd with 9.8, protocol 1 and its RSA1 key with 7.4. Before that, Protocol "
      "says what is spoken; since 5.4 it is 2 alone where nothing is said. The init scripts of "
      "Enterprise Linux 5 and 6 make an RSA1 key all the same. In FIPS mode, Enterprise Linux "
      "loads "
      "and makes no Ed25519 key. The file does no harm; it is left alone.",
      .look = look_retired },
    { "hostkey-unknown-type", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "a host key is of a type this program does not know",
      "It may be newer than this program. It is left alone, whatever is asked for.",
      .look = look_unknown_type },
    { "hostkey-cert-mismatch", SEVERITY_WARNING, POLICY_NEVER, REMEDY_NONE,
      "a certificate of a host key cannot serve",
      "HostCertificate names what is missing, damaged, no certificate, one for another key (\"No "
      "matching private key for certificate\") or one for a user. sshd logs it and starts; clients "
      "that trust the authority alone see an unknown key, all others notice nothing. Only the "
      "authority can make another one: ssh-keygen -s CA -h -I NAME -n HOST KEY.pub.",
      .look = look_cert_mismatch },
    { "hostkey-cert-expired", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "a certificate of a host key is not valid at this time",
      "sshd does not look at the dates, but clients do, by their own clock: they say \"Certificate "
      "invalid: expired\" and go on with the plain key, which those that trust the authority alone "
      "do not know. Judged by the clock of this system, or by the newest files of that one where "
      "they are newer. Have the authority sign the key again.",
      .look = look_cert_expired },
    { "hostkey-shared", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "another system has the same host key",
      "A clone, or several machines behind one address that share it on purpose: sshd serves it, "
      "and whoever is root on one of them can pose as the other. Told only where both are looked "
      "at in one run; snapshots of one machine (same machine-id, same host name) are not meant. "
      "Never changed by itself: --keys=all makes new ones for a clone, and clients have to accept "
      "them once.",
      .look = look_shared },
    { "hostkey-changed", SEVERITY_WARNING, POLICY_ASK, REMEDY_PREVIOUS,
      "a host key is not the one that clients know",
      "Told only where --known-hosts or --fingerprint say what clients know: \"REMOTE HOST "
      "IDENTIFICATION HAS CHANGED\", and they refuse it. The key of before may still be on the "
      "disk: recover, or repair with --recover=always, searches for it and puts it in the place of "
      "the one that would serve. That is never done by itself. Else give the clients the new one: "
      "sshmend keys --known-hosts NAME.",
      .look = look_changed },
    { "config-missing", SEVERITY_FATAL, POLICY_ASK, REMEDY_WISH,
      "the configuration of sshd is missing",
      "sshd ends at once: \"/etc/ssh/sshd_config: No such file or directory\". The package's own "
      "copy is put back, else one that was left beside it, else the distribution's usual "
      "settings. What had been configured by hand is lost: look through it after the next login.",
      .look = look_config_missing },
    { "config-empty", SEVERITY_WARNING, POLICY_ASK, REMEDY_WISH,
      "the configuration of sshd is empty or destroyed",
      "Empty, sshd starts with its built-in settings: no PAM, no sftp. Full of NUL bytes, as after "
      "a power cut, it does not start at all. Another one is put in its place, as for "
      "config-missing.",
      .look = look_config_empty },
    { "config-encoding", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "the configuration of sshd holds what is no text of it",
      "A byte order mark, NUL bytes, or the marks of a merge: \"Bad configuration option\", and "
      "sshd does not start. The mark and the bytes go; of a merge, one side stays and the other "
      "becomes a comment.",
      .look = look_config_encoding },
    { "config-unknown-option", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "the configuration of sshd has an option that this sshd does not know",
      "\"Bad configuration option\", and sshd does not start: a misspelling, an option of a newer "
      "release, of another distribution, or one that is gone. The line becomes a comment.",
      .look = look_config_unknown },
    { "config-bad-value", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "the configuration of sshd has a value that this sshd refuses",
      "sshd does not start. The line becomes a comment, so that sshd's own default holds; where "
      "that would let in who was kept out, it is left for a human to correct.",
      .look = look_config_value },
    { "config-bad-algorithm", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "the configuration of sshd names an algorithm that this sshd does not know",
      "\"Bad SSH2 cipher spec\", \"Bad key types\" and the like, and sshd does not start: often "
      "after an upgrade that removed it. The name alone is taken out of the list.",
      .look = look_config_algorithm },
    { "config-misplaced", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "the configuration of sshd has an option where it is not allowed",
      "\"Directive is not allowed within a Match block\", and sshd does not start: often a line "
      "that was appended to a file which ends with a Match block. It moves above the first one.",
      .look = look_config_misplaced },
    { "config-bad-match", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "the configuration of sshd has a Match that this sshd does not understand",
      "sshd does not start. The whole block becomes a comment: its lines alone would hold for "
      "everybody.",
      .look = look_config_match },
    { "config-duplicate", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "the configuration of sshd defines a subsystem twice",
      "\"Subsystem already defined\": sshd before 9.5 does not start. The second one becomes a "
      "comment.",
      .look = look_config_duplicate },
    { "config-include", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "the configuration of sshd includes what cannot be read",
      "A link that leads nowhere among the files that Include matches, or files that include each "
      "other: sshd does not start. The link, or the line, is taken out of the way.",
      .look = look_config_include },
    { "config-no-common-key", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "HostKeyAlgorithms leaves none of the host keys",
      "\"sshd -t\" passes and sshd starts, but every connection dies: \"no matching host key "
      "type\", or \"No supported key exchange algorithms\". The line becomes a comment, so that "
      "sshd's own list holds; a crypto policy is left alone: the keys have to follow it, or "
      "update-crypto-policies --set another one.",
      .look = look_config_no_common_key },
    { "config-deprecated", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "the configuration of sshd has an option that is of no effect any more",
      "sshd logs it and starts. It is left alone.", .look = look_config_deprecated },
    { "config-policy", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "the configuration of sshd keeps some people out",
      "Legal, and probably meant so: never changed. If you are the one who is kept out, this is "
      "why.",
      .look = look_config_policy },
    { "config-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "a configuration file of ssh can be written by others",
      "sshd does not look at its mode, but whoever can write it can run programs as root; and "
      "the ssh client dies with \"Bad owner or permissions\" on drop-ins like that.",
      .look = look_open },
    { "config-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "a configuration file of ssh does not belong to root",
      "Its owner can run programs as root with it. Mode and owner are set.", .look = look_owner },
    { "config-closed", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "a directory of ssh has lost its x bits",
      "A directory that can be listed has lost the x bits to pass it, as a chmod -R of files does. "
      "They are put back.",
      .look = look_closed },
    { "moduli-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "/etc/ssh/moduli can be written by others",
      "sshd does not look at its mode, but whoever can write it can weaken the key exchange.",
      .look = look_open },
    { "moduli-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "/etc/ssh/moduli does not belong to root",
      "Its owner can weaken the key exchange. Mode and owner are set.", .look = look_owner },
    { "privsep-open", SEVERITY_FATAL, POLICY_AUTO, REMEDY_MODE,
      "the privilege separation directory can be written by others",
      "sshd does not start: \"must be owned by root and not group or world-writable\".",
      .look = look_open },
    { "privsep-owner", SEVERITY_FATAL, POLICY_AUTO, REMEDY_OWNER,
      "the privilege separation directory does not belong to root",
      "sshd does not start: \"must be owned by root and not group or world-writable\".",
      .look = look_owner },
    { "moduli-missing", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE, "/etc/ssh/moduli is missing",
      "sshd falls back to a fixed group; clients notice nothing.", .look = look_moduli_missing },
    { "moduli-damaged", SEVERITY_WARNING, POLICY_ASK, REMEDY_WISH,
      "/etc/ssh/moduli holds nothing that sshd can use",
      "Since 10.0 an empty one is worse than none: clients that want a group exchange are let "
      "down. A copy is put back where there is one; else the file goes, and sshd uses a fixed "
      "group.",
      .look = look_moduli_damaged },
    { "privsep-missing", SEVERITY_FATAL, POLICY_AUTO, REMEDY_WISH,
      "the privilege separation directory is missing",
      "sshd does not start: \"Missing privilege separation directory\". It is made anew, empty and "
      "root's.",
      .look = look_privsep_missing },
    { "privsep-user-missing", SEVERITY_FATAL, POLICY_AUTO, REMEDY_EDIT,
      "the privilege separation user is missing",
      "sshd does not start: \"Privilege separation user sshd does not exist\". Its line is put "
      "back "
      "into passwd, as the package would write it, and its group into group.",
      .look = look_privsep_user },
    { "sshd-missing", SEVERITY_FATAL, POLICY_NEVER, REMEDY_NONE,
      "there is no sshd program on this system",
      "Reinstall openssh-server; keys and configuration are mended regardless.",
      .look = look_sshd_missing },
    { "sshd-helper-missing", SEVERITY_FATAL, POLICY_NEVER, REMEDY_NONE,
      "a program that sshd needs is missing",
      "Since 9.8 sshd runs sshd-session for every connection, since 10.0 sshd-auth too: \"does not "
      "exist or is not executable\", and it does not start; \"sshd -t\" passes all the same. "
      "Reinstall openssh-server.",
      .look = look_helper_missing },
    { "sshd-library-missing", SEVERITY_FATAL, POLICY_AUTO, REMEDY_WISH,
      "a shared library that sshd needs is missing",
      "\"error while loading shared libraries\": sshd does not start, or every connection is "
      "reset. Where only the link to the library is lost, it is made anew; else reinstall the "
      "package that is named.",
      .look = look_library_missing },
    { "sshd-library-cache", SEVERITY_FATAL, POLICY_AUTO, REMEDY_WISH,
      "a shared library that sshd needs is not in ld.so.cache",
      "ld.so never reads ld.so.conf: what stands in a directory named there alone is found by the "
      "cache that ldconfig makes. It is missing, destroyed or older than the library: \"error "
      "while "
      "loading shared libraries\". A link is made where ld.so looks without it; after the next "
      "boot, run ldconfig, and remove the link.",
      .look = look_library_cache },
    { "sshd-not-executable", SEVERITY_FATAL, POLICY_AUTO, REMEDY_MODE,
      "a program of sshd cannot be executed",
      "systemd says status=203/EXEC. Its mode is set to 0755, as every package ships it.",
      .look = look_closed },
    { "sshd-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "a program or library of sshd can be written by others",
      "Whoever can write it is root at the next login. The bits are taken away.",
      .look = look_open },
    { "sshd-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "a program or library of sshd does not belong to root",
      "Its owner is root at the next login. Mode and owner are set.", .look = look_owner },
    { "sshd-distribution-unknown", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "this distribution is not known",
      "Modes, owners and files are judged by what every sshd accepts.",
      .look = look_distribution_unknown },
    { "sshd-version-unknown", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "the release of sshd cannot be told",
      "Neither the program nor the package database names it. Keys are judged as a present-day "
      "sshd would.",
      .look = look_version_unknown },
    { "service-missing", SEVERITY_FATAL, POLICY_ASK, REMEDY_WISH,
      "nothing starts sshd: its unit or init script is missing",
      "A plain unit is written below /etc/systemd/system. Reinstall openssh-server to have the "
      "package's own again, and remove ours then.",
      .look = look_service_missing },
    { "service-masked", SEVERITY_FATAL, POLICY_ASK, REMEDY_WISH, "the unit of sshd is masked",
      "Somebody, or a script, did \"systemctl mask\": sshd is not started. The mask is removed.",
      .look = look_service_masked },
    { "service-disabled", SEVERITY_FATAL, POLICY_ASK, REMEDY_WISH, "sshd is not started at boot",
      "Its unit or init script is there, but nothing wants it. The link is made that "
      "\"systemctl enable\", update-rc.d, chkconfig or rc-update makes.",
      .look = look_service_disabled },
    { "service-blocked", SEVERITY_FATAL, POLICY_ASK, REMEDY_WISH,
      "a condition of the unit keeps sshd from being started",
      "systemd passes over the unit without a word of failure. /etc/ssh/sshd_not_to_be_run is "
      "removed; any other condition is for a human.",
      .look = look_service_blocked },
    { "service-environment", SEVERITY_FATAL, POLICY_AUTO, REMEDY_WISH,
      "a file that the unit of sshd must have is missing",
      "\"Failed to load environment files\": on Enterprise Linux 7 /etc/sysconfig/sshd is "
      "mandatory. It is made anew, with nothing but a comment in it.",
      .look = look_service_environment },
    { "service-program", SEVERITY_FATAL, POLICY_NEVER, REMEDY_NONE,
      "the unit of sshd calls a program that is not there",
      "systemd says status=203/EXEC. Correct the unit, or its drop-in below /etc/systemd/system.",
      .look = look_service_program },
    { "service-target", SEVERITY_FATAL, POLICY_ASK, REMEDY_WISH,
      "the system boots into a target without sshd",
      "default.target leads to rescue, emergency or the like. It leads to multi-user.target "
      "again.",
      .look = look_service_target },
    { "login-accounts-lost", SEVERITY_FATAL, POLICY_ASK, REMEDY_WISH,
      "passwd, group or shadow is lost",
      "Without root and its own user in passwd sshd does not start, without shadow PAM lets nobody "
      "in. The newest whole copy that has root, and sshd's user, is put back (passwd-, "
      "/var/backups/passwd.bak and the like); everything else is judged by it in the same repair. "
      "Accounts and passwords that have changed since the copy are as they were then.",
      .look = look_accounts_lost },
    { "login-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "others can write where a user's authorized keys are",
      "With StrictModes, the default, sshd refuses the user's keys: \"bad ownership or modes\". "
      "The home keeps its mode but for what is refused; .ssh gets 0700, the keys 0600.",
      .look = look_open },
    { "login-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "a user's authorized keys belong to somebody else",
      "With StrictModes, the default, sshd refuses the user's keys: \"bad ownership or modes\". "
      "Owner and group are set by the system's own passwd.",
      .look = look_owner },
    { "login-closed", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "a user cannot reach the own authorized keys",
      "sshd reads them as that user. The missing bits are put back.", .look = look_closed },
    { "login-nologin", SEVERITY_WARNING, POLICY_ASK, REMEDY_WISH,
      "/etc/nologin keeps everybody but root out",
      "A shutdown that did not end, or maintenance that did. The file is removed.",
      .look = look_nologin },
    { "login-hosts-deny", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "hosts.deny refuses every client",
      "This sshd is linked with libwrap, and hosts.allow names nobody for it: connections are "
      "reset before sshd says a word. The line becomes a comment.",
      .look = look_hosts_deny },
    { "login-hosts-some", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "only clients that hosts.allow names are let in",
      "Legal, and probably meant so: never changed. If your client is not among them, this is why.",
      .look = look_hosts_some },
    { "login-shell", SEVERITY_WARNING, POLICY_ASK, REMEDY_EDIT,
      "the login shell of a user is missing",
      "\"User not allowed because shell does not exist\". Where it is an interactive one, passwd "
      "gets /bin/bash, or /bin/sh where that is missing too; any other is left to a human.",
      .look = look_shell },
    { "login-program-closed", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "users cannot run what a login needs",
      "A shell without its x bits, a library that only root can read: \"shell is not "
      "executable\", or the session ends at once. The bits are put back.",
      .look = look_closed },
    { "login-pam-missing", SEVERITY_FATAL, POLICY_ASK, REMEDY_WISH, "PAM has no stack for sshd",
      "/etc/pam.d/sshd is missing or says nothing, so that \"other\" stands in, which lets nobody "
      "in on most distributions. A copy is put back, else the distribution's usual one.",
      .look = look_pam_missing },
    { "login-pam-include", SEVERITY_FATAL, POLICY_NEVER, REMEDY_NONE,
      "PAM's stack for sshd includes one that is missing",
      "Nobody gets in. Reinstall the package it belongs to (Debian: pam-auth-update; Enterprise "
      "Linux: authconfig or authselect).",
      .look = look_pam_include },
    { "login-pam-module", SEVERITY_FATAL, POLICY_NEVER, REMEDY_NONE,
      "PAM's stack for sshd needs a module that is missing",
      "\"PAM unable to dlopen\": nobody gets in. Reinstall the package it belongs to.",
      .look = look_pam_module },
    { "login-keys-damaged", SEVERITY_WARNING, POLICY_AUTO, REMEDY_EDIT,
      "a user's authorized keys begin with a byte order mark",
      "sshd passes over the first key. The three bytes are taken away.", .look = look_keys_bom },
    { "login-keys-encoding", SEVERITY_WARNING, POLICY_ASK, REMEDY_WISH,
      "a user's authorized keys are UTF-16",
      "Saved by an editor of another system: sshd finds no key in them. The same text is written "
      "as UTF-8, where all of it is UTF-16 and a key is among it. Who could not log in with these "
      "keys can do so afterwards: look through them.",
      .look = look_keys_utf16 },
    { "login-keys-none", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "a user's authorized keys hold no key that sshd can read",
      "Empty, NUL bytes, damaged UTF-16, or lines that are no keys. sshmend authorize adds one.",
      .look = look_keys_none },
    { "login-keys-revoked", SEVERITY_FATAL, POLICY_ASK, REMEDY_EDIT,
      "the list of revoked keys cannot be read",
      "sshd refuses every key as long as the file that RevokedKeys names is missing. The line "
      "becomes a comment: put the list back and the line in again, since the keys in it are "
      "accepted until then.",
      .look = look_keys_revoked },
    { "login-named-missing", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "a file that the configuration of sshd names is missing",
      "Banner: nothing is shown. TrustedUserCAKeys: certificates of users are refused. "
      "AuthorizedKeysCommand: the keys it would tell are refused. ChrootDirectory: the sessions it "
      "is for end at once.",
      .look = look_named_missing },
    { "login-command-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "AuthorizedKeysCommand or AuthorizedPrincipalsCommand can be written by others",
      "\"Unsafe AuthorizedKeysCommand\": sshd does not run it, or one that is below a directory "
      "others can write. Keys that it would tell are refused, or certificates of users; those in "
      "authorized_keys still work. The bits are taken away.",
      .look = look_open },
    { "login-command-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "AuthorizedKeysCommand or AuthorizedPrincipalsCommand does not belong to root",
      "\"Unsafe AuthorizedKeysCommand\": sshd does not run it; keys in authorized_keys still work. "
      "Mode and owner are set.",
      .look = look_owner },
    { "login-chroot-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "a ChrootDirectory can be written by others",
      "\"bad ownership or modes for chroot directory\": the session ends at once. The bits are "
      "taken away.",
      .look = look_open },
    { "login-chroot-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "a ChrootDirectory does not belong to root",
      "\"bad ownership or modes for chroot directory\": the session ends at once. Owner and mode "
      "are set.",
      .look = look_owner },
    { "login-chroot-user", SEVERITY_WARNING, POLICY_NEVER, REMEDY_NONE,
      "the ChrootDirectory of a user is one that sshd refuses",
      "\"bad ownership or modes for chroot directory component\": it and every directory above it "
      "must be there, be root's, and be written by nobody else. Told for a ChrootDirectory with "
      "%h, %u or %U that holds for everybody, or by a Match of users or groups alone. Never "
      "changed: it may be somebody's home. Give it to root, and the user a directory in it.",
      .look = look_chroot_user },
    { "login-file-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "a file that decides about logins is open to others",
      "passwd, shadow, PAM's stacks, sudoers: who can write them can become anybody, who can read "
      "shadow can guess passwords. The bits are taken away.",
      .look = look_open },
    { "login-file-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "a file that decides about logins does not belong to root",
      "Its owner can become anybody. Mode and owner are set.", .look = look_owner },
    { "login-file-closed", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "a file that every session reads cannot be read",
      "Users have no name, no profile, and no way to look up hosts. The bits are put back.",
      .look = look_closed },
    { "selinux-label", SEVERITY_WARNING, POLICY_AUTO, REMEDY_LABEL,
      "a file that sshd reads has the wrong SELinux label",
      "An enforcing policy keeps sshd from reading it. It gets the label that the system's own "
      "policy has for it.",
      .look = look_label },
    { "fs-open", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "a system directory can be written by others",
      "Everybody on the machine could replace what sshd trusts. The bits are taken away.",
      .look = look_open },
    { "fs-owner", SEVERITY_WARNING, POLICY_AUTO, REMEDY_OWNER,
      "a system directory does not belong to root",
      "Its owner could replace what sshd trusts. Mode and owner are set.", .look = look_owner },
    { "fs-closed", SEVERITY_WARNING, POLICY_AUTO, REMEDY_MODE,
      "users cannot pass a system directory",
      "Without its x bits nobody but root reaches anything below it: logins fail. They are put "
      "back.",
      .look = look_closed },
    { "fs-errors", SEVERITY_WARNING, POLICY_NEVER, REMEDY_NONE,
      "the file system says of itself that it has errors",
      "Writing to it could make it worse. Mend it first (ext4: e2fsck -f), then run again.",
      .blocks = true, .look = look_errors },
    { "fs-journal", SEVERITY_NOTE, POLICY_AUTO, REMEDY_NONE,
      "the file system was not unmounted cleanly",
      "Its journal holds changes that are not in place yet. check does not replay it, since that "
      "would write to the disk, so it may see an older state; without mounting, it reads an ext4 "
      "through its journal, and says so. repair replays it, and looks again before it changes "
      "anything.",
      .look = look_journal },
    { "fs-read-only", SEVERITY_WARNING, POLICY_NEVER, REMEDY_NONE,
      "the file system cannot be written",
      "It is mounted read-only, or it is a read-only snapshot.", .blocks = true,
      .look = look_read_only },
    { "fs-full", SEVERITY_WARNING, POLICY_NEVER, REMEDY_NONE, "the file system is full",
      "sshd comes up, but logs, sessions and this program have no room. Remove what is not "
      "needed (old logs, package caches), then run again.",
      .look = look_full },
    { "fs-tree-modes", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "modes or owners of the whole tree have been changed",
      "A chmod -R or chown -R that went too far. What sshd and a login need is mended; the rest, "
      "setuid programs like su and sudo first of all, is for the package manager of the booted "
      "system. Enterprise Linux, SUSE: rpm --setugids -a; rpm --setperms -a. Debian: "
      "apt-get install --reinstall, for all packages.",
      .look = look_tree_modes },
    { "fs-run-unfinished", SEVERITY_NOTE, POLICY_AUTO, REMEDY_NONE,
      "a repair of this program was interrupted",
      "The next repair puts back what it had changed before it does anything else; undo does the "
      "same.",
      .look = look_unfinished },
    { "fs-mode-differs", SEVERITY_NOTE, POLICY_AUTO, REMEDY_STRICT,
      "a mode is not the distribution's own",
      "sshd does not mind. With --strict it is set to what the package ships.", .strict = true,
      .look = look_mode_differs },
    { "boot-keys-deleted", SEVERITY_NOTE, POLICY_ASK, REMEDY_WISH,
      "cloud-init deletes the host keys when this disk boots as a new instance",
      "ssh_deletekeys is on unless somebody turns it off. The same instance keeps its keys; an "
      "image or a snapshot that is launched anew gets new ones. --keep-keys writes the one "
      "drop-in that keeps them.",
      .keeps_keys = true, .look = look_boot_deletes },
    { "boot-no-generator", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "nothing on this system would make host keys at boot",
      "Debian and Ubuntu make them when openssh-server is installed, and never again: deleting "
      "them and rebooting leaves sshd without any.",
      .look = look_boot_no_generator },
    { "boot-generator-off", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "what would make host keys at boot is kept from it",
      "Do not rely on the next boot to make lost keys.", .look = look_boot_generator_off },
    { "boot-guest-agent", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "a guest agent makes new host keys for a new instance",
      "Booted as the same instance, the keys stay.", .look = look_boot_agent },
    { 0 },
};

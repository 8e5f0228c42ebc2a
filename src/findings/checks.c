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
      "a host key is of a type this sshd no longer loads",
      "DSA is gone from sshd with 9.8. The file does no harm; it is left alone.",
      .look = look_retired },
    { "hostkey-unknown-type", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "a host key is of a type this program does not know",
      "It may be newer than this program. It is left alone, whatever is asked for.",
      .look = look_unknown_type },
    { "config-missing", SEVERITY_FATAL, POLICY_NEVER, REMEDY_NONE,
      "the configuration of sshd is missing",
      "sshd ends at once: \"/etc/ssh/sshd_config: No such file or directory\". Put back the "
      "package's own copy (Debian: /usr/share/openssh/sshd_config).",
      .look = look_config_missing },
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
    { "privsep-missing", SEVERITY_FATAL, POLICY_NEVER, REMEDY_NONE,
      "the privilege separation directory is missing",
      "sshd does not start: \"Missing privilege separation directory\". Make it, owned by root, "
      "mode 0711, or reinstall openssh-server.",
      .look = look_privsep_missing },
    { "sshd-missing", SEVERITY_FATAL, POLICY_NEVER, REMEDY_NONE,
      "there is no sshd program on this system",
      "Reinstall openssh-server; keys and configuration are mended regardless.",
      .look = look_sshd_missing },
    { "sshd-version-unknown", SEVERITY_NOTE, POLICY_NEVER, REMEDY_NONE,
      "the release of sshd cannot be told",
      "Neither the program nor the package database names it. Keys are judged as a present-day "
      "sshd would.",
      .look = look_version_unknown },
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
      "would write to the disk, so it may see an older state; repair replays it, and looks again "
      "before it changes anything.",
      .look = look_journal },
    { "fs-read-only", SEVERITY_WARNING, POLICY_NEVER, REMEDY_NONE,
      "the file system cannot be written",
      "It is mounted read-only, or it is a read-only snapshot.", .blocks = true,
      .look = look_read_only },
    { "fs-run-unfinished", SEVERITY_NOTE, POLICY_AUTO, REMEDY_NONE,
      "a repair of this program was interrupted",
      "The next repair puts back what it had changed before it does anything else; undo does the "
      "same.",
      .look = look_unfinished },
    { "fs-mode-differs", SEVERITY_NOTE, POLICY_AUTO, REMEDY_STRICT,
      "a mode is not the distribution's own",
      "sshd does not mind. With --strict it is set to what the package ships.", .strict = true,
      .look = look_mode_differs },
    { 0 },
};

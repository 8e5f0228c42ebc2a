/* SPDX-License-Identifier: MIT */
/*
 * Sources: the packages' own spec files, rules and maintainer scripts (Debian
 * 9.2p1-2+deb12u10 and 10.0p1-7, Ubuntu 9.6p1-3ubuntu13, EL 7.4p1-21, 8.0p1-19,
 * 8.7p1-34, Fedora 9.3p1-11, openSUSE's, Arch's PKGBUILD, Alpine's APKBUILD).
 * Amazon Linux, Alibaba Cloud Linux and Anolis follow the EL release they are
 * built from. The first row that fits wins.
 */
#include "inspect/profile.h"

#include "base/alloc.h"
#include "base/text.h"
#include "hostkey/hostkey.h"
#include "inspect/inspection.h"

#include <stdlib.h>
#include <string.h>

#define THREE_TYPES "ssh_host_rsa_key ssh_host_ecdsa_key ssh_host_ed25519_key"
/* Enterprise Linux 7 to 9: sshd is patched to load keys that the group ssh_keys may read. */
#define EL_KEYS(types, privsep)                                                                    \
    .key_types = (types), .key_mode = 0640, .key_group = "ssh_keys", .config_mode = 0600,          \
    .moduli_mode = 0644, .privsep_dir = (privsep), .privsep_mode = 0711

#define EL_IDS "rhel centos rocky almalinux ol scientific"

static const struct profile profiles[] = {
    { .name = "Debian",
      .ids = "debian ubuntu raspbian",
      .key_types = THREE_TYPES,
      .key_mode = 0600,
      .key_group = "root",
      .config_mode = 0644,
      .moduli_mode = 0644,
      .user_groups = true },
    { .name = "Amazon Linux 1",
      .ids = "amzn",
      .first = 2010,
      .last = 2018,
      .openssh = OPENSSH(7, 4),
      .key_types = THREE_TYPES,
      .key_mode = 0600,
      .key_group = "root",
      .config_mode = 0600,
      .moduli_mode = 0600,
      .privsep_dir = "/var/empty/sshd",
      .privsep_mode = 0711 },
    { .name = "Amazon Linux 2",
      .ids = "amzn",
      .first = 2,
      .last = 2,
      .openssh = OPENSSH(7, 4),
      EL_KEYS(THREE_TYPES, "/var/empty/sshd") },
    { .name = "Amazon Linux 2023",
      .ids = "amzn",
      .openssh = OPENSSH(8, 7),
      EL_KEYS("ssh_host_ecdsa_key ssh_host_ed25519_key", "/usr/share/empty.sshd") },
    { .name = "Alibaba Cloud Linux 2",
      .ids = "alinux",
      .last = 2,
      .openssh = OPENSSH(7, 4),
      EL_KEYS(THREE_TYPES, "/var/empty/sshd") },
    { .name = "Anolis 7",
      .ids = "anolis",
      .first = 7,
      .last = 7,
      .openssh = OPENSSH(7, 4),
      EL_KEYS(THREE_TYPES, "/var/empty/sshd") },
    { .name = "Alibaba Cloud Linux 3, Anolis 8",
      .ids = "alinux anolis",
      .openssh = OPENSSH(8, 0),
      EL_KEYS(THREE_TYPES, "/var/empty/sshd") },
    { .name = "Enterprise Linux 6",
      .ids = EL_IDS,
      .first = 5,
      .last = 6,
      .openssh = OPENSSH(5, 3),
      .key_types = "ssh_host_rsa_key ssh_host_dsa_key",
      .key_mode = 0600,
      .key_group = "root",
      .config_mode = 0600,
      .moduli_mode = 0600,
      .privsep_dir = "/var/empty/sshd",
      .privsep_mode = 0711 },
    { .name = "Enterprise Linux 7",
      .ids = EL_IDS,
      .first = 7,
      .last = 7,
      .openssh = OPENSSH(7, 4),
      EL_KEYS(THREE_TYPES, "/var/empty/sshd") },
    { .name = "Enterprise Linux 8",
      .ids = EL_IDS,
      .first = 8,
      .last = 8,
      .openssh = OPENSSH(8, 0),
      EL_KEYS(THREE_TYPES, "/var/empty/sshd") },
    { .name = "Enterprise Linux 9",
      .ids = EL_IDS,
      .first = 9,
      .last = 9,
      .openssh = OPENSSH(8, 7),
      EL_KEYS(THREE_TYPES, "/usr/share/empty.sshd") },
    { .name = "Fedora, Enterprise Linux 10",
      .ids = "fedora " EL_IDS,
      .key_types = THREE_TYPES,
      .key_mode = 0600,
      .key_group = "root",
      .config_mode = 0600,
      .moduli_mode = 0644,
      .privsep_dir = "/usr/share/empty.sshd",
      .privsep_mode = 0711 },
    { .name = "SUSE",
      .ids = "sles sled suse opensuse opensuse-leap opensuse-tumbleweed",
      .key_types = THREE_TYPES,
      .key_mode = 0600,
      .key_group = "root",
      .config_mode = 0640,
      .moduli_mode = 0600,
      .vendor_config = "/usr/etc/ssh/sshd_config",
      .privsep_dir = "/var/lib/empty",
      .privsep_mode = 0755 },
    { .name = "Arch",
      .ids = "arch",
      .key_types = THREE_TYPES,
      .key_mode = 0600,
      .key_group = "root",
      .config_mode = 0644,
      .moduli_mode = 0644,
      .privsep_dir = "/usr/share/empty.sshd",
      .privsep_mode = 0755 },
    /* Alpine and Gentoo: the init script makes /var/empty anew. And whoever else there is. */
    { .name = "other",
      .ids = "",
      .key_types = THREE_TYPES,
      .key_mode = 0600,
      .key_group = "root",
      .config_mode = 0644,
      .moduli_mode = 0644 },
};

static bool version_fits(const struct profile *profile, int major)
{
    return (profile->first == 0 || major >= profile->first) &&
           (profile->last == 0 || (major != 0 && major <= profile->last));
}

static const struct profile *find(const char *ids, int major)
{
    auto_free char *copy = xstrdup(ids);
    char *rest = copy, *id;

    while ((id = strsep(&rest, " ")))
        for (size_t i = 0; *id && i < ARRAY_SIZE(profiles); i++)
            if (text_has_word(profiles[i].ids, id) && version_fits(&profiles[i], major))
                return &profiles[i];
    return NULL;
}

const struct profile *profile_of(const struct os *os)
{
    int major = (int)strtol(os->version_id, NULL, 10);
    const struct profile *profile = find(os->id, major);

    if (!profile)
        profile = find(os->id_like, major);
    return profile ? profile : &profiles[ARRAY_SIZE(profiles) - 1];
}

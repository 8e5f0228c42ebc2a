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

/* ---- what families of distributions share ----------------------------------------------- */

/* Include comes first in each of these: it is left out for an sshd before 8.2. */
#define INCLUDE "Include /etc/ssh/sshd_config.d/*.conf\n"

static const char debian_config[] =
    INCLUDE "KbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\nPrintMotd no\n"
            "AcceptEnv LANG LC_*\nSubsystem sftp /usr/lib/openssh/sftp-server\n";

static const char redhat_config[] =
    INCLUDE "HostKey /etc/ssh/ssh_host_rsa_key\nHostKey /etc/ssh/ssh_host_ecdsa_key\n"
            "HostKey /etc/ssh/ssh_host_ed25519_key\nSyslogFacility AUTHPRIV\n"
            "AuthorizedKeysFile .ssh/authorized_keys\nPasswordAuthentication yes\n"
            "ChallengeResponseAuthentication no\nGSSAPIAuthentication yes\n"
            "GSSAPICleanupCredentials no\nUsePAM yes\nX11Forwarding yes\n"
            "Subsystem sftp /usr/libexec/openssh/sftp-server\n";

/* Protocol 2 alone; the keys are those that this sshd looks for by itself. */
static const char redhat6_config[] =
    "Protocol 2\nSyslogFacility AUTHPRIV\nPasswordAuthentication yes\n"
    "ChallengeResponseAuthentication no\nGSSAPIAuthentication yes\nGSSAPICleanupCredentials yes\n"
    "UsePAM yes\nX11Forwarding yes\nSubsystem sftp /usr/libexec/openssh/sftp-server\n";

static const char suse_config[] =
    "AuthorizedKeysFile .ssh/authorized_keys\nUsePAM yes\nX11Forwarding yes\n"
    "Subsystem sftp /usr/lib/ssh/sftp-server\nAcceptEnv LANG LC_*\n";

/* For releases that would speak protocol 1 as well, were they not told. */
static const char suse11_config[] =
    "Protocol 2\nAuthorizedKeysFile .ssh/authorized_keys\nUsePAM yes\nX11Forwarding yes\n"
    "Subsystem sftp /usr/lib64/ssh/sftp-server\nAcceptEnv LANG LC_*\n";

static const char arch_config[] =
    INCLUDE "AuthorizedKeysFile .ssh/authorized_keys\nKbdInteractiveAuthentication no\nUsePAM yes\n"
            "PrintMotd no\nSubsystem sftp /usr/lib/ssh/sftp-server\n";

static const char alpine_config[] =
    INCLUDE "AuthorizedKeysFile .ssh/authorized_keys\nAllowTcpForwarding no\nGatewayPorts no\n"
            "X11Forwarding no\nSubsystem sftp /usr/lib/ssh/sftp-server\n";

static const char gentoo_config[] =
    INCLUDE "PasswordAuthentication no\nUsePAM yes\nPrintMotd no\nPrintLastLog no\n"
            "Subsystem sftp /usr/lib/misc/sftp-server\nAcceptEnv LANG LC_*\n";

static const char debian_pam[] =
    "@include common-auth\naccount required pam_nologin.so\n@include common-account\n"
    "session required pam_loginuid.so\n@include common-session\n"
    "session optional pam_motd.so noupdate\nsession required pam_limits.so\n"
    "session required pam_env.so\n@include common-password\n";

static const char redhat_pam[] =
    "auth substack password-auth\nauth include postlogin\naccount required pam_nologin.so\n"
    "account include password-auth\npassword include password-auth\n"
    "session required pam_loginuid.so\nsession include password-auth\nsession include postlogin\n";

static const char redhat6_pam[] =
    "auth include password-auth\naccount required pam_nologin.so\naccount include password-auth\n"
    "password include password-auth\nsession required pam_loginuid.so\n"
    "session include password-auth\n";

static const char suse_pam[] =
    "auth requisite pam_nologin.so\nauth include common-auth\naccount include common-account\n"
    "password include common-password\nsession required pam_loginuid.so\n"
    "session include common-session\n";

static const char arch_pam[] =
    "auth include system-remote-login\naccount include system-remote-login\n"
    "password include system-remote-login\nsession include system-remote-login\n";

static const char gentoo_pam[] =
    "auth include system-remote-login\naccount include system-remote-login\n"
    "password include system-remote-login\nsession include system-remote-login\n";

#define ROOTS_KEYS .key_mode = 0600, .key_group = "root"
#define RPM_MODES "rpm --setugids -a; rpm --setperms -a"

#define DEBIAN_FAMILY                                                                              \
    ROOTS_KEYS, .config_mode = 0644, .moduli_mode = 0644,                                          \
                .package_config = "/usr/share/openssh/sshd_config",                                \
                .minimal_config = debian_config, .pam = debian_pam,                                \
                .privsep_user = "sshd:x:%u:65534::/run/sshd:/usr/sbin/nologin", .unit = "ssh",     \
                .init_script = "ssh", .logs = "/var/log/auth.log",                                 \
                .reinstall = "apt-get install --reinstall openssh-server", .user_groups = true

/* The user has the same number on all of them (the spec's %pre, then sysusers). */
#define REDHAT_FAMILY(privsep)                                                                     \
    .config_mode = 0600, .minimal_config = redhat_config, .pam = redhat_pam,                       \
    .privsep_dir = (privsep), .privsep_mode = 0711,                                                \
    .privsep_user = "sshd:x:74:74:Privilege-separated SSH:" privsep ":/sbin/nologin",              \
    .privsep_group = "sshd:x:74:", .unit = "sshd", .init_script = "sshd",                          \
    .logs = "/var/log/secure", .set_modes = RPM_MODES

/* Enterprise Linux 7 to 9: sshd is patched to load keys that the group ssh_keys may read. */
#define EL_KEYS(types, privsep)                                                                    \
    REDHAT_FAMILY(privsep), .key_types = (types), .key_mode = 0640, .key_group = "ssh_keys",       \
                            .moduli_mode = 0644, .reinstall = "yum reinstall openssh-server"

#define EL_IDS "rhel centos rocky almalinux ol scientific eurolinux virtuozzo cloudlinux"

#define SUSE_FAMILY                                                                                \
    ROOTS_KEYS, .config_mode = 0640, .moduli_mode = 0600, .pam = suse_pam,                         \
                .privsep_dir = "/var/lib/empty", .privsep_mode = 0755,                             \
                .privsep_user = "sshd:x:%u:%u:SSH daemon:/var/lib/sshd:/usr/sbin/nologin",         \
                .privsep_group = "sshd:x:%u:", .unit = "sshd", .init_script = "sshd",              \
                .logs = "/var/log/messages", .reinstall = "zypper install --force openssh",        \
                .set_modes = RPM_MODES

static const struct profile profiles[] = {
    { .name = "Debian", .ids = "debian ubuntu raspbian", .key_types = THREE_TYPES, DEBIAN_FAMILY },
    { .name = "Amazon Linux 1",
      .ids = "amzn",
      .first = 2010,
      .last = 2018,
      .openssh = OPENSSH(7, 4),
      .key_types = THREE_TYPES,
      ROOTS_KEYS,
      REDHAT_FAMILY("/var/empty/sshd"),
      .moduli_mode = 0600,
      .reinstall = "yum reinstall openssh-server" },
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
    { .name = "Alibaba Cloud Linux 3, Anolis 8, OpenCloudOS 8, TencentOS 3",
      .ids = "alinux anolis opencloudos tencentos",
      .last = 8,
      .openssh = OPENSSH(8, 0),
      EL_KEYS(THREE_TYPES, "/var/empty/sshd") },
    /* Unverified: what they ship is near Fedora's. */
    { .name = "Alibaba Cloud Linux 4, Anolis 23, openEuler",
      .ids = "alinux anolis openEuler openeuler opencloudos tencentos",
      .key_types = THREE_TYPES,
      ROOTS_KEYS,
      REDHAT_FAMILY("/usr/share/empty.sshd"),
      .moduli_mode = 0644,
      .reinstall = "dnf reinstall openssh-server" },
    { .name = "Enterprise Linux 5 and 6",
      .ids = EL_IDS,
      .first = 5,
      .last = 6,
      .openssh = OPENSSH(5, 3),
      .key_types = "ssh_host_key ssh_host_rsa_key ssh_host_dsa_key",
      ROOTS_KEYS,
      .config_mode = 0600,
      .moduli_mode = 0600,
      .minimal_config = redhat6_config,
      .pam = redhat6_pam,
      .privsep_dir = "/var/empty/sshd",
      .privsep_mode = 0711,
      .privsep_user = "sshd:x:74:74:Privilege-separated SSH:/var/empty/sshd:/sbin/nologin",
      .privsep_group = "sshd:x:74:",
      .unit = "sshd",
      .init_script = "sshd",
      .logs = "/var/log/secure",
      .reinstall = "yum reinstall openssh-server",
      .set_modes = RPM_MODES },
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
      ROOTS_KEYS,
      REDHAT_FAMILY("/usr/share/empty.sshd"),
      .moduli_mode = 0644,
      .reinstall = "dnf reinstall openssh-server" },
    /* contrib/suse/rc.sshd of OpenSSH, which its init script is. */
    { .name = "SUSE Linux Enterprise 11",
      .ids = "sles sled",
      .last = 11,
      .key_types = "ssh_host_key ssh_host_rsa_key ssh_host_dsa_key",
      .minimal_config = suse11_config,
      SUSE_FAMILY },
    { .name = "SUSE",
      .ids = "sles sled suse opensuse opensuse-leap opensuse-tumbleweed sle-micro",
      .key_types = THREE_TYPES,
      .vendor_config = "/usr/etc/ssh/sshd_config",
      .minimal_config = suse_config,
      SUSE_FAMILY },
    { .name = "Arch",
      .ids = "arch archarm manjaro endeavouros",
      .key_types = THREE_TYPES,
      ROOTS_KEYS,
      .config_mode = 0644,
      .moduli_mode = 0644,
      .minimal_config = arch_config,
      .pam = arch_pam,
      .privsep_dir = "/usr/share/empty.sshd",
      .privsep_mode = 0755,
      .privsep_user = "nobody:x:65534:65534:Kernel Overflow User:/:/usr/bin/nologin",
      .privsep_group = "nobody:x:65534:",
      .unit = "sshd",
      .logs = "",
      .reinstall = "pacman -S openssh" },
    /* The init scripts of these two make /var/empty anew. */
    { .name = "Alpine",
      .ids = "alpine postmarketos",
      .key_types = THREE_TYPES,
      ROOTS_KEYS,
      .config_mode = 0644,
      .moduli_mode = 0644,
      .minimal_config = alpine_config,
      .privsep_user = "sshd:x:22:22:sshd:/dev/null:/sbin/nologin",
      .privsep_group = "sshd:x:22:",
      .unit = "sshd",
      .init_script = "sshd",
      .logs = "/var/log/messages",
      .reinstall = "apk fix openssh" },
    { .name = "Gentoo",
      .ids = "gentoo",
      .key_types = THREE_TYPES,
      ROOTS_KEYS,
      .config_mode = 0600,
      .moduli_mode = 0644,
      .minimal_config = gentoo_config,
      .pam = gentoo_pam,
      .privsep_user = "sshd:x:22:22:User for sshd:/var/empty:/sbin/nologin",
      .privsep_group = "sshd:x:22:",
      .unit = "sshd",
      .init_script = "sshd",
      .logs = "/var/log/messages",
      .reinstall = "emerge --oneshot net-misc/openssh" },
    /* services.openssh.hostKeys; all else in /etc leads to the store, and is not ours to write. */
    { .name = "NixOS",
      .ids = "nixos",
      .key_types = "ssh_host_rsa_key ssh_host_ed25519_key",
      ROOTS_KEYS,
      .config_mode = 0644,
      .moduli_mode = 0644,
      .unit = "sshd",
      .logs = "",
      .reinstall = "nixos-rebuild switch" },
    { .name = "other",
      .ids = "",
      .key_types = THREE_TYPES,
      ROOTS_KEYS,
      .config_mode = 0644,
      .moduli_mode = 0644,
      .unit = "sshd",
      .logs = "/var/log/auth.log /var/log/secure /var/log/messages",
      .reinstall = "reinstall the package of the OpenSSH server" },
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

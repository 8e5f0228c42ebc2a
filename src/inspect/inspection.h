/* SPDX-License-Identifier: MIT */
/*
 * The facts about one system, collected read-only from its opened root. Nothing
 * here judges: that is findings/. All texts and arrays belong to the inspection.
 */
#ifndef INSPECT_INSPECTION_H
#define INSPECT_INSPECTION_H

#include "config/config.h"
#include "hostkey/hostkey.h"
#include "inspect/evidence.h"
#include "inspect/profile.h"
#include "root/root.h"

/* Where runs of this program are kept on a target; the second where /var is another file system. */
#define STATE_DIR "/var/lib/sshmend"
#define STATE_DIR_ROOT "/.sshmend"

/* The drop-in that tells cloud-init to leave the host keys alone; the last one by name wins. */
#define KEEP_KEYS_FILE "/etc/cloud/cloud.cfg.d/zz_sshmend_keep_keys.cfg"

/* os-release(5) and the host name. */
struct os {
    char *id, *id_like, *version_id, *name; /* "" where not told */
    char *hostname;                         /* "" where not told */
    char *machine_id;                       /* machine-id(5); "" where not told */
};

struct user {
    char *name, *home, *shell;
    uid_t uid;
    gid_t gid;
};

struct group {
    char *name, *members; /* members: comma separated */
    gid_t gid;
};

/* The target's own passwd(5) and group(5); the rescue system's are never asked. */
struct accounts {
    struct user *users;
    size_t user_count;
    struct group *groups;
    size_t group_count;
};

enum account_file { ACCOUNT_PASSWD, ACCOUNT_GROUP, ACCOUNT_SHADOW, ACCOUNT_FILES };

struct sshd {
    struct root_stat stat; /* of the program */
    char *path;            /* NULL: no sshd program */
    char *version_text;    /* "9.2p1"; NULL: unknown */
    int version;           /* OPENSSH(9, 2); 0: unknown */
    bool asks_privsep;     /* its strings hold the profile's privilege separation directory */
    bool group_keys;       /* patched to load keys that the group ssh_keys may read (Red Hat) */
    bool early_ecdsa;      /* ECDSA was put into it before its release (Red Hat) */
    bool protocol_1;       /* built with what reads keys of protocol 1 */
    struct blob strings;   /* the program's, each with a NUL on both sides; no data: unreadable */
};

struct config {
    char *path; /* the main file that sshd reads; NULL: there is none */
    struct directive *directives;
    size_t count;
    struct config_text *files; /* every file read; the main one first */
    size_t file_count;
    struct config_fault *faults;
    size_t fault_count;
    bool destroyed;             /* the main file holds no directive: empty, NUL, or no text */
    char **host_key_algorithms; /* what this sshd offers, NULL-terminated */
};

/*
 * A small text file whose lines a mend may change: passwd, hosts.deny, authorized keys.
 * Configuration files of sshd are in struct config.
 */
struct text_file {
    char *path, *real;
    struct root_stat stat;
    char *label; /* SELinux context; NULL: none */
    struct blob text;
};

/* A file that sshd needs and that is lost or destroyed, and what can stand in its place. */
struct substitute {
    char *path;   /* canonical, as far as it is there */
    bool exists;  /* something is there: it is destroyed */
    char *source; /* where on the target the content is from; NULL: made for this distribution */
    struct blob content; /* no data: there is nothing to put there */
    struct root_meta meta;
};

/* PAM's stack of sshd; judged only where sshd uses PAM. */
struct pam {
    bool used;
    bool missing;          /* no stack of its own that says anything */
    bool others_deny;      /* what stands in then lets nobody in */
    char *missing_include; /* a stack that it includes and that is not there */
    char *missing_module;  /* a module that must work and is not there */
    struct substitute stack;
};

/* Somebody who may log in: root, people, and whoever has authorized keys. */
struct login_user {
    const struct user *user;
    bool has_keys;
    bool shell_missing; /* what passwd names is not there */
};

/* The text of a file of authorized keys. */
struct key_file {
    const struct user *user;
    const struct text_file *file;
    bool bom;         /* begins with UTF-8's mark: the first key is lost */
    bool foreign;     /* UTF-16, or NUL bytes: no line can be read */
    struct blob utf8; /* of UTF-16 that holds a key: the same as sshd can read it; else no data */
    size_t keys;      /* lines that hold a key */
    size_t bad;       /* lines that hold neither a key nor a comment */
};

/* A line of hosts.deny that refuses everybody whom hosts.allow does not name. */
struct denial {
    const struct text_file *file;
    unsigned line;
    bool some_allowed; /* hosts.allow names somebody for sshd */
};

/* Files that directives of sshd_config name: gone, or not what sshd takes. */
struct named_file {
    const struct directive *directive;
    char *path;
    bool missing;
    bool unusable; /* RevokedKeys, TrustedUserCAKeys: holds nothing that sshd can read */
};

/* The ChrootDirectory of one user, which sshd refuses. */
struct chroot_fault {
    const struct user *user;
    char *path;
    char *why; /* a clause: "/home/alice belongs to uid 1000" */
};

struct login {
    char *nologin; /* canonical; NULL: not there */
    struct login_user *users;
    size_t user_count;
    const char *spare_shell; /* one that is there, for those whose own is not; NULL */
    struct key_file *key_files;
    size_t key_file_count;
    struct denial *denials;
    size_t denial_count;
    struct named_file *named;
    size_t named_count;
    struct chroot_fault *chroots;
    size_t chroot_count;
    struct pam pam;
};

/* How much of the tree as a whole has lost its modes and owners, by a sample of well-known paths.
 */
struct accident {
    size_t looked_at;
    size_t open;       /* written by everybody */
    size_t closed;     /* not read, or not passed, by those who need it */
    size_t foreign;    /* not root's */
    char *setuid_lost; /* programs without their setuid bit, blank separated; NULL */
};

/* The label that the target's policy gives to something that is not there yet. */
struct path_label {
    char *path, *label;
};

/* What must be there for a program to run: it, its interpreter, its libraries. */
struct program {
    char *path;       /* as it is called: /usr/sbin/sshd */
    const char *role; /* "sshd", "session helper" */
    bool exists;
};

struct library_gap {
    char *name;      /* libwrap.so.0 */
    char *needed_by; /* the path of who asks for it */
    char *package;   /* a guess of what to reinstall; NULL */
    char *candidate; /* a file of that name elsewhere in the tree; NULL */
    bool uncached;   /* the candidate is whole, but ld.so.cache does not have it */
    char *link;      /* uncached: where a link would be found without the cache; NULL */
};

struct programs {
    struct program *items;
    size_t count;
    struct library_gap *gaps; /* each name once */
    size_t gap_count;
    char **files;  /* all that is there of programs, interpreters and libraries: canonical paths */
    bool wrappers; /* linked with libwrap: hosts.allow and hosts.deny count */
    bool judged;   /* sshd is an ELF program whose needs could be read */
};

enum init_system { INIT_UNKNOWN, INIT_SYSTEMD, INIT_OPENRC, INIT_SYSV };

/* How sshd is started at boot. Texts NULL where there is no such thing. */
struct service {
    enum init_system init;
    char *name;     /* "ssh.service", "sshd" */
    char *path;     /* of the unit or the init script; NULL: missing */
    char *mask;     /* path of what masks it: a link to /dev/null, or an empty file */
    bool enabled;   /* something starts it at boot: it, or its socket */
    bool by_socket; /* only its socket is wanted */
    char *enable_path, *enable_target; /* the link that would start it at boot */
    char *condition; /* path of a file that must not be there, and is: sshd_not_to_be_run */
    char *missing_environment; /* a file that EnvironmentFile= asks for */
    char *missing_program;     /* what ExecStart= calls, where it is not there */
    char *odd_default;   /* "/etc/systemd/system/default.target": leads to a target without sshd */
    char *generator;     /* what makes missing keys at boot: unit or script */
    char *generator_off; /* a clause: why it will not */
};

/* cloud-init, and whoever else touches host keys at boot. */
struct cloud {
    bool present, disabled;
    bool deletes_keys;   /* ssh_deletekeys, as merged; true where unset */
    bool instance_known; /* it has run here: only a new instance is a first boot */
    char *set_by;        /* the file that says ssh_deletekeys last; NULL: nobody */
    char *agent;         /* a guest agent that makes host keys; NULL */
};

/* One line of the target's own logs: as it stands there, or as syslog would have it. */
struct log_line {
    char *source; /* path of the log */
    char *text;
    int64_t time; /* microseconds since 1970, as far as it is known */
};

struct logs {
    struct log_line *lines; /* oldest first */
    size_t count;
    bool texts;                 /* there is a text log of syslog's */
    const char *journal_unread; /* there is a journal: why it was not read; NULL */
};

/* A file or directory whose mode, owner or label matters to sshd; modes.c has the table. */
struct node {
    const struct mode_rule *rule;
    char *path; /* as sshd names it */
    char *real; /* where that leads: canonical */
    struct root_stat stat;
    mode_t refused; /* permission bits that must not be there, for this sshd */
    mode_t needed;  /* permission bits that must be there */
    mode_t mode;    /* what it is set to when mended */
    uid_t uid;      /* who should own it */
    gid_t gid;
    bool root_may_own;    /* uid 0 is as good as uid */
    bool acl;             /* has a POSIX ACL beyond its mode */
    unsigned flags;       /* chattr */
    char *label;          /* SELinux context; NULL: none */
    char *expected_label; /* what the target's policy gives it; NULL: no SELinux, or no opinion */
};

enum pub_state { PUB_OK, PUB_MISSING, PUB_DAMAGED, PUB_FOREIGN, PUB_ODD };

/* What may be a lost host key: in another file, or on the bare disk. */
struct key_copy {
    char *path; /* carved: in words */
    struct hostkey_judgement judgement;
    bool carved; /* from the bare disk */
    enum evidence_source source;
    char *vouched_by; /* what says that clients know it; NULL: nothing */
};

struct host_key {
    char *path;                  /* as sshd names it */
    char *real;                  /* canonical; where a new one goes, too */
    const struct key_type *type; /* of the key, else by the file's name; NULL: not to be told */
    bool used;                   /* sshd of this configuration loads it */
    bool exists;
    char *odd;          /* a clause: "is a directory"; NULL where it is a regular file */
    char *elsewhere;    /* a clause: not on this file system, so not judged; NULL */
    bool agent;         /* not there, and HostKeyAgent signs with its .pub */
    bool pub_link;      /* the .pub is a link */
    bool lost;          /* used, and nothing of the private part can be saved */
    bool stops_sshd;    /* used, and so damaged that this sshd ends as it reads it */
    bool swapped;       /* private and .pub have changed places */
    bool type_loads;    /* this sshd knows the type, and speaks its protocol */
    bool protocol_off;  /* it knows the type, and is told not to speak its protocol */
    bool format_loads;  /* this sshd reads the format */
    bool size_accepted; /* this sshd does not find it too short */
    char *digest;       /* SHA-256 of the private file; NULL where it was not read */
    struct hostkey_judgement judgement; /* of the private part (of the .pub's content if swapped) */
    enum pub_state pub_state;
    struct pubkey pub; /* what the .pub file says, if it is sound */
    char *pub_real;
    const struct node *node, *pub_node; /* NULL where the file is not there */
    struct key_copy *copies;            /* looked for only where the private part is lost */
    size_t copy_count;
    char *label, *pub_label; /* for new files; NULL: none */
};

/* Another system of the same run, or this one itself, as far as it takes to tell a clone. */
struct peer {
    char *name; /* for people: "/dev/vdc1" */
    struct os os;
    struct pubkey *keys; /* what its .pub files say */
    size_t key_count;
};

enum host_cert_state {
    HOST_CERT_OK,
    HOST_CERT_MISSING, /* not there, or cannot be read */
    HOST_CERT_DAMAGED,
    HOST_CERT_NONE,    /* a public key that nobody has signed */
    HOST_CERT_FOREIGN, /* for none of the keys that sshd loads */
    HOST_CERT_USER,    /* for a user: sshd loads it, and no client takes it */
    HOST_CERT_EXPIRED,
    HOST_CERT_EARLY,   /* not yet valid */
    HOST_CERT_UNKNOWN, /* of a type or format that is not known here */
};

/* A certificate that HostCertificate names. */
struct host_cert {
    const struct directive *directive;
    const char *path; /* the directive's */
    enum host_cert_state state;
    const struct host_key
        *key; /* the one it is for; NULL: not to be told, or none that is loaded */
};

/* The search of the bare disk for lost keys, and those of which nothing says whose they are. */
struct carving {
    bool done, cancelled;
    uint64_t bytes_read, bytes_failed;
    struct stranger {
        struct pubkey pub;
        char *place;       /* in words */
        const char *state; /* "whole", "encrypted", "torn" */
    } * strangers;
    size_t stranger_count;
};

struct inspection {
    struct os os;
    const struct profile *profile;
    char *fips;           /* the file that says that FIPS mode is on; NULL: it is not */
    bool privsep_missing; /* sshd asks for a directory on this disk that is not there */
    struct root_facts fs;
    struct accounts accounts;
    struct sshd sshd;
    struct config config;
    struct programs programs;
    struct service service;
    struct cloud cloud;
    struct login login;
    struct accident accident;
    struct substitute lost_config, lost_moduli; /* no content: not lost, or nothing to put there */
    /* Missing, or without root; no path: not lost. The accounts are those of the substitute. */
    struct substitute lost_accounts[ACCOUNT_FILES];
    bool moduli_missing, moduli_damaged; /* not there; without a line that sshd can use */
    bool privsep_user_missing;
    bool profile_known;
    struct path_label *new_labels;
    size_t new_label_count;
    struct text_file **texts;
    size_t text_count;
    struct host_key *keys;
    size_t key_count;
    struct host_cert *certs;
    size_t cert_count;
    char **names; /* what clients may call this machine, in lower case; NULL-terminated */
    /* What the operator says that clients know; given, and not freed with this. NULL: nothing. */
    const struct evidence_list *told;
    const struct peer *peers; /* given by who looks at several systems, and not freed with this */
    size_t peer_count;
    struct node *nodes;
    size_t node_count;
    struct carving carving;
    struct root_meta key_meta, pub_meta; /* of new key files, but for their labels */
    bool selinux;      /* the target enforces, or may enforce, an SELinux policy */
    char *state_label; /* for /var/lib/sshmend; NULL: none */
    char *unfinished;  /* a run of sshmend that was interrupted: its ID; NULL: none */
};

/* The name of the system alone, for listing it. Never fails: texts are "" where unknown. */
void os_inspect(const struct root *root, struct os *ret);
void os_free(struct os *os);

void peer_inspect(const struct root *root, const char *name, struct peer *ret);
void peer_free(struct peer *peer);

/*
 * Everything. earlier: an inspection of the same disk, or NULL; a key or a program
 * whose bytes are the same is not proven or searched again. ERR_NOT_FOUND or
 * ERR_REFUSED where the tree is not one that can be judged.
 */
int inspect(const struct root *root, const struct inspection *earlier, struct inspection *ret,
            struct err *e) MUST_CHECK;
void inspection_free(struct inspection *inspection);

/* A user's authorized keys: where they are, or would be. */
struct authorized {
    const struct user *user;
    char *path;          /* canonical */
    char *new_directory; /* that has to be made first; NULL: it is there */
    bool exists;
    struct blob text;
    char *label, *directory_label; /* SELinux contexts; NULL: none */
};

/*
 * The user's home becomes one of the nodes, since it counts as soon as there are keys in it.
 * ERR_NOT_FOUND: no such user, or no home on this disk. ERR_REFUSED: sshd reads no such file,
 * or what stands in its place is no plain file.
 */
int authorized_inspect(const struct root *root, struct inspection *inspection, const char *user,
                       struct authorized *ret, struct err *e) MUST_CHECK;
void authorized_free(struct authorized *authorized);

/*
 * What sshd and the clients of this system have said in its own logs, the last lines of
 * them. For a system with findings: reading a journal takes longer than all the rest.
 */
void logs_inspect(const struct root *root, struct logs *ret);
void logs_free(struct logs *logs);

/* A file system that the target mounts somewhere, by its fstab: a hint, and hostile text. */
struct fstab_entry {
    char *source;          /* "UUID=…", "LABEL=…", "/dev/sdb1" */
    char *directory;       /* absolute, without links to be trusted */
    char *type;            /* "ext4", "auto" */
    char *subvolume;       /* of btrfs, as subvol= has it; NULL: none said */
    uint64_t subvolume_id; /* as subvolid= has it, where there is no subvol=; 0: none said */
};
struct fstab {
    struct fstab_entry *entries; /* those above before those beneath */
    size_t count;
    char *etc_overlay; /* the upper directory of the overlay that /etc is; NULL: it is none */
};
/* What is on a disk, and mounted at boot. No fstab, or one that is garbage, has no entries. */
void fstab_inspect(const struct root *root, struct fstab *ret);
void fstab_free(struct fstab *fstab);

const struct user *accounts_user(const struct accounts *accounts, const char *name);
const struct group *accounts_group(const struct accounts *accounts, const char *name);
/*
 * What holds for everybody, or NULL: the first value in sshd's order, of those below "Match all"
 * or else of those outside.
 */
const struct directive *config_find(const struct config *config, const char *keyword);
/* The text file at a canonical path; NULL: it was not read. */
const struct text_file *inspection_text(const struct inspection *inspection, const char *real);
/* The label for a new file; NULL: none. */
const char *inspection_new_label(const struct inspection *inspection, const char *path);
/* The four ways a node can be wrong. */
bool node_open(const struct node *node);
bool node_closed(const struct node *node);
bool node_owner_wrong(const struct node *node);
bool node_label_wrong(const struct node *node);
/* True where the private part is proven and this sshd would load it, mode and owner aside. */
bool host_key_sound(const struct host_key *key);
/* True where sshd would serve it as it stands. */
bool host_key_serves(const struct host_key *key);
bool any_key_lost(const struct inspection *inspection);
/* One of the names of a line of known_hosts is one of this machine. */
bool names_hold(const struct inspection *inspection, const char *names);

/* What clients know instead of a key that would serve, by the word of the operator. */
struct expectation {
    char *fingerprint;           /* the caller's */
    const char *where;           /* "--fingerprint" */
    const struct key_copy *copy; /* of the key that clients know; NULL: none was found */
};
/* False where nothing is told of it, or it is what clients know. */
bool key_expected(const struct inspection *inspection, const struct host_key *key,
                  struct expectation *ret);
/* The first fingerprint by which clients know this machine, and which none of its keys has. */
const struct evidence *fingerprint_unmatched(const struct inspection *inspection);

#define auto_inspection auto_with(inspection_free)

#endif

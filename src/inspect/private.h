/* SPDX-License-Identifier: MIT */
/* What the files of inspect/ share; one section for each of them. */
#ifndef INSPECT_PRIVATE_H
#define INSPECT_PRIVATE_H

#include "inspect/inspection.h"
#include "inspect/modes.h"

#include <pthread.h>

/* Bounds on what is read from a target. */
enum { TEXT_FILE_MAX = 1024 * 1024, PROGRAM_MAX = 64 * 1024 * 1024 };

/* A text file of the target, or NULL; NUL bytes end it. The caller frees it. */
char *read_text(const struct root *root, const char *path, size_t max) MUST_CHECK;

/* accounts.c */
/* The profile must be known. */
int accounts_inspect(const struct root *root, struct inspection *inspection,
                     struct err *e) MUST_CHECK;
void accounts_free(struct accounts *accounts);

/* sshd.c */
void sshd_inspect(const struct root *root, const struct profile *profile,
                  const struct sshd *earlier, struct sshd *ret);
/* Whether its program has this text as a string of its own. */
bool sshd_holds(const struct sshd *sshd, const char *text);
void sshd_free(struct sshd *sshd);

/* packages.c: "9.2p1" by the package database, unchecked; NULL where that knows of none */
char *package_version(const struct root *root) MUST_CHECK;

/* config.c */
int config_inspect(const struct root *root, const struct profile *profile, const struct sshd *sshd,
                   struct config *ret, struct err *e) MUST_CHECK;
void config_free(struct config *config);

/* policy.c */
#define POLICY_FILE "/etc/crypto-policies/back-ends/opensshserver.config"
/* What is said on sshd's command line, as lines of a configuration; NULL: nothing. The caller's. */
char *policy_lines(const struct root *root) MUST_CHECK;
/* The file that says that FIPS mode is on, for an sshd that heeds it; NULL: none. The caller's. */
char *policy_fips(const struct root *root) MUST_CHECK;

/* keys.c: between the two, which keys there are and where they lie is known, and no more */
struct key_proofs {
    struct key_files *files;
    size_t count;
};
int keys_begin(const struct root *root, const struct inspection *earlier,
               struct inspection *inspection, struct key_proofs *ret, struct err *e) MUST_CHECK;
void keys_finish(const struct root *root, struct key_proofs *proofs, struct inspection *inspection);
/* Waits for them, and keeps nothing; before the inspection they belong to is freed. */
void key_proofs_end(struct key_proofs *proofs);
void host_key_free(struct host_key *key);
/* Ties each key to the nodes of its two files, once all nodes are there. */
void keys_tie(struct inspection *inspection);

/* key_files.c: what the two files of a key hold, while it is judged */
struct key_files {
    struct host_key *key;
    struct blob bytes, pub_bytes;
    pthread_t thread;
    bool threaded;
};
/* A key on what somebody has mounted in a directory tree is not ours to judge. */
int key_files_read(const struct root *root, struct key_files *files, struct err *e) MUST_CHECK;
void key_files_free(struct key_files *files);

/* copies.c: fills the copies of the keys that are lost */
void copies_inspect(const struct root *root, struct inspection *inspection);

/* names.c: the host name and the configuration must be known */
void names_inspect(const struct root *root, struct inspection *inspection);

/* certs.c: those that HostCertificate names; the keys must be known */
void certs_inspect(const struct root *root, struct inspection *inspection);

/* nodes.c */
int nodes_inspect(const struct root *root, struct inspection *inspection, struct err *e) MUST_CHECK;
void node_free(struct node *node);

/* Programs, libraries, the shells of users, and the directories they are in. */
int nodes_of_programs(const struct root *root, struct inspection *inspection,
                      struct err *e) MUST_CHECK;

/* utf16.c: false where it is no whole text of UTF-16 */
bool utf16_to_utf8(const struct blob *text, struct blob *ret) MUST_CHECK;

/* fstab.c: the first fields of a line, in place, and how many there are; 0: none, or a comment. */
enum { FSTAB_FIELDS = 4 };
size_t fstab_split(char *line, char *fields[FSTAB_FIELDS]);

/* login.c */
int login_inspect(const struct root *root, struct inspection *inspection, struct err *e) MUST_CHECK;
/* AuthorizedKeysFile: its "~" first, then its %h, %u, %U and %%; the caller's. */
char *authorized_pattern(const struct accounts *accounts, const char *pattern) MUST_CHECK;
char *authorized_path(const char *pattern, const struct user *user) MUST_CHECK;

/*
 * What NixOS and Guix have built: never changed, since its name is a hash of its content, and the
 * next build would not have the change.
 */
bool in_store(const char *real);

/* Adds one file or directory to the nodes, where it is there. */
int node_add(const struct root *root, struct inspection *inspection, const struct mode_rule *rule,
             const char *path, const struct user *owner, struct err *e) MUST_CHECK;

/* programs.c: what sshd and its helpers need to run; the config must have been read */
void programs_inspect(const struct root *root, struct inspection *inspection);
void programs_free(struct programs *programs);

/* elf_file.c: what an ELF file of this size, in bytes, asks of the loader; -1: it is not whole */
struct elf_file {
    bool wide; /* of 64 bits */
    unsigned machine;
    char *interpreter; /* NULL: none */
    char *run_path;    /* DT_RUNPATH or DT_RPATH; NULL */
    char **needed;     /* NULL-terminated */
};
int elf_file_read(const struct root *root, const char *path, uint64_t size,
                  struct elf_file *ret) MUST_CHECK;
void elf_file_free(struct elf_file *file);

/* ld_cache.c: what ldconfig(8) has written down for ld.so(8); no data where that would not take it
 */
struct blob ld_cache_read(const struct root *root);
/* The next path of a library of this name, from *at on; NULL: no more. */
const char *ld_cache_find(const struct blob *cache, const char *name, size_t *at);

/* service.c */
void service_inspect(const struct root *root, struct service *ret);
void service_free(struct service *service);

/* cloud.c */
void cloud_inspect(const struct root *root, struct cloud *ret);
void cloud_free(struct cloud *cloud);

/* texts.c: reads a text file for editing; NULL where there is none, or it is too large */
const struct text_file *text_file_add(const struct root *root, struct inspection *inspection,
                                      const char *path, size_t max);
void text_file_free(struct text_file *file);

/* substitutes.c: what can stand in for files that are lost */
void substitutes_inspect(const struct root *root, struct inspection *inspection);
/* The first sound copy of a file; default_text: where there is none; NULL. */
void substitute_find(const struct root *root, const char *path, const char *package_copy,
                     const char *default_text, bool (*sound)(const struct blob *, const void *),
                     const void *context, struct substitute *ret);
void substitute_free(struct substitute *substitute);

/* access.c: what keeps people out behind sshd's back: nologin, hosts.deny, shells, PAM */
void access_inspect(const struct root *root, struct inspection *inspection);
void login_free(struct login *login);
/* chroot.c: the users must be known */
void chroots_inspect(const struct root *root, struct inspection *inspection);
/* pam.c */
void pam_inspect(const struct root *root, const struct inspection *inspection, struct pam *ret);

/* accident.c */
void accident_inspect(const struct root *root, struct accident *ret);

/* log_time.c: the clock that the lines of a text log were written by */
struct log_clock {
    int64_t written; /* the file, last: seconds since 1970 */
    int64_t zone;    /* what its times are behind UTC, where they do not tell */
};
/* By the last line, which was written when the file was. */
struct log_clock log_clock_of(const char *last_line, int64_t written);
/* When a line was written; 0: it does not tell. */
int64_t log_time(const char *line, const struct log_clock *clock);

/* journal.c */
#define JOURNAL_DIR "/var/log/journal"
enum { JOURNAL_FILES_MAX = 32, JOURNAL_TEXT_MAX = 1000 };
/* Adds what systemd's journal holds, in no order, or says why it does not. */
void journal_inspect(const struct root *root, struct logs *logs);
/* What it says of host keys that were made, a line each; NULL: nothing. The caller frees it. */
char *journal_keys(const struct root *root) MUST_CHECK;

/* journal_read.c */
extern const bool journal_readable; /* built with libsystemd */
/* Before the child is made. */
void journal_prepare(void);
/* The child's work: "TIME text", a line each; TIME in microseconds. */
int journal_read(const int *fds, size_t count, int out);
/* The same of what tells of host keys, without the time. */
int journal_read_keys(const int *fds, size_t count, int out);

/*
 * logs.c: the end of a log, packed or not, without its NUL bytes; NULL. The caller frees it.
 * ret_written (or NULL): when it was written last, in seconds; 0: that cannot be told.
 */
char *log_tail(const struct root *root, const char *path, size_t most,
               int64_t *ret_written) MUST_CHECK;

/* selinux.c */
struct labels;
/* NULL where the target has no SELinux policy. */
struct labels *labels_open(const struct root *root);
/* The context the policy gives a path; NULL where it has no opinion. The caller frees it. */
char *labels_lookup(const struct labels *labels, const char *path, mode_t type) MUST_CHECK;
void labels_close(struct labels **labels);

#endif

/* SPDX-License-Identifier: MIT */
/* From targets to the Linux systems on them. */
#ifndef CLI_SYSTEMS_H
#define CLI_SYSTEMS_H

#include "cli/cli.h"
#include "door/open.h"

/* A file system of a system: that of its root, or another one beneath it. */
struct system_part {
    char *directory; /* canonical; "/" */
    const struct disk *disk;
    const struct volume *volume;
    const struct root *root; /* only while they are being opened */
};

struct system {
    const char *target;
    struct disk *disk;
    const struct volume *volume; /* NULL: a directory */
    const char *subvolume;       /* NULL: the default one, or no btrfs */
    enum root_way way;
    bool restore_superblock; /* where it is gone, it is put back before anything is changed */
    const char *deployment;  /* the directory of it that ostree boots; NULL: no ostree */
    char *name;              /* for people */
    char *path;              /* where in the target */
    struct os os;
    int number;
    struct disk *disks; /* all that were given: other parts of it may be on them */
    size_t disk_count;
    char *absent;              /* a part that is not here, a sentence; NULL: none that matters */
    bool apart;                /* a part is here, and cannot be put where it belongs */
    bool absent_vital;         /* without it nothing can be said */
    struct system_part *parts; /* as they were opened last, the root first */
    size_t part_count;
    struct root *root;           /* still open for reading since it was found, or NULL */
    const struct systems *among; /* all that were found with it */
};

struct systems {
    struct disk *disks;
    char **disk_targets; /* one for each disk */
    size_t disk_count;
    struct system *items;
    size_t count;
    struct scan_row *rows; /* everything seen, for scan and for messages */
    char **texts;          /* what the rows point at */
    size_t row_count, text_count;
    struct peer *peers; /* each of them once, chosen or not; none where there is only one */
    size_t peer_count;
};

/*
 * The targets of the options; none means every attached disk, or the one of --disk-serial. The
 * disks are held until systems_free; exclusive: to be changed.
 */
int systems_find(const struct options *options, bool exclusive, struct systems *ret,
                 struct err *e) MUST_CHECK;
void systems_free(struct systems *systems);
void system_free(struct system *system);

/* Learns the systems to know each other; before any of them is chosen or opened again. */
void systems_introduce(struct systems *systems);

/*
 * Leaves the systems that the options choose: --system, --all; without either all
 * of them, or, where only_one, the only one there is. ERR_NOT_FOUND, ERR_REFUSED.
 */
int systems_choose(struct systems *systems, const struct options *options, bool only_one,
                   struct err *e) MUST_CHECK;

size_t systems_of_disk(const struct systems *systems, const struct disk *disk);
/* Why there is no system on a disk; returns -1. */
int systems_none_on(const struct systems *systems, const struct disk *disk, struct err *e);

/* Opens what the system's fstab names, and puts it beneath the root; fills parts and absent. */
void attach_beneath(struct system *system, enum root_access access, struct root *root);
void forget_parts(struct system *system);
/* ERR_REFUSED where changing it now would do harm. */
int system_may_change(const struct system *system, struct err *e) MUST_CHECK;
int system_open(struct system *system, enum root_access access, struct root **ret,
                struct err *e) MUST_CHECK;
/* Before somebody agrees: what a change does beside what is planned. */
void system_warn_before(const struct system *system, const struct options *options);
/* Before a file system without a journal is changed, where there is no kernel to do it. */
void system_warn(const struct system *system, const struct root *root,
                 const struct options *options);
struct report_system system_for_report(const struct system *system);

/* ---- one system, looked at ------------------------------------------------------------ */

struct examination {
    struct inspection facts;
    struct findings findings;
    struct plan plan;
    struct authorized authorized; /* authorize alone; the plan points into it */
};

/*
 * Facts, findings and the plan that the options allow. earlier: as for inspect. The first look
 * is the one that searches the bare disk, where the options want that.
 */
int examine(const struct system *system, const struct root *root, const struct options *options,
            const struct inspection *earlier, struct examination *ret, struct err *e) MUST_CHECK;
/* search.c: adds what the bare disk has of lost keys. */
int search_lost_keys(const struct system *system, const struct root *root,
                     const struct options *options, struct inspection *facts,
                     struct err *e) MUST_CHECK;
void examination_free(struct examination *examination);
/* EXIT_LEFT where a finding of weight is left, EXIT_FAILED where one forbids any change. */
int examination_code(const struct findings *findings);

/*
 * Finds and chooses systems, and calls handle for each; or-s the exit codes, and
 * turns errors into messages, or into JSON. changes: more than one system needs --all,
 * and the disks are held for that.
 */
int for_each_system(const struct options *options, const char *command, bool changes,
                    int (*handle)(struct system *system, const struct options *options));
/* An error about one system: said, and in JSON too. Returns the exit code. */
int report_failure(const struct system *system, const char *command, const struct options *options,
                   const struct err *e);

#define auto_systems auto_with(systems_free)
#define auto_examination auto_with(examination_free)

#endif

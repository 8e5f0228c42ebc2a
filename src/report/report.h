/* SPDX-License-Identifier: MIT */
/*
 * What was found, planned and done, for people and for scripts. With cli/, the only
 * room that prints. Everything that came from a disk is cleaned on its way out.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "apply/apply.h"
#include "device/device.h"
#include "prove/prove.h"

/* Which system a report is about; texts may be NULL where not known. */
struct report_system {
    const char *target; /* as the operator named it */
    struct image_source source;
    const char *device; /* the volume: "disk.img partition 3" */
    const char *path;   /* where in the target: "partition 3", "partition 3, subvolume @" */
    const char *fs, *uuid;
    const struct os *os;
    int number; /* as --system takes it */
};

/* The target as the next command line has it, cleaned for a terminal. */
char *report_target(const struct report_system *system) MUST_CHECK;

/* One system, one command; what is NULL did not happen. */
struct report {
    const char *command;
    struct report_system system;
    const struct inspection *facts;
    const struct findings *findings;
    const struct plan *plan; /* what was, or would be, changed */
    bool done;               /* the plan was carried out */
    bool seen;               /* the operator has read the findings: what is left will do */
    const char *run;
    const struct proof *proof;
    const struct err *error;
};

enum report_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct report_style {
    bool json, quiet, verbose, color;
};

/* Colours where they are wanted and can be shown: NO_COLOR and TERM are honoured. */
bool report_wants_color(enum report_color choice);

/* ---- for people, on stdout ------------------------------------------------------------ */

/* The disks, what is on them, and which of it is a system. */
struct scan_row {
    const struct disk *disk;
    const struct volume *volume;
    const char *name;
    const struct os *os; /* NULL: no Linux system */
    int number;
    const char *problem; /* why it could not be opened; NULL */
};
void report_scan(const struct scan_row *rows, size_t count);
void report_check(const struct report *report, const struct report_style *style);
/* What will change, and what clients will notice. */
void report_plan(const struct report *report, const struct report_style *style);
void report_repair(const struct report *report, const struct report_style *style);
void report_authorize(const struct report *report, const char *user,
                      const struct report_style *style);
/* Every key that was found on the bare disk, and what vouches for it. */
void report_recoverable(const struct report *report, const struct report_style *style);
/* Which came back, and which are still lost. */
void report_recover(const struct report *report, const struct report_style *style);
void report_undo(const struct report *report, const struct run_summary *run);
void report_runs(const struct run_summary *runs);
void report_keys(const struct report *report, const char *known_hosts, const char *sshfp);
void report_prove(const struct report *report, const struct report_style *style);
void report_explain(const struct check *check);
/* A line that a symptom fits, and how often there was one. */
struct symptom_seen {
    const struct symptom *symptom;
    char *line;
    size_t count;
};
/* For people, or with --json one object. */
void report_symptoms(const struct symptom_seen *seen, size_t count,
                     const struct report_style *style);

/* ---- for scripts: one object and a newline, on stdout --------------------------------- */

void report_json(const struct report *report);
void report_json_runs(const struct report *report, const struct run_summary *runs);

#endif
